//! # SGD: burn's, with momentum if it is given
//!
//! ```text
//! v = momentum v + (1 - dampening) g
//! x = x - lr v
//! ```
//!
//! ## Differences
//! The formula is that of `momentum@burn`, and with nesterov that of `nag` with lr_place=outside.
//!
//! ## Source
//! burn 0.22.1, `SgdConfig`

use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};

use super::wrapper::{BurnOptimizer, l2};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// burn's SGD.
    pub struct Sgd {
        /// share of the velocity that is kept; none: no momentum
        momentum: Option<f64> = None, Allowed::Decay;
        /// share of the gradient that is left out, with momentum
        dampening: f64 = 0.1, Allowed::Decay;
        /// Nesterov's form, with momentum
        nesterov: bool = false, YES_OR_NO;
        /// L2, added to the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for Sgd {
    const NAME: &'static str = "burn:sgd";
    const LR: f64 = 0.01;
    const DOCS: &'static str = include_str!("sgd.rs");

    fn init(&self) -> ModuleOptimizer {
        let momentum = self.momentum.map(|momentum| MomentumConfig {
            momentum,
            dampening: self.dampening,
            nesterov: self.nesterov,
        });
        SgdConfig::new().with_momentum(momentum).with_weight_decay(l2(self.weight_decay)).init()
    }
}
