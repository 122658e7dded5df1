//! # Adafactor: burn's, a factored second moment
//!
//! ```text
//! v = r c^T / mean(r), r and c averages of row and column means of g^2
//! ```
//!
//! ## Differences
//! It needs less memory than Adam for matrices. By default the step is relative to the size of the
//! parameter.
//!
//! ## Source
//! burn 0.22.1, `AdafactorConfig`; Shazeer & Stern, arXiv 1804.04235

use burn::optim::{AdafactorConfig, ModuleOptimizer};

use super::wrapper::BurnOptimizer;
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's Adafactor.
    pub struct Adafactor {
        /// the largest root mean square of an update
        clip_threshold: f64 = 1.0, Allowed::Positive;
        /// minus the exponent of the decay rate of the second moment
        decay_rate: f64 = 0.8, Allowed::Positive;
        /// lr is at most 1/√t
        relative_step: bool = true, YES_OR_NO;
        /// steps relative to the size of the parameter
        scale_parameter: bool = true, YES_OR_NO;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for Adafactor {
    const NAME: &'static str = "burn:adafactor";
    const LR: f64 = 0.01;
    const DOCS: &'static str = include_str!("adafactor.rs");

    fn init(&self) -> ModuleOptimizer {
        let config = AdafactorConfig::new()
            .with_clip_threshold(self.clip_threshold as f32)
            .with_decay_rate(-self.decay_rate);
        let config = config
            .with_relative_step(self.relative_step)
            .with_scale_parameter(self.scale_parameter);
        config.with_weight_decay(self.weight_decay as f32).init()
    }
}
