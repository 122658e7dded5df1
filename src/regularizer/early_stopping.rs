//! # Early stopping: the model of the lowest validation loss
//!
//! ```text
//! after each pass: better = validation loss < that of the last better pass - min_delta
//! stop after `patience` passes that were not better
//! ```
//!
//! The validation examples are split off the training part; the test part has no say. With `restore=yes` the model that is handed out, saved and
//! measured is the one of the lowest validation loss, by however little, also where the run came to its last pass.
//!
//! ## Differences
//! - **Keras**: there `patience` counts the same, but `restore_best_weights` is off by default, takes the last better pass even if a later one was
//!   lower by less than min_delta, and before Keras 3 was done only if training had stopped early.
//! - **torch**: has none; Lightning's counts validation checks, not passes.
//!
//! ## Source
//! arXiv 1712.04711, section 4.5, in the document S1; Prechelt, "Early stopping - but when?", 1998.

use crate::about::About;
use crate::spec::{Allowed, YES_OR_NO};

/// The name in specs.
pub const NAME: &str = "early_stopping";
/// Title, formula and source.
pub const ABOUT: About = About(include_str!("early_stopping.rs"));

crate::settings! {
    /// When to stop, and what to keep.
    pub struct EarlyStopping {
        /// passes without a better validation loss after which the run stops
        patience: usize = 5, Allowed::Count;
        /// by how much a loss must be lower for patience to begin anew
        min_delta: f64 = 0.0, Allowed::NotNegative;
        /// whether the best model is handed out, rather than the last
        restore: bool = true, YES_OR_NO;
    }
}

/// The lowest loss so far, the last that was better, and how long ago that was.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    lowest: Option<f64>,
    better: Option<f64>,
    since: usize,
}

impl Patience {
    /// Takes in the loss after a pass; whether it is lower than all before.
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

    /// Whether it has run out.
    pub fn is_over(&self, rule: &EarlyStopping) -> bool {
        self.since >= rule.patience
    }
}
