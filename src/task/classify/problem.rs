//! Training a classifier: batches of examples, cross-entropy and a penalty.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor};

use crate::augment::Augment;
use crate::data::{Dataset, Shuffled};
use crate::error::Result;
use crate::model::{Mode, Net};
use crate::record::{PENALIZED_LOSS, VALIDATION_LOSS};
use crate::regularizer::Penalty;
use crate::schedule::Progress;
use crate::seed::{Purpose, Seed};
use crate::task::evaluate::{cross_entropy, evaluate, evaluate_batches};
use crate::task::splits::{Splits, Subset, drawn};
use crate::train::Problem;

/// A classifier on batches of a data set.
///
/// Each epoch uses every training example once, in an order of its own; the last batch may be
/// shorter. The loss of a batch is its mean cross-entropy plus the penalty, if the penalty is a
/// term of the loss. All measurements are without the penalty, except
/// `train_loss_plus_penalty`: `train_loss` and `train_error` on the training set or on a part
/// of it that is drawn once, `test_loss`, `test_error` and `test_accuracy`, loss and error rate of
/// the validation set, and `gap`, `test_loss` less `train_loss`.
#[derive(Clone)]
pub struct ClassifyProblem {
    splits: Splits,
    measured: Option<Vec<i32>>,
    batch: usize,
    augment: Augment,
    image: [usize; 3],
    penalty: Penalty,
    seed: Seed,
    order: Shuffled,
    device: Device,
}

impl ClassifyProblem {
    /// Moves the data to `device`, which has autodiff. Clones share the data.
    pub fn new(data: &Dataset, batch: usize, penalty: Penalty, device: &Device) -> ClassifyProblem {
        ClassifyProblem::on(
            Splits::of(data, Subset::default(), device),
            None,
            batch,
            penalty,
            device,
        )
    }

    /// With data on their device. The training loss is measured on `measured` of the training
    /// examples, on all by default.
    pub fn on(
        splits: Splits,
        measured: Option<usize>,
        batch: usize,
        penalty: Penalty,
        device: &Device,
    ) -> ClassifyProblem {
        let n = splits.train.len();
        // a file may be sorted by class, so the first examples would not represent the set
        let draw = |m| drawn(n, Some(m), 2).into_iter().map(|place| place as i32).collect();
        ClassifyProblem {
            measured: measured.filter(|m| *m < n).map(draw),
            splits,
            batch,
            augment: Augment::default(),
            image: [1, 1, 1],
            penalty,
            seed: Seed(0),
            order: Shuffled::default(),
            device: device.clone(),
        }
    }

    /// With images of this shape that are changed at random before each step.
    ///
    /// # Errors
    /// If the inputs are not images, or not images that can be [changed](Augment::fits).
    pub fn augmented(self, augment: Augment, input: &[usize]) -> Result<ClassifyProblem> {
        if augment.is_none() || self.splits.train.is_empty() {
            return Ok(self);
        }
        let image = augment.fits(input)?;
        // one trial, so that no step can fail
        let mut draws = self.seed.generator(Purpose::Augmentation, 0);
        augment.apply_to(self.splits.train.slice(0, 1).x, image, &mut draws)?;
        Ok(ClassifyProblem { augment, image, ..self })
    }

    /// The inputs of a batch and its classes, augmented and prepared.
    fn batch(&self, order: &mut Shuffled, now: Progress) -> (Tensor<2>, Tensor<1, Int>) {
        let images = self.splits.images().filter(|_| !self.augment.is_none());
        let examples = images.map_or(&self.splits.train, |(images, _)| images);
        let batch = order.batch(examples, self.batch, self.seed, now.epoch, now.batch);
        let mut draws = self.seed.generator(Purpose::Augmentation, now.step);
        let x = self.augment.apply_to(batch.x.clone(), self.image, &mut draws).unwrap_or(batch.x);
        let x = match images {
            Some((_, preparation)) => preparation.apply_to(x),
            None => x,
        };
        (x, batch.y)
    }
}

impl Problem for ClassifyProblem {
    type Model = Net;

    fn seeded(self, seed: Seed) -> ClassifyProblem {
        ClassifyProblem { seed, order: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        self.splits.train.len().div_ceil(self.batch)
    }

    fn loss(&mut self, model: &Net, now: Progress) -> Tensor<1> {
        let mut order = std::mem::take(&mut self.order);
        let (x, classes) = self.batch(&mut order, now);
        self.order = order;
        // masks depend on the step only: the same step has the same loss, however often it is
        // evaluated
        let mut mode = Mode::Train(self.seed.generator(Purpose::Masks, now.step));
        let scores = model.forward(Tensor::from_inner(x), &mut mode);
        let loss = cross_entropy(scores, classes.to_device(&self.device)).mean();
        self.penalty.added_to(loss, model)
    }

    fn after_step(&self, model: Net, lr: f64) -> Net {
        self.penalty.after_step(model, lr)
    }

    fn measure(&self, model: &Net, _now: Progress) -> BTreeMap<String, f64> {
        let Splits { train, validation, test, .. } = &self.splits;
        let train = match &self.measured {
            Some(places) => evaluate_batches(model, train.batches_of(places)),
            None => evaluate(model, train),
        };
        let test = evaluate(model, test);
        let penalty = self.penalty.value(model).map_or(0.0, |penalty| penalty.into_scalar::<f64>());
        let mut measures = BTreeMap::from([
            ("train_loss".into(), train.loss),
            ("train_error".into(), train.error_rate()),
            (PENALIZED_LOSS.into(), train.loss + penalty),
            ("test_loss".into(), test.loss),
            ("test_error".into(), test.error_rate()),
            ("test_accuracy".into(), test.accuracy()),
            ("gap".into(), test.loss - train.loss),
        ]);
        if let Some(validation) = validation {
            let validation = evaluate(model, validation);
            measures.insert(VALIDATION_LOSS.into(), validation.loss);
            measures.insert("validation_error".into(), validation.error_rate());
        }
        measures
    }
}
