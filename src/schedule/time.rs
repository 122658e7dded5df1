//! Time in a run and in a schedule, and the interpolations that several schedules use.

/// The progress of a run. All counts start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// the step of the run
    pub step: usize,
    /// the epoch, the current one included
    pub epoch: usize,
    /// the step within the epoch
    pub batch: usize,
    /// the number of steps of the whole run
    pub steps: usize,
}

/// What a schedule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// optimizer steps
    Step,
    /// epochs
    Epoch,
}
crate::words!(Per { Step = "step", Epoch = "epoch" });

/// The time of a schedule, which starts after the warm-up. All counts but `cuts` start at 1.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub step: usize,
    pub epoch: usize,
    /// the number of steps after the warm-up
    pub steps: usize,
    /// how often `plateau` has cut the learning rate
    pub cuts: usize,
}

impl Time {
    /// Steps or epochs, the current one included.
    pub fn count(self, per: Per) -> usize {
        match per {
            Per::Step => self.step,
            Per::Epoch => self.epoch,
        }
    }

    /// The fraction of `steps` that is over: 0 in the first step, 1 after the last. `None` stands
    /// for all steps after the warm-up.
    pub fn fraction(self, steps: Option<usize>) -> f64 {
        fraction(self.step as f64 - 1.0, steps.unwrap_or(self.steps) as f64)
    }
}

/// `done / total`, at most 1. It is 1 if `total` is 0.
pub(super) fn fraction(done: f64, total: f64) -> f64 {
    if done < total { done / total } else { 1.0 }
}

/// Between `first`, where `remaining` is 1, and `last`, where it is 0. Both ends are exact.
pub(super) fn interpolate(first: f64, last: f64, remaining: f64) -> f64 {
    last + (first - last) * remaining
}

/// Half a wave of the cosine from 1, where `fraction` is 0, to 0, where it is 1.
pub(super) fn cosine_decay(fraction: f64) -> f64 {
    (1.0 + (std::f64::consts::PI * fraction).cos()) / 2.0
}
