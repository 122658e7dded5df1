//! # Lion: burn's
//!
//! ```text
//! as lion@burn
//! ```
//!
//! ## Differences
//! Settings are in f32.
//!
//! ## Source
//! burn 0.22.1, `LionConfig`

use burn::optim::{LionConfig, ModuleOptimizer};

use super::wrapper::BurnOptimizer;
use crate::spec::Allowed;

crate::settings! {
    /// burn's Lion.
    pub struct Lion {
        /// share of the momentum in the sign
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the momentum
        beta_2: f64 = 0.99, Allowed::Decay;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for Lion {
    const NAME: &'static str = "burn:lion";
    const LR: f64 = 1e-4;
    const DOCS: &'static str = include_str!("lion.rs");

    fn init(&self) -> ModuleOptimizer {
        let config =
            LionConfig::new().with_beta_1(self.beta_1 as f32).with_beta_2(self.beta_2 as f32);
        config.with_weight_decay(self.weight_decay as f32).init()
    }
}
