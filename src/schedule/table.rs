//! The table of schedules, and a schedule read from a spec.

use serde::{Deserialize, Serialize};

use super::time::{Per, Time};
use super::{
    constant, cosine, cosine_restarts, exponential, inverse_sqrt, linear, milestones, one_cycle,
    plateau, polynomial, step,
};
use crate::docs::Docs;
use crate::error::{Error, Result};
use crate::spec::{Allowed, Setting, SettingValue, Settings, Spec, SpecError, unknown};

/// The setting that every schedule has. A spec contains it only if it is not 0.
const WARMUP: Setting = Setting {
    name: "warmup",
    docs: "steps in which the learning rate first rises linearly from 0; the schedule starts then",
    allowed: Allowed::Whole,
};

/// A row of the table of schedules.
pub struct ScheduleEntry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula, differences and source.
    pub docs: Docs,
    /// Its settings.
    pub settings: fn() -> Vec<Setting>,
    /// Their defaults.
    pub defaults: fn() -> Vec<(&'static str, String)>,
}

macro_rules! schedules {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub use $module::$Type;)*

        /// Any schedule of the table, without its warm-up.
        #[derive(Clone, Debug, PartialEq)]
        pub(super) enum ScheduleKind {
            $($Type($Type)),*
        }

        /// All schedules.
        pub const SCHEDULES: &[ScheduleEntry] = &[$(ScheduleEntry {
            name: stringify!($module),
            docs: Docs(include_str!(concat!(stringify!($module), ".rs"))),
            settings: || with_warmup($Type::SETTINGS.to_vec(), WARMUP),
            defaults: || with_warmup($Type::default().values(), (WARMUP.name, 0.show())),
        }),*];

        impl ScheduleKind {
            fn read(spec: &Spec) -> std::result::Result<ScheduleKind, SpecError> {
                match spec.name.as_str() {
                    $(stringify!($module) => spec.read().map(ScheduleKind::$Type),)*
                    other => Err(unknown("schedule", other, [$(stringify!($module)),*])),
                }
            }

            fn spec(&self) -> Spec {
                match self {
                    $(ScheduleKind::$Type(schedule) => schedule.spec(stringify!($module))),*
                }
            }

            /// The learning rate after the warm-up, where the optimizer's is `lr`.
            pub fn lr(&self, lr: f64, time: Time) -> f64 {
                match self {
                    $(ScheduleKind::$Type(schedule) => schedule.lr(lr, time)),*
                }
            }
        }

        $(
            impl TryFrom<$Type> for Schedule {
                type Error = SpecError;

                /// The schedule of these settings, without warm-up.
                fn try_from(schedule: $Type) -> std::result::Result<Schedule, SpecError> {
                    schedule.check(stringify!($module))?;
                    Ok(Schedule { warmup: 0, kind: ScheduleKind::$Type(schedule) })
                }
            }
        )*
    };
}

schedules! {
    constant::Constant,
    step::Step,
    milestones::Milestones,
    exponential::Exponential,
    inverse_sqrt::InverseSqrt,
    linear::Linear,
    polynomial::Polynomial,
    cosine::Cosine,
    cosine_restarts::CosineRestarts,
    one_cycle::OneCycle,
    plateau::Plateau,
}

fn with_warmup<T>(mut all: Vec<T>, warmup: T) -> Vec<T> {
    all.push(warmup);
    all
}

/// A schedule whose settings are all allowed. [`Schedule::read`] and `try_from` are the only
/// constructors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    pub(super) warmup: usize,
    pub(super) kind: ScheduleKind,
}

impl Schedule {
    /// Reads a spec.
    ///
    /// # Errors
    /// On an unknown schedule or setting, or a value that is not allowed.
    pub fn read(spec: &Spec) -> Result<Schedule> {
        let settings =
            spec.settings.iter().filter(|(key, _)| key != WARMUP.name).cloned().collect();
        let kind = ScheduleKind::read(&Spec { settings, ..spec.clone() })
            .map_err(|error| name_warmup(spec, error))?;
        let given = spec.single()?.into_iter().find(|(key, _)| *key == WARMUP.name);
        let warmup = given.map_or(Ok(0), |(_, value)| WARMUP.read(&spec.name, value))?;
        Ok(Schedule { warmup, kind })
    }

    /// The same schedule after a linear rise over this many steps.
    pub fn with_warmup(self, warmup: usize) -> Schedule {
        Schedule { warmup, ..self }
    }

    /// The spec with every setting spelled out. It contains the warm-up only if there is one.
    pub fn spec(&self) -> String {
        let mut spec = self.kind.spec();
        if self.warmup > 0 {
            spec.settings.push((WARMUP.name.into(), vec![self.warmup.show()]));
        }
        spec.to_string()
    }

    /// Whether the learning rate changes only from one epoch to the next.
    pub fn counts_epochs(&self) -> bool {
        let per_epoch =
            |(key, values): &(String, Vec<String>)| key == "per" && *values == [Per::Epoch.show()];
        matches!(self.kind, ScheduleKind::Plateau(_))
            || self.kind.spec().settings.iter().any(per_epoch)
    }

    /// The setting that has to be given, or else the length of the run must be known: `steps`, or
    /// `per` for a schedule that counts epochs. `None` if the learning rate depends on the step
    /// number alone.
    pub fn needs_run(&self) -> Option<&'static str> {
        let steps = |(key, values): &(String, Vec<String>)| key == "steps" && *values == ["none"];
        if self.kind.spec().settings.iter().any(steps) {
            return Some("steps");
        }
        self.counts_epochs().then_some("per")
    }

    /// Checks that a run of this many steps is long enough for the schedule.
    ///
    /// # Errors
    /// If the warm-up is longer than the run.
    pub fn fits(&self, steps: usize) -> Result<()> {
        if self.warmup <= steps {
            return Ok(());
        }
        Err(Error::Spec(SpecError::Value {
            owner: self.kind.spec().name,
            key: WARMUP.name.into(),
            found: self.warmup.show(),
            expected: format!("at most {steps}, the steps of the whole run"),
        }))
    }
}

/// The error with the warm-up among the known settings.
fn name_warmup(spec: &Spec, error: SpecError) -> SpecError {
    match error {
        SpecError::Unknown { kind, found, mut known }
            if kind == format!("setting of {}", spec.name) =>
        {
            known.push(WARMUP.name.into());
            SpecError::Unknown { kind, found, known }
        }
        other => other,
    }
}

impl TryFrom<String> for Schedule {
    type Error = Error;

    fn try_from(spec: String) -> Result<Schedule> {
        Schedule::read(&spec.parse()?)
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> String {
        schedule.spec()
    }
}
