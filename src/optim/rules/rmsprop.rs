//! # RMSProp: steps divided by the root mean square of recent gradients
//!
//! ```text
//! v = rho v + (1 - rho) g^2
//! d = g / sqrt(v + eps)                                eps_place=inside (default)
//! d = g / (sqrt(v) + eps)                              eps_place=outside
//! x = x - lr d
//!
//! b = rho b + (1 - rho) g, and v - b^2 replaces v      centered=yes
//! u = mu u + lr d;  x = x - u                          mu above 0, lr_place=inside
//! u = mu u + d;     x = x - lr u                       mu above 0, lr_place=outside
//! v and b are divided by 1 - rho^t                     bias_correction=yes
//! the initial v is `start`
//! ```
//!
//! ## Differences
//! Keras and Optax state the same formula, Keras with eps 1e-7. In torch and burn eps is outside
//! the root and the learning rate is outside the momentum. burn's default momentum is 0.9. In
//! TensorFlow 1 the initial v is 1. Where rounding makes v - b^2 negative, torch takes its root and
//! gets NaN; here it counts as 0. S2 has no eps; S3 has 1e-7.
//!
//! ## Source
//! S0 (Datawhale slides); Tieleman & Hinton, "Lecture 6.5: rmsprop", Coursera 2012; centered:
//! Graves, arXiv 1308.0850, 2013.

use crate::optim::{EpsPlace, LrPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// RMSProp: the step of each element is divided by the root of the moving average of its
    /// squared gradients.
    pub struct RmsProp {
        /// decay rate of the average of g²
        rho: f64 = 0.9, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added: under the root or outside
        eps_place: EpsPlace = EpsPlace::Inside, EpsPlace::WORDS;
        /// momentum of the scaled gradient
        mu: f64 = 0.0, Allowed::Decay;
        /// where the learning rate is multiplied, with momentum
        lr_place: LrPlace = LrPlace::Inside, LrPlace::WORDS;
        /// divide by the standard deviation instead of the root mean square
        centered: bool = false, YES_OR_NO;
        /// divide the averages by 1 - rhoᵗ
        bias_correction: bool = false, YES_OR_NO;
        /// the average of g² before the first step
        start: f64 = 0.0, Allowed::NotNegative;
    }
}

dialects! { RmsProp, lr 1e-3;
    /// `torch.optim.RMSprop`
    torch: lr 0.01 { rho: 0.99, eps_place: EpsPlace::Outside, lr_place: LrPlace::Outside }
    /// `keras.optimizers.RMSprop`
    keras: lr 1e-3 { eps: 1e-7 }
    /// `optax.rmsprop`, which has no default learning rate
    optax: lr 1e-3 {}
    /// burn's `RmsPropConfig`, with its default momentum
    burn: lr 1e-3 {
        rho: 0.99, eps: 1e-5, eps_place: EpsPlace::Outside, mu: 0.9, lr_place: LrPlace::Outside
    }
    /// TensorFlow 1's and timm's `RMSpropTF`, with an initial v of 1
    tf1: lr 1e-3 { eps: 1e-10, start: 1.0 }
    /// as in the summary S3
    s3: lr 1e-3 { eps: 1e-7 }
}

impl RmsProp {
    #[inline(always)]
    fn correction(&self, ctx: StepContext) -> f64 {
        if self.bias_correction { ctx.bias_correction(self.rho) } else { 1.0 }
    }
}

impl Rule<3> for RmsProp {
    const STATE: [&'static str; 3] = ["v", "b", "u"];

    fn uses_state(&self) -> [bool; 3] {
        [true, self.centered, self.mu > 0.0]
    }

    fn initial_state(&self, _lr: f64) -> [f64; 3] {
        [self.start, 0.0, 0.0]
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v, b, u]: [V; 3]) -> (V, [V; 3]) {
        let correction = self.correction(ctx);
        let v = v * self.rho + g.clone().square() * (1.0 - self.rho);
        let b = b * self.rho + g.clone() * (1.0 - self.rho);
        // after bias correction, b^2 is divided by the correction once more than v
        let centered = (v.clone() - b.clone().square() * (1.0 / correction)).clamp(0.0, f64::MAX);
        // both are computed: a branch around a computation would keep the pass from vectorizing
        let spread = if self.centered { centered } else { v.clone() };

        let (inside, outside) = self.lr_place.split(ctx.lr);
        let d = (g * inside).div_or_zero(self.eps_place.denominator(spread, correction, self.eps));
        if self.mu > 0.0 {
            let u = u * self.mu + d;
            (u.clone() * outside, [v, b, u])
        } else {
            (d * outside, [v, b, u])
        }
    }

    fn signal<V: Value>(&self, ctx: StepContext, [v, b, _]: [V; 3]) -> Option<Signal<V>> {
        let correction = self.correction(ctx);
        let v = if self.centered { v - b.square() * (1.0 / correction) } else { v };
        Some(Signal {
            m_hat: None,
            v_hat: v * (1.0 / correction),
            eps: self.eps_place.dominates_below(correction, self.eps),
        })
    }
}
