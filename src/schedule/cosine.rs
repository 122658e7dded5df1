//! # cosine: falls along half a wave of the cosine
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 + cos(pi k / steps)) / 2)    k < steps
//! lr_k = lr floor                                                afterwards
//!
//! k = completed steps, 0 in the first step
//! ```
//!
//! ## Differences
//! In torch's CosineAnnealingLR the floor is a learning rate, eta_min, and `steps` is T_max, which
//! has no default. After T_max steps torch's learning rate rises again; this one stays at the
//! floor. With steps=none the last step of the run is the one before the floor, in both.
//!
//! ## Source
//! Loshchilov and Hutter, "SGDR", arXiv 1608.03983, equation 5, without restarts.

use super::time::{Time, cosine_decay, interpolate};
use crate::spec::Allowed;

crate::settings! {
    /// Falls along half a wave of the cosine.
    pub struct Cosine {
        /// the learning rate at the end, as a share of lr
        floor: f64 = 0.0, Allowed::Share;
        /// steps from the end of the warm-up to the end; none: all
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl Cosine {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * interpolate(1.0, self.floor, cosine_decay(time.fraction(self.steps)))
    }
}
