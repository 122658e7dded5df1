//! Classification: the training loss, its gradient and the measures, compared with manual results.
#![cfg(feature = "lab")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::model::{Net, Shapes, build};
use downhill::lab::regularizer::Penalty;
use downhill::lab::seed::Seed;
use downhill::lab::task::{ClassifyProblem, Splits, Subset, evaluate};
use downhill::lab::train::Problem;
use downhill::schedule::Progress;

fn examples(n: usize) -> Examples {
    let inputs = (0..n * 4).map(|i| ((i * 7 + 3) % 11) as f32 / 11.0).collect::<Vec<_>>().into();
    Examples { shape: vec![2, 2], inputs, labels: (0..n).map(|i| (i % 3) as u32).collect() }
}

fn data() -> Dataset {
    Dataset {
        name: "small".into(),
        classes: 3,
        names: Vec::new(),
        train: examples(10),
        test: examples(4),
        fingerprint: None,
    }
}

fn net(device: &Device) -> Net {
    build(
        &"mlp:hidden=5".parse().unwrap(),
        &Shapes { input: vec![2, 2], classes: 3 },
        Seed(3),
        device,
    )
    .unwrap()
}

/// All parameters, or all gradients, in one flat list.
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
fn measured_training_examples_are_a_random_sample() {
    // The examples are sorted by class, as in many files.
    let sorted = Examples { labels: (0..200).map(|at| at / 100).collect(), ..examples(200) };
    let data = Dataset { train: sorted, ..data() };
    let (device, plain) = (Device::flex().autodiff(), Device::flex());
    let net = net(&plain);
    let measured = |n: usize| {
        let sets = Splits::of(&data, Subset::default(), &device);
        let now = Progress { step: 0, epoch: 0, batch: 0, steps: 1 };
        ClassifyProblem::on(sets, Some(n), 10, Penalty::None, &device).measure(&net, now)["train_loss"]
    };
    let whole = evaluate(&net, &data.train.to_device(&plain)).loss;
    let first = evaluate(&net, &data.train.slice(0..50).to_device(&plain)).loss;
    assert_eq!((measured(200), measured(500)), (whole, whole));
    assert_eq!(measured(50), measured(50), "the sample is deterministic");
    assert!(
        (measured(50) - whole).abs() < (first - whole).abs() / 2.0,
        "{} and {first} of {whole}",
        measured(50)
    );
}

#[test]
fn the_loss_is_mean_cross_entropy_plus_half_lambda_times_the_squared_weights() {
    let device = Device::flex().autodiff();
    let net = net(&device);
    let loss = |penalty: &str| {
        let penalty = Penalty::read(&penalty.parse().unwrap()).unwrap();
        let mut problem = ClassifyProblem::new(&data(), 10, penalty, &device);
        problem.loss(&net, Progress { step: 1, epoch: 1, batch: 1, steps: 1 }).into_scalar::<f64>()
    };
    // The whole training set is one batch, so the order does not matter.
    let plain = evaluate(&net.valid(), &data().train.to_device(&Device::flex()));
    assert!((loss("none") - plain.loss).abs() < 1e-6);
    // The weights are the 4 x 5 and 5 x 3 matrices. The biases after each are not included.
    let numbers = flat(&net, None);
    let squares: f64 = numbers[..20].iter().chain(&numbers[25..40]).map(|w| w * w).sum();
    assert!((loss("l2:lambda=0.5") - loss("none") - 0.25 * squares).abs() < 1e-5);
}

#[test]
fn the_gradient_of_the_loss_agrees_with_finite_differences() {
    let device = Device::flex().autodiff();
    let penalty = Penalty::read(&"l2:lambda=0.1".parse().unwrap()).unwrap();
    let mut problem = ClassifyProblem::new(&data(), 7, penalty, &device);
    let now = Progress { step: 2, epoch: 1, batch: 2, steps: 2 }; // the last batch is shorter
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
        assert!(
            (gradient - difference).abs() < 2e-3,
            "parameter {at}: {gradient} and {difference}"
        );
    }
}

/// Adds `by` to one parameter value of a module.
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
fn each_epoch_has_its_own_order_of_all_examples_and_the_last_batch_is_shorter() {
    let order = |seed, epoch| downhill::lab::data::order(1000, Seed(seed), epoch);
    let sorted = |mut order: Vec<i32>| {
        order.sort();
        order
    };
    assert_eq!(sorted(order(0, 1)), (0..1000).collect::<Vec<_>>());
    assert_eq!(order(0, 1), order(0, 1));
    assert_ne!(order(0, 1), order(0, 2));
    assert_ne!(order(0, 1), order(1, 1));
    let problem = ClassifyProblem::new(&data(), 4, Penalty::None, &Device::flex().autodiff());
    assert_eq!(problem.steps(), 3, "batches of 4, 4 and 2");
}

#[test]
fn the_confusion_matrix_counts_every_example() {
    let device = Device::flex();
    let result = evaluate(&net(&device), &examples(9).to_device(&device));
    assert_eq!(
        result.confusion.iter().map(|row| row.iter().sum::<usize>()).collect::<Vec<_>>(),
        [3, 3, 3]
    );
    let right: usize = (0..3).map(|class| result.confusion[class][class]).sum();
    assert_eq!(result.accuracy(), right as f64 / 9.0);
}

#[test]
fn the_parameter_count_of_a_spec_equals_that_of_the_model() {
    let shapes = Shapes { input: vec![2, 2], classes: 3 };
    for spec in ["logistic", "mlp:hidden=5", "mlp:hidden=7-6"] {
        let spec = spec.parse().unwrap();
        let net = build(&spec, &shapes, Seed(0), &Device::flex()).unwrap();
        assert_eq!(downhill::lab::model::parameters(&spec, &shapes).unwrap(), net.num_params());
    }
}
