//! # AdamW: burn's
//!
//! ```text
//! as adamw@burn
//! ```
//!
//! ## Differences
//! Decay rates and epsilon are in f32. cautious: decay only where it has the direction of the step.
//!
//! ## Source
//! burn 0.22.1, `AdamWConfig`

use burn::optim::{AdamWConfig, ModuleOptimizer};

use super::wrapper::BurnOptimizer;
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's AdamW.
    pub struct AdamW {
        /// decay rate of the first moment
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment
        beta_2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 1e-4, Allowed::NotNegative;
        /// decay only where it has the direction of the step
        cautious: bool = false, YES_OR_NO;
        /// use the largest second moment so far
        amsgrad: bool = false, YES_OR_NO;
    }
}

impl BurnOptimizer for AdamW {
    const NAME: &'static str = "burn:adamw";
    const LR: f64 = 1e-3;
    const DOCS: &'static str = include_str!("adamw.rs");

    fn init(&self) -> ModuleOptimizer {
        let config = AdamWConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.epsilon as f32);
        let config = config
            .with_weight_decay(self.weight_decay as f32)
            .with_cautious_weight_decay(self.cautious);
        config.with_amsgrad(self.amsgrad).init()
    }
}
