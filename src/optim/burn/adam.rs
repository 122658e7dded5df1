//! # Adam: burn's
//!
//! ```text
//! as adam@burn, amsgrad@burn with amsgrad=yes
//! ```
//!
//! ## Differences
//! Decay rates and epsilon are in f32.
//!
//! ## Source
//! burn 0.22.1, `AdamConfig`

use burn::optim::{AdamConfig, ModuleOptimizer};

use super::wrapper::{BurnOptimizer, l2};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's Adam.
    pub struct Adam {
        /// decay rate of the first moment
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment
        beta_2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// use the largest second moment so far
        amsgrad: bool = false, YES_OR_NO;
        /// L2, added to the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for Adam {
    const NAME: &'static str = "burn:adam";
    const LR: f64 = 1e-3;
    const DOCS: &'static str = include_str!("adam.rs");

    fn init(&self) -> ModuleOptimizer {
        let config = AdamConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.epsilon as f32);
        config.with_amsgrad(self.amsgrad).with_weight_decay(l2(self.weight_decay)).init()
    }
}
