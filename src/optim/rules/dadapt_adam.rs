//! # D-Adaptation Adam: Adam that estimates its own learning rate
//!
//! ```text
//! n     = b n + (1 - b) d k g.(s / (sqrt(v) + eps))  g.( ) is a sum over all parameters
//! m     = beta1 m + (1 - beta1) d k g
//! v     = beta2 v + (1 - beta2) g^2
//! s     = b s + (1 - b) d k g
//! d_new = max(d, n / ((1 - b) |s|))                  |s|, the sum of |s| over all parameters
//! x     = x - m / (sqrt(v) + eps) - d k lambda x
//! d     = d_new
//!
//! b = sqrt(beta2).  The first line has s and v of the step before
//! k = lr;  bias_correction=yes: k = lr sqrt(1 - beta2^t) / (1 - beta1^t)
//! growth: n / ((1 - b) |s|) counts for at most growth d
//! decouple=no: g + lambda x for g, and no decay in the line of x
//! ```
//!
//! d and n are single numbers for the whole model, and d starts at d0. Prodigy is by the same
//! authors, and its estimate grows faster.
//!
//! Keep lr at 1. If a training diverges early, bound the growth (growth=1.02).
//!
//! burn's optimizers get one tensor at a time, so `DAdaptAdam::new().init()` is no
//! `ModuleOptimizer` but a `JointOptimizer`, with the same `step`. `l2`, `cautious`, `decay` and
//! groups cannot be around `dadapt_adam`; its own decay is lambda.
//!
//! ## Differences
//! This is the estimate of the authors' package `dadaptation` since version 3, of pytorch_optimizer
//! and of Optax; earlier versions of the package have another. Optax (`dadapt_adamw`) always
//! corrects the bias, decouples the decay, and has no growth; in the packages the decay is added
//! to the gradient unless they are told otherwise. While no gradient has been above 0, the packages
//! take no step, Optax divides 0 by 0, and here d stays. The factor layer_scale of `dadaptation`,
//! for single layers, is not here. torch, Keras and burn have no D-Adaptation.
//!
//! ## Source
//! Defazio & Mishchenko, "Learning-rate-free learning by D-Adaptation", ICML 2023, arXiv 2301.07733;
//! the authors' package, github.com/facebookresearch/dadaptation, version 3.2.

use super::prodigy::bias_factor;
use crate::optim::entry::OptimizerEntry;
use crate::optim::{Estimate, JointContext, JointOptimizer, JointRule, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// Adam whose learning rate is an estimate of the distance to the solution.
    pub struct DAdaptAdam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v; its root is that of the sums n and s
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// the first estimate
        d0: f64 = 1e-6, Allowed::Positive;
        /// the largest factor by which d grows in a step; none: no bound
        growth: Option<f64> = None, Allowed::Positive;
        /// correct the bias of the moments, which start at zero
        bias_correction: bool = false, YES_OR_NO;
        /// weight decay
        lambda: f64 = 0.0, Allowed::NotNegative;
        /// decoupled weight decay, as in AdamW; no: it is added to the gradient
        decouple: bool = false, YES_OR_NO;
    }
}

dialects! { DAdaptAdam, lr 1.0;
    /// `dadaptation.DAdaptAdam`
    dadaptation: lr 1.0 {}
    /// `pytorch_optimizer.DAdaptAdam`
    pytorch_optimizer: lr 1.0 {}
    /// `optax.contrib.dadapt_adamw`
    optax: lr 1.0 { bias_correction: true, decouple: true }
}

pub(crate) const ENTRY: OptimizerEntry =
    OptimizerEntry::of_joint::<DAdaptAdam, 3>("dadapt_adam", include_str!("dadapt_adam.rs"));

impl DAdaptAdam {
    /// An optimizer of a whole model.
    ///
    /// # Panics
    /// If a setting is out of its range.
    #[track_caller]
    pub fn init(self) -> JointOptimizer {
        if let Err(error) = crate::spec::Settings::check(&self, "dadapt_adam") {
            panic!("{error}");
        }
        JointOptimizer::new(self)
    }

    /// d k
    #[inline(always)]
    fn d_lr(&self, ctx: JointContext) -> f64 {
        let d_lr = ctx.before.d * ctx.lr;
        match self.bias_correction {
            true => d_lr * bias_factor(self.beta1, self.beta2, ctx.t),
            false => d_lr,
        }
    }

    #[inline(always)]
    fn gradient<V: Value>(&self, x: &V, g: V) -> V {
        // 0 times an infinite parameter would be NaN
        let coupled = !self.decouple && self.lambda > 0.0;
        if coupled { g + x.clone() * self.lambda } else { g }
    }

    #[inline(always)]
    fn next_s<V: Value>(&self, ctx: JointContext, g: V, s: V) -> V {
        let b = self.beta2.sqrt();
        s * b + g * ((1.0 - b) * self.d_lr(ctx))
    }
}

impl JointRule<3> for DAdaptAdam {
    const STATE: [&'static str; 3] = ["m", "v", "s"];
    const STARTS_AT_X: [bool; 3] = [false; 3];

    fn first_estimate(&self) -> Estimate {
        Estimate { d: self.d0, d_max: self.d0, numerator: 0.0 }
    }

    /// g.(s / (sqrt(v) + eps)) and |s|.
    #[inline(always)]
    fn terms<V: Value>(&self, ctx: JointContext, x: &V, g: V, [_, v, s]: [V; 3]) -> [V; 2] {
        let g = self.gradient(x, g);
        let weighted = s.clone().div_or_zero(v.sqrt() + self.eps);
        [g.clone() * weighted, self.next_s(ctx, g, s).abs()]
    }

    fn estimate(&self, ctx: JointContext, [product, norm]: [f64; 2]) -> Estimate {
        let (before, b) = (ctx.before, self.beta2.sqrt());
        let numerator = b * before.numerator + (1.0 - b) * self.d_lr(ctx) * product;
        if norm == 0.0 {
            return Estimate { numerator, ..before };
        }
        let estimate = numerator / ((1.0 - b) * norm);
        let largest = self.growth.map_or(f64::INFINITY, |growth| before.d * growth);
        let d = before.d.max(estimate.min(largest));
        Estimate { d, d_max: d, numerator }
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: JointContext, x: &V, g: V, [m, v, s]: [V; 3]) -> (V, [V; 3]) {
        let (g, d_lr) = (self.gradient(x, g), self.d_lr(ctx));
        let s = self.next_s(ctx, g.clone(), s);
        let m = m * self.beta1 + g.clone() * ((1.0 - self.beta1) * d_lr);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let update = m.clone().div_or_zero(v.clone().sqrt() + self.eps);
        let decays = self.decouple && self.lambda > 0.0;
        let update = if decays { update + x.clone() * (d_lr * self.lambda) } else { update };
        (update, [m, v, s])
    }
}
