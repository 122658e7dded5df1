//! Learning-rate schedules: what the learning rate is multiplied by, from step to step.

use crate::error::Result;
use crate::spec::{Setting, Settings, Spec, unknown};

/// Where a run stands. All counts are from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// of the whole run
    pub step: usize,
    /// passes over the data, the present one included
    pub epoch: usize,
    /// of this epoch
    pub batch: usize,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// 1
    Constant(Constant),
    /// 1/√t
    InverseSqrt(InverseSqrt),
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

crate::settings! {
    /// The learning rate stays as it is.
    pub struct Constant {}
}

crate::settings! {
    /// lr/√t
    pub struct InverseSqrt {
        /// what t counts: step or epoch
        per: Per = Per::Step, Per::WORDS;
    }
}

/// A schedule in the table: its name, one line, its settings and their defaults.
pub type Entry = (&'static str, &'static str, &'static [Setting], fn() -> Vec<(&'static str, String)>);

/// All schedules.
pub const SCHEDULES: &[Entry] = &[
    ("constant", "the learning rate stays as it is", Constant::SETTINGS, || Constant::default().values()),
    ("inverse_sqrt", "lr / sqrt(t), t counting steps, or epochs with per=epoch", InverseSqrt::SETTINGS, || InverseSqrt::default().values()),
];

impl Schedule {
    /// Reads a spec.
    ///
    /// # Errors
    /// On an unknown schedule or setting, or a value that is not allowed.
    pub fn read(spec: &Spec) -> Result<Schedule> {
        match spec.name.as_str() {
            "constant" => Ok(Schedule::Constant(spec.read()?)),
            "inverse_sqrt" => Ok(Schedule::InverseSqrt(spec.read()?)),
            other => Err(unknown("schedule", other, SCHEDULES.iter().map(|(name, ..)| *name)).into()),
        }
    }

    /// The spec with every setting spelled out.
    pub fn spec(&self) -> String {
        match self {
            Schedule::Constant(constant) => constant.spec("constant").to_string(),
            Schedule::InverseSqrt(inverse_sqrt) => inverse_sqrt.spec("inverse_sqrt").to_string(),
        }
    }

    /// The learning rate of this moment, where the run's is `lr`.
    pub fn lr(&self, lr: f64, now: Moment) -> f64 {
        match self {
            Schedule::Constant(_) => lr,
            Schedule::InverseSqrt(InverseSqrt { per: Per::Step }) => lr / (now.step as f64).sqrt(),
            Schedule::InverseSqrt(InverseSqrt { per: Per::Epoch }) => lr / (now.epoch as f64).sqrt(),
        }
    }
}
