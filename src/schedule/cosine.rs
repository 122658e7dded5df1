//! # cosine: falls along half a wave of the cosine
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 + cos(pi k / steps)) / 2)    k < steps
//! lr_k = lr floor                                                from then on
//!
//! k = steps that are over, 0 in the first
//! ```
//!
//! ## Differences
//! torch's CosineAnnealingLR has the floor as a learning rate, eta_min, and `steps`, T_max, without a default; after them it rises again,
//! where this stays at the floor. Over the whole run the last step is the one before the floor, in both.
//!
//! ## Source
//! Loshchilov and Hutter, "SGDR", arXiv 1608.03983, equation 5, without restarts.

use super::pace::Time;
use super::{between, half_wave};
use crate::spec::Allowed;

crate::settings! {
    /// Falls along half a wave of the cosine.
    pub struct Cosine {
        /// what is left of the learning rate at the end, as a share of it
        floor: f64 = 0.0, Allowed::Share;
        /// steps to the end; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl Cosine {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * between(1.0, self.floor, half_wave(time.gone(self.steps)))
    }
}
