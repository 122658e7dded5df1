//! A schedule in motion.

use serde::{Deserialize, Serialize};

use super::plateau::Watched;
use super::{Schedule, Shape};

/// Where a run stands. All counts are from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// of the whole run
    pub step: usize,
    /// passes over the data, the present one included
    pub epoch: usize,
    /// of this epoch
    pub batch: usize,
    /// how many steps the whole run has
    pub steps: usize,
}

/// What a schedule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// optimizer steps
    Step,
    /// passes over the data
    Epoch,
}
crate::words!(Per { Step = "step", Epoch = "epoch" });

/// A schedule in motion. Only `plateau` has anything to remember from epoch to epoch; saved and loaded whole, each continues bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    schedule: Schedule,
    watched: Watched,
}

impl Pace {
    /// A schedule at its beginning.
    pub fn new(schedule: Schedule) -> Pace {
        Pace { schedule, watched: Watched::default() }
    }

    /// The learning rate of this moment, where the optimizer's is `lr`: from 0 to `lr`, whatever the moment.
    pub fn lr(&self, lr: f64, now: Moment) -> f64 {
        let Schedule { warmup, ref shape } = self.schedule;
        let step = now.step.max(1);
        let time = Time {
            step: step.saturating_sub(warmup).max(1),
            epoch: now.epoch.saturating_sub(epochs_within(warmup, now)).max(1),
            steps: now.steps.saturating_sub(warmup).max(1),
            cuts: self.watched.cuts,
        };
        let lr = shape.lr(lr, time);
        if step < warmup { lr * (step as f64 / warmup as f64) } else { lr }
    }

    /// Tells the mean training loss of an epoch, at its end.
    pub fn observe(&mut self, mean_loss: f64) {
        if let Shape::Plateau(plateau) = &self.schedule.shape {
            plateau.observe(&mut self.watched, mean_loss);
        }
    }
}

/// How many epochs ended within the warm-up: they are not the schedule's. One that began within it is, so that what goes by epochs still
/// changes where an epoch begins.
fn epochs_within(warmup: usize, now: Moment) -> usize {
    let before = now.step.saturating_sub(now.batch).checked_div(now.epoch.saturating_sub(1)); // all epochs have equally many steps
    before.and_then(|of_each| warmup.checked_div(of_each)).unwrap_or(0)
}

/// Where a schedule stands in its own time, which begins after the warm-up. All counts but `cuts` are from 1.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub step: usize,
    pub epoch: usize,
    /// how many steps there are
    pub steps: usize,
    /// how often the loss stood still, for `plateau`
    pub cuts: usize,
}

impl Time {
    /// Steps or epochs, the present one included.
    pub fn count(self, per: Per) -> usize {
        match per {
            Per::Step => self.step,
            Per::Epoch => self.epoch,
        }
    }

    /// The part of `steps`, or of all there are, that lies behind this one: 0 at the first, 1 from the one after the last.
    pub fn gone(self, steps: Option<usize>) -> f64 {
        part(self.step as f64 - 1.0, steps.unwrap_or(self.steps) as f64)
    }
}

/// What part of a way is gone, at most 1. A way without length is gone.
pub(super) fn part(gone: f64, way: f64) -> f64 {
    if gone < way { gone / way } else { 1.0 }
}
