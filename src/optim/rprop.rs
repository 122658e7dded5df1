//! # Rprop: resilient propagation
//!
//! ```text
//! s = sign(g) sign(g_before)
//! d = clamp(d eta_plus, min, max)      where s > 0
//! d = clamp(d eta_minus, min, max)     where s < 0, and there g = 0
//! x = x - d sign(g)
//! ```
//!
//! Each element has a step size d of its own. It begins at lr, and lr is not used after that: a schedule has no effect, and lr = 0 begins
//! at `min`. For whole batches: on small ones the sign of the gradient is mostly noise.
//!
//! ## Differences
//! This is the variant without backtracking, of which torch's and Optax's are the same: where the sign turns, the element does not move and its next
//! step size is not changed. Riedmiller & Braun take the last step back instead. Their first step size is 0.1, torch's is 0.01.
//!
//! ## Source
//! Riedmiller & Braun, "A direct adaptive method for faster backpropagation learning", 1993; Igel & Hüsken, "Improving the Rprop learning
//! algorithm", 2000 (iRprop-).

use super::{At, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// Rprop: only the sign of the gradient counts; step sizes grow while it stays and shrink when it turns.
    pub struct Rprop {
        /// factor of the step size where the sign stayed
        eta_plus: f64 = 1.2, Allowed::AtLeast(1.0);
        /// factor of the step size where the sign turned
        eta_minus: f64 = 0.5, Allowed::Decay;
        /// the smallest step size
        min: f64 = 1e-6, Allowed::NotNegative;
        /// the largest step size
        max: f64 = 50.0, Allowed::Positive;
    }
}

super::dialects! { Rprop, lr 0.1;
    /// `torch.optim.Rprop`
    torch: lr 0.01 {}
    /// `optax.rprop`, which asks for a learning rate
    optax: lr 0.1 {}
}

impl Rule<2> for Rprop {
    const MEMORY: [&'static str; 2] = ["s", "d"];

    fn start(&self, lr: f64) -> [f64; 2] {
        [0.0, lr]
    }

    #[inline(always)]
    fn step<V: Value>(&self, _at: At, _x: &V, g: V, [before, d]: [V; 2]) -> (V, [V; 2]) {
        let sign = g.sign();
        let s = sign.clone() * before;
        // 1 where the sign stayed, and 1 where it turned
        let stayed = (s.clone().square() + s.clone()) * 0.5;
        let turned = (s.clone().square() - s) * 0.5;
        let factor = stayed * (self.eta_plus - 1.0) + turned.clone() * (self.eta_minus - 1.0) + 1.0;
        let d = (d * factor).clamp(self.min, self.max.max(self.min));
        let sign = sign * (-turned + 1.0);
        (d.clone() * sign.clone(), [sign, d])
    }

    fn bound(&self, _at: At) -> Option<f64> {
        Some(self.max)
    }
}
