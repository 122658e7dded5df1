//! # RAdam: rectified Adam
//!
//! ```text
//! m, v, m_hat, v_hat as in Adam
//! n     = 2 / (1 - beta2) - 1
//! p     = n - 2 t beta2^t / (1 - beta2^t)
//! r     = sqrt((p - 4) (p - 2) n / ((n - 4) (n - 2) p))
//! x     = x - lr r m_hat / (sqrt(v_hat) + eps)           if p > threshold; other places of eps as in Adam
//! x     = x - lr m_hat                                   else
//! ```
//!
//! ## Differences
//! The paper's threshold is 4, and it has no eps. torch and Optax have 5; torch has its eps at the "hat", Optax outside. At p = 5 exactly,
//! which no ordinary beta2 meets, Optax already divides. Keras and burn have no RAdam.
//!
//! ## Source
//! Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, arXiv 1908.03265, algorithm 2.

use super::{At, EpsPlace, Rule, Signal, Value};
use crate::spec::Allowed;

crate::settings! {
    /// RAdam: Adam that waits until the variance of its denominator is known, and then begins with short steps.
    pub struct Radam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// the length p of the average from which the denominator is used; 4 at least
        threshold: f64 = 4.0, Allowed::AtLeast(4.0);
    }
}

super::dialects! { Radam, lr 1e-3;
    /// `torch.optim.RAdam`
    torch: lr 1e-3 { threshold: 5.0, eps_place: EpsPlace::Hat }
    /// `optax.radam`, which asks for a learning rate
    optax: lr 1e-3 { threshold: 5.0 }
}

impl Radam {
    /// The rectification r, where the denominator is used.
    #[inline(always)]
    fn rectification(&self, at: At) -> Option<f64> {
        let t = at.t as f64;
        let n = 2.0 / (1.0 - self.beta2) - 1.0;
        let p = n - 2.0 * t * self.beta2.powf(t) / at.bias_correction(self.beta2);
        (p > self.threshold).then(|| ((p - 4.0) * (p - 2.0) * n / ((n - 4.0) * (n - 2.0) * p)).sqrt())
    }
}

impl Rule<2> for Radam {
    const MEMORY: [&'static str; 2] = ["m", "v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let down = m.clone() * (at.lr / at.bias_correction(self.beta1));
        let down = match self.rectification(at) {
            Some(r) => (down * r).over(self.eps_place.denominator(v.clone(), at.bias_correction(self.beta2), self.eps)),
            None => down,
        };
        (down, [m, v])
    }

    fn signal<V: Value>(&self, at: At, [m, v]: [V; 2]) -> Option<Signal<V>> {
        let (m_correction, v_correction) = (at.bias_correction(self.beta1), at.bias_correction(self.beta2));
        Some(Signal::of((m, m_correction), (v, v_correction), self.eps_place, self.eps))
    }
}
