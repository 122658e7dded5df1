//! # LAMB: burn's, layer-wise adaptive moments
//!
//! ```text
//! u = m_hat / (sqrt(v_hat) + eps) + weight_decay x
//! x = x - lr |x| / |u| u
//! ```
//!
//! ## Differences
//! It is not a rule for single elements: the ratio of norms is that of a tensor.
//!
//! ## Source
//! burn 0.22.1, `LambConfig`; You et al., arXiv 1904.00962

use burn::optim::{LambConfig, ModuleOptimizer};

use super::wrapper::BurnOptimizer;
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's LAMB.
    pub struct Lamb {
        /// decay rate of the first moment
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment
        beta_2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-6, Allowed::Positive;
        /// share of the parameter that is added to the update
        weight_decay: f64 = 0.0, Allowed::NotNegative;
        /// scale the step by the ratio of norms
        trust_ratio: bool = true, YES_OR_NO;
    }
}

impl BurnOptimizer for Lamb {
    const NAME: &'static str = "burn:lamb";
    const LR: f64 = 1e-3;
    const DOCS: &'static str = include_str!("lamb.rs");

    fn init(&self) -> ModuleOptimizer {
        let config = LambConfig::new()
            .with_beta_1(self.beta_1 as f32)
            .with_beta_2(self.beta_2 as f32)
            .with_epsilon(self.epsilon as f32);
        config
            .with_weight_decay(self.weight_decay as f32)
            .with_use_trust_ratio(self.trust_ratio)
            .init()
    }
}
