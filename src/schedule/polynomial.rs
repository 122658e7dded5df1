//! # polynomial: falls as a power of the remaining time
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 - k / steps)^power)    k < steps
//! lr_k = lr floor                                          afterwards
//!
//! k = completed steps, 0 in the first step
//! ```
//!
//! ## Differences
//! In torch's PolynomialLR the floor is 0 and `steps` is total_iters, which is 5 by default. With
//! power=1 this is `linear`.
//!
//! ## Source
//! Chen et al., "DeepLab", arXiv 1606.00915, section 4.1.2, with power 0.9;
//! torch.optim.lr_scheduler.PolynomialLR.

use super::time::{Time, interpolate};
use crate::spec::Allowed;

crate::settings! {
    /// Falls as a power of the remaining time.
    pub struct Polynomial {
        /// above 1 it falls fast at first, below 1 fast at the end
        power: f64 = 1.0, Allowed::Positive;
        /// the learning rate at the end, as a share of lr
        floor: f64 = 0.0, Allowed::Share;
        /// steps to the end; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl Polynomial {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        let remaining = (1.0 - time.fraction(self.steps)).powf(self.power);
        lr * interpolate(1.0, self.floor, remaining)
    }
}
