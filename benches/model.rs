//! A training step of the models on batches of 128, and its parts: forward, backward and Adam.
//!
//!     cargo bench --bench model
//!     cargo bench --bench model -- cnn:channels=32-32-64 3x32x32
//!
//! A time is the median over the steps. The output is Markdown.

use std::time::{Duration, Instant};

use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use downhill::lab::model::{Mode, Shapes, build, parameters};
use downhill::lab::seed::{Purpose, Seed};
use downhill::optim::Adam;
use downhill::spec::Spec;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 128;
const CLASSES: usize = 10;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Milliseconds of forward, backward and the optimizer's step.
fn times(spec: &Spec, input: &[usize]) -> [f64; 3] {
    let device = Device::flex().autodiff();
    let shapes = Shapes { input: input.to_vec(), classes: CLASSES };
    let mut model = build(spec, &shapes, Seed(0), &device).expect("a model of the table");
    let features: usize = input.iter().product();
    let numbers = (0..BATCH * features).map(|i| ((i * 7919) % 1000) as f32 / 1000.0).collect();
    let x = Tensor::<2>::from_data(TensorData::new::<f32, _>(numbers, [BATCH, features]), &device);
    let classes = (0..BATCH).map(|i| (i % CLASSES) as i32).collect();
    let y = Tensor::<2, Int>::from_data(TensorData::new::<i32, _>(classes, [BATCH, 1]), &device);
    let mut optimizer = Adam::new().init();
    let mut parts = [const { Vec::new() }; 3];
    let (begin, mut step) = (Instant::now(), 0);
    while step < 3 || (begin.elapsed() < Duration::from_secs(10) && step < 100) {
        step += 1;
        let start = Instant::now();
        let mut mode = Mode::Train(Seed(0).generator(Purpose::Masks, step));
        let loss = -log_softmax(model.forward(x.clone(), &mut mode), 1).gather(1, y.clone()).mean();
        let forward = start.elapsed();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let backward = start.elapsed();
        model = optimizer.step(1e-3, model, gradients);
        for (times, time) in
            parts.iter_mut().zip([forward, backward - forward, start.elapsed() - backward])
        {
            times.push(time);
        }
    }
    parts.map(median)
}

fn main() {
    let given: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let rows = match given.as_slice() {
        [model, input] => vec![(model.as_str(), input.as_str())],
        _ => vec![
            ("logistic", "28x28"),
            ("logistic:input_dropout=0.5", "10000"),
            ("mlp", "28x28"),
            ("mlp:input_dropout=0.2,dropout=0.5", "28x28"),
            ("mlp:dropconnect=0.5", "28x28"),
            ("lenet", "28x28"),
            ("2c2d", "28x28"),
            ("3c3d", "3x32x32"),
            ("cnn", "3x32x32"),
            ("cnn:input_dropout=0.2,dropout=0.5", "3x32x32"),
            ("cnn:pool=mean", "3x32x32"),
            ("cnn:pool=stochastic", "3x32x32"),
        ],
    };
    println!(
        "| model | inputs | parameters | forward ms | backward ms | Adam ms | step ms |\n|---|---|--:|--:|--:|--:|--:|"
    );
    for (model, input) in rows {
        let spec: Spec = model.parse().expect("a spec");
        let dims: Vec<usize> =
            input.split('x').map(|n| n.parse().expect("sizes such as 3x32x32")).collect();
        let parameters = parameters(&spec, &Shapes { input: dims.clone(), classes: CLASSES })
            .expect("a model for such inputs");
        let [forward, backward, adam] = times(&spec, &dims);
        println!(
            "| `{model}` | {input} | {parameters} | {forward:.1} | {backward:.1} | {adam:.1} | {:.1} |",
            forward + backward + adam
        );
    }
}
