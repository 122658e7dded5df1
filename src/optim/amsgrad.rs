//! # AMSGrad: Adam whose denominator never shrinks
//!
//! ```text
//! m = beta1 m + (1 - beta1) g
//! v = beta2 v + (1 - beta2) g^2
//! w = max(w, v)
//! x = x - lr m / (sqrt(w) + eps)                        bias_correction=no (default)
//!
//! x = x - lr m_hat / (sqrt(w / (1 - beta2^t)) + eps)    bias_correction=yes, max_of=raw
//! w = max(w, v_hat);  x = x - lr m_hat / (sqrt(w) + eps)    bias_correction=yes, max_of=corrected
//! m_hat, v_hat, and the other places of eps, as in Adam
//! ```
//!
//! ## Differences
//! The paper corrects no bias. torch and burn correct both moments, but take the maximum of the raw ones; Keras the same with its epsilon
//! hat; Optax takes the maximum of the corrected ones.
//!
//! ## Source
//! Reddi, Kale & Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2. The paper has no eps; 1e-8 is ours.

use super::{At, EpsPlace, Rule, Signal, Value};
use crate::spec::{Allowed, YES_OR_NO};

/// Which second moments [`Amsgrad`] takes the maximum of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxOf {
    /// v; the correction comes after
    Raw,
    /// v / (1 - beta2ᵗ)
    Corrected,
}
crate::words!(MaxOf { Raw = "raw", Corrected = "corrected" });

crate::settings! {
    /// AMSGrad: Adam with the largest second moment so far.
    pub struct Amsgrad {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// divide the moments by what they lack for having started at zero
        bias_correction: bool = false, YES_OR_NO;
        /// the maximum is that of v, or of v with its bias corrected
        max_of: MaxOf = MaxOf::Raw, MaxOf::WORDS;
    }
}

super::dialects! { Amsgrad, lr 1e-3;
    /// `torch.optim.Adam(amsgrad=True)`
    torch: lr 1e-3 { bias_correction: true }
    /// `keras.optimizers.Adam(amsgrad=True)`
    keras: lr 1e-3 { bias_correction: true, eps: 1e-7, eps_place: EpsPlace::Hat }
    /// `optax.amsgrad`, which asks for a learning rate
    optax: lr 1e-3 { bias_correction: true, max_of: MaxOf::Corrected }
    /// burn's `AdamConfig` with `amsgrad`
    burn: lr 1e-3 { bias_correction: true, eps: 1e-5 }
}

impl Amsgrad {
    /// What divides m, what divides v on its way into the maximum, and what divides the maximum.
    #[inline(always)]
    fn corrections(&self, at: At) -> (f64, f64, f64) {
        let (m, v) = (at.bias_correction(self.beta1), at.bias_correction(self.beta2));
        match (self.bias_correction, self.max_of) {
            (false, _) => (1.0, 1.0, 1.0),
            (true, MaxOf::Raw) => (m, 1.0, v),
            (true, MaxOf::Corrected) => (m, v, 1.0),
        }
    }
}

impl Rule<3> for Amsgrad {
    const MEMORY: [&'static str; 3] = ["m", "v", "w"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [m, v, w]: [V; 3]) -> (V, [V; 3]) {
        let (m_correction, v_correction, w_correction) = self.corrections(at);
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let w = w.max(v.clone() * (1.0 / v_correction));
        let denominator = self.eps_place.denominator(w.clone(), w_correction, self.eps);
        ((m.clone() * (at.lr / m_correction)).over(denominator), [m, v, w])
    }

    fn signal<V: Value>(&self, at: At, [m, _, w]: [V; 3]) -> Option<Signal<V>> {
        let (m_correction, _, w_correction) = self.corrections(at);
        Some(Signal::of((m, m_correction), (w, w_correction), self.eps_place, self.eps))
    }
}
