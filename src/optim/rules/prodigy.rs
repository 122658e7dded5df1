//! # Prodigy: Adam that estimates its own learning rate
//!
//! ```text
//! n     = beta3 n + d / d0 d k g.(x0 - x)            g.(x0 - x) is a sum over all parameters
//! s     = beta3 s + d / d0 d k g
//! m     = beta1 m + (1 - beta1) d g
//! v     = beta2 v + (1 - beta2) d^2 g^2
//! d_new = max(d, d_coef n / |s|)                     |s|, the sum of |s| over all parameters
//! x     = x - d k m / (sqrt(v) + d_new eps) - d k lambda x
//! d     = d_new
//!
//! k = lr;  bias_correction=yes: k = lr sqrt(1 - beta2^t) / (1 - beta1^t)
//! eps_d=old: d eps for d_new eps.  safeguard_warmup=yes: s gets d / d0 d g, without k
//! growth: d_new is at most growth d, except while d is d0
//! decouple=no: g + lambda x for g, and no decay in the last line
//! ```
//!
//! x0 is the initial x. The state has m, v, s and x0; d and n are single numbers for the whole
//! model, and d starts at d0. beta3 is sqrt(beta2) if it is not given.
//!
//! Keep lr at 1, with a schedule that ends low, such as `prodigy|cosine`. To tune, change d_coef.
//!
//! burn's optimizers get one tensor at a time, so `Prodigy::new().init()` is no `ModuleOptimizer`
//! but a `JointOptimizer`, with the same `step`. `l2`, `cautious`, `decay` and groups cannot be
//! around `prodigy`; its own decay is lambda.
//!
//! ## Differences
//! The authors' package `prodigyopt` 1.1 is the formula, and so is pytorch_optimizer. Optax always
//! corrects the bias, and has neither growth nor decouple=no; where no gradient has been above 0, it
//! divides 0 by 0, and d stays here. `prodigyopt` takes no step while lr is 0 or no gradient has
//! been above 0; here m, v, s and t go on. Its slice_p, which estimates d from a part of the
//! elements, is not here, nor is the paper's variant for SGD. The paper (`prodigy@paper`) has d eps.
//! torch, Keras and burn have no Prodigy.
//!
//! ## Source
//! Mishchenko & Defazio, "Prodigy: an expeditiously adaptive parameter-free learner", ICML 2024,
//! arXiv 2306.06101; the authors' package, github.com/konstmish/prodigy.

use crate::optim::entry::OptimizerEntry;
use crate::optim::{Estimate, JointContext, JointOptimizer, JointRule, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

/// The d that [`Prodigy`] multiplies eps with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpsD {
    /// that of this step's estimate
    New,
    /// that of the step before
    Old,
}
crate::words!(EpsD { New = "new", Old = "old" });

crate::settings! {
    /// Prodigy: Adam whose learning rate is an estimate of the distance to the solution.
    pub struct Prodigy {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// decay rate of the sums n and s; none: the root of beta2
        beta3: Option<f64> = None, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// the d that eps is multiplied with: that of this step's estimate, or the one before
        eps_d: EpsD = EpsD::New, EpsD::WORDS;
        /// the first estimate
        d0: f64 = 1e-6, Allowed::Positive;
        /// factor of the estimates
        d_coef: f64 = 1.0, Allowed::Positive;
        /// the largest factor by which d grows in a step; none: no bound
        growth: Option<f64> = None, Allowed::Positive;
        /// correct the bias of the moments, which start at zero
        bias_correction: bool = false, YES_OR_NO;
        /// leave lr out of s, for schedules with a warm-up
        safeguard_warmup: bool = false, YES_OR_NO;
        /// weight decay
        lambda: f64 = 0.0, Allowed::NotNegative;
        /// decoupled weight decay, as in AdamW; no: it is added to the gradient
        decouple: bool = true, YES_OR_NO;
    }
}

dialects! { Prodigy, lr 1.0;
    /// `prodigyopt.Prodigy`
    prodigyopt: lr 1.0 {}
    /// `pytorch_optimizer.Prodigy`
    pytorch_optimizer: lr 1.0 {}
    /// `optax.contrib.prodigy`
    optax: lr 1.0 { bias_correction: true }
    /// the algorithm of the paper with Adam's steps
    paper: lr 1.0 { eps_d: EpsD::Old }
}

pub(crate) const ENTRY: OptimizerEntry =
    OptimizerEntry::of_joint::<Prodigy, 4>("prodigy", include_str!("prodigy.rs"));

/// The factor of lr that corrects the bias of both moments.
#[inline(always)]
pub(super) fn bias_factor(beta1: f64, beta2: f64, t: u64) -> f64 {
    (1.0 - beta2.powf(t as f64)).sqrt() / (1.0 - beta1.powf(t as f64))
}

impl Prodigy {
    /// An optimizer of a whole model.
    ///
    /// # Panics
    /// If a setting is out of its range.
    #[track_caller]
    pub fn init(self) -> JointOptimizer {
        if let Err(error) = crate::spec::Settings::check(&self, "prodigy") {
            panic!("{error}");
        }
        JointOptimizer::new(self)
    }

    #[inline(always)]
    fn beta3(&self) -> f64 {
        self.beta3.unwrap_or(self.beta2.sqrt())
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
        let d = ctx.before.d;
        let factor = if self.safeguard_warmup { d } else { self.d_lr(ctx) };
        s * self.beta3() + g * (d / self.d0 * factor)
    }
}

impl JointRule<4> for Prodigy {
    const STATE: [&'static str; 4] = ["m", "v", "s", "x0"];
    const STARTS_AT_X: [bool; 4] = [false, false, false, true];

    fn first_estimate(&self) -> Estimate {
        Estimate { d: self.d0, d_max: self.d0, numerator: 0.0 }
    }

    /// g.(x0 - x) and |s|.
    #[inline(always)]
    fn terms<V: Value>(&self, ctx: JointContext, x: &V, g: V, [_, _, s, x0]: [V; 4]) -> [V; 2] {
        let g = self.gradient(x, g);
        [g.clone() * (x0 - x.clone()), self.next_s(ctx, g, s).abs()]
    }

    fn estimate(&self, ctx: JointContext, [product, norm]: [f64; 2]) -> Estimate {
        let Estimate { d, d_max, numerator } = ctx.before;
        let numerator = self.beta3() * numerator + d / self.d0 * self.d_lr(ctx) * product;
        if norm == 0.0 {
            return Estimate { numerator, ..ctx.before };
        }
        let estimate = self.d_coef * numerator / norm;
        let d = if d == self.d0 { d.max(estimate) } else { d };
        let d_max = d_max.max(estimate);
        let d = self.growth.map_or(d_max, |growth| d_max.min(d * growth));
        Estimate { d, d_max, numerator }
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: JointContext, x: &V, g: V, [m, v, s, x0]: [V; 4]) -> (V, [V; 4]) {
        let (g, d, d_lr) = (self.gradient(x, g), ctx.before.d, self.d_lr(ctx));
        let s = self.next_s(ctx, g.clone(), s);
        let m = m * self.beta1 + g.clone() * (d * (1.0 - self.beta1));
        let v = v * self.beta2 + g.square() * (d * d * (1.0 - self.beta2));
        let eps_d = match self.eps_d {
            EpsD::New => ctx.now.d,
            EpsD::Old => d,
        };
        let update = (m.clone() * d_lr).div_or_zero(v.clone().sqrt() + self.eps * eps_d);
        let decays = self.decouple && self.lambda > 0.0;
        let update = if decays { update + x.clone() * (d_lr * self.lambda) } else { update };
        (update, [m, v, s, x0])
    }
}
