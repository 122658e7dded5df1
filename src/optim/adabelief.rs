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
//! Optax has two epsilons, both 1e-16, as the authors' code has in later versions. torch, Keras and burn have no AdaBelief.
//!
//! ## Source
//! Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients", NeurIPS 2020, arXiv 2010.07468, algorithm 2.

use super::{At, Rule, Signal, Value};
use crate::spec::Allowed;

crate::settings! {
    /// AdaBelief: Adam that divides by how far gradients are from their average, instead of by their size.
    pub struct Adabelief {
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

super::dialects! { Adabelief, lr 1e-3;
    /// `optax.adabelief`, which asks for a learning rate
    optax: lr 1e-3 { eps: 1e-16, eps_root: Some(1e-16) }
}

impl Rule<2> for Adabelief {
    const MEMORY: [&'static str; 2] = ["m", "s"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [m, s]: [V; 2]) -> (V, [V; 2]) {
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let s = s * self.beta2 + (g - m.clone()).square() * (1.0 - self.beta2) + self.eps_root.unwrap_or(self.eps);
        let denominator = (s.clone() * (1.0 / at.bias_correction(self.beta2))).sqrt() + self.eps;
        ((m.clone() * (at.lr / at.bias_correction(self.beta1))).over(denominator), [m, s])
    }

    fn signal<V: Value>(&self, at: At, [m, s]: [V; 2]) -> Option<Signal<V>> {
        // the eps of every step adds up in s to eps / (1 - beta2) before its correction
        Some(Signal {
            m_hat: Some(m * (1.0 / at.bias_correction(self.beta1))),
            v_hat: s * (1.0 / at.bias_correction(self.beta2)),
            eps: (2.0 * self.eps_root.unwrap_or(self.eps) / (1.0 - self.beta2)).sqrt(),
        })
    }
}
