//! # Early stopping: stops when the validation loss no longer falls
//!
//! ```text
//! after each epoch: better = validation loss < that of the last better epoch - min_delta
//! stop after `patience` epochs that were not better
//! ```
//!
//! The validation set is split off from the training set. The test set is not used. With
//! `restore=yes` the run returns, saves and measures the model with the lowest validation loss,
//! regardless of min_delta, and also if the run reaches its last epoch.
//!
//! ## Differences
//! - **Keras**: `patience` means the same. `restore_best_weights` is off by default. It restores
//!   the last better epoch, even if a later loss is lower by less than min_delta. Before Keras 3 it
//!   had no effect unless training stopped early.
//! - **torch** has no early stopping. Lightning's version counts validation checks, not epochs.
//!
//! ## Source
//! arXiv 1712.04711, section 4.5 (S1); Prechelt, "Early stopping - but when?", 1998.

use serde::{Deserialize, Serialize};

use crate::docs::Docs;
use crate::spec::{Allowed, YES_OR_NO};

/// The name in specs.
pub const NAME: &str = "early_stopping";
/// Title, formula and source.
pub const DOCS: Docs = Docs(include_str!("early_stopping.rs"));

crate::settings! {
    /// When to stop, and which model to return.
    pub struct EarlyStopping {
        /// the run stops after this number of epochs without a better validation loss
        patience: usize = 5, Allowed::Count;
        /// a loss is better if it is lower by more than this
        min_delta: f64 = 0.0, Allowed::NotNegative;
        /// whether the run returns the best model instead of the last one
        restore: bool = true, YES_OR_NO;
    }
}

/// The lowest loss so far, the last better loss, and the number of epochs since then.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Patience {
    lowest: Option<f64>,
    better: Option<f64>,
    since: usize,
}

impl Patience {
    /// Records the loss after an epoch. Returns whether it is the lowest so far.
    pub fn is_lowest(&mut self, loss: f64, rule: &EarlyStopping) -> bool {
        let better = self.better.is_none_or(|better| loss < better - rule.min_delta);
        self.since = if better { 0 } else { self.since + 1 };
        if better {
            self.better = Some(loss);
        }
        let lowest = self.lowest.is_none_or(|lowest| loss < lowest);
        if lowest {
            self.lowest = Some(loss);
        }
        lowest
    }

    /// Whether the patience has run out.
    pub fn is_over(&self, rule: &EarlyStopping) -> bool {
        self.since >= rule.patience
    }
}
