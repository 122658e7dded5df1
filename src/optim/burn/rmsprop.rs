//! # RMSProp: burn's
//!
//! ```text
//! as rmsprop@burn
//! ```
//!
//! ## Differences
//! Settings are in f32. The default momentum is 0.9.
//!
//! ## Source
//! burn 0.22.1, `RmsPropConfig`

use burn::optim::{ModuleOptimizer, RmsPropConfig};

use super::wrapper::{BurnOptimizer, l2};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's RMSProp.
    pub struct RmsProp {
        /// decay rate of the average of g²
        alpha: f64 = 0.99, Allowed::Decay;
        /// momentum of the scaled gradient
        momentum: f64 = 0.9, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// divide by the standard deviation
        centered: bool = false, YES_OR_NO;
        /// L2, added to the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for RmsProp {
    const NAME: &'static str = "burn:rmsprop";
    const LR: f64 = 1e-3;
    const DOCS: &'static str = include_str!("rmsprop.rs");

    fn init(&self) -> ModuleOptimizer {
        let config =
            RmsPropConfig::new().with_alpha(self.alpha as f32).with_momentum(self.momentum as f32);
        let config = config.with_epsilon(self.epsilon as f32).with_centered(self.centered);
        config.with_weight_decay(l2(self.weight_decay)).init()
    }
}
