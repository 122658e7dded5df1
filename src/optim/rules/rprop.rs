//! # Rprop: resilient propagation
//!
//! ```text
//! s = sign(g) sign(g of the previous step)
//! d = clamp(d eta_plus, min, max)      where s > 0
//! d = clamp(d eta_minus, min, max)     where s < 0, and there g = 0
//! x = x - d sign(g)
//! ```
//!
//! Each element has its own step size d. The initial d is lr, and lr has no further effect: a
//! schedule changes nothing, and lr = 0 starts at `min`. The method is for full batches. On small
//! batches the sign of the gradient is mostly noise.
//!
//! ## Differences
//! This is the variant without backtracking, as in torch and Optax: where the sign changes, the
//! element does not move and its next step size does not change. Riedmiller & Braun undo the last
//! step instead. Their initial step size is 0.1, torch's is 0.01.
//!
//! ## Source
//! Riedmiller & Braun, "A direct adaptive method for faster backpropagation learning", 1993; Igel &
//! Hüsken, "Improving the Rprop learning algorithm", 2000 (iRprop-).

use crate::optim::{Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// Rprop: it uses only the sign of the gradient. A step size grows while the sign stays the
    /// same, and shrinks when it changes.
    pub struct Rprop {
        /// factor of the step size where the sign is the same as before
        eta_plus: f64 = 1.2, Allowed::AtLeast(1.0);
        /// factor of the step size where the sign has changed
        eta_minus: f64 = 0.5, Allowed::Decay;
        /// the smallest step size
        min: f64 = 1e-6, Allowed::NotNegative;
        /// the largest step size
        max: f64 = 50.0, Allowed::Positive;
    }
}

dialects! { Rprop, lr 0.1;
    /// `torch.optim.Rprop`
    torch: lr 0.01 {}
    /// `optax.rprop`, which has no default learning rate
    optax: lr 0.1 {}
}

impl Rule<2> for Rprop {
    const STATE: [&'static str; 2] = ["s", "d"];

    fn initial_state(&self, lr: f64) -> [f64; 2] {
        [0.0, lr]
    }

    #[inline(always)]
    fn step<V: Value>(&self, _ctx: StepContext, _x: &V, g: V, [before, d]: [V; 2]) -> (V, [V; 2]) {
        let sign = g.sign();
        let s = sign.clone() * before;
        // 1 where the sign is the same, and 1 where it has changed
        let same = (s.clone().square() + s.clone()) * 0.5;
        let changed = (s.clone().square() - s) * 0.5;
        let factor = same * (self.eta_plus - 1.0) + changed.clone() * (self.eta_minus - 1.0) + 1.0;
        let d = (d * factor).clamp(self.min, self.max.max(self.min));
        let sign = sign * (-changed + 1.0);
        (d.clone() * sign.clone(), [sign, d])
    }

    fn bound(&self, _ctx: StepContext) -> Option<f64> {
        Some(self.max)
    }
}
