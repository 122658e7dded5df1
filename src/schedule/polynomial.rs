//! # polynomial: falls as a power of the time left
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 - k / steps)^power)    k < steps
//! lr_k = lr floor                                          from then on
//!
//! k = steps that are over, 0 in the first
//! ```
//!
//! ## Differences
//! torch's PolynomialLR is this with floor=0 and steps called total_iters, by default 5. With power=1 it is `linear`.
//!
//! ## Source
//! Chen et al., "DeepLab", arXiv 1606.00915, section 4.1.2, with power 0.9; torch.optim.lr_scheduler.PolynomialLR.

use super::between;
use super::pace::Time;
use crate::spec::Allowed;

crate::settings! {
    /// Falls as a power of the time left.
    pub struct Polynomial {
        /// above 1 it falls fast first, below 1 fast last
        power: f64 = 1.0, Allowed::Positive;
        /// what is left of the learning rate at the end, as a share of it
        floor: f64 = 0.0, Allowed::Share;
        /// steps to the end; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl Polynomial {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * between(1.0, self.floor, (1.0 - time.gone(self.steps)).powf(self.power))
    }
}
