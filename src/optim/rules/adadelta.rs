//! # AdaDelta: adaptive steps without a learning rate
//!
//! ```text
//! v = rho v + (1 - rho) g^2
//! d = g sqrt(u + eps) / sqrt(v + eps)
//! u = gamma u + (1 - gamma) d^2
//! x = x - lr d
//! ```
//!
//! ## Differences
//! The paper, torch, Optax and Keras have one decay rate for both averages (`gamma=none`, the
//! default here). S0 has two. The method needs no learning rate, so lr is 1; Keras multiplies by
//! 0.001. lr is applied after u is updated, as in all three frameworks. burn has no AdaDelta.
//!
//! ## Source
//! S0 (Datawhale slides); Zeiler, "ADADELTA: an adaptive learning rate method", 2012, arXiv
//! 1212.5701.

use crate::optim::{Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// AdaDelta: the step has the units of the parameter, so no learning rate is needed.
    pub struct AdaDelta {
        /// decay rate of the average of g²
        rho: f64 = 0.95, Allowed::Decay;
        /// decay rate of the average of d²; none: the same as rho
        gamma: Option<f64> = None, Allowed::Decay;
        /// keeps both roots from zero
        eps: f64 = 1e-6, Allowed::NotNegative;
    }
}

dialects! { AdaDelta, lr 1.0;
    /// `torch.optim.Adadelta`
    torch: lr 1.0 { rho: 0.9 }
    /// `keras.optimizers.Adadelta`, with a thousand times smaller steps by default
    keras: lr 1e-3 { eps: 1e-7 }
    /// `optax.adadelta`
    optax: lr 1.0 { rho: 0.9 }
}

impl Rule<2> for AdaDelta {
    const STATE: [&'static str; 2] = ["v", "u"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v, u]: [V; 2]) -> (V, [V; 2]) {
        let gamma = self.gamma.unwrap_or(self.rho);
        let v = v * self.rho + g.clone().square() * (1.0 - self.rho);
        let d = (g * (u.clone() + self.eps).sqrt()).div_or_zero((v.clone() + self.eps).sqrt());
        let u = u * gamma + d.clone().square() * (1.0 - gamma);
        (d * ctx.lr, [v, u])
    }
}
