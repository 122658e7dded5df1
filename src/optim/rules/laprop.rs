//! # LaProp: momentum of gradients that are already divided
//!
//! ```text
//! v = beta2 v + (1 - beta2) g^2
//! d = sqrt(v / (1 - beta2^t)) + eps                 eps_place=outside (default)
//! m = beta1 m + (1 - beta1) g / d                   lr_place=outside (default)
//! x = x - lr m / (1 - beta1^t)
//!
//! m = beta1 m + (1 - beta1) lr g / d                lr_place=inside
//! s = beta1 s + (1 - beta1) lr
//! x = x - m lr / s
//!
//! the other places of eps as in Adam
//! ```
//!
//! Adam divides the average of gradients. LaProp averages divided gradients, so that each is divided
//! by the v of its own step, and any beta2 goes with any beta1.
//!
//! ## Differences
//! The paper multiplies by lr at the end. The authors' code (`laprop@authors`), timm and
//! pytorch_optimizer multiply by lr before the average, and correct the bias with an average of
//! learning rates. While lr is constant, both are the same. At lr = 0 the parameter stays here and in
//! timm, and moves by m in the other two. pytorch_optimizer has Adam's epsilon hat and adds 1e-15
//! inside the root as well; there is no dialect for that. Weight decay is a separate part, `decay`;
//! that of the authors' code is not multiplied by lr. torch, Keras, Optax and burn have no LaProp.
//!
//! ## Source
//! Ziyin, Wang & Ueda, "LaProp: separating momentum and adaptivity in Adam", 2020, arXiv 2002.04839,
//! algorithm 1; the authors' code, github.com/Z-T-WANG/LaProp-Optimizer.

use crate::optim::{EpsPlace, LrPlace, Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// LaProp: an average of gradients, each divided by the root of the squares' average.
    pub struct LaProp {
        /// decay rate of the divided gradients m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-15, Allowed::NotNegative;
        /// where eps is added in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// where the learning rate is multiplied: inside the average m or outside
        lr_place: LrPlace = LrPlace::Outside, LrPlace::WORDS;
    }
}

dialects! { LaProp, lr 4e-4;
    /// the authors' `LaProp`
    authors: lr 4e-4 { lr_place: LrPlace::Inside }
    /// `timm.optim.LaProp`
    timm: lr 4e-4 { lr_place: LrPlace::Inside }
}

impl LaProp {
    /// The factors of the divided gradient in m, and of m in the update.
    #[inline(always)]
    fn factors(&self, ctx: StepContext) -> (f64, f64) {
        match self.lr_place {
            LrPlace::Outside => (1.0, ctx.lr / ctx.bias_correction(self.beta1)),
            LrPlace::Inside if ctx.lr == 0.0 => (0.0, 0.0),
            LrPlace::Inside => (ctx.lr, ctx.lr / ctx.tensor_scalars[0]),
        }
    }
}

impl Rule<2> for LaProp {
    const STATE: [&'static str; 2] = ["m", "v"];

    /// The average of learning rates s.
    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        let before = if ctx.t == 1 { 0.0 } else { ctx.tensor_scalars[0] };
        [before * self.beta1 + (1.0 - self.beta1) * ctx.lr, 0.0]
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let (inside, outside) = self.factors(ctx);
        let v = v * self.beta2 + g.clone().square() * (1.0 - self.beta2);
        let v_correction = ctx.bias_correction(self.beta2);
        let denominator = self.eps_place.denominator(v.clone(), v_correction, self.eps);
        let m = m * self.beta1 + g.div_or_zero(denominator) * ((1.0 - self.beta1) * inside);
        (m.clone() * outside, [m, v])
    }
}
