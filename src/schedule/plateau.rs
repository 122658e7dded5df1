//! # plateau: multiplied by factor where the training loss stands still
//!
//! ```text
//! after each epoch, of the mean training loss l of its batches:
//!     better = l < best - threshold |best|
//!     better:             best = l, bad = 0;    otherwise bad = bad + 1
//!     within a cooldown:  bad = 0
//!     bad > patience:     cuts = cuts + 1, bad = 0, and a cooldown begins
//! lr = max(lr factor^cuts, min_lr), and never above lr
//! ```
//!
//! ## Differences
//! torch's ReduceLROnPlateau is given any number; this watches the mean training loss of each epoch, penalties included, and never the test
//! set. The threshold is relative, torch's mode of `rel`; of a loss below zero torch calls one as good as the best better, and so
//! never cuts. torch leaves out cuts by less than eps=1e-8; this makes them. Epochs of the warm-up are watched like any other.
//!
//! ## Source
//! torch.optim.lr_scheduler.ReduceLROnPlateau, and its defaults. By hand in He et al., "Deep Residual Learning for Image Recognition", arXiv
//! 1512.03385, section 3.4.

use serde::{Deserialize, Serialize};

use super::pace::Time;
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by factor where the training loss stands still.
    pub struct Plateau {
        /// what is left of the learning rate at each cut
        factor: f64 = 0.1, Allowed::Decay;
        /// epochs without a better loss that are let pass
        patience: usize = 10, Allowed::Whole;
        /// by what share of the best loss a better one has to be below it
        threshold: f64 = 1e-4, Allowed::Decay;
        /// epochs after a cut that are not counted
        cooldown: usize = 0, Allowed::Whole;
        /// learning rate below which it is not cut
        min_lr: f64 = 0.0, Allowed::NotNegative;
    }
}

/// What [`Plateau`] has seen of the loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watched {
    best: Option<f64>,
    /// epochs since then that were not better, those of a cooldown left out
    bad: usize,
    /// epochs left of a cooldown
    cooldown: usize,
    pub cuts: usize,
}

impl Plateau {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        (lr * self.factor.powf(time.cuts as f64)).max(self.min_lr).min(lr)
    }

    /// Takes in the mean loss of an epoch. One that is not finite is never better, also since JSON could not hold it as the best.
    pub(super) fn observe(&self, watched: &mut Watched, loss: f64) {
        let better = watched.best.is_none_or(|best| loss < best - self.threshold * best.abs());
        if loss.is_finite() && better {
            (watched.best, watched.bad) = (Some(loss), 0);
        } else {
            watched.bad += 1;
        }
        if watched.cooldown > 0 {
            watched.cooldown -= 1;
            watched.bad = 0;
        }
        if watched.bad > self.patience {
            *watched = Watched { bad: 0, cooldown: self.cooldown, cuts: watched.cuts + 1, ..*watched };
        }
    }
}
