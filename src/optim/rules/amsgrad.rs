//! # AMSGrad: Adam whose denominator never shrinks
//!
//! ```text
//! m = beta1 m + (1 - beta1) g
//! v = beta2 v + (1 - beta2) g^2
//! w = max(w, v)
//! x = x - lr m_hat / (sqrt(w / (1 - beta2^t)) + eps)        max_of=raw (default)
//!
//! w = max(w, v_hat);  x = x - lr m_hat / (sqrt(w) + eps)    max_of=corrected
//! x = x - lr m / (sqrt(w) + eps)                            bias_correction=no
//! m_hat, v_hat, and the other places of eps, as in Adam
//! ```
//!
//! ## Differences
//! torch, Keras, Optax and burn correct the bias of both moments, and so does plain `amsgrad`; the
//! paper (`amsgrad@paper`) does not. torch, burn and Keras take the maximum of the uncorrected
//! second moments, as here; Keras has its epsilon hat. Optax takes the maximum of the corrected
//! second moments.
//!
//! ## Source
//! Reddi, Kale & Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2. The paper
//! has no eps; 1e-8 is our choice.

use crate::optim::{BurnRecord, EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

/// Which second moments [`AmsGrad`] takes the maximum of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxOf {
    /// v; the bias correction follows
    Raw,
    /// v / (1 - beta2ᵗ)
    Corrected,
}
crate::words!(MaxOf { Raw = "raw", Corrected = "corrected" });

crate::settings! {
    /// AMSGrad: Adam with the largest second moment so far.
    pub struct AmsGrad {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// correct the bias of the moments, which start at zero
        bias_correction: bool = true, YES_OR_NO;
        /// take the maximum of v, or of v with its bias corrected
        max_of: MaxOf = MaxOf::Raw, MaxOf::WORDS;
    }
}

dialects! { AmsGrad, lr 1e-3;
    /// `torch.optim.Adam(amsgrad=True)`
    torch: lr 1e-3 {}
    /// `keras.optimizers.Adam(amsgrad=True)`
    keras: lr 1e-3 { eps: 1e-7, eps_place: EpsPlace::Hat }
    /// `optax.amsgrad`, which has no default learning rate
    optax: lr 1e-3 { max_of: MaxOf::Corrected }
    /// burn's `AdamConfig` with `amsgrad`
    burn: lr 1e-3 { eps: 1e-5 }
    /// algorithm 2 of the paper, without bias correction
    paper: lr 1e-3 { bias_correction: false }
}

/// The divisors that correct the bias.
struct Corrections {
    m: f64,
    /// of v before the maximum is taken
    v: f64,
    /// of the maximum
    w: f64,
}

impl AmsGrad {
    #[inline(always)]
    fn corrections(&self, ctx: StepContext) -> Corrections {
        let (m, v) = (ctx.bias_correction(self.beta1), ctx.bias_correction(self.beta2));
        match (self.bias_correction, self.max_of) {
            (false, _) => Corrections { m: 1.0, v: 1.0, w: 1.0 },
            (true, MaxOf::Raw) => Corrections { m, v: 1.0, w: v },
            (true, MaxOf::Corrected) => Corrections { m, v, w: 1.0 },
        }
    }
}

impl Rule<3> for AmsGrad {
    const STATE: [&'static str; 3] = ["m", "v", "w"];
    const BURN_RECORD: Option<BurnRecord<3>> = Some(BurnRecord {
        step: Some("momentum.time"),
        state: ["momentum.moment_1", "momentum.moment_2", "momentum.max_moment_2"],
    });

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, v, w]: [V; 3]) -> (V, [V; 3]) {
        let correction = self.corrections(ctx);
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let w = w.max(v.clone() * (1.0 / correction.v));
        let denominator = self.eps_place.denominator(w.clone(), correction.w, self.eps);
        ((m.clone() * (ctx.lr / correction.m)).div_or_zero(denominator), [m, v, w])
    }

    fn signal<V: Value>(&self, ctx: StepContext, [m, _, w]: [V; 3]) -> Option<Signal<V>> {
        let correction = self.corrections(ctx);
        Some(Signal::of_moments((m, correction.m), (w, correction.w), self.eps_place, self.eps))
    }
}
