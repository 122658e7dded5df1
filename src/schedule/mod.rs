//! Learning-rate schedules: what becomes of the learning rate from step to step. A new one is a new file, and a line in the table below.
//!
//! A [`Schedule`] is read from a spec and never changes; a [`Pace`] is a schedule in motion, and knows the learning rate of every [`Moment`].
//! No schedule ever raises the learning rate above the optimizer's own, and each holds its last value beyond its end.

mod pace;

pub use pace::{Moment, Pace, Per};

use pace::Time;
use serde::{Deserialize, Serialize};

use crate::about::About;
use crate::error::{Error, Result};
use crate::spec::{Allowed, Given, Setting, Settings, Spec, SpecError, unknown};

/// The setting that every schedule has. It is written only where it is not 0.
const WARMUP: Setting = Setting {
    name: "warmup",
    about: "steps in which the learning rate first rises, in equal parts from 0; the schedule begins after them",
    allowed: Allowed::Whole,
};

macro_rules! schedules {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub mod $module; pub use $module::$Type;)*

        /// Any schedule of the table, without its warm-up.
        #[derive(Clone, Debug, PartialEq)]
        enum Shape {
            $($Type($Type)),*
        }

        /// All schedules.
        pub const SCHEDULES: &[Entry] = &[$(Entry {
            name: stringify!($module),
            about: About(include_str!(concat!(stringify!($module), ".rs"))),
            settings: || <$Type as Settings>::SETTINGS.iter().copied().chain([WARMUP]).collect(),
            defaults: || $Type::default().values().into_iter().chain([(WARMUP.name, 0.show())]).collect(),
        }),*];

        impl Shape {
            fn read(spec: &Spec) -> std::result::Result<Shape, SpecError> {
                match spec.name.as_str() {
                    $(stringify!($module) => spec.read().map(Shape::$Type),)*
                    other => Err(unknown("schedule", other, [$(stringify!($module)),*])),
                }
            }

            fn spec(&self) -> Spec {
                match self {
                    $(Shape::$Type(shape) => shape.spec(stringify!($module))),*
                }
            }

            fn lr(&self, lr: f64, time: Time) -> f64 {
                match self {
                    $(Shape::$Type(shape) => shape.lr(lr, time)),*
                }
            }
        }

        $(
            impl TryFrom<$Type> for Schedule {
                type Error = SpecError;

                /// The schedule of these settings, without warm-up.
                fn try_from(shape: $Type) -> std::result::Result<Schedule, SpecError> {
                    shape.check(stringify!($module))?;
                    Ok(Schedule { warmup: 0, shape: Shape::$Type(shape) })
                }
            }
        )*
    };
}

/// A schedule in the table.
pub struct Entry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula, differences and source.
    pub about: About,
    /// Its settings.
    pub settings: fn() -> Vec<Setting>,
    /// Their defaults.
    pub defaults: fn() -> Vec<(&'static str, String)>,
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

/// A schedule whose settings are all allowed: there is no other way to one than [`Schedule::read`] and `try_from`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    warmup: usize,
    shape: Shape,
}

impl Schedule {
    /// Reads a spec.
    ///
    /// # Errors
    /// On an unknown schedule or setting, or a value that is not allowed.
    pub fn read(spec: &Spec) -> Result<Schedule> {
        let settings = spec.settings.iter().filter(|(key, _)| key != WARMUP.name).cloned().collect();
        // the error lists the settings there are; warmup is one of them
        let shape = Shape::read(&Spec { settings, ..spec.clone() }).map_err(|error| match error {
            SpecError::Unknown { kind, found, mut known } if kind == format!("setting of {}", spec.name) => {
                known.push(WARMUP.name.into());
                SpecError::Unknown { kind, found, known }
            }
            other => other,
        })?;
        let given = spec.single()?.into_iter().find(|(key, _)| *key == WARMUP.name);
        let warmup = given.map_or(Ok(0), |(_, value)| WARMUP.read(&spec.name, value))?;
        Ok(Schedule { warmup, shape })
    }

    /// The same schedule after a linear rise over this many steps.
    pub fn with_warmup(self, warmup: usize) -> Schedule {
        Schedule { warmup, ..self }
    }

    /// The spec with every setting spelled out; the warm-up only where there is one.
    pub fn spec(&self) -> String {
        let mut spec = self.shape.spec();
        if self.warmup > 0 {
            spec.settings.push((WARMUP.name.into(), vec![self.warmup.show()]));
        }
        spec.to_string()
    }

    /// Whether the learning rate changes only from one pass over the data to the next.
    pub fn counts_passes(&self) -> bool {
        let per_epoch = |(key, values): &(String, Vec<String>)| key == "per" && *values == [Per::Epoch.show()];
        matches!(self.shape, Shape::Plateau(_)) || self.shape.spec().settings.iter().any(per_epoch)
    }

    /// Whether a run of this many steps has room for the schedule.
    ///
    /// # Errors
    /// If the warm-up would not come to its end.
    pub fn fits(&self, steps: usize) -> Result<()> {
        if self.warmup <= steps {
            return Ok(());
        }
        Err(Error::Spec(SpecError::Value {
            owner: self.shape.spec().name,
            key: WARMUP.name.into(),
            found: self.warmup.show(),
            expected: format!("at most {steps}, the steps of the whole run"),
        }))
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

/// From `first` to `last`, where `left` of the way, a number from 0 to 1, is still to go. Both ends are met exactly.
fn between(first: f64, last: f64, left: f64) -> f64 {
    last + (first - last) * left
}

/// What is left of the way along half a wave of the cosine, slow at both ends, after the part `gone`, from 0 to 1.
fn half_wave(gone: f64) -> f64 {
    (1.0 + (std::f64::consts::PI * gone).cos()) / 2.0
}
