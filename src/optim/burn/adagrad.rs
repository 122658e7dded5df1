//! # AdaGrad: burn's
//!
//! ```text
//! as adagrad@burn
//! ```
//!
//! ## Differences
//! Epsilon is in f32.
//!
//! ## Source
//! burn 0.22.1, `AdaGradConfig`

use burn::optim::{AdaGradConfig, ModuleOptimizer};

use super::wrapper::{BurnOptimizer, l2};
use crate::spec::Allowed;

crate::settings! {
    /// burn's AdaGrad.
    pub struct AdaGrad {
        /// how fast the learning rate falls
        lr_decay: f64 = 0.0, Allowed::NotNegative;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// L2, added to the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for AdaGrad {
    const NAME: &'static str = "burn:adagrad";
    const LR: f64 = 0.01;
    const DOCS: &'static str = include_str!("adagrad.rs");

    fn init(&self) -> ModuleOptimizer {
        let config =
            AdaGradConfig::new().with_lr_decay(self.lr_decay).with_epsilon(self.epsilon as f32);
        config.with_weight_decay(l2(self.weight_decay)).init()
    }
}
