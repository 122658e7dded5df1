//! The points of a curve, and how a run ended.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::measures::Measures;
use crate::pipeline::LayerDiagnostics;

/// The loss on the validation set. Early stopping uses it.
pub const VALIDATION_LOSS: &str = "validation_loss";
/// The mean loss of the batches of an epoch, with penalty and dropout masks, each before its step.
/// For NAG it is the loss at the look-ahead point, where its gradients are taken.
pub const BATCH_LOSS: &str = "batch_loss";

/// The training loss plus the penalty.
pub const PENALIZED_LOSS: &str = "train_loss_plus_penalty";
/// Its title.
pub const PENALIZED_TITLE: &str = "training loss + penalty";

/// The name of [`PENALIZED_LOSS`] in older records and TOML files, which are still read.
const OLD_NAME: &str = "objective";

/// Replaces a name that a measurement had before. `known` are the measurements of the task.
pub fn rename_measure(name: &mut String, known: &[&str]) {
    if name == OLD_NAME && has_new_name(known) {
        *name = PENALIZED_LOSS.into();
    }
}

/// A task may have a measurement of its own with the old name.
fn has_new_name(known: &[&str]) -> bool {
    known.contains(&PENALIZED_LOSS) && !known.contains(&OLD_NAME)
}

/// The commit of this build, with `-dirty` if its files were changed; `None` if it is unknown.
pub const COMMIT: Option<&str> = option_env!("DOWNHILL_COMMIT");

/// A point of the curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// optimizer steps so far
    pub step: usize,
    /// epochs so far
    pub epoch: usize,
    /// mean loss of the batches of this epoch, with the penalty, each before its step; `None`
    /// before the first epoch
    pub batch_loss: Option<f64>,
    /// norm of the gradient of the last batch of this epoch, before its step
    pub grad_norm: Option<f64>,
    /// what the last step of this epoch did to each parameter, if diagnostics are on
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerDiagnostics>,
    /// what the problem measures
    #[serde(flatten)]
    pub measures: Measures,
    /// since the start of the run
    pub seconds: f64,
}

impl CurvePoint {
    /// Gives the measurements their present names. The points of a record share `names`.
    pub(super) fn rename_measures(&mut self, known: &[&str], names: &mut BTreeSet<Arc<str>>) {
        if has_new_name(known) {
            self.measures.rename(OLD_NAME, PENALIZED_LOSS);
        }
        self.measures.share_names(names);
    }

    /// A value by its name: a measurement of the problem, or `batch_loss`.
    pub fn value(&self, measure: &str) -> Option<f64> {
        match measure {
            BATCH_LOSS => self.batch_loss,
            other => self.measures.get(other),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEnd {
    /// finished, diverged or interrupted
    pub outcome: Outcome,
    /// at which step
    pub step: usize,
    /// why it diverged, or why it stopped before its last epoch
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// the epoch whose model was kept, if early stopping chose one
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kept: Option<usize>,
    /// the [`COMMIT`] of the build that ended it; not in the header, so a run of another commit is
    /// the same run
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// since the start of the run
    pub seconds: f64,
}

/// The ways a run can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All steps were taken, or a stop rule was met.
    Finished,
    /// The loss or a measurement was not finite.
    Diverged,
    /// Ctrl-C.
    Interrupted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Finished => "finished",
            Outcome::Diverged => "diverged",
            Outcome::Interrupted => "interrupted",
        })
    }
}
