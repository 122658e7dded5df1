//! The loss that is descended, and what is measured, against numbers worked out by hand.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use downhill::data::{Dataset, Examples};
use downhill::model::{Net, Shapes, build};
use downhill::problem::classify::{Classify, Parts, Share, evaluate};
use downhill::regularizer::Penalty;
use downhill::schedule::Moment;
use downhill::seed::Seed;
use downhill::train::Problem;

fn examples(n: usize) -> Examples {
    let inputs = (0..n * 4).map(|i| ((i * 7 + 3) % 11) as f32 / 11.0).collect::<Vec<_>>().into();
    Examples { shape: vec![2, 2], inputs, labels: (0..n).map(|i| (i % 3) as u8).collect() }
}

fn data() -> Dataset {
    Dataset { name: "small".into(), classes: 3, names: Vec::new(), train: examples(10), test: examples(4), fingerprint: None }
}

fn net(device: &Device) -> Net {
    build(&"mlp:hidden=5".parse().unwrap(), &Shapes { input: vec![2, 2], classes: 3 }, Seed(3), device).unwrap()
}

/// All parameters, or all gradients, one after another.
struct Flat<'a> {
    gradients: Option<&'a GradientsParams>,
    numbers: Vec<f64>,
}

impl ModuleVisitor for Flat<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            Some(gradients) => gradients.get::<D>(param.id).unwrap(),
            None => param.val(),
        };
        self.numbers.extend(tensor.into_data().iter::<f64>());
    }
}

fn flat(net: &Net, gradients: Option<&GradientsParams>) -> Vec<f64> {
    let mut flat = Flat { gradients, numbers: Vec::new() };
    net.visit(&mut flat);
    flat.numbers
}

#[test]
fn the_training_examples_that_are_measured_are_not_the_first_ones() {
    // sorted by class, as files often are
    let sorted = Examples { labels: (0..200).map(|at| at / 100).collect(), ..examples(200) };
    let data = Dataset { train: sorted, ..data() };
    let (device, plain) = (Device::flex().autodiff(), Device::flex());
    let net = net(&plain);
    let measured = |n: usize| {
        let parts = Parts::of(&data, Share::default(), &device);
        let now = Moment { step: 0, epoch: 0, batch: 0, steps: 1 };
        Classify::on(parts, Some(n), 10, Penalty::None, &device).measure(&net, now)["train_loss"]
    };
    let whole = evaluate(&net, &data.train.resident(&plain)).loss;
    let first = evaluate(&net, &data.train.part(0..50).resident(&plain)).loss;
    assert_eq!((measured(200), measured(500)), (whole, whole));
    assert_eq!(measured(50), measured(50), "drawn once and for all");
    assert!((measured(50) - whole).abs() < (first - whole).abs() / 2.0, "{} and {first} of {whole}", measured(50));
}

#[test]
fn the_loss_is_mean_cross_entropy_plus_half_lambda_times_the_squared_weights() {
    let device = Device::flex().autodiff();
    let net = net(&device);
    let loss = |penalty: &str| {
        let penalty = Penalty::read(&penalty.parse().unwrap()).unwrap();
        let mut problem = Classify::new(&data(), 10, penalty, &device);
        problem.loss(&net, Moment { step: 1, epoch: 1, batch: 1, steps: 1 }).into_scalar::<f64>()
    };
    // the whole training part in one batch: its order does not matter
    let plain = evaluate(&net.valid(), &data().train.resident(&Device::flex()));
    assert!((loss("none") - plain.loss).abs() < 1e-6);
    // weights are the 4 x 5 and 5 x 3 numbers, without the biases behind each
    let numbers = flat(&net, None);
    let squares: f64 = numbers[..20].iter().chain(&numbers[25..40]).map(|w| w * w).sum();
    assert!((loss("l2:lambda=0.5") - loss("none") - 0.25 * squares).abs() < 1e-5);
}

#[test]
fn the_gradient_of_the_loss_agrees_with_finite_differences() {
    let device = Device::flex().autodiff();
    let penalty = Penalty::read(&"l2:lambda=0.1".parse().unwrap()).unwrap();
    let mut problem = Classify::new(&data(), 7, penalty, &device);
    let now = Moment { step: 2, epoch: 1, batch: 2, steps: 2 }; // the last, short batch
    let start = net(&device);
    let loss = problem.loss(&start, now);
    let gradients = GradientsParams::from_grads(loss.backward(), &start);
    let gradient = flat(&start, Some(&gradients));
    let step = 1e-2f32;
    for (at, gradient) in gradient.into_iter().enumerate() {
        let mut moved = |by: f32| {
            let moved = start.clone().map(&mut Move { at, by, seen: 0 });
            problem.loss(&moved, now).into_scalar::<f64>()
        };
        let difference = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
        assert!((gradient - difference).abs() < 2e-3, "parameter {at}: {gradient} and {difference}");
    }
}

/// Moves one number of a module.
struct Move {
    at: usize,
    by: f32,
    seen: usize,
}

impl burn::module::ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let size = param.shape().num_elements();
        let own = self.at.checked_sub(self.seen).filter(|own| *own < size);
        self.seen += size;
        param.map(|tensor| {
            let (device, mut data) = (tensor.device(), tensor.into_data());
            if let Some(own) = own {
                data.as_mut_slice::<f32>().unwrap()[own] += self.by;
            }
            Tensor::from_data(data, &device).require_grad()
        })
    }
}

#[test]
fn every_example_is_seen_once_an_epoch_in_an_order_of_its_own_and_the_last_batch_is_short() {
    let order = |seed, epoch| downhill::data::order(1000, Seed(seed), epoch);
    let sorted = |mut order: Vec<i32>| {
        order.sort();
        order
    };
    assert_eq!(sorted(order(0, 1)), (0..1000).collect::<Vec<_>>());
    assert_eq!(order(0, 1), order(0, 1));
    assert_ne!(order(0, 1), order(0, 2));
    assert_ne!(order(0, 1), order(1, 1));
    let problem = Classify::new(&data(), 4, Penalty::None, &Device::flex().autodiff());
    assert_eq!(problem.steps(), 3, "4 + 4 + 2");
}

#[test]
fn the_confusion_table_counts_every_example() {
    let device = Device::flex();
    let result = evaluate(&net(&device), &examples(9).resident(&device));
    assert_eq!(result.confusion.iter().map(|row| row.iter().sum::<usize>()).collect::<Vec<_>>(), [3, 3, 3]);
    let right: usize = (0..3).map(|class| result.confusion[class][class]).sum();
    assert_eq!(result.accuracy(), right as f64 / 9.0);
}

#[test]
fn the_parameters_of_a_model_are_counted_before_it_is_made() {
    let shapes = Shapes { input: vec![2, 2], classes: 3 };
    for spec in ["logistic", "mlp:hidden=5", "mlp:hidden=7-6"] {
        let spec = spec.parse().unwrap();
        let net = build(&spec, &shapes, Seed(0), &Device::flex()).unwrap();
        assert_eq!(downhill::model::parameters(&spec, &shapes).unwrap(), net.num_params());
    }
}
