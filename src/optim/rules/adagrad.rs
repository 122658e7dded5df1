//! # AdaGrad: adaptive subgradient method
//!
//! ```text
//! v = v + g^2
//! x = x - lr g / sqrt(v + eps)          eps_place=inside (default)
//! x = x - lr g / (sqrt(v) + eps)        eps_place=outside
//!
//! the initial v is `start`; lr is divided by 1 + (t - 1) lr_decay
//! ```
//!
//! ## Differences
//! Keras and Optax state the same formula, with an initial v of 0.1 instead of 0 and eps 1e-7.
//! torch and burn add eps outside the root (1e-10 and 1e-5), as S3 does (1e-7). S2 has no eps, and
//! its first step divides by zero. There is no bias correction, so `hat` is the same as `outside`.
//!
//! ## Source
//! S0 (Datawhale slides); Duchi, Hazan & Singer, "Adaptive subgradient methods", 2011.

use crate::optim::{BurnRecord, EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// AdaGrad: the step of each element is divided by the root of the sum of its squared
    /// gradients.
    pub struct AdaGrad {
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added: under the root or outside
        eps_place: EpsPlace = EpsPlace::Inside, EpsPlace::WORDS;
        /// the sum of squares before the first step
        start: f64 = 0.0, Allowed::NotNegative;
        /// how fast the learning rate falls
        lr_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

dialects! { AdaGrad, lr 0.01;
    /// `torch.optim.Adagrad`
    torch: lr 0.01 { eps: 1e-10, eps_place: EpsPlace::Outside }
    /// `keras.optimizers.Adagrad`
    keras: lr 1e-3 { eps: 1e-7, start: 0.1 }
    /// `optax.adagrad`, which has no default learning rate
    optax: lr 0.01 { eps: 1e-7, start: 0.1 }
    /// burn's `AdaGradConfig`
    burn: lr 0.01 { eps: 1e-5, eps_place: EpsPlace::Outside }
    /// as in the summary S3
    s3: lr 0.01 { eps: 1e-7, eps_place: EpsPlace::Outside }
}

impl Rule<1> for AdaGrad {
    const STATE: [&'static str; 1] = ["v"];
    const BURN_RECORD: Option<BurnRecord<1>> =
        Some(BurnRecord { step: Some("lr_decay.time"), state: ["lr_decay.sum"] });

    fn initial_state(&self, _lr: f64) -> [f64; 1] {
        [self.start]
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let lr = ctx.lr / (1.0 + (ctx.t - 1) as f64 * self.lr_decay);
        let v = v + g.clone().square();
        ((g * lr).div_or_zero(self.eps_place.denominator(v.clone(), 1.0, self.eps)), [v])
    }

    fn signal<V: Value>(&self, _ctx: StepContext, [v]: [V; 1]) -> Option<Signal<V>> {
        Some(Signal { m_hat: None, v_hat: v, eps: self.eps_place.dominates_below(1.0, self.eps) })
    }

    fn bound(&self, ctx: StepContext) -> Option<f64> {
        Some(ctx.lr / (1.0 + (ctx.t - 1) as f64 * self.lr_decay))
    }
}
