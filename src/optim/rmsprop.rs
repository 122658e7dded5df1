//! # RMSProp: root mean square propagation
//!
//! ```text
//! v = rho v + (1 - rho) g^2
//! x = x - lr g / sqrt(v + eps)          eps_place=inside (default)
//! x = x - lr g / (sqrt(v) + eps)        eps_place=outside
//! ```
//!
//! ## Differences
//! Keras and Optax state the same formula. torch and burn add eps outside the root and have rho 0.99; burn's default also adds momentum 0.9.
//! There is no bias correction, so `hat` and `outside` are the same.
//!
//! ## Source
//! S0 (Datawhale slides); Tieleman & Hinton, lecture 6.5 of "Neural networks for machine learning", 2012.

use super::{At, EpsPlace, Named, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// RMSProp: each element's step is divided by the root of the moving average of its squared gradients.
    pub struct Rmsprop {
        /// decay rate of the average of g²
        rho: f64 = 0.9, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands: under the root or beside it
        eps_place: EpsPlace = EpsPlace::Inside, EpsPlace::WORDS;
    }
}

impl Named for Rmsprop {
    const LR: f64 = 1e-3;
}

impl Rule<1> for Rmsprop {
    const MEMORY: [&'static str; 1] = ["v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let v = v * self.rho + g.clone().square() * (1.0 - self.rho);
        (g * at.lr / self.eps_place.denominator(v.clone(), 1.0, self.eps), [v])
    }
}
