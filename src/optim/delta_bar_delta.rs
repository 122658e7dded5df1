//! # Delta-bar-delta: a learning rate for each weight
//!
//! ```text
//! a = a + kappa             where b g > 0: the gradient keeps its direction
//! a = a (1 - phi)           where b g < 0: it turned
//! x = x - lr a g
//! b = theta b + (1 - theta) g
//! ```
//!
//! Each element's learning rate is lr a, and a begins at 1.
//!
//! ## Differences
//! S3 says only "same sign, larger learning rate; other sign, smaller". Jacobs adds kappa to the learning rate itself; here it is in units of
//! lr, so that a schedule of lr applies. The constants are this project's choice: Jacobs gives others for each problem. No framework has
//! delta-bar-delta; the nearest is Rprop.
//!
//! ## Source
//! S3; Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks 1, 1988.

use super::{At, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// Delta-bar-delta: learning rates grow by addition while the gradient keeps its sign, and shrink by multiplication when it turns.
    pub struct DeltaBarDelta {
        /// added to a where the sign stayed
        kappa: f64 = 0.05, Allowed::NotNegative;
        /// share of a that is taken away where the sign turned
        phi: f64 = 0.1, Allowed::Decay;
        /// decay rate of the average gradient b
        theta: f64 = 0.7, Allowed::Decay;
    }
}

super::dialects! { DeltaBarDelta, lr 0.01; }

impl Rule<2> for DeltaBarDelta {
    const MEMORY: [&'static str; 2] = ["b", "a"];

    fn start(&self, _lr: f64) -> [f64; 2] {
        [0.0, 1.0]
    }

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [b, a]: [V; 2]) -> (V, [V; 2]) {
        let s = b.clone().sign() * g.clone().sign();
        let stayed = (s.clone().square() + s.clone()) * 0.5;
        let turned = (s.clone().square() - s) * 0.5;
        let a = a * (turned * -self.phi + 1.0) + stayed * self.kappa;
        let b = b * self.theta + g.clone() * (1.0 - self.theta);
        (g * a.clone() * at.lr, [b, a])
    }
}
