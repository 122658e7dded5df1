//! A run as read from disk.

use std::sync::Arc;

use super::curve::{CurvePoint, Outcome, RunEnd};
use super::header::Header;

/// A run as read from disk.
#[derive(Clone, Debug)]
pub struct Run {
    /// the first line
    pub header: Header,
    /// the curve; copies of a run share it
    pub points: Arc<Vec<CurvePoint>>,
    /// the last line; `None` if the run still lasts, or was killed
    pub end: Option<RunEnd>,
}

impl Run {
    /// Whether the run does not have to be repeated: it finished, or it diverged.
    pub fn is_complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome != Outcome::Interrupted)
    }

    /// How it ended; `None` if the run still lasts, or was killed.
    pub fn ended(&self) -> Option<Outcome> {
        self.end.as_ref().map(|end| end.outcome)
    }

    /// How it ended, in a few words.
    pub fn outcome(&self) -> String {
        match &self.end {
            None => "not complete".into(),
            Some(end) if end.outcome == Outcome::Finished => end.outcome.to_string(),
            Some(end) => format!("{} at step {}", end.outcome, end.step),
        }
    }

    /// The point of the final model: the last point, or the one that early stopping chose.
    pub fn kept(&self) -> Option<&CurvePoint> {
        let kept = self.end.as_ref().and_then(|end| end.kept);
        let chosen = kept.and_then(|epoch| self.points.iter().find(|point| point.epoch == epoch));
        chosen.or(self.points.last())
    }

    /// The final value of a measurement: infinite if the run diverged, `None` if it is incomplete.
    pub fn last(&self, measure: &str) -> Option<f64> {
        match self.end.as_ref()?.outcome {
            Outcome::Finished => self.kept()?.value(measure),
            Outcome::Diverged => Some(f64::INFINITY),
            Outcome::Interrupted => None,
        }
    }
}
