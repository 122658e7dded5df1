//! # Delta-bar-delta: a learning rate for each weight
//!
//! ```text
//! a = a + kappa             where b g > 0: the gradient keeps its direction
//! a = a (1 - phi)           where b g < 0: the gradient changes its direction
//! x = x - lr a g
//! b = theta b + (1 - theta) g
//! ```
//!
//! The learning rate of each element is lr a. The initial a is 1.
//!
//! ## Differences
//! S3 says only "same sign, larger learning rate; other sign, smaller". Jacobs adds kappa to the
//! learning rate itself. Here kappa is in units of lr, so that a schedule of lr applies. The
//! constants are this project's choice; Jacobs gives others for each problem. No framework has
//! delta-bar-delta. The most similar method is Rprop.
//!
//! ## Source
//! S3; Jacobs, "Increased rates of convergence through learning rate adaptation", Neural Networks
//! 1, 1988.

use crate::optim::{Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// Delta-bar-delta: learning rates grow by addition while the gradient keeps its sign, and
    /// shrink by multiplication when the sign changes.
    pub struct DeltaBarDelta {
        /// added to a where the sign is the same as before
        kappa: f64 = 0.05, Allowed::NotNegative;
        /// share of a that is subtracted where the sign has changed
        phi: f64 = 0.1, Allowed::Decay;
        /// decay rate of the average gradient b
        theta: f64 = 0.7, Allowed::Decay;
    }
}

dialects! { DeltaBarDelta, lr 0.01; }

impl Rule<2> for DeltaBarDelta {
    const STATE: [&'static str; 2] = ["b", "a"];

    fn initial_state(&self, _lr: f64) -> [f64; 2] {
        [0.0, 1.0]
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [b, a]: [V; 2]) -> (V, [V; 2]) {
        let s = b.clone().sign() * g.clone().sign();
        // 1 where the sign is the same, and 1 where it has changed
        let same = (s.clone().square() + s.clone()) * 0.5;
        let changed = (s.clone().square() - s) * 0.5;
        let a = a * (changed * -self.phi + 1.0) + same * self.kappa;
        let b = b * self.theta + g.clone() * (1.0 - self.theta);
        (g * a.clone() * ctx.lr, [b, a])
    }
}
