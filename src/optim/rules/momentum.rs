//! # Momentum: SGD with classical momentum
//!
//! ```text
//! v = mu v + lr g;  x = x - v                          lr_place=inside (default)
//! v = mu v + g;     x = x - lr v                       lr_place=outside
//!
//! from the second step on, g is multiplied by 1 - dampening; with dampen_first=yes from the first
//! with mu_from, mu grows linearly from mu_from at the first step to mu at step mu_steps
//! ```
//!
//! ## Differences
//! In S0 and Keras the learning rate is inside the velocity. In torch, Optax, burn and the second
//! formula of S2 it is outside. The two give the same path while lr is constant, and different
//! paths after it changes. burn dampens by 0.1 by default. S1 asks for a momentum that grows from
//! 0.5 to 0.9 (`mu_from=0.5`), and does not say how fast.
//!
//! ## Source
//! S0 (Datawhale slides); Polyak, "Some methods of speeding up the convergence of iteration
//! methods", 1964.

use crate::optim::rule::ramp;
use crate::optim::{LrPlace, Rule, StepContext, Value, dialects};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// SGD with classical momentum: `v = mu v + lr g; x = x - v`.
    pub struct Momentum {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
        /// where the learning rate is multiplied: inside the velocity or outside
        lr_place: LrPlace = LrPlace::Inside, LrPlace::WORDS;
        /// share of the gradient that is left out from the second step on
        dampening: f64 = 0.0, Allowed::Decay;
        /// whether that share is left out at the first step too
        dampen_first: bool = false, YES_OR_NO;
        /// mu at the first step; none: mu is constant
        mu_from: Option<f64> = None, Allowed::Decay;
        /// the step at which mu is reached, with mu_from
        mu_steps: usize = 1000, Allowed::Count;
    }
}

dialects! { Momentum, lr 0.01;
    /// `torch.optim.SGD(momentum=0.9)`
    torch: lr 1e-3 { lr_place: LrPlace::Outside }
    /// `keras.optimizers.SGD(momentum=0.9)`
    keras: lr 0.01 {}
    /// `optax.sgd(momentum=0.9)`
    optax: lr 0.01 { lr_place: LrPlace::Outside }
    /// burn's `SgdConfig` with its default `MomentumConfig`
    burn: lr 0.01 { lr_place: LrPlace::Outside, dampening: 0.1 }
    /// the moving average in S0's text, v = mu v + (1 - mu) g
    ema: lr 0.01 { lr_place: LrPlace::Outside, dampening: 0.9, dampen_first: true }
    /// as in S1: mu grows from 0.5 to 0.9; the 1000 steps are our choice
    s1: lr 0.01 { mu_from: Some(0.5) }
}

impl Rule<1> for Momentum {
    const STATE: [&'static str; 1] = ["v"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let mu = ramp(self.mu_from, self.mu, self.mu_steps, ctx.t);
        let share = if ctx.t == 1 && !self.dampen_first { 1.0 } else { 1.0 - self.dampening };
        let (inside, outside) = self.lr_place.split(ctx.lr);
        let v = v * mu + g * (inside * share);
        (v.clone() * outside, [v])
    }
}
