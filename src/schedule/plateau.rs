//! # plateau: multiplied by factor when the training loss stops falling
//!
//! ```text
//! after each epoch, with the mean training loss l of its batches:
//!     better = l < best - threshold |best|
//!     better:             best = l, bad = 0;    otherwise bad = bad + 1
//!     within a cooldown:  bad = 0
//!     bad > patience:     cuts = cuts + 1, bad = 0, and a cooldown begins
//! lr = max(lr factor^cuts, min_lr), and never above lr
//! ```
//!
//! ## Differences
//! torch's ReduceLROnPlateau accepts any number. This schedule observes the mean training loss of
//! each epoch, penalties included, and never the test set. The threshold is relative, as in torch's
//! mode `rel`; for a loss below zero, torch counts an equal loss as better, and so never cuts.
//! torch skips cuts by less than eps=1e-8; this makes them. Epochs of the warm-up are observed as
//! well.
//!
//! ## Source
//! torch.optim.lr_scheduler.ReduceLROnPlateau, and its defaults. By hand in He et al., "Deep
//! Residual Learning for Image Recognition", arXiv 1512.03385, section 3.4.

use serde::{Deserialize, Serialize};

use super::time::Time;
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by factor when the training loss stops falling.
    pub struct Plateau {
        /// factor of the learning rate at each cut
        factor: f64 = 0.1, Allowed::Decay;
        /// epochs without a better loss that are tolerated
        patience: usize = 10, Allowed::Whole;
        /// how far a better loss has to be below the best one, as a share of the best one
        threshold: f64 = 1e-4, Allowed::Decay;
        /// epochs after a cut that are not counted
        cooldown: usize = 0, Allowed::Whole;
        /// the lowest learning rate after cuts
        min_lr: f64 = 0.0, Allowed::NotNegative;
    }
}

/// What [`Plateau`] keeps of the losses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlateauState {
    best: Option<f64>,
    /// epochs since the best loss, without those of a cooldown
    bad: usize,
    /// remaining epochs of a cooldown
    cooldown: usize,
    pub cuts: usize,
}

impl PlateauState {
    /// The state as named numbers.
    pub fn to_numbers(&self) -> Vec<(&'static str, f64)> {
        let counts = [("bad", self.bad), ("cooldown", self.cooldown), ("cuts", self.cuts)];
        let counts = counts.map(|(name, count)| (name, count as f64));
        self.best.map(|best| ("best", best)).into_iter().chain(counts).collect()
    }

    /// The state from what [`to_numbers`](Self::to_numbers) returned.
    pub fn from_numbers(number: impl Fn(&str) -> Option<f64>) -> Option<PlateauState> {
        let count = |name| number(name).map(|count| count as usize);
        let (bad, cooldown, cuts) = (count("bad")?, count("cooldown")?, count("cuts")?);
        Some(PlateauState { best: number("best"), bad, cooldown, cuts })
    }
}

impl Plateau {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        (lr * self.factor.powf(time.cuts as f64)).max(self.min_lr).min(lr)
    }

    /// Takes the mean loss of an epoch. A loss that is not finite is never better, not even -inf,
    /// because JSON could not store it as the best.
    pub(super) fn observe(&self, state: &mut PlateauState, loss: f64) {
        let better = state.best.is_none_or(|best| loss < best - self.threshold * best.abs());
        if loss.is_finite() && better {
            (state.best, state.bad) = (Some(loss), 0);
        } else {
            state.bad += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if state.bad > self.patience {
            state.bad = 0;
            state.cooldown = self.cooldown;
            state.cuts += 1;
        }
    }
}
