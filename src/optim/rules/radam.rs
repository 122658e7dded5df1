//! # RAdam: rectified Adam
//!
//! ```text
//! m, v, m_hat, v_hat as in Adam
//! n     = 2 / (1 - beta2) - 1
//! p     = n - 2 t beta2^t / (1 - beta2^t)
//! r     = sqrt((p - 4) (p - 2) n / ((n - 4) (n - 2) p))
//! x     = x - lr r m_hat / (sqrt(v_hat) + eps)       if p > threshold
//! x     = x - lr m_hat                               otherwise
//! the other places of eps as in Adam
//! ```
//!
//! ## Differences
//! torch and Optax have threshold 5, and so does plain `radam`. The threshold of the paper
//! (`radam@paper`) is 4, and the paper has no eps.
//! torch adds eps at the "hat", Optax outside. Optax also divides at p = 5 exactly, which no usual
//! beta2 reaches. Keras and burn have no RAdam.
//!
//! ## Source
//! Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020,
//! arXiv 1908.03265, algorithm 2.

use crate::optim::{EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// RAdam: Adam that takes unadapted steps until the variance of its denominator is tractable,
    /// and short adapted steps after that.
    pub struct RAdam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// the length p of the average above which the denominator is used; at least 4
        threshold: f64 = 5.0, Allowed::AtLeast(4.0);
    }
}

dialects! { RAdam, lr 1e-3;
    /// `torch.optim.RAdam`
    torch: lr 1e-3 { eps_place: EpsPlace::Hat }
    /// `optax.radam`, which has no default learning rate
    optax: lr 1e-3 {}
    /// algorithm 2 of the paper
    paper: lr 1e-3 { threshold: 4.0 }
}

impl RAdam {
    /// The rectification r; `None` while the denominator is not used.
    #[inline(always)]
    fn rectification(&self, ctx: StepContext) -> Option<f64> {
        let t = ctx.t as f64;
        let n = 2.0 / (1.0 - self.beta2) - 1.0;
        let p = n - 2.0 * t * self.beta2.powf(t) / ctx.bias_correction(self.beta2);
        let square = (p - 4.0) * (p - 2.0) * n / ((n - 4.0) * (n - 2.0) * p);
        if p > self.threshold { Some(square.sqrt()) } else { None }
    }
}

impl Rule<2> for RAdam {
    const STATE: [&'static str; 2] = ["m", "v"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let update = m.clone() * (ctx.lr / ctx.bias_correction(self.beta1));
        let update = match self.rectification(ctx) {
            Some(r) => {
                let correction = ctx.bias_correction(self.beta2);
                let denominator = self.eps_place.denominator(v.clone(), correction, self.eps);
                (update * r).div_or_zero(denominator)
            }
            None => update,
        };
        (update, [m, v])
    }

    fn signal<V: Value>(&self, ctx: StepContext, [m, v]: [V; 2]) -> Option<Signal<V>> {
        let m_correction = ctx.bias_correction(self.beta1);
        let v_correction = ctx.bias_correction(self.beta2);
        Some(Signal::of_moments((m, m_correction), (v, v_correction), self.eps_place, self.eps))
    }
}
