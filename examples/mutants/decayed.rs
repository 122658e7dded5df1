//! Weight decay around a rule, as an optimizer with a name. downhill's own table would use the
//! original `Decayed` instead of a copy. The rule is Nag, which uses every method that `Decayed`
//! has to pass on. `main.rs` copies this file; it is not compiled separately.

use super::decay::{DecayBy, Decayed};
use super::{Nag, Rule, StepContext, Value};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// Nag with weight decay of both kinds.
    pub struct DecayedNag {
        /// L2, added to the gradient
        l2: f64 = 0.0, Allowed::NotNegative;
        /// decoupled weight decay
        lambda: f64 = 0.0, Allowed::NotNegative;
        /// the factor of lambda
        by: DecayBy = DecayBy::Lr, DecayBy::WORDS;
        /// whether the decoupled decay is cautious
        cautious: bool = false, YES_OR_NO;
        /// the learning rate at which the schedule is 1
        alpha: f64 = 1.0, Allowed::Positive;
        /// factor of the learning rate
        lr_scale: f64 = 1.0, Allowed::NotNegative;
    }
}

impl super::NamedRule for DecayedNag {
    const LR: f64 = 0.01;
}

impl DecayedNag {
    fn inner(&self) -> Decayed<Nag> {
        Decayed {
            rule: Nag::new().with_lr_place(super::LrPlace::Outside),
            l2: self.l2,
            lambda: self.lambda,
            by: self.by,
            cautious: self.cautious,
            alpha: self.alpha,
            lr_scale: self.lr_scale,
        }
    }
}

impl Rule<1> for DecayedNag {
    const STATE: [&'static str; 1] = Decayed::<Nag>::STATE;

    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        self.inner().tensor_scalars(ctx)
    }
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, state: [V; 1]) -> (V, [V; 1]) {
        self.inner().step(ctx, x, g, state)
    }
    fn has_evaluation_params(&self) -> bool {
        self.inner().has_evaluation_params()
    }
    fn evaluation_params<V: Value>(&self, ctx: StepContext, x: V, state: [V; 1]) -> V {
        self.inner().evaluation_params(ctx, x, state)
    }
}
