//! # Adan: burn's, adaptive Nesterov momentum
//!
//! ```text
//! m = beta_1 m + (1 - beta_1) g
//! d = beta_2 d + (1 - beta_2) (g - g_previous)
//! v = beta_3 v + (1 - beta_3) (g + beta_2 (g - g_previous))^2
//! ```
//!
//! ## Differences
//! burn's decay rates are one minus the paper's.
//!
//! ## Source
//! burn 0.22.1, `AdanConfig`; Xie et al., arXiv 2208.06677

use burn::optim::{AdanConfig, ModuleOptimizer};

use super::wrapper::BurnOptimizer;
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's Adan.
    pub struct Adan {
        /// decay rate of the first moment
        beta_1: f64 = 0.98, Allowed::Decay;
        /// decay rate of the gradient's difference
        beta_2: f64 = 0.92, Allowed::Decay;
        /// decay rate of the second moment
        beta_3: f64 = 0.99, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-8, Allowed::Positive;
        /// weight decay
        weight_decay: f64 = 0.0, Allowed::NotNegative;
        /// decoupled instead of proximal decay
        no_prox: bool = false, YES_OR_NO;
    }
}

impl BurnOptimizer for Adan {
    const NAME: &'static str = "burn:adan";
    const LR: f64 = 1e-3;
    const DOCS: &'static str = include_str!("adan.rs");

    fn init(&self) -> ModuleOptimizer {
        let config = AdanConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_beta_3(self.beta_3 as f32);
        let config =
            config.with_epsilon(self.epsilon as f32).with_weight_decay(self.weight_decay as f32);
        config.with_no_prox(self.no_prox).init()
    }
}
