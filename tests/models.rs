//! The models: gradients, comparison with PyTorch, dropout, pooling, initialization and saving.
#![cfg(feature = "lab")]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::model::convolution::convolve;
use downhill::lab::model::dropconnect::{expected, masked, mean_over_normal};
use downhill::lab::model::layers::{Activation, Init, LayerInit, Pool, PoolKind};
use downhill::lab::model::saved::{self, ModelCard};
use downhill::lab::model::vae::{self, Vae};
use downhill::lab::model::{MODELS, Mode, Net, Shapes, build, dropout, parameters};
use downhill::lab::regularizer::Penalty;
use downhill::lab::seed::{Purpose, Seed};
use downhill::lab::task::{AutoencodeProblem, ClassifyProblem};
use downhill::lab::train::Problem;
use downhill::schedule::Progress;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const CLASSES: usize = 3;

fn shapes(input: &[usize]) -> Shapes {
    Shapes { input: input.to_vec(), classes: CLASSES }
}

fn step(n: usize) -> Mode {
    Mode::Train(generator(n))
}

fn generator(n: usize) -> ChaCha8Rng {
    Seed(7).generator(Purpose::Masks, n)
}

fn net(spec: &str, input: &[usize], device: &Device) -> Net {
    build(&spec.parse().unwrap(), &shapes(input), Seed(3), device).unwrap()
}

fn inputs(n: usize, features: usize, to: (&Device, DType)) -> Tensor<2> {
    let mut generator = Seed(5).generator(Purpose::Examples, 0);
    let x: Vec<f64> = (0..n * features).map(|_| StandardNormal.sample(&mut generator)).collect();
    Tensor::from_data(TensorData::new(x, [n, features]), to)
}

fn loss(net: &Net, x: &Tensor<2>, y: &[i32], mode: &mut Mode) -> Tensor<1> {
    let y = Tensor::<2, Int>::from_data(TensorData::new(y.to_vec(), [y.len(), 1]), &x.device());
    -log_softmax(net.forward(x.clone(), mode), 1).gather(1, y).mean()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Replaces the parameter values of a module in f64. The function takes the parameter index, the
/// position and the value.
struct Replace<'a> {
    parameter: usize,
    by: &'a mut dyn FnMut(usize, usize, f64) -> f64,
}

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let parameter = self.parameter;
        self.parameter += 1;
        param.map(|tensor| {
            let (device, shape) = (tensor.device(), tensor.dims());
            let new = numbers(tensor)
                .into_iter()
                .enumerate()
                .map(|(at, x)| (self.by)(parameter, at, x))
                .collect();
            Tensor::from_data(TensorData::new::<f64, _>(new, shape), (&device, DType::F64))
                .require_grad()
        })
    }
}

fn replaced<M: Module>(net: &M, by: &mut dyn FnMut(usize, usize, f64) -> f64) -> M {
    net.clone().map(&mut Replace { parameter: 0, by })
}

/// The gradient of each parameter as a flat list, in Burn's layout.
struct Gradients<'a> {
    of: &'a GradientsParams,
    found: Vec<Vec<f64>>,
}

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.of.get::<D>(param.id).expect("every parameter has a gradient");
        self.found.push(numbers(gradient));
    }
}

fn gradients<M: Module>(net: &M, loss: Tensor<1>) -> Vec<Vec<f64>> {
    let of = GradientsParams::from_grads(loss.backward(), net);
    let mut gradients = Gradients { of: &of, found: Vec::new() };
    net.visit(&mut gradients);
    gradients.found
}

/// Checks the gradients of a classifier's loss with fixed masks.
fn classifier_agrees_with_differences(spec: &str, input: &[usize]) {
    let device = Device::flex().autodiff();
    let x = inputs(4, input.iter().product(), (&device, DType::F64));
    agrees_with_differences(spec, &net(spec, input, &device), &|net: &Net| {
        loss(net, &x, &[0, 1, 2, 1], &mut step(1))
    });
}

/// Compares gradients with central differences of step 1e-6 in f64, at several positions of each
/// parameter.
fn agrees_with_differences<M: Module>(spec: &str, net: &M, of: &dyn Fn(&M) -> Tensor<1>) {
    let start = replaced(net, &mut |_, _, x| x);
    let gradients = gradients(&start, of(&start));
    let largest = gradients.iter().flatten().fold(0.0f64, |a, b| a.max(b.abs()));
    assert!(largest > 1e-3, "{spec}: all gradients are near zero");
    for (parameter, gradient) in gradients.iter().enumerate() {
        for at in (0..gradient.len()).step_by(gradient.len().div_ceil(7)) {
            let moved = |by: f64| {
                let moved = replaced(&start, &mut |p, place, x| {
                    if (p, place) == (parameter, at) { x + by } else { x }
                });
                of(&moved).into_scalar::<f64>()
            };
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!(
                (gradient[at] - difference).abs() < 1e-6 * largest.max(1.0),
                "{spec}, {parameter} at {at}: {} and {difference}",
                gradient[at]
            );
        }
    }
}

#[test]
fn gradients_of_every_layer_agree_with_finite_differences() {
    let rows = [
        ("logistic:input_dropout=0.5", vec![10]),
        ("mlp:hidden=8-7", vec![10]),
        ("mlp:hidden=8,activation=tanh,dropout=0.5", vec![10]),
        ("mlp:hidden=8,activation=sigmoid,input_dropout=0.2", vec![10]),
        ("mlp:hidden=8,activation=softplus", vec![10]),
        ("mlp:hidden=8-7,dropconnect=0.5", vec![10]),
        ("mlp:hidden=8-7,activation=tanh,dropconnect=0.3,masks=3", vec![10]),
        ("cnn:channels=3-4,kernel=3,hidden=6", vec![2, 7, 6]),
        ("cnn:channels=3-4,hidden=6,pool=mean,activation=softplus,dropout=0.5", vec![7, 6]),
        ("cnn:channels=3-4,hidden=6,pool=stochastic,activation=softplus", vec![2, 7, 6]),
        ("lenet", vec![16, 16]),
        ("2c2d", vec![5, 6]),
        ("3c3d", vec![3, 14, 13]),
    ];
    for (spec, input) in &rows {
        classifier_agrees_with_differences(spec, input);
    }
    for entry in MODELS {
        assert!(
            rows.iter().any(|(spec, _)| spec.starts_with(entry.name)),
            "{} is not tested",
            entry.name
        );
    }
}

fn list(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The recorded PyTorch values of each parameter in Burn's layout. PyTorch stores the weights of a
/// linear layer as outputs x inputs, Burn as inputs x outputs.
fn in_burns_layout(case: &serde_json::Value, key: &str) -> Vec<Vec<f64>> {
    let transposed = |parameter: &serde_json::Value| {
        let (shape, value) = (list(&parameter["shape"]), list(&parameter[key]));
        match shape[..] {
            [out, into] => {
                let (out, into) = (out as usize, into as usize);
                (0..into)
                    .flat_map(|i| (0..out).map(move |o| o * into + i))
                    .map(|at| value[at])
                    .collect()
            }
            _ => value,
        }
    };
    case["parameters"].as_array().unwrap().iter().map(transposed).collect()
}

fn same(what: &str, ours: &[f64], torch: &[f64]) {
    assert_eq!(ours.len(), torch.len(), "{what}");
    for (a, b) in ours.iter().zip(torch) {
        assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{what}: {a} and {b}");
    }
}

fn same_gradients(case: &serde_json::Value, ours: &[Vec<f64>]) {
    let torch = in_burns_layout(case, "gradient");
    assert_eq!(ours.len(), torch.len());
    for (ours, torch) in ours.iter().zip(&torch) {
        same(&format!("gradient of {}", case["spec"]), ours, torch);
    }
}

fn recorded() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string("tests/golden/models.json").unwrap()).unwrap()
}

#[test]
fn scores_loss_and_gradients_equal_those_of_pytorch() {
    let recorded = recorded();
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let spec = case["spec"].as_str().unwrap();
        let input: Vec<usize> = list(&case["input"]).into_iter().map(|n| n as usize).collect();
        let device = Device::flex().autodiff();
        let values = in_burns_layout(case, "value");
        let net =
            replaced(&net(spec, &input, &device), &mut |parameter, at, _| values[parameter][at]);
        let y: Vec<i32> = list(&case["y"]).into_iter().map(|n| n as i32).collect();
        let x = TensorData::new(list(&case["x"]), [y.len(), input.iter().product()]);
        let x = Tensor::<2>::from_data(x, (&device, DType::F64));
        same(
            "scores",
            &numbers(net.forward(x.clone(), &mut Mode::Evaluate)),
            &list(&case["scores"]),
        );
        let loss = loss(&net, &x, &y, &mut step(1));
        same("loss", &[loss.clone().into_scalar::<f64>()], &[case["loss"].as_f64().unwrap()]);
        same_gradients(case, &gradients(&net, loss));
    }
}

fn small_vae(device: &Device) -> Vae {
    let settings = vae::read(&"vae:hidden=5,latent=2".parse().unwrap()).unwrap();
    let shapes = Shapes { input: vec![2, 3], classes: 10 };
    let net = settings.made(&shapes, Seed(0), device).unwrap();
    assert_eq!(net.num_params(), settings.count(&shapes).unwrap());
    net
}

#[test]
fn the_bound_of_a_vae_and_its_gradients_equal_those_of_pytorch() {
    let recorded = recorded();
    let case = &recorded["autoencoder"];
    let device = Device::flex().autodiff();
    let values = in_burns_layout(case, "value");
    let net = replaced(&small_vae(&device), &mut |parameter, at, _| values[parameter][at]);
    let tensor = |key: &str, width: usize| {
        let numbers = list(&case[key]);
        let rows = numbers.len() / width;
        Tensor::<2>::from_data(TensorData::new(numbers, [rows, width]), (&device, DType::F64))
    };
    let each = net.loss(tensor("x", 6), tensor("noise", 2));
    same("bound", &numbers(each.clone()), &list(&case["scores"]));
    same_gradients(case, &gradients(&net, each.mean()));
}

#[test]
fn the_gradients_of_a_vae_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let numbers = |n: usize| (0..n).map(|at| ((at * 7) % 11) as f64 / 10.0).collect::<Vec<_>>();
    let tensor = |width: usize| {
        Tensor::<2>::from_data(
            TensorData::new(numbers(3 * width), [3, width]),
            (&device, DType::F64),
        )
    };
    let (x, noise) = (tensor(6), tensor(2));
    agrees_with_differences("vae", &small_vae(&device), &|net: &Vae| {
        net.loss(x.clone(), noise.clone()).mean()
    });
}

fn grey(n: usize) -> Examples {
    Examples {
        shape: vec![2, 3],
        inputs: (0..6 * n).map(|i| ((i * 7) % 11) as f32 / 10.0).collect::<Vec<f32>>().into(),
        labels: vec![0u32; n].into(),
    }
}

#[test]
fn an_autoencoder_draws_new_noise_in_each_step_and_measures_with_fixed_noise() {
    let device = Device::flex().autodiff();
    let data = Dataset {
        name: "grey".into(),
        classes: 1,
        names: Vec::new(),
        train: grey(20),
        test: grey(8),
        fingerprint: None,
    };
    let problem = |seed| {
        AutoencodeProblem::new(&data, 20, Penalty::None, &device).unwrap().seeded(Seed(seed))
    };
    let net = small_vae(&device);
    let at = |step| Progress { step, epoch: 1, batch: 1, steps: 1 };
    let loss = |seed, step| problem(seed).loss(&net, at(step)).into_scalar::<f64>();
    assert_eq!(loss(0, 1), loss(0, 1));
    assert_ne!(loss(0, 1), loss(0, 2));
    assert_ne!(loss(0, 1), loss(1, 1));
    let measures = problem(0).measure(&net.valid(), at(1));
    assert_eq!(measures, problem(1).measure(&net.valid(), at(2)));
    // The mean over many draws is near the mean over the fixed draws of the measurement.
    let mean = (1..=400).map(|step| loss(0, step)).sum::<f64>() / 400.0;
    assert!((measures["train_loss"] - mean).abs() < 0.2, "{} and {mean}", measures["train_loss"]);
    // With zero parameters, each pixel costs log 2, and the KL divergence is zero.
    let nothing = replaced(&small_vae(&device), &mut |_, _, _| 0.0);
    let x = Tensor::<2>::ones([1, 6], (&device, DType::F64));
    let bound = nothing.loss(x, Tensor::ones([1, 2], (&device, DType::F64))).into_scalar::<f64>();
    assert!((bound - 6.0 * 2.0f64.ln()).abs() < 1e-12);
}

#[test]
fn an_autoencoder_rejects_inputs_outside_0_to_1() {
    let device = Device::flex().autodiff();
    for wrong in [1.5, -0.1, f32::NAN] {
        let mut data = Dataset {
            name: "grey".into(),
            classes: 1,
            names: Vec::new(),
            train: grey(20),
            test: grey(8),
            fingerprint: None,
        };
        let mut numbers = data.test.numbers();
        numbers[7] = wrong;
        data.test.inputs = numbers.into();
        let error =
            AutoencodeProblem::new(&data, 20, Penalty::None, &device).err().unwrap().to_string();
        assert!(
            error.starts_with("data grey: found an input of")
                && error.contains("expected numbers from 0 to 1"),
            "{error}"
        );
    }
    assert!(
        vae::read(&"vea".parse().unwrap()).unwrap_err().to_string().contains("did you mean `vae`?")
    );
}

#[test]
fn the_loss_at_one_step_is_deterministic_and_masks_depend_on_step_and_seed() {
    let device = Device::flex().autodiff();
    let data = Dataset {
        name: "grey".into(),
        classes: 3,
        names: Vec::new(),
        train: grey(20),
        test: grey(8),
        fingerprint: None,
    };
    let net = net("mlp:hidden=9,dropout=0.5", &[2, 3], &device);
    let loss = |seed, step| {
        let mut problem =
            ClassifyProblem::new(&data, 20, Penalty::None, &device).seeded(Seed(seed));
        let now = Progress { step, epoch: 1, batch: 1, steps: 1 };
        let (once, again) = (problem.loss(&net, now), problem.loss(&net, now));
        assert_eq!(once.clone().into_scalar::<f64>(), again.into_scalar::<f64>());
        once.into_scalar::<f64>()
    };
    // The batch contains all examples, so only the masks differ.
    assert!((loss(0, 1) - loss(0, 2)).abs() > 1e-4);
    assert!((loss(0, 1) - loss(1, 1)).abs() > 1e-4);
}

/// The output of a convolution, and the gradients of images, weights and biases. The output
/// gradient differs at each position.
fn convolved(own: bool, sizes: [usize; 6], same: bool) -> [TensorData; 4] {
    let [examples, channels, height, width, outputs, size] = sizes;
    let (device, mut weights) = (Device::flex().autodiff(), Seed(1).generator(Purpose::Weights, 0));
    let mut maker =
        LayerInit { init: Init::He, bias: Some(0.1), weights: &mut weights, device: &device };
    let layer = maker.conv([channels, outputs], size, same);
    // The input is a transposed slice of a larger tensor, so it is not contiguous in memory.
    let x = inputs(examples + 2, channels * height * width, (&device, DType::F32))
        .narrow(0, 1, examples)
        .require_grad();
    let images = x.clone().reshape([examples, channels, width, height]).swap_dims(2, 3);
    let out = if own { convolve(&layer, images) } else { layer.forward(images) };
    let gradients = (out.clone() * out.clone()).sum().backward();
    let (weight, bias) = (
        layer.weight.val().grad(&gradients).unwrap(),
        layer.bias.as_ref().unwrap().val().grad(&gradients).unwrap(),
    );
    [out.into_data(), x.grad(&gradients).unwrap().into_data(), weight.into_data(), bias.into_data()]
}

#[test]
fn our_convolution_equals_burns_and_does_not_depend_on_the_number_of_threads() {
    // In the last two rows, the kernel is larger than the image, or the output has one position.
    // Batches are split into 16 chunks.
    let rows = [
        ([3, 2, 7, 6, 4, 3], true),
        ([35, 1, 5, 9, 3, 5], true),
        ([17, 3, 8, 8, 2, 5], false),
        ([2, 2, 2, 3, 3, 5], true),
        ([1, 2, 3, 3, 2, 3], false),
    ];
    for (sizes, same) in rows {
        let (ours, burns) = (convolved(true, sizes, same), convolved(false, sizes, same));
        for (ours, burns) in ours.iter().zip(&burns) {
            assert_eq!(ours.shape(), burns.shape());
            let largest = burns.iter::<f64>().fold(1.0, |a: f64, b: f64| a.max(b.abs()));
            for (a, b) in ours.iter::<f64>().zip(burns.iter::<f64>()) {
                assert!((a - b).abs() < 1e-5 * largest, "{sizes:?}: {a} and {b}");
            }
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| convolved(true, sizes, same)), ours, "{threads} threads");
        }
    }
}

const NOISY: [(&str, &str); 6] = [
    ("logistic:input_dropout=0.5", "logistic"),
    ("mlp:hidden=20,input_dropout=0.2", "mlp:hidden=20"),
    ("mlp:hidden=20-10,dropout=0.5", "mlp:hidden=20-10"),
    ("mlp:hidden=20-10,dropconnect=0.5,inference=mean", "mlp:hidden=20-10"),
    ("cnn:channels=4,hidden=9,input_dropout=0.2", "cnn:channels=4,hidden=9"),
    ("cnn:channels=4,hidden=9,dropout=0.5", "cnn:channels=4,hidden=9"),
];

#[test]
fn dropout_and_dropconnect_are_off_in_evaluation() {
    let device = Device::flex();
    let x = inputs(5, 64, (&device, DType::F32));
    for (noisy, plain) in NOISY {
        let scores = |spec: &str, mode: &mut Mode| {
            net(spec, &[8, 8], &device).forward(x.clone(), mode).into_data()
        };
        assert_eq!(
            scores(noisy, &mut Mode::Evaluate),
            scores(plain, &mut Mode::Evaluate),
            "{noisy}"
        );
        assert_ne!(scores(noisy, &mut step(1)), scores(plain, &mut step(1)), "{noisy}");
    }
}

#[test]
fn masks_are_deterministic_in_a_step_and_differ_between_steps() {
    let device = Device::flex();
    let x = inputs(5, 64, (&device, DType::F32));
    let drawn = ["cnn:channels=4,hidden=9,pool=stochastic", "mlp:hidden=20,dropconnect=0.5"];
    for spec in NOISY.map(|(spec, _)| spec).into_iter().chain(drawn) {
        let net = net(spec, &[8, 8], &device);
        let scores = |mode: &mut Mode| net.forward(x.clone(), mode).into_data();
        assert_eq!(scores(&mut step(1)), scores(&mut step(1)), "{spec}");
        assert_ne!(scores(&mut step(1)), scores(&mut step(2)), "{spec}");
        assert_eq!(scores(&mut Mode::Evaluate), scores(&mut Mode::Evaluate), "{spec}");
    }
}

#[test]
fn dropout_drops_the_given_rate_and_scales_the_rest() {
    let n = 1_000_000;
    for rate in [0.1, 0.2, 0.5, 0.9] {
        let x = Tensor::<1>::ones([n], &Device::flex());
        let kept = numbers(dropout(x, rate, &mut step(1)));
        let gone = kept.iter().filter(|x| **x == 0.0).count() as f64 / n as f64;
        let spread = (rate * (1.0 - rate) / n as f64).sqrt();
        assert!((gone - rate).abs() < 4.0 * spread, "{rate}: {gone}");
        assert!(kept.iter().all(|x| *x == 0.0 || (x - 1.0 / (1.0 - rate)).abs() < 1e-3), "{rate}");
    }
}

#[test]
fn stochastic_pooling_samples_in_proportion_and_returns_the_weighted_mean_in_evaluation() {
    let (n, device) = (40_000, Device::flex());
    let window = [1.0, 0.0, 3.0, 4.0];
    let x = Tensor::<4>::from_data(TensorData::new(window.repeat(n), [n, 1, 2, 2]), &device);
    let pool = Pool { kind: PoolKind::Stochastic, size: 2, stride: 2 };
    let drawn = numbers(pool.of(x.clone(), &mut step(1)));
    for value in window {
        let p: f64 = value / 8.0;
        let share = drawn.iter().filter(|x| **x == value).count() as f64 / n as f64;
        assert!((share - p).abs() <= 4.0 * (p * (1.0 - p) / n as f64).sqrt(), "{value}: {share}");
    }
    let mean = numbers(pool.of(x.narrow(0, 0, 1), &mut Mode::Evaluate));
    assert!((mean[0] - 26.0 / 8.0).abs() < 1e-6);
    let nothing = Tensor::<4>::zeros([1, 1, 4, 4], &device);
    assert_eq!(numbers(pool.of(nothing.clone(), &mut step(1))), [0.0; 4]);
    assert_eq!(numbers(pool.of(nothing, &mut Mode::Evaluate)), [0.0; 4]);
}

#[test]
fn pooling_windows_at_the_edge_ignore_positions_outside_the_image() {
    let device = Device::flex();
    for (height, width, size, stride) in
        [(7, 6, 3, 2), (6, 6, 3, 2), (7, 7, 3, 2), (5, 4, 2, 2), (1, 2, 3, 2)]
    {
        let x = inputs(1, 2 * height * width, (&device, DType::F32))
            .abs()
            .reshape([1, 2, height, width]);
        let plane = numbers(x.clone());
        // As in TensorFlow's `same`: half of the padding is before the image, the rest after it.
        let windows = |side: usize| {
            let over = ((side.div_ceil(stride) - 1) * stride + size).saturating_sub(side);
            (0..side.div_ceil(stride)).map(move |i| {
                let start = (i * stride) as isize - (over / 2) as isize;
                start.max(0) as usize..(start + size as isize).min(side as isize) as usize
            })
        };
        let mut expected = [Vec::new(), Vec::new(), Vec::new()];
        let mut inside = Vec::new();
        for channel in 0..2 {
            for ys in windows(height) {
                for xs in windows(width) {
                    let at = |y: usize, x: usize| plane[channel * height * width + y * width + x];
                    let window: Vec<f64> =
                        ys.clone().flat_map(|y| xs.clone().map(move |x| at(y, x))).collect();
                    let sum: f64 = window.iter().sum();
                    expected[0].push(window.iter().copied().fold(0.0, f64::max));
                    expected[1].push(sum / window.len() as f64);
                    expected[2].push(window.iter().map(|x| x * x).sum::<f64>() / sum);
                    inside.push(window);
                }
            }
        }
        for (kind, expected) in
            [PoolKind::Max, PoolKind::Mean, PoolKind::Stochastic].into_iter().zip(expected)
        {
            let pool = Pool { kind, size, stride };
            let pooled = pool.of(x.clone(), &mut Mode::Evaluate);
            assert_eq!(pooled.dims(), [1, 2, pool.windows(height), pool.windows(width)]);
            for (a, b) in numbers(pooled).iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "{kind:?} of {height} x {width}: {a} and {b}");
            }
        }
        let broken = Tensor::<4>::full([1, 2, height, width], f32::NAN, &device);
        assert!(
            numbers(Pool { kind: PoolKind::Max, size, stride }.of(broken, &mut Mode::Evaluate))
                .iter()
                .all(|x| x.is_nan())
        );
        let drawn = numbers(Pool { kind: PoolKind::Stochastic, size, stride }.of(x, &mut step(1)));
        assert!(drawn.iter().zip(&inside).all(|(x, window)| window.contains(x)));
    }
}

#[test]
fn dropconnect_in_evaluation_is_near_the_mean_over_masks() {
    let device = Device::flex();
    let mut weights = Seed(1).generator(Purpose::Weights, 0);
    let layer =
        LayerInit { init: Init::He, bias: Some(0.1), weights: &mut weights, device: &device }
            .linear(200, 12);
    let x = inputs(6, 200, (&device, DType::F32));
    let (rate, masks) = (0.5, 6000);
    for activation in
        [Activation::Relu, Activation::Tanh, Activation::Sigmoid, Activation::Softplus]
    {
        let mut masks_from = generator(1);
        let mut sum = Tensor::<2>::zeros([6, 12], &device);
        for _ in 0..masks {
            sum = sum + activation.of(masked(&layer, x.clone(), rate, 1, &mut masks_from));
        }
        let drawn = numbers(sum / f64::from(masks));
        let gaussian = numbers(expected(&layer, x.clone(), rate, activation));
        let of_mean = numbers(activation.of(layer.forward(x.clone())));
        let apart = |other: &[f64]| {
            drawn.iter().zip(other).map(|(a, b)| (a - b).abs()).sum::<f64>() / drawn.len() as f64
        };
        // With 6000 masks, the sampling error is about 0.01 for ReLU; its inputs have a standard
        // deviation of 1.4.
        assert!(apart(&gaussian) < 0.02, "{activation:?}: {}", apart(&gaussian));
        assert!(
            apart(&of_mean) > 3.0 * apart(&gaussian),
            "{activation:?}: {} and {}",
            apart(&of_mean),
            apart(&gaussian)
        );
    }
}

#[test]
fn dropconnect_draws_at_most_one_mask_per_example() {
    let device = Device::flex();
    let mut weights = Seed(1).generator(Purpose::Weights, 0);
    let layer = LayerInit { init: Init::He, bias: None, weights: &mut weights, device: &device }
        .linear(30, 4);
    let x = inputs(1, 30, (&device, DType::F32)).repeat_dim(0, 7);
    let different = |masks: usize| {
        let rows = numbers(masked(&layer, x.clone(), 0.5, masks, &mut generator(1)));
        let mut rows: Vec<Vec<String>> =
            rows.chunks(4).map(|row| row.iter().map(|x| format!("{x:.6}")).collect()).collect();
        rows.dedup();
        rows.len()
    };
    assert_eq!([1, 2, 5, 7, 100].map(different), [1, 2, 5, 7, 7]);
}

#[test]
fn the_mean_over_a_normal_distribution_equals_the_integral() {
    let integral = |activation: Activation, mean: f64, spread: f64| {
        let n = 200_000;
        let sum: f64 = (0..n)
            .map(|i| {
                let z = -10.0 + 20.0 * (f64::from(i) + 0.5) / f64::from(n);
                let u = mean + spread * z;
                let a = match activation {
                    Activation::Relu => u.max(0.0),
                    Activation::Tanh => u.tanh(),
                    Activation::Sigmoid => 1.0 / (1.0 + (-u).exp()),
                    Activation::Softplus => u.exp().ln_1p(),
                };
                a * (-z * z / 2.0).exp()
            })
            .sum();
        sum * 20.0 / f64::from(n) / (2.0 * std::f64::consts::PI).sqrt()
    };
    let place = (&Device::flex(), DType::F64);
    let one = |x: f64| Tensor::<1>::from_data(TensorData::new(vec![x], [1]), place);
    for (activation, tolerance) in [
        (Activation::Relu, 1e-6),
        (Activation::Tanh, 2e-4),
        (Activation::Sigmoid, 2e-4),
        (Activation::Softplus, 2e-4),
    ] {
        for (mean, spread) in [(0.0, 1.0), (1.3, 0.5), (-2.0, 1.5), (0.7, 2.0), (3.0, 1e-3)] {
            let found = numbers(mean_over_normal(activation, one(mean), one(spread * spread)))[0];
            let exact = integral(activation, mean, spread);
            assert!(
                (found - exact).abs() < tolerance,
                "{activation:?} of {mean} ± {spread}: {found} and {exact}"
            );
        }
        assert!(
            (numbers(mean_over_normal(activation, one(0.4), one(0.0)))[0]
                - numbers(activation.of(one(0.4)))[0])
                .abs()
                < 1e-9
        );
    }
}

#[test]
fn initial_weights_have_the_documented_spread() {
    let device = Device::flex();
    let (inputs, outputs) = (300, 500);
    let spreads = [
        (Init::Uniform, (1.0 / (3.0 * 300.0f64)).sqrt()),
        (Init::He, (2.0 / 300.0f64).sqrt()),
        (Init::Glorot, (2.0 / 800.0f64).sqrt()),
        (Init::GlorotNormal, (2.0 / 800.0f64).sqrt()),
        (Init::TruncNormal(0.05), 0.05 * 0.879_625_66),
    ];
    for (init, spread) in spreads {
        let mut weights = Seed(1).generator(Purpose::Weights, 0);
        let layer = LayerInit { init, bias: None, weights: &mut weights, device: &device }
            .linear(inputs, outputs);
        let w = numbers(layer.weight.val());
        let mean = w.iter().sum::<f64>() / w.len() as f64;
        let found = (w.iter().map(|x| x * x).sum::<f64>() / w.len() as f64).sqrt();
        assert!(mean.abs() < 4.0 * spread / (w.len() as f64).sqrt(), "{init:?}: mean {mean}");
        assert!((found / spread - 1.0).abs() < 0.01, "{init:?}: {found} and {spread}");
        if init == Init::TruncNormal(0.05) {
            assert!(w.iter().all(|x| x.abs() < 0.1 + 1e-6), "a weight is beyond two deviations");
        }
        let bias = numbers(layer.bias.unwrap().val());
        assert_eq!(bias.iter().all(|b| *b == 0.0), init != Init::Uniform);
    }
}

#[test]
fn deepobs_networks_have_the_published_parameter_counts() {
    let ten = |input: &[usize]| Shapes { input: input.to_vec(), classes: 10 };
    let count = |spec: &str, shapes: Shapes| {
        let spec = spec.parse().unwrap();
        let said = parameters(&spec, &shapes).unwrap();
        assert_eq!(
            said,
            build(&spec, &shapes, Seed(0), &Device::flex()).unwrap().num_params(),
            "{spec}"
        );
        said
    };
    assert_eq!(count("2c2d", ten(&[28, 28])), 3_274_634);
    assert_eq!(count("3c3d", ten(&[3, 32, 32])), 895_210);
    assert_eq!(count("lenet", ten(&[1, 28, 28])), 44_426);
    assert_eq!(count("lenet", ten(&[28, 28])), 44_426, "28 x 28 has one channel");
    assert_eq!(count("mlp:hidden=500-300", ten(&[28, 28])), 785 * 500 + 501 * 300 + 301 * 10);
    // The kernels are 64 of 5x5x3, 64 of 5x5x64 and 128 of 5x5x64. The last feature map is 4 x 4.
    assert_eq!(
        count("cnn", ten(&[3, 32, 32])),
        64 * 76 + 64 * 1601 + 128 * 1601 + 2049 * 1000 + 1001 * 10
    );
}

#[test]
fn invalid_inputs_and_settings_are_rejected_with_a_clear_message() {
    for (spec, input, says) in [
        (
            "cnn",
            vec![10_000],
            "cnn: found inputs of [10000], expected images of height x width or channels x height x width",
        ),
        ("2c2d", vec![1, 3, 32, 32], "found inputs of [1, 3, 32, 32], expected"),
        (
            "lenet",
            vec![12, 12],
            "lenet: found inputs of [12, 12], expected images that are larger than the kernels at every stage",
        ),
        ("3c3d", vec![3, 4, 32], "found inputs of [3, 4, 32], expected"),
        (
            "cnn:pool=stochastic,activation=tanh",
            vec![8, 8],
            "found activation=tanh with pool=stochastic, which needs activations of at least 0, expected relu, sigmoid or softplus",
        ),
        ("cnn:kernel=10000000000", vec![8, 8], "expected 1 to 1073741824 parameters"),
        ("cnn:channels=18446744073709551615", vec![8, 8], "expected 1 to 1073741824 parameters"),
        ("lenet", vec![0, 12], "found inputs of [0, 12], expected"),
        (
            "mlp:init=trunc_normal:0",
            vec![8],
            "init is `trunc_normal:0`, expected one of uniform, he, glorot",
        ),
        (
            "mlp:dropout=1",
            vec![8],
            "dropout is `1`, expected a number from 0 up to, but not including, 1",
        ),
        ("mlp:masks=0", vec![8], "masks is `0`, expected a whole number from 1"),
    ] {
        let error = build(&spec.parse().unwrap(), &shapes(&input), Seed(0), &Device::flex())
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{spec}: {error}");
    }
}

#[test]
fn every_saved_model_loads_with_equal_scores() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    let x = inputs(3, 16 * 16, (&device, DType::F32));
    let more = [
        "mlp:hidden=9-8,dropconnect=0.5,activation=tanh",
        "cnn:channels=3-4,pool=stochastic,hidden=5",
        "mlp:hidden=5,init=trunc_normal:0.05",
    ];
    for spec in MODELS.iter().map(|entry| entry.name).chain(more) {
        let spec = downhill::lab::model::canonical(&spec.parse().unwrap()).unwrap();
        let net = build(&spec, &shapes(&[16, 16]), Seed(3), &device).unwrap();
        let path = folder.path().join("model.safetensors");
        let card = ModelCard {
            spec: spec.clone(),
            shapes: shapes(&[16, 16]),
            data: "mine|gcn:scale=1".into(),
            sha256: "12ab".into(),
        };
        saved::save(&net, &card, &path).unwrap();
        let (back, card_read) = saved::load(&path, &device).unwrap();
        assert_eq!(card_read, card);
        let scores = |net: &Net| net.forward(x.clone(), &mut Mode::Evaluate).into_data();
        assert_eq!(scores(&net), scores(&back), "{spec}");
    }
}
