//! Early stopping: when a run stops, and which model it returns.
#![cfg(feature = "lab")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::experiment::{BUILT_IN, parse};
use downhill::lab::model::{Net, Shapes, build};
use downhill::lab::record::{CurvePoint, Outcome, RunEnd};
use downhill::lab::regularizer::{EarlyStopping, Penalty};
use downhill::lab::seed::Seed;
use downhill::lab::task::ClassifyProblem;
use downhill::lab::task::{Splits, Subset, evaluate};
use downhill::lab::train::{Plan, Problem, TrainObserver, train};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::schedule::{Progress, Schedule};

fn data() -> Dataset {
    let examples = |n: usize| {
        let inputs =
            (0..n * 4).map(|i| ((i * 7 + 3) % 11) as f32 / 11.0).collect::<Vec<_>>().into();
        Examples { shape: vec![2, 2], inputs, labels: (0..n).map(|i| (i % 3) as u32).collect() }
    };
    Dataset {
        name: "small".into(),
        classes: 3,
        names: Vec::new(),
        train: examples(30),
        test: examples(10),
        fingerprint: None,
    }
}

/// A classifier with given validation losses; it records the real test loss.
struct GivenValidationLosses<'a> {
    inner: ClassifyProblem,
    validation: &'a [f64],
    real: RefCell<Vec<f64>>,
}

impl Problem for GivenValidationLosses<'_> {
    type Model = Net;

    fn steps(&self) -> usize {
        self.inner.steps()
    }
    fn loss(&mut self, model: &Net, now: Progress) -> Tensor<1> {
        self.inner.loss(model, now)
    }
    fn measure(&self, model: &Net, now: Progress) -> BTreeMap<String, f64> {
        let measures = self.inner.measure(model, now);
        self.real.borrow_mut().push(measures["test_loss"]);
        BTreeMap::from([("validation_loss".into(), self.validation[now.epoch])])
    }
}

struct Silent;

impl TrainObserver for Silent {
    fn point(&mut self, _: &CurvePoint) -> downhill::Result<()> {
        Ok(())
    }
    fn step(&mut self) -> bool {
        true
    }
}

/// Trains with the given validation losses. Returns the end of the run, the test loss of the
/// returned model, and the test loss after each epoch.
fn stopped(rule: EarlyStopping, validation: &[f64]) -> (RunEnd, f64, Vec<f64>) {
    let device = Device::flex().autodiff();
    let inner = ClassifyProblem::new(
        &data(),
        10,
        Penalty::read(&"none".parse().unwrap()).unwrap(),
        &device,
    )
    .seeded(Seed(1));
    let mut problem = GivenValidationLosses { inner, validation, real: RefCell::default() };
    let net = build(
        &"logistic".parse().unwrap(),
        &Shapes { input: vec![2, 2], classes: 3 },
        Seed(1),
        &device,
    )
    .unwrap();
    let config =
        PipelineConfig::read(&"sgd:lr=0.5".parse().unwrap(), &Optimizers::default()).unwrap();
    let schedule = Schedule::read(&"constant".parse().unwrap()).unwrap();
    let plan = Plan {
        pipeline: config,
        schedule,
        epochs: validation.len() - 1,
        diagnose: false,
        early_stopping: Some(rule),
    };
    let (net, end) = train(&mut problem, net, &plan, &mut Silent).unwrap();
    let kept_loss = evaluate(&net.valid(), &data().test.to_device(&Device::flex())).loss;
    (end, kept_loss, problem.real.into_inner())
}

fn rule(patience: usize) -> EarlyStopping {
    EarlyStopping { patience, ..EarlyStopping::default() }
}

#[test]
fn patience_ends_a_run_and_restores_the_best_model() {
    let (end, kept_loss, real) = stopped(rule(2), &[9.0, 5.0, 6.0, 4.0, 4.5, 4.0, 1.0, 0.5]);
    assert_eq!(
        (end.outcome, end.kept, real.len()),
        (Outcome::Finished, Some(3), 6),
        "epochs 4 and 5 are not better than epoch 3"
    );
    assert_eq!(end.reason.as_deref(), Some("no lower validation loss in 2 epochs"));
    assert!(
        (kept_loss - real[3]).abs() < 1e-6 && (kept_loss - real[5]).abs() > 1e-4,
        "{kept_loss} of {real:?}"
    );
}

#[test]
fn the_best_model_is_restored_if_the_epochs_end_before_patience() {
    let (end, kept_loss, real) = stopped(rule(5), &[9.0, 5.0, 4.0, 7.0]);
    assert_eq!((end.kept, end.reason, real.len()), (Some(2), None, 4));
    assert!((kept_loss - real[2]).abs() < 1e-6);
}

#[test]
fn without_restore_the_last_model_is_returned() {
    let (end, kept_loss, real) =
        stopped(EarlyStopping { restore: false, ..rule(1) }, &[9.0, 5.0, 6.0, 4.0]);
    assert_eq!((end.kept, real.len()), (None, 3));
    assert!((kept_loss - real[2]).abs() < 1e-6);
}

#[test]
fn an_improvement_below_min_delta_is_kept_but_does_not_reset_patience() {
    let (end, ..) =
        stopped(EarlyStopping { min_delta: 0.1, ..rule(2) }, &[9.0, 5.0, 4.92, 4.95, 1.0]);
    assert_eq!((end.kept, end.step), (Some(2), 9));
    // Small improvements add up: each epoch is compared with the last improvement by min_delta, not
    // with the previous epoch.
    let (end, ..) =
        stopped(EarlyStopping { min_delta: 0.1, ..rule(3) }, &[9.0, 5.0, 4.95, 4.92, 4.85]);
    assert_eq!(end.kept, Some(4));
}

#[test]
fn the_validation_set_is_split_off_the_training_set_and_the_test_set_is_unchanged() {
    let device = Device::flex();
    let share = Subset { validation: 0.2, ..Subset::default() };
    let splits = Splits::of(&data(), share, &device);
    let validation = splits.validation.as_ref().unwrap();
    assert_eq!([splits.train.len(), validation.len(), splits.test.len()], [24, 6, 10]);
    let rows = |set: &downhill::lab::data::DeviceExamples| {
        let numbers = set.all().x.into_data().iter::<f32>().collect::<Vec<_>>();
        numbers
            .chunks(4)
            .map(|row| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let mut all = [rows(&splits.train), rows(validation)].concat();
    let mut given = rows(&data().train.to_device(&device));
    all.sort();
    given.sort();
    assert_eq!(all, given, "every training example is in exactly one of the two sets");
    assert_eq!(rows(&splits.test), rows(&data().test.to_device(&device)));
}

#[test]
fn early_stopping_without_a_validation_set_is_rejected() {
    let (_, toml) = BUILT_IN.iter().find(|(name, _)| *name == "regularizers").unwrap();
    let without = toml.replace("validation = 0.2, ", "");
    assert_ne!(*toml, without);
    let error =
        parse("mine.toml".as_ref(), &without, &Optimizers::default()).unwrap_err().to_string();
    assert!(error.contains("without task.validation, expected both"), "{error}");

    let spec = "early_stopping = \"early_stopping:";
    assert!(toml.contains(spec));
    let none = toml.replace(spec, "early_stopping = \"none:");
    let error = parse("mine.toml".as_ref(), &none, &Optimizers::default()).unwrap_err().to_string();
    assert!(error.contains("found `none` with settings, expected `none` alone"), "{error}");
}
