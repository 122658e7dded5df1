//! Training a classifier: batches of examples, cross-entropy and a penalty.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};

use rand::seq::SliceRandom;

use crate::augment::Augment;
use crate::data::prepare::Prepared;
use crate::data::{Batch, Dataset, Examples, Resident, Shuffled};
use crate::error::Result;
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
    /// the images to train on before they are prepared, and what prepares them: for augmentation, which comes in between
    images: Option<(Resident, Arc<Prepared>)>,
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
        let (train, test) = (&data.train, &data.test);
        let some = share.test.is_some_and(|n| n < test.len());
        let tested = if some { test.at(&drawn(test.len(), share.test, 1)).resident(&device) } else { test.resident(&device) };
        let (train, validation) = match share.split(train.len()) {
            None => (train.resident(&device), None),
            Some((kept, validation)) => {
                let validation = (!validation.is_empty()).then(|| train.at(&validation).resident(&device));
                (train.at(&kept).resident(&device), validation)
            }
        };
        Parts { train, validation, test: tested, images: None }
    }

    /// With the images of the training part as they were before they were prepared.
    pub fn from_images(self, images: &Examples, prepared: Prepared, share: Share) -> Parts {
        let device = self.train.device();
        let images = match share.split(images.len()) {
            None => images.resident(&device),
            Some((kept, _)) => images.at(&kept).resident(&device),
        };
        Parts { images: Some((images, Arc::new(prepared))), ..self }
    }

    /// Whether there are images as they were before they were prepared.
    pub fn has_images(&self) -> bool {
        self.images.is_some()
    }
}

impl Share {
    /// How many of `n` training examples validate.
    pub fn validating(&self, n: usize) -> usize {
        (n as f64 * self.validation).round() as usize
    }

    /// Places of the training part that train, and those that validate; nothing if all train.
    fn split(&self, n: usize) -> Option<(Vec<usize>, Vec<usize>)> {
        if self.train.is_none_or(|some| some >= n) && self.validation == 0.0 {
            return None;
        }
        let mut kept = drawn(n, self.train, 0);
        let validation = kept.split_off(kept.len() - self.validating(kept.len()));
        Some((kept, validation))
    }
}

/// At most so many of `n` places, drawn once and for all; for each `part` others.
fn drawn(n: usize, at_most: Option<usize>, part: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    places.shuffle(&mut Seed(0).generator(Purpose::Split, part));
    places.truncate(at_most.unwrap_or(n));
    places
}

/// A data set to be told apart in batches.
///
/// Each epoch sees every training example once, in an order of its own; the last batch may be shorter. The loss of a batch is its mean
/// cross-entropy plus the penalty, where that is a term of the loss. Measured are, without the penalty, `train_loss` and `train_error` over the
/// training part, or some of it drawn once and for all, `test_loss`, `test_error` and `test_accuracy`, loss and error of a validation part; `objective`:
/// `train_loss` plus the penalty; and `gap`: `test_loss` less `train_loss`.
#[derive(Clone)]
pub struct Classify {
    parts: Parts,
    measured: Option<Vec<i32>>,
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
            // a file may be sorted by class, so its beginning would not do
            measured: measured
                .filter(|n| *n < parts.train.len())
                .map(|n| drawn(parts.train.len(), Some(n), 2).into_iter().map(|place| place as i32).collect()),
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
    /// With images of this shape changed at random before each step.
    ///
    /// # Errors
    /// If the inputs are no such images, or not such as can be [changed so](Augment::fits).
    pub fn augmented(self, augment: Augment, input: &[usize]) -> Result<Classify> {
        if augment.is_none() || self.parts.train.is_empty() {
            return Ok(self);
        }
        let image = augment.fits(input)?;
        // tried on one, so that no step can fail
        augment.apply_to(self.parts.train.slice(0, 1).x, image, &mut self.seed.generator(Purpose::Augmentation, 0))?;
        Ok(Classify { augment, image, ..self })
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
        let images = self.parts.images.as_ref().filter(|_| !self.augment.is_none());
        let examples = images.map_or(&self.parts.train, |(images, _)| images);
        let batch = self.order.batch(examples, self.batch, self.seed, now.epoch, now.batch);
        // masks belong to the step: the same moment has the same loss, whoever else draws
        let mut mode = Mode::Train(self.seed.generator(Purpose::Masks, now.step));
        let mut draws = self.seed.generator(Purpose::Augmentation, now.step);
        let x = self.augment.apply_to(batch.x.clone(), self.image, &mut draws).unwrap_or(batch.x);
        let x = images.map_or(x.clone(), |(_, prepared)| prepared.apply_to(x));
        let scores = model.forward(Tensor::from_inner(x), &mut mode);
        let loss = cross_entropy(scores, batch.y.to_device(&self.device)).mean();
        self.penalty.added_to(loss, model)
    }

    fn after_step(&self, model: Net, lr: f64) -> Net {
        self.penalty.after_step(model, lr)
    }

    fn measure(&self, model: &Net, _now: Moment) -> BTreeMap<String, f64> {
        let Parts { train, validation, test, .. } = &self.parts;
        let train = match &self.measured {
            Some(places) => evaluate_on(model, places.chunks(AT_ONCE).map(|places| train.select(places))),
            None => evaluate(model, train),
        };
        let test = evaluate(model, test);
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
        if let Some(validation) = validation.as_ref().map(|part| evaluate(model, part)) {
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
    let n = examples.len();
    evaluate_on(model, (0..n).step_by(AT_ONCE).map(|start| examples.slice(start, AT_ONCE.min(n - start))))
}

/// The same, batch by batch.
fn evaluate_on(model: &Net, batches: impl Iterator<Item = Batch>) -> Evaluation {
    let (mut loss, mut confusion, mut n) = (0.0, Vec::new(), 0);
    for part in batches {
        n += part.y.dims()[0];
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
