//! # Momentum: SGD with classical momentum
//!
//! ```text
//! v = mu v + lr g;  x = x - v                          lr_place=inside (default)
//! v = mu v + g;     x = x - lr v                       lr_place=outside
//!
//! from the second step on (from the first with dampen_first=yes), g is multiplied by 1 - dampening
//! mu grows from mu_from at the first step to mu at step mu_steps, where mu_from is given
//! ```
//!
//! ## Differences
//! S0 and Keras have the learning rate inside the velocity; torch, Optax, burn and the second formula of S2 have it outside: the same path
//! while lr is constant, another one after it changes. burn's default also dampens by 0.1. S1 asks for a momentum that grows from 0.5 to
//! 0.9: `mu_from=0.5`; how fast is not said there.
//!
//! ## Source
//! S0 (Datawhale slides); Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.

use super::rule::ramp;
use super::{At, LrPlace, Rule, Value};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// SGD with classical momentum: `v = mu v + lr g; x = x - v`.
    pub struct Momentum {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
        /// where the learning rate stands: inside the velocity or outside
        lr_place: LrPlace = LrPlace::Inside, LrPlace::WORDS;
        /// share of the gradient that is left out from the second step on
        dampening: f64 = 0.0, Allowed::Decay;
        /// leave out that share at the first step too
        dampen_first: bool = false, YES_OR_NO;
        /// mu at the first step; none: mu from the beginning
        mu_from: Option<f64> = None, Allowed::Decay;
        /// the step at which mu is reached, with mu_from
        mu_steps: usize = 1000, Allowed::Count;
    }
}

super::dialects! { Momentum, lr 0.01;
    /// `torch.optim.SGD(momentum=0.9)`
    torch: lr 1e-3 { lr_place: LrPlace::Outside }
    /// `keras.optimizers.SGD(momentum=0.9)`
    keras: lr 0.01 {}
    /// `optax.sgd(momentum=0.9)`
    optax: lr 0.01 { lr_place: LrPlace::Outside }
    /// burn's `SgdConfig` with its default `MomentumConfig`
    burn: lr 0.01 { lr_place: LrPlace::Outside, dampening: 0.1 }
    /// the moving average of S0's text, v = mu v + (1 - mu) g
    ema: lr 0.01 { lr_place: LrPlace::Outside, dampening: 0.9, dampen_first: true }
    /// as in S1: mu grows from 0.5 to 0.9; the 1000 steps are ours
    s1: lr 0.01 { mu_from: Some(0.5) }
}

impl Rule<1> for Momentum {
    const MEMORY: [&'static str; 1] = ["v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let mu = ramp(self.mu_from, self.mu, self.mu_steps, at.t);
        let taken = if at.t == 1 && !self.dampen_first { 1.0 } else { 1.0 - self.dampening };
        let (inside, outside) = self.lr_place.split(at.lr);
        let v = v * mu + g * (inside * taken);
        (v.clone() * outside, [v])
    }
}
