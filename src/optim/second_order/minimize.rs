//! The loop of a minimization.

use super::error::NewtonError;
use super::smooth::{Iterate, Smooth};

/// A complete minimization.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The initial point and the point after each step; empty only if the initial point failed.
    pub points: Vec<Iterate>,
    /// Why it ended.
    pub end: StopReason,
}

/// Why a minimization ended.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// The norm of the gradient is within the tolerance.
    Converged,
    /// The maximum number of steps is reached.
    OutOfSteps,
    /// The next step failed or diverged.
    Failed(NewtonError),
}

/// When a minimization ends without a failure.
pub(super) struct Limits {
    /// the norm of the gradient
    pub tolerance: f64,
    /// the number of steps
    pub steps: usize,
}

/// Takes steps from x until the gradient is short enough.
pub(super) fn minimize(
    f: &mut dyn Smooth,
    x: Vec<f64>,
    limits: Limits,
    mut step: impl FnMut(&mut dyn Smooth, &Iterate) -> Result<Iterate, NewtonError>,
) -> Path {
    let mut points = Vec::new();
    let mut next = Iterate::of(f, x);
    let end = loop {
        let point = match next {
            Ok(point) => point,
            Err(error) => break StopReason::Failed(error),
        };
        points.push(point);
        let point = &points[points.len() - 1];
        if point.norm() <= limits.tolerance {
            break StopReason::Converged;
        }
        if points.len() > limits.steps {
            break StopReason::OutOfSteps;
        }
        next = step(f, point);
    };
    Path { points, end }
}
