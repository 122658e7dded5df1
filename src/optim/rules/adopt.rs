//! # ADOPT: Adam that divides by the second moment of the step before
//!
//! ```text
//! t = 1:  v = g^2                                                          x and m stay
//! t > 1:  m = beta1 m + (1 - beta1) clip(g / max(sqrt(v), eps), -c, c)     c = (t - 1)^(1/4)
//!         x = x - lr m
//!         v = beta2 v + (1 - beta2) g^2
//!
//! c is infinite with clip=no
//! ```
//!
//! The gradient is divided by a v that does not contain it, and before it enters m. So the method
//! converges for any beta2, where Adam may not.
//!
//! ## Differences
//! The first version of the paper has no clip (clip=no). The authors added it on 22 November 2024,
//! to their code and to the paper. Optax has the same formula as `optax.contrib.adopt`. torch, Keras
//! and burn have no ADOPT.
//!
//! ## Source
//! Taniguchi et al., "ADOPT: modified Adam can converge with any beta2 with the optimal rate",
//! NeurIPS 2024, arXiv 2411.02853; the authors' code, github.com/iShohei220/adopt.

use crate::optim::{Rule, StepContext, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// ADOPT: a moving average of gradients, each divided by the root of the earlier gradients'
    /// average square.
    pub struct Adopt {
        /// decay rate of the normalized gradient m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.9999, Allowed::Decay;
        /// the least denominator
        eps: f64 = 1e-6, Allowed::NotNegative;
        /// bound each normalized gradient by (t - 1)^(1/4)
        clip: bool = true, YES_OR_NO;
    }
}

dialects! { Adopt, lr 1e-3;
    /// `optax.contrib.adopt`, which has no default learning rate
    optax: lr 1e-3 {}
}

impl Adopt {
    /// The largest absolute value of a normalized gradient.
    #[inline(always)]
    fn largest(&self, ctx: StepContext) -> f64 {
        if self.clip { (ctx.t as f64 - 1.0).powf(0.25) } else { f64::INFINITY }
    }
}

impl Rule<2> for Adopt {
    const STATE: [&'static str; 2] = ["m", "v"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        if ctx.t == 1 {
            return (m.clone(), [m, g.square()]); // the update is 0: m is 0 before the first update
        }
        let denominator = v.clone().sqrt().clamp(self.eps, f64::INFINITY);
        let normalized = g.clone().div_or_zero(denominator);
        let largest = self.largest(ctx);
        let m = m * self.beta1 + normalized.clamp(-largest, largest) * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        (m.clone() * ctx.lr, [m, v])
    }

    /// No average of clipped gradients is larger than the largest of them.
    fn bound(&self, ctx: StepContext) -> Option<f64> {
        self.clip.then(|| ctx.lr * self.largest(ctx))
    }
}
