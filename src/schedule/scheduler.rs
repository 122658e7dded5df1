//! A schedule with its state.

use serde::{Deserialize, Serialize};

use super::plateau::PlateauState;
use super::table::{Schedule, ScheduleKind};
use super::time::{Progress, Time};

/// A schedule with its state. Only `plateau` has a state; the others depend on the progress alone.
/// A scheduler that is saved and loaded by serde continues bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduler {
    schedule: Schedule,
    #[serde(rename = "watched")]
    plateau: PlateauState,
}

impl Scheduler {
    /// A schedule before the first step.
    pub fn new(schedule: Schedule) -> Scheduler {
        Scheduler { schedule, plateau: PlateauState::default() }
    }

    /// The schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The state as named numbers.
    pub(super) fn to_numbers(&self) -> Vec<(&'static str, f64)> {
        self.plateau.to_numbers()
    }

    /// Continues from what [`to_numbers`](Self::to_numbers) returned. `None` if a number is missing.
    pub(super) fn load_numbers(&mut self, number: impl Fn(&str) -> Option<f64>) -> Option<()> {
        self.plateau = PlateauState::from_numbers(number)?;
        Some(())
    }

    /// The learning rate now, where the optimizer's is `lr`. It is always from 0 to `lr`.
    pub fn lr(&self, lr: f64, now: Progress) -> f64 {
        let Schedule { warmup, ref kind } = self.schedule;
        let step = now.step.max(1);
        let time = Time {
            step: step.saturating_sub(warmup).max(1),
            epoch: now.epoch.saturating_sub(warmup_epochs(warmup, now)).max(1),
            steps: now.steps.saturating_sub(warmup).max(1),
            cuts: self.plateau.cuts,
        };
        let lr = kind.lr(lr, time);
        if step < warmup { lr * (step as f64 / warmup as f64) } else { lr }
    }

    /// Takes the mean training loss of an epoch, at its end.
    pub fn observe(&mut self, mean_loss: f64) {
        if let ScheduleKind::Plateau(plateau) = &self.schedule.kind {
            plateau.observe(&mut self.plateau, mean_loss);
        }
    }
}

/// How many epochs end within the warm-up. The schedule does not count them. It does count an epoch
/// in which the warm-up ends, so that the learning rate still changes at the start of an epoch.
fn warmup_epochs(warmup: usize, now: Progress) -> usize {
    // all epochs have the same number of steps
    let steps_before = now.step.saturating_sub(now.batch);
    let steps_per_epoch = steps_before.checked_div(now.epoch.saturating_sub(1));
    steps_per_epoch.and_then(|steps| warmup.checked_div(steps)).unwrap_or(0)
}
