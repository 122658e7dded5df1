//! # Lion: evolved sign momentum
//!
//! ```text
//! x = x - lr (sign(beta1 m + (1 - beta1) g) + lambda x)
//! m = beta2 m + (1 - beta2) g
//! ```
//!
//! Every element moves by lr. So lr is three to ten times smaller than for Adam, and lambda larger
//! by the same factor.
//!
//! ## Differences
//! Optax states the same formula with lambda 1e-3, Keras and burn with lambda 0. torch has no Lion.
//!
//! ## Source
//! Chen et al., "Symbolic discovery of optimization algorithms", 2023, arXiv 2302.06675, program 1.

use crate::optim::{BurnRecord, Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// Lion: the step is the sign of an average of gradient and momentum.
    pub struct Lion {
        /// share of the momentum in the sign
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the momentum m
        beta2: f64 = 0.99, Allowed::Decay;
        /// decoupled weight decay, multiplied by lr
        lambda: f64 = 0.0, Allowed::NotNegative;
    }
}

dialects! { Lion, lr 1e-4;
    /// `keras.optimizers.Lion`
    keras: lr 1e-3 {}
    /// `optax.lion`, which has no default learning rate
    optax: lr 1e-4 { lambda: 1e-3 }
    /// burn's `LionConfig`
    burn: lr 1e-4 {}
}

impl Rule<1> for Lion {
    const STATE: [&'static str; 1] = ["m"];
    const BURN_RECORD: Option<BurnRecord<1>> = Some(BurnRecord { step: None, state: ["momentum"] });

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, [m]: [V; 1]) -> (V, [V; 1]) {
        let sign = (m.clone() * self.beta1 + g.clone() * (1.0 - self.beta1)).sign();
        let m = m * self.beta2 + g * (1.0 - self.beta2);
        ((sign + x.clone() * self.lambda) * ctx.lr, [m])
    }

    fn decay(&self, ctx: StepContext) -> f64 {
        ctx.lr * self.lambda
    }

    fn bound(&self, ctx: StepContext) -> Option<f64> {
        (self.lambda == 0.0).then_some(ctx.lr)
    }
}
