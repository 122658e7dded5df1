//! Training a classifier: batches of examples, cross-entropy and a penalty.

use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};

use rand::seq::SliceRandom;

use crate::augment::Augment;
use crate::data::{Dataset, Examples, Resident, Shuffled};
use crate::model::{Mode, Net};
use crate::record::VALIDATION_LOSS;
use crate::regularizer::Penalty;
use crate::schedule::Moment;
use crate::seed::{Purpose, Seed};
use crate::train::Problem;

/// Examples evaluated at once, which bounds the memory that evaluation takes: 64 channels of 32 x 32 pixels of them are 262 MB.
pub(super) const AT_ONCE: usize = 1000;

/// The examples of a run, on its device.
#[derive(Clone)]
pub struct Parts {
    /// to train on
    pub train: Resident,
    /// to choose by, split off the training part
    pub validation: Option<Resident>,
    /// to test on
    pub test: Resident,
}

/// How much of the data is used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// at most so many training examples, those for validation included
    pub train: Option<usize>,
    /// at most so many test examples
    pub test: Option<usize>,
    /// this share of the training examples validates
    pub validation: f64,
}

impl Parts {
    /// Moves the data to a device. What is left out and what validates is drawn once and for all: it is the same for every run of the same data.
    pub fn of(data: &Dataset, share: Share, device: &Device) -> Parts {
        let device = device.clone().inner();
        let drawn = |examples: &Examples, at_most: Option<usize>, part: usize| {
            let mut places: Vec<usize> = (0..examples.len()).collect();
            places.shuffle(&mut Seed(0).generator(Purpose::Split, part));
            places.truncate(at_most.unwrap_or(places.len()));
            places
        };
        let (train, test) = (&data.train, &data.test);
        let some = share.test.is_some_and(|n| n < test.len());
        let tested = if some { test.at(&drawn(test, share.test, 1)).resident(&device) } else { test.resident(&device) };
        if share.train.is_none_or(|n| n >= train.len()) && share.validation == 0.0 {
            return Parts { train: train.resident(&device), validation: None, test: tested };
        }
        let places = drawn(train, share.train, 0);
        let (kept, validation) = places.split_at(places.len() - (places.len() as f64 * share.validation).round() as usize);
        let validation = (!validation.is_empty()).then(|| train.at(validation).resident(&device));
        Parts { train: train.at(kept).resident(&device), validation, test: tested }
    }
}

/// A data set to be told apart in batches.
///
/// Each epoch sees every training example once, in an order of its own; the last batch may be shorter. The loss of a batch is its mean
/// cross-entropy plus the penalty, where that is a term of the loss. Measured are, without the penalty, `train_loss` and `train_error` over the
/// training part, or the beginning of it, `test_loss`, `test_error` and `test_accuracy`, loss and error of a validation part; `objective`:
/// `train_loss` plus the penalty; and `gap`: `test_loss` less `train_loss`.
#[derive(Clone)]
pub struct Classify {
    parts: Parts,
    measured: usize,
    batch: usize,
    augment: Augment,
    image: [usize; 3],
    penalty: Penalty,
    seed: Seed,
    order: Shuffled,
    device: Device,
}

impl Classify {
    /// Moves the data to `device`, which is one with autodiff. Clones share it.
    pub fn new(data: &Dataset, batch: usize, penalty: Penalty, device: &Device) -> Classify {
        Classify::on(Parts::of(data, Share::default(), device), None, batch, penalty, device)
    }

    /// With data that are there already; the training part is measured on so many of its examples, all by default.
    pub fn on(parts: Parts, measured: Option<usize>, batch: usize, penalty: Penalty, device: &Device) -> Classify {
        Classify {
            measured: measured.unwrap_or(parts.train.len()).min(parts.train.len()),
            parts,
            batch,
            augment: Augment::default(),
            image: [1, 1, 1],
            penalty,
            seed: Seed(0),
            order: Shuffled::default(),
            device: device.clone(),
        }
    }
}

impl Classify {
    /// With images of this shape changed at random before each step; those that do not [fit](Augment::fits) stay as they are.
    pub fn augmented(self, augment: Augment, input: &[usize]) -> Classify {
        match augment.fits(input) {
            Ok(image) => Classify { augment, image, ..self },
            Err(_) => self,
        }
    }
}

impl Problem for Classify {
    type Model = Net;

    fn seeded(self, seed: Seed) -> Classify {
        Classify { seed, order: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        self.parts.train.len().div_ceil(self.batch)
    }

    fn loss(&mut self, model: &Net, now: Moment) -> Tensor<1> {
        let batch = self.order.batch(&self.parts.train, self.batch, self.seed, now.epoch, now.batch);
        // masks belong to the step: the same moment has the same loss, whoever else draws
        let mut mode = Mode::Train(self.seed.generator(Purpose::Masks, now.step));
        let mut draws = self.seed.generator(Purpose::Augmentation, now.step);
        let x = self.augment.apply_to(batch.x.clone(), self.image, &mut draws).unwrap_or(batch.x);
        let scores = model.forward(Tensor::from_inner(x), &mut mode);
        let loss = cross_entropy(scores, batch.y.to_device(&self.device)).mean();
        self.penalty.added_to(loss, model)
    }

    fn after_step(&self, model: Net, lr: f64) -> Net {
        self.penalty.after_step(model, lr)
    }

    fn measure(&self, model: &Net, _now: Moment) -> BTreeMap<String, f64> {
        let (train, test) = (evaluate_first(model, &self.parts.train, self.measured), evaluate(model, &self.parts.test));
        let penalty = self.penalty.value(model).map_or(0.0, |penalty| penalty.into_scalar::<f64>());
        let mut measures = BTreeMap::from([
            ("train_loss".into(), train.loss),
            ("train_error".into(), train.error()),
            ("objective".into(), train.loss + penalty),
            ("test_loss".into(), test.loss),
            ("test_error".into(), test.error()),
            ("test_accuracy".into(), test.accuracy()),
            ("gap".into(), test.loss - train.loss),
        ]);
        if let Some(validation) = self.parts.validation.as_ref().map(|part| evaluate(model, part)) {
            measures.insert(VALIDATION_LOSS.into(), validation.loss);
            measures.insert("validation_error".into(), validation.error());
        }
        measures
    }
}

/// −log of the probability that the model gives to the right class, for each example.
fn cross_entropy(scores: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let n = classes.dims()[0];
    -log_softmax(scores, 1).gather(1, classes.reshape([n, 1])).reshape([n])
}

/// What a model does on examples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// `confusion[actual][predicted]` counts examples.
    pub confusion: Vec<Vec<usize>>,
}

impl Evaluation {
    /// Share of the examples told right.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.all() as f64
    }

    /// Share of the examples told wrong.
    pub fn error(&self) -> f64 {
        (self.all() - self.right()) as f64 / self.all() as f64
    }

    fn right(&self) -> usize {
        self.confusion.iter().enumerate().map(|(class, row)| row[class]).sum()
    }

    fn all(&self) -> usize {
        self.confusion.iter().flatten().sum()
    }
}

/// Runs a model over examples; both without autodiff.
pub fn evaluate(model: &Net, examples: &Resident) -> Evaluation {
    evaluate_first(model, examples, examples.len())
}

/// The same over the first `n` of them.
fn evaluate_first(model: &Net, examples: &Resident, n: usize) -> Evaluation {
    let (mut loss, mut confusion) = (0.0, Vec::new());
    for start in (0..n).step_by(AT_ONCE) {
        let part = examples.slice(start, AT_ONCE.min(n - start));
        let scores = model.forward(part.x, &mut Mode::Evaluate);
        if confusion.is_empty() {
            confusion = vec![vec![0; scores.dims()[1]]; scores.dims()[1]];
        }
        let predicted = scores.clone().argmax(1).into_data();
        loss += cross_entropy(scores, part.y.clone()).sum().into_scalar::<f64>();
        for (predicted, actual) in predicted.iter::<i64>().zip(part.y.into_data().iter::<i64>()) {
            confusion[actual as usize][predicted as usize] += 1;
        }
    }
    Evaluation { loss: loss / n as f64, confusion }
}
