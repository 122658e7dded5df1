//! # cosine_restarts: half waves of the cosine, one after another
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 + cos(pi k / T)) / 2)
//!
//! k = steps that are over in this period, 0 in its first; T = the steps of this period: first, first factor, first factor^2, ...
//! ```
//!
//! ## Differences
//! torch's CosineAnnealingWarmRestarts calls `first` T_0, without a default, and `factor` T_mult, by default 1, and has the floor as a
//! learning rate, eta_min. It computes the period by logarithms; this counts, and so never misses a restart by rounding.
//! There is no end: periods follow one another for as long as there are steps.
//!
//! ## Source
//! Loshchilov and Hutter, "SGDR", arXiv 1608.03983, equation 5; factor 2 is its T_mult in section 4.

use super::pace::{Time, part};
use super::{between, half_wave};
use crate::spec::Allowed;

crate::settings! {
    /// Half waves of the cosine, one after another.
    pub struct CosineRestarts {
        /// steps of the first period
        first: usize = 1000, Allowed::Count;
        /// how many times as long each period is as the one before
        factor: usize = 2, Allowed::Count;
        /// what is left of the learning rate at the end of a period, as a share of it
        floor: f64 = 0.0, Allowed::Share;
    }
}

impl CosineRestarts {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        let (mut over, mut period) = (time.step - 1, self.first);
        if self.factor == 1 {
            over %= period;
        }
        while over >= period {
            over -= period;
            period = period.saturating_mul(self.factor);
        }
        lr * between(1.0, self.floor, half_wave(part(over as f64, period as f64)))
    }
}
