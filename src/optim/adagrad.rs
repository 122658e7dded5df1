//! # AdaGrad: adaptive subgradient method
//!
//! ```text
//! v = v + g^2
//! x = x - lr g / sqrt(v + eps)          eps_place=inside (default)
//! x = x - lr g / (sqrt(v) + eps)        eps_place=outside
//! ```
//!
//! ## Differences
//! Keras and Optax state the same formula, but start v at 0.1 instead of 0. torch and burn add eps outside the root (1e-10 and 1e-5).
//! There is no bias correction, so `hat` and `outside` are the same.
//!
//! ## Source
//! S0 (Datawhale slides); Duchi, Hazan & Singer, "Adaptive subgradient methods", 2011.

use super::{At, EpsPlace, Named, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// AdaGrad: each element's step is divided by the root of the sum of its squared gradients.
    pub struct Adagrad {
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands: under the root or beside it
        eps_place: EpsPlace = EpsPlace::Inside, EpsPlace::WORDS;
    }
}

impl Named for Adagrad {
    const LR: f64 = 0.01;
}

impl Rule<1> for Adagrad {
    const MEMORY: [&'static str; 1] = ["v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let v = v + g.clone().square();
        (g * at.lr / self.eps_place.denominator(v.clone(), 1.0, self.eps), [v])
    }
}
