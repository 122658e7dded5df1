//! Early stopping: when a run stops, and which model it hands out.

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use downhill::data::{Dataset, Examples};
use downhill::descent::Recipe;
use downhill::experiment::{BUILT_IN, parse};
use downhill::model::{Net, Shapes, build};
use downhill::optim::Optimizers;
use downhill::problem::Classify;
use downhill::problem::classify::{Parts, Share, evaluate};
use downhill::record::{End, Outcome, Point};
use downhill::regularizer::{EarlyStopping, Penalty};
use downhill::schedule::{Moment, Schedule};
use downhill::seed::Seed;
use downhill::train::{Plan, Problem, Watch, train};

fn data() -> Dataset {
    let examples = |n: usize| {
        let inputs = (0..n * 4).map(|i| ((i * 7 + 3) % 11) as f32 / 11.0).collect::<Vec<_>>().into();
        Examples { shape: vec![2, 2], inputs, labels: (0..n).map(|i| (i % 3) as u8).collect() }
    };
    Dataset { name: "small".into(), classes: 3, names: Vec::new(), train: examples(30), test: examples(10), fingerprint: None }
}

/// A classifier whose validation loss is told beforehand, epoch by epoch; it notes the loss that it really has on the test part.
struct Told<'a> {
    inner: Classify,
    validation: &'a [f64],
    real: RefCell<Vec<f64>>,
}

impl Problem for Told<'_> {
    type Model = Net;

    fn steps(&self) -> usize {
        self.inner.steps()
    }
    fn loss(&mut self, model: &Net, now: Moment) -> Tensor<1> {
        self.inner.loss(model, now)
    }
    fn measure(&self, model: &Net, now: Moment) -> BTreeMap<String, f64> {
        let measures = self.inner.measure(model, now);
        self.real.borrow_mut().push(measures["test_loss"]);
        BTreeMap::from([("validation_loss".into(), self.validation[now.epoch])])
    }
}

struct Silent;

impl Watch for Silent {
    fn point(&mut self, _: &Point) -> downhill::Result<()> {
        Ok(())
    }
    fn step(&mut self) -> bool {
        true
    }
}

/// How a run ends whose validation losses are these; the real test loss of what it hands out, and that after each epoch.
fn stopped(rule: EarlyStopping, validation: &[f64]) -> (End, f64, Vec<f64>) {
    let device = Device::flex().autodiff();
    let inner = Classify::new(&data(), 10, Penalty::read(&"none".parse().unwrap()).unwrap(), &device).seeded(Seed(1));
    let mut problem = Told { inner, validation, real: RefCell::default() };
    let net = build(&"logistic".parse().unwrap(), &Shapes { input: vec![2, 2], classes: 3 }, Seed(1), &device).unwrap();
    let recipe = Recipe::read(&"sgd:lr=0.5".parse().unwrap(), &Optimizers::default()).unwrap();
    let schedule = Schedule::read(&"constant".parse().unwrap()).unwrap();
    let plan = Plan { recipe, schedule, epochs: validation.len() - 1, diagnose: false, early_stopping: Some(rule) };
    let (net, end) = train(&mut problem, net, &plan, &mut Silent).unwrap();
    let handed_out = evaluate(&net.valid(), &data().test.resident(&Device::flex())).loss;
    (end, handed_out, problem.real.into_inner())
}

fn rule(patience: usize) -> EarlyStopping {
    EarlyStopping { patience, ..EarlyStopping::default() }
}

#[test]
fn a_run_stops_after_so_many_passes_without_a_lower_validation_loss_and_hands_out_the_best_model() {
    let (end, handed_out, real) = stopped(rule(2), &[9.0, 5.0, 6.0, 4.0, 4.5, 4.0, 1.0, 0.5]);
    assert_eq!((end.outcome, end.kept, real.len()), (Outcome::Finished, Some(3), 6), "passes 4 and 5 were not lower than pass 3");
    assert_eq!(end.reason.as_deref(), Some("no lower validation loss in 2 passes"));
    assert!((handed_out - real[3]).abs() < 1e-6 && (handed_out - real[5]).abs() > 1e-4, "{handed_out} of {real:?}");
}

#[test]
fn the_best_model_is_handed_out_where_the_passes_end_first() {
    let (end, handed_out, real) = stopped(rule(5), &[9.0, 5.0, 4.0, 7.0]);
    assert_eq!((end.kept, end.reason, real.len()), (Some(2), None, 4));
    assert!((handed_out - real[2]).abs() < 1e-6);
}

#[test]
fn without_restore_it_is_the_last_model() {
    let (end, handed_out, real) = stopped(EarlyStopping { restore: false, ..rule(1) }, &[9.0, 5.0, 6.0, 4.0]);
    assert_eq!((end.kept, real.len()), (None, 3));
    assert!((handed_out - real[2]).abs() < 1e-6);
}

#[test]
fn what_is_lower_by_less_than_min_delta_is_kept_but_does_not_prolong_the_run() {
    let (end, ..) = stopped(EarlyStopping { min_delta: 0.1, ..rule(2) }, &[9.0, 5.0, 4.92, 4.95, 1.0]);
    assert_eq!((end.kept, end.step), (Some(2), 9));
    // small steps add up: each is measured against the last that was better, not against the pass before
    let (end, ..) = stopped(EarlyStopping { min_delta: 0.1, ..rule(3) }, &[9.0, 5.0, 4.95, 4.92, 4.85]);
    assert_eq!(end.kept, Some(4));
}

#[test]
fn the_validation_part_is_split_off_the_training_part_and_the_test_part_is_left_whole() {
    let device = Device::flex();
    let share = Share { validation: 0.2, ..Share::default() };
    let parts = Parts::of(&data(), share, &device);
    let validation = parts.validation.as_ref().unwrap();
    assert_eq!([parts.train.len(), validation.len(), parts.test.len()], [24, 6, 10]);
    let rows = |part: &downhill::data::Resident| {
        let numbers = part.all().x.into_data().iter::<f32>().collect::<Vec<_>>();
        numbers.chunks(4).map(|row| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let mut all = [rows(&parts.train), rows(validation)].concat();
    let mut given = rows(&data().train.resident(&device));
    all.sort();
    given.sort();
    assert_eq!(all, given, "every training example is in one of the two, once");
    assert_eq!(rows(&parts.test), rows(&data().test.resident(&device)));
}

#[test]
fn there_is_no_early_stopping_without_a_validation_part() {
    let (_, toml) = BUILT_IN.iter().find(|(name, _)| *name == "regularizers").unwrap();
    let without = toml.replace("validation = 0.2, ", "");
    assert_ne!(*toml, without);
    let error = parse("mine.toml".as_ref(), &without, &Optimizers::default()).unwrap_err().to_string();
    assert!(error.contains("early_stopping") && error.contains("as `validation` beside it"), "{error}");
}
