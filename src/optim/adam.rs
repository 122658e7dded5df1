//! # Adam: adaptive moment estimation
//!
//! ```text
//! m     = beta1 m + (1 - beta1) g
//! v     = beta2 v + (1 - beta2) g^2
//! m_hat = m / (1 - beta1^t)
//! v_hat = v / (1 - beta2^t)
//! x     = x - lr m_hat / (sqrt(v_hat) + eps)                        eps_place=outside (default)
//! x     = x - lr m_hat / sqrt(v_hat + eps)                          eps_place=inside
//! x     = x - lr m_hat / (sqrt(v_hat) + eps / sqrt(1 - beta2^t))    eps_place=hat
//! ```
//!
//! ## Differences
//! torch, Optax and burn state the paper's formula, burn with eps 1e-5 and its decay rates in f32. Keras, and section 2 of the paper in its
//! "epsilon hat" form, are eps_place=hat (Keras with eps 1e-7). S0 puts eps under the root: `adam@s0`.
//!
//! ## Source
//! Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv 1412.6980, algorithm 1; S0 (Datawhale slides).

use super::{At, Dialect, EpsPlace, Named, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// Adam: the step is a moving average of the gradient, divided by the root of a moving average of its square.
    pub struct Adam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
    }
}

impl Named for Adam {
    const LR: f64 = 1e-3;
    const DIALECTS: &'static [Dialect] = &[Dialect { name: "s0", settings: "eps_place=inside", about: "as in the slides S0" }];
}

impl Rule<2> for Adam {
    const MEMORY: [&'static str; 2] = ["m", "v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let denominator = self.eps_place.denominator(v.clone(), at.bias_correction(self.beta2), self.eps);
        (m.clone() * (at.lr / at.bias_correction(self.beta1)) / denominator, [m, v])
    }
}
