//! The replay of a recorded trajectory: the parts that dense and sparse replays share.

use burn::tensor::DType;
use serde_json::{Map, Value};

use super::agreement::Apart;
use crate::error::{Error, Result};
use crate::pipeline::{ParamVector, PipelineConfig};

/// A replay of a recorded trajectory.
#[derive(Clone, Debug)]
pub struct Replay {
    /// the framework, its class or function, and its arguments
    pub case: String,
    /// the pipeline spec that replayed it
    pub line: String,
    /// the difference in f64
    pub double: Apart,
    /// the difference in f32
    pub single: Apart,
    /// whether it is one of the sparse cases
    pub sparse: bool,
}

impl Replay {
    /// Whether the errors in f64 are within the tolerance. The errors in f32 are only shown,
    /// because the range of f32 may be too small for the numbers.
    pub fn agrees(&self) -> bool {
        self.double.left_at.is_none()
    }
}

/// The parameter after each step.
#[derive(Default)]
pub(super) struct Paths {
    pub training: Vec<Vec<f64>>,
    /// the parameter to evaluate
    pub evaluation: Vec<Vec<f64>>,
}

/// Takes the steps with the given gradients.
pub(super) fn descend(
    config: &PipelineConfig,
    start: &[f64],
    gradients: &[Vec<f64>],
    lrs: &[f64],
    dtype: DType,
) -> Result<Paths> {
    let mut point = ParamVector::without_backward(start, dtype);
    let mut pipeline = config.begin();
    let mut paths = Paths::default();
    for (gradient, lr) in gradients.iter().zip(lrs) {
        let gradients = point.gradients(gradient, dtype);
        point = pipeline.step(*lr, point, gradients)?;
        paths.training.push(point.numbers());
        paths.evaluation.push(pipeline.evaluation_model(&point)?.numbers());
    }
    Ok(paths)
}

/// An error about an optimizer or a setting, with the place of the case.
pub(super) fn at_place(place: &str, error: Error) -> Error {
    match error {
        Error::Spec(_) => error.at(place),
        other => other,
    }
}

pub(super) fn title(framework: &str, call: &str, settings: &Map<String, Value>) -> String {
    let settings: Vec<String> =
        settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{framework} {call} {}", settings.join(" "))
}
