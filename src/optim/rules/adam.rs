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
//!
//! m_hat = m and v_hat = v with bias_correction=no
//! ```
//!
//! ## Differences
//! torch, Optax and burn state the paper's formula, burn with eps 1e-5 and its decay rates in f32.
//! Keras (eps 1e-7) and section 2 of the paper, in its "epsilon hat" form, are eps_place=hat. S0
//! and S3 add eps under the root. Equation 10 of S2 has neither bias correction nor eps, but the
//! code of S2 is the paper's formula. Optax's `eps_root` is eps with eps_place=inside.
//!
//! ## Source
//! Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv 1412.6980,
//! algorithm 1; S0 (Datawhale slides).

use crate::optim::{BurnRecord, EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// Adam: the step is a moving average of the gradient, divided by the root of a moving average
    /// of its square.
    pub struct Adam {
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
    }
}

dialects! { Adam, lr 1e-3;
    /// `torch.optim.Adam`
    torch: lr 1e-3 {}
    /// `keras.optimizers.Adam`
    keras: lr 1e-3 { eps: 1e-7, eps_place: EpsPlace::Hat }
    /// `optax.adam`, which has no default learning rate
    optax: lr 1e-3 {}
    /// burn's `AdamConfig`
    burn: lr 1e-3 { eps: 1e-5 }
    /// as in the slides S0
    s0: lr 1e-3 { eps_place: EpsPlace::Inside }
    /// as in the summary S3
    s3: lr 1e-3 { eps_place: EpsPlace::Inside }
    /// as in equation 10 of the thesis S2
    s2: lr 1e-3 { eps: 0.0, bias_correction: false }
}

impl Adam {
    /// The divisors of m and of v.
    #[inline(always)]
    fn corrections(&self, ctx: StepContext) -> (f64, f64) {
        if self.bias_correction {
            (ctx.bias_correction(self.beta1), ctx.bias_correction(self.beta2))
        } else {
            (1.0, 1.0)
        }
    }
}

impl Rule<2> for Adam {
    const STATE: [&'static str; 2] = ["m", "v"];
    const BURN_RECORD: Option<BurnRecord<2>> = Some(BurnRecord {
        step: Some("momentum.time"),
        state: ["momentum.moment_1", "momentum.moment_2"],
    });

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let (m_correction, v_correction) = self.corrections(ctx);
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.square() * (1.0 - self.beta2);
        let denominator = self.eps_place.denominator(v.clone(), v_correction, self.eps);
        ((m.clone() * (ctx.lr / m_correction)).div_or_zero(denominator), [m, v])
    }

    fn signal<V: Value>(&self, ctx: StepContext, [m, v]: [V; 2]) -> Option<Signal<V>> {
        let (m_correction, v_correction) = self.corrections(ctx);
        Some(Signal::of_moments((m, m_correction), (v, v_correction), self.eps_place, self.eps))
    }

    /// Cauchy's inequality gives, for any gradients:
    ///
    /// ```text
    /// |m| / sqrt(v) <= (1 - beta1) / sqrt(1 - beta2) sqrt(1 + r + ... + r^(t-1))
    /// r = beta1^2 / beta2
    /// ```
    ///
    /// The bound in the paper and in S1, lr max(1, (1 - beta1) / sqrt(1 - beta2)), is what a single
    /// gradient after many zeros reaches. Gradients that grow by beta2 / beta1 in each step reach
    /// the bound here: 7.3 lr instead of 3.2 lr at the defaults.
    fn bound(&self, ctx: StepContext) -> Option<f64> {
        let (m_correction, v_correction) = self.corrections(ctx);
        let (r, t) = (self.beta1 * self.beta1 / self.beta2, ctx.t as f64);
        let sum = if r == 1.0 { t } else { (1.0 - r.powf(t)) / (1.0 - r) };
        let ratio = (1.0 - self.beta1) / (1.0 - self.beta2).sqrt() * sum.sqrt();
        Some(ctx.lr * ratio * v_correction.sqrt() / m_correction).filter(|bound| bound.is_finite())
    }
}
