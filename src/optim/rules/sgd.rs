//! # SGD: stochastic gradient descent
//!
//! ```text
//! x = x - lr g
//! ```
//!
//! ## Differences
//! None: torch, Keras, Optax and burn state the same formula. torch's default lr is 1e-3.
//!
//! ## Source
//! S0 (Datawhale slides); Robbins & Monro, "A stochastic approximation method", 1951.

use crate::optim::{Rule, StepContext, Value, dialects};

crate::settings! {
    /// Stochastic gradient descent: `x = x - lr g`.
    pub struct Sgd {}
}

dialects! { Sgd, lr 0.01;
    /// `torch.optim.SGD`
    torch: lr 1e-3 {}
    /// `keras.optimizers.SGD`
    keras: lr 0.01 {}
    /// `optax.sgd`, which has no default learning rate
    optax: lr 0.01 {}
    /// burn's `SgdConfig`
    burn: lr 0.01 {}
}

impl Rule<0> for Sgd {
    const STATE: [&'static str; 0] = [];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, []: [V; 0]) -> (V, [V; 0]) {
        (g * ctx.lr, [])
    }
}
