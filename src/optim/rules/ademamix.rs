//! # AdEMAMix: Adam with a second, slow average of gradients
//!
//! ```text
//! m = beta1 m + (1 - beta1) g                       fast
//! s = b s + (1 - b) g                               slow
//! v = beta2 v + (1 - beta2) g^2
//! x = x - lr (m_hat + a s) / (sqrt(v_hat) + eps) - lr lambda x
//!
//! a = alpha, b = beta3                              without warm-up (default)
//! a = alpha t / T                                   alpha_steps=T, until t = T
//! 1 / ln b = (1 - t/T) / ln beta1 + (t/T) / ln beta3    beta3_steps=T, until t = T
//! m_hat and v_hat as in Adam; the bias of s is not corrected
//! ```
//!
//! The slow average keeps gradients of ten thousand steps. The paper warms up alpha and beta3 over
//! the whole run: alpha_steps and beta3_steps are then the number of its steps. Its schedule of b is
//! linear in the half-life of the average.
//!
//! ## Differences
//! The paper, the authors' code, Optax and pytorch_optimizer have the same formula. The authors' code
//! has alpha 2 by default, and adds 1e-8 to beta1 and beta3 inside the logarithm. Optax takes alpha and b3 as schedules of its
//! own and counts their steps from 0. pytorch_optimizer adds weight decay to the gradient unless
//! `weight_decouple=True`, and has one number of steps for both warm-ups. torch, Keras and burn have
//! no AdEMAMix.
//!
//! ## Source
//! Pagliardini, Ablin & Grangier, "The AdEMAMix optimizer: better, faster, older", ICLR 2025, arXiv
//! 2409.03137, algorithm 1 and its schedules; the authors' code, github.com/apple/ml-ademamix.

use crate::optim::{EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// AdEMAMix: the step is the sum of a fast and a slow average of gradients, divided as in Adam.
    pub struct AdEmaMix {
        /// decay rate of the fast average m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// decay rate of the slow average s
        beta3: f64 = 0.9999, Allowed::Decay;
        /// factor of the slow average
        alpha: f64 = 5.0, Allowed::NotNegative;
        /// steps over which alpha grows from 0; none: it is constant
        alpha_steps: Option<usize> = None, Allowed::Count;
        /// steps over which beta3 grows from beta1; none: it is constant
        beta3_steps: Option<usize> = None, Allowed::Count;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// decoupled weight decay, multiplied by lr
        lambda: f64 = 0.0, Allowed::NotNegative;
    }
}

dialects! { AdEmaMix, lr 1e-3;
    /// `optax.contrib.ademamix`, which has no default learning rate
    optax: lr 1e-3 {}
    /// `pytorch_optimizer.AdEMAMix(weight_decouple=True)`
    pytorch_optimizer: lr 1e-3 {}
}

/// The share of a warm-up of so many steps that is over at step `t`.
#[inline(always)]
fn share(steps: Option<usize>, t: u64) -> f64 {
    steps.map_or(1.0, |steps| (t as f64 / steps as f64).min(1.0))
}

impl AdEmaMix {
    /// b at step `t`.
    #[inline(always)]
    fn slow_decay(&self, t: u64) -> f64 {
        let share = share(self.beta3_steps, t);
        if share == 1.0 {
            return self.beta3;
        }
        let inverse = (1.0 - share) / self.beta1.ln() + share / self.beta3.ln();
        inverse.recip().exp().min(self.beta3)
    }
}

impl Rule<3> for AdEmaMix {
    const STATE: [&'static str; 3] = ["m", "s", "v"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, [m, s, v]: [V; 3]) -> (V, [V; 3]) {
        let (a, b) = (self.alpha * share(self.alpha_steps, ctx.t), self.slow_decay(ctx.t));
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let s = s * b + g.clone() * (1.0 - b);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let v_correction = ctx.bias_correction(self.beta2);
        let denominator = EpsPlace::Outside.denominator(v.clone(), v_correction, self.eps);
        let sum = m.clone() * (ctx.lr / ctx.bias_correction(self.beta1)) + s.clone() * (ctx.lr * a);
        (sum.div_or_zero(denominator) + x.clone() * (ctx.lr * self.lambda), [m, s, v])
    }

    fn decay(&self, ctx: StepContext) -> f64 {
        ctx.lr * self.lambda
    }

    fn signal<V: Value>(&self, ctx: StepContext, [m, _, v]: [V; 3]) -> Option<Signal<V>> {
        let m_correction = ctx.bias_correction(self.beta1);
        let v_correction = ctx.bias_correction(self.beta2);
        Some(Signal::of_moments((m, m_correction), (v, v_correction), EpsPlace::Outside, self.eps))
    }
}
