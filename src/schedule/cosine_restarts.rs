//! # cosine_restarts: half waves of the cosine, one after another
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 + cos(pi k / T)) / 2)
//!
//! k = completed steps of the current period, 0 in its first step
//! T = steps of the current period: first, first factor, first factor^2, ...
//! ```
//!
//! ## Differences
//! In torch's CosineAnnealingWarmRestarts `first` is T_0, which has no default, `factor` is T_mult,
//! which is 1 by default, and the floor is a learning rate, eta_min. torch computes the period with
//! logarithms; this counts steps, so that no restart is missed by rounding. The periods never end.
//!
//! ## Source
//! Loshchilov and Hutter, "SGDR", arXiv 1608.03983, equation 5; factor 2 is its T_mult in section
//! 4.

use super::time::{Time, cosine_decay, fraction, interpolate};
use crate::spec::Allowed;

crate::settings! {
    /// Half waves of the cosine, one after another.
    pub struct CosineRestarts {
        /// steps of the first period
        first: usize = 1000, Allowed::Count;
        /// length of a period, relative to the one before
        factor: usize = 2, Allowed::Count;
        /// the learning rate at the end of a period, as a share of lr
        floor: f64 = 0.0, Allowed::Share;
    }
}

impl CosineRestarts {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        let (mut done, mut period) = (time.step - 1, self.first);
        if self.factor == 1 {
            done %= period;
        }
        while done >= period {
            done -= period;
            period = period.saturating_mul(self.factor);
        }
        lr * interpolate(1.0, self.floor, cosine_decay(fraction(done as f64, period as f64)))
    }
}
