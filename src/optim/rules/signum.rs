//! # Signum: the sign of the averaged gradient
//!
//! ```text
//! m = beta m + (1 - beta) g
//! x = x - lr (sign(m) + lambda x)
//! ```
//!
//! Every element moves by lr, as in Lion. With beta=0 it is signSGD.
//!
//! ## Differences
//! Optax has the same formula without decay as `optax.signum`, and signSGD as `optax.sign_sgd`.
//! pytorch_optimizer has both as `SignSGD`, and the decay as `weight_decouple=True`. torch, Keras
//! and burn have no Signum. Lion averages m and g once more inside the sign.
//!
//! ## Source
//! Bernstein et al., "signSGD: compressed optimisation for non-convex problems", ICML 2018, arXiv
//! 1802.04434, algorithm 2, and the weight decay of the authors' code in MXNet.

use crate::optim::{Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// Signum: the step is the sign of an average of gradients.
    pub struct Signum {
        /// decay rate of the average m
        beta: f64 = 0.9, Allowed::Decay;
        /// decoupled weight decay, multiplied by lr
        lambda: f64 = 0.0, Allowed::NotNegative;
    }
}

dialects! { Signum, lr 1e-4;
    /// `optax.signum`, which has no default learning rate
    optax: lr 1e-4 {}
    /// `pytorch_optimizer.SignSGD`
    pytorch_optimizer: lr 1e-3 {}
}

impl Rule<1> for Signum {
    const STATE: [&'static str; 1] = ["m"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, [m]: [V; 1]) -> (V, [V; 1]) {
        let m = m * self.beta + g * (1.0 - self.beta);
        ((m.clone().sign() + x.clone() * self.lambda) * ctx.lr, [m])
    }

    fn decay(&self, ctx: StepContext) -> f64 {
        ctx.lr * self.lambda
    }

    fn bound(&self, ctx: StepContext) -> Option<f64> {
        (self.lambda == 0.0).then_some(ctx.lr)
    }
}
