//! # AdaBelief: steps by the belief in observed gradients
//!
//! ```text
//! m     = beta1 m + (1 - beta1) g
//! s     = beta2 s + (1 - beta2) (g - m)^2 + eps_root        eps_root=none: eps
//! m_hat = m / (1 - beta1^t)
//! s_hat = s / (1 - beta2^t)
//! x     = x - lr m_hat / (sqrt(s_hat) + eps)
//! ```
//!
//! ## Differences
//! Optax has two epsilons, both 1e-16, as later versions of the authors' code have. torch, Keras
//! and burn have no AdaBelief.
//!
//! ## Source
//! Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients",
//! NeurIPS 2020, arXiv 2010.07468, algorithm 2.

use crate::optim::{Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// AdaBelief: Adam that divides by the distance of gradients from their average, instead of by
    /// their size.
    pub struct AdaBelief {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the variance s
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// added to the variance in each step; none: eps
        eps_root: Option<f64> = None, Allowed::NotNegative;
    }
}

dialects! { AdaBelief, lr 1e-3;
    /// `optax.adabelief`, which has no default learning rate
    optax: lr 1e-3 { eps: 1e-16, eps_root: Some(1e-16) }
}

impl AdaBelief {
    #[inline(always)]
    fn eps_root(&self) -> f64 {
        self.eps_root.unwrap_or(self.eps)
    }
}

impl Rule<2> for AdaBelief {
    const STATE: [&'static str; 2] = ["m", "s"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, s]: [V; 2]) -> (V, [V; 2]) {
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let variance = (g - m.clone()).square();
        let s = s * self.beta2 + variance * (1.0 - self.beta2) + self.eps_root();
        let s_hat = s.clone() * (1.0 / ctx.bias_correction(self.beta2));
        let update = m.clone() * (ctx.lr / ctx.bias_correction(self.beta1));
        (update.div_or_zero(s_hat.sqrt() + self.eps), [m, s])
    }

    fn signal<V: Value>(&self, ctx: StepContext, [m, s]: [V; 2]) -> Option<Signal<V>> {
        // the eps_root of all steps adds up in s to eps_root / (1 - beta2) before bias correction
        Some(Signal {
            m_hat: Some(m * (1.0 / ctx.bias_correction(self.beta1))),
            v_hat: s * (1.0 / ctx.bias_correction(self.beta2)),
            eps: (2.0 * self.eps_root() / (1.0 - self.beta2)).sqrt(),
        })
    }
}
