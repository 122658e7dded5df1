//! The order of the examples in an epoch.

use rand::seq::SliceRandom;

use super::device_examples::{Batch, DeviceExamples};
use crate::seed::{Purpose, Seed};

/// The order of `n` examples in an epoch. It depends only on the seed and the epoch, so a run can
/// resume at any epoch.
pub fn order(n: usize, seed: Seed, epoch: usize) -> Vec<i32> {
    let mut order: Vec<i32> = (0..n as i32).collect();
    order.shuffle(&mut seed.generator(Purpose::Order, epoch));
    order
}

/// The order of the last requested epoch.
#[derive(Clone, Debug, Default)]
pub struct Shuffled(Option<(usize, Vec<i32>)>);

impl Shuffled {
    /// The [`order`] of this epoch. All calls have to pass the same `n` and the same seed.
    pub fn of(&mut self, n: usize, seed: Seed, epoch: usize) -> &[i32] {
        if self.0.as_ref().is_none_or(|(cached, _)| *cached != epoch) {
            self.0 = Some((epoch, order(n, seed, epoch)));
        }
        self.0.as_ref().map_or(&[], |(_, order)| order)
    }

    /// Batch number `batch`, counted from 1, of an epoch in batches of `size` examples. The last
    /// batch may be smaller.
    pub fn batch(
        &mut self,
        examples: &DeviceExamples,
        size: usize,
        seed: Seed,
        epoch: usize,
        batch: usize,
    ) -> Batch {
        let n = examples.len();
        let start = (batch - 1) * size;
        let end = (start + size).min(n);
        examples.select(&self.of(n, seed, epoch)[start..end])
    }
}
