//! What a claim `reaches` is about: a target, and the unit of its cost.

use serde::{Deserialize, Serialize};

use super::published;
use crate::error::{Error, Result};

/// The unit in which the cost of a target is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostUnit {
    /// optimizer steps
    #[default]
    Steps,
    /// epochs
    Epochs,
    /// gradients of one batch: more than steps if gradients are accumulated
    GradientEvaluations,
    /// seconds, with the measurements
    Seconds,
}

impl CostUnit {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            CostUnit::Steps => "steps",
            CostUnit::Epochs => "epochs",
            CostUnit::GradientEvaluations => "gradient evaluations",
            CostUnit::Seconds => "seconds",
        }
    }
}

/// The value that a measurement has to reach.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "invalid value: another type, expected a number, or the name of a published curve in quotes"
)]
pub enum Target {
    /// a number
    Number(f64),
    /// the last value of a published curve in the bundled logs of DeepOBS,
    /// `fmnist_2c2d/AdamOptimizer`
    Published(String),
}

impl Target {
    /// The number.
    ///
    /// # Errors
    /// If there is no such published curve of this measurement.
    pub fn value(&self, measure: &str) -> Result<f64> {
        match self {
            Target::Number(number) => Ok(*number),
            Target::Published(name) => {
                let last = published::curve(name, measure).last().map(|point| point.mean);
                last.ok_or_else(|| {
                    let expected = format!(
                        "a number, or a problem and an optimizer in \
                         datasets/deepobs-*/best_curves.csv that has {measure}, such as \
                         fmnist_2c2d/AdamOptimizer"
                    );
                    Error::value("expect.target", format!("`{name}`"), expected)
                })
            }
        }
    }
}
