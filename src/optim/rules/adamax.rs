//! # AdaMax: Adam with the infinity norm
//!
//! ```text
//! m = beta1 m + (1 - beta1) g
//! u = max(beta2 u, |g| + eps)                                   eps_place=inside (default)
//! x = x - lr m / ((1 - beta1^t) u)
//!
//! u = max(beta2 u, |g|)                                         eps_place=outside
//! x = x - lr m / ((1 - beta1^t) (u + eps))
//! ```
//!
//! ## Differences
//! The paper has no eps, and divides zero by zero for an element without gradient. Here such an
//! element does not move, so the default eps is 0. torch and Optax add eps inside the maximum
//! (1e-8), Keras outside (1e-7). u needs no bias correction, so `hat` is the same as `outside`.
//! burn has no AdaMax.
//!
//! ## Source
//! Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv 1412.6980, algorithm
//! 2.

use crate::optim::{EpsPlace, Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// AdaMax: the step is a moving average of the gradient, divided by its largest recent size.
    pub struct AdaMax {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the norm u
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 0.0, Allowed::NotNegative;
        /// where eps is added: inside the maximum or outside
        eps_place: EpsPlace = EpsPlace::Inside, EpsPlace::WORDS;
    }
}

dialects! { AdaMax, lr 2e-3;
    /// `torch.optim.Adamax`
    torch: lr 2e-3 { eps: 1e-8 }
    /// `keras.optimizers.Adamax`
    keras: lr 1e-3 { eps: 1e-7, eps_place: EpsPlace::Outside }
    /// `optax.adamax`, which has no default learning rate
    optax: lr 2e-3 { eps: 1e-8 }
}

impl Rule<2> for AdaMax {
    const STATE: [&'static str; 2] = ["m", "u"];

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, u]: [V; 2]) -> (V, [V; 2]) {
        let (inside, outside) = match self.eps_place {
            EpsPlace::Inside => (self.eps, 0.0),
            EpsPlace::Outside | EpsPlace::Hat => (0.0, self.eps),
        };
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let u = (u * self.beta2).max(g.abs() + inside);
        let update = m.clone() * (ctx.lr / ctx.bias_correction(self.beta1));
        (update.div_or_zero(u.clone() + outside), [m, u])
    }
}
