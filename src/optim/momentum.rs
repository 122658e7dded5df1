//! # Momentum: SGD with classical momentum
//!
//! ```text
//! v = mu v + lr g
//! x = x - v
//! ```
//!
//! ## Differences
//! The learning rate stands inside the velocity, as in S0 and Keras. torch, Optax and burn keep it outside, `v = mu v + g; x = x - lr v`:
//! the same path while lr is constant, another one after it changes. burn's default also multiplies g by 1 - 0.1 (dampening) from the
//! second step on.
//!
//! ## Source
//! S0 (Datawhale slides); Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.

use super::{At, Named, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// SGD with classical momentum: `v = mu v + lr g; x = x - v`.
    pub struct Momentum {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
    }
}

impl Named for Momentum {
    const LR: f64 = 0.01;
}

impl Rule<1> for Momentum {
    const MEMORY: [&'static str; 1] = ["v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let v = v * self.mu + g * at.lr;
        (v.clone(), [v])
    }
}
