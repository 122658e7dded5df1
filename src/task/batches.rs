//! The batches of a run on a data set.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::splits::Splits;
use crate::data::{Batch, DeviceExamples, Shuffled};
use crate::record::{PENALIZED_LOSS, VALIDATION_LOSS};
use crate::regularizer::Penalty;
use crate::schedule::Progress;
use crate::seed::{Purpose, Seed};

/// The examples of a run and the order of its batches. Each epoch uses every training example once,
/// in an order of its own; the last batch may be shorter.
#[derive(Clone)]
pub(super) struct Batches {
    pub splits: Splits,
    size: usize,
    seed: Seed,
    order: Shuffled,
    /// with autodiff
    pub device: Device,
}

impl Batches {
    /// Batches of `size` examples.
    pub fn new(splits: Splits, size: usize, device: &Device) -> Batches {
        let (seed, order) = (Seed(0), Shuffled::default());
        Batches { splits, size, seed, order, device: device.clone() }
    }

    /// The batches of a run with this seed.
    pub fn seeded(self, seed: Seed) -> Batches {
        Batches { seed, order: Shuffled::default(), ..self }
    }

    /// The number of batches of an epoch.
    pub fn steps(&self) -> usize {
        self.splits.train.len().div_ceil(self.size)
    }

    /// The batch of a step.
    pub fn batch(&mut self, now: Progress) -> Batch {
        self.order.batch(&self.splits.train, self.size, self.seed, now.epoch, now.batch)
    }

    /// The first examples of the training set, as many as a batch has.
    pub fn first(&self) -> Batch {
        self.splits.train.slice(0, self.size.min(self.splits.train.len()))
    }

    /// The random numbers for masks and noise of a step.
    pub fn generator(&self, step: usize) -> ChaCha8Rng {
        self.seed.generator(Purpose::Masks, step)
    }

    /// The measurements `train_loss`, `test_loss`, `train_loss` plus the penalty, and with a
    /// validation set `validation_loss`.
    pub fn losses<M: Module>(
        &self,
        model: &M,
        penalty: &Penalty,
        mean_loss: impl Fn(&DeviceExamples) -> f64,
    ) -> BTreeMap<String, f64> {
        let train = mean_loss(&self.splits.train);
        let penalty = penalty.value(model).map_or(0.0, |penalty| penalty.into_scalar::<f64>());
        let mut losses = BTreeMap::from([
            ("train_loss".into(), train),
            (PENALIZED_LOSS.into(), train + penalty),
            ("test_loss".into(), mean_loss(&self.splits.test)),
        ]);
        if let Some(validation) = &self.splits.validation {
            losses.insert(VALIDATION_LOSS.into(), mean_loss(validation));
        }
        losses
    }
}
