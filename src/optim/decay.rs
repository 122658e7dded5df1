//! Weight decay around any rule, and a factor of its learning rate.

use super::rule::{BurnRecord, Rule, Signal, StepContext};
use super::value::Value;

/// The factor of decoupled decay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecayBy {
    /// the learning rate, as in torch, Keras, Optax and burn
    Lr,
    /// the schedule alone, lr / alpha, as in the AdamW paper
    Schedule,
}
crate::words!(DecayBy { Lr = "lr", Schedule = "schedule" });

/// A rule with weight decay, in the same pass:
///
/// ```text
/// g = g + l2 x                          L2: the same as a penalty l2 / 2 |x|^2 in the loss
/// x = x - step(g) - lr lambda x         decoupled, by=lr
/// x = x - step(g) - lr / alpha lambda x decoupled, by=schedule
///
/// cautious: x decays only where step(g) x >= 0, so that the decay never works against the step
/// ```
///
/// Cautious decay is Chen et al., "Cautious weight decay", 2025, arXiv 2510.12402. heavyball compares
/// the signs of step(g) and x, also where one of them is 0. A decay that is a setting of the rule is
/// not part of step(g).
///
/// `lr` is the learning rate times `lr_scale`, but in `lr / alpha` it is the learning rate.
#[derive(Clone, Debug)]
pub struct Decayed<R> {
    /// the rule
    pub rule: R,
    /// L2: `l2 x` is added to the gradient
    pub l2: f64,
    /// decoupled weight decay
    pub lambda: f64,
    /// the factor of lambda
    pub by: DecayBy,
    /// whether only those elements decay that the step moves towards 0
    pub cautious: bool,
    /// the learning rate at which the schedule is 1
    pub alpha: f64,
    /// factor of the learning rate, for a parameter group
    pub lr_scale: f64,
}

impl<R> Decayed<R> {
    /// The context of the rule.
    #[inline(always)]
    fn scaled(&self, ctx: StepContext) -> StepContext {
        StepContext { lr: ctx.lr * self.lr_scale, ..ctx }
    }

    /// The share of the parameter that decoupled decay subtracts.
    #[inline(always)]
    fn factor(&self, ctx: StepContext) -> f64 {
        let scaled = self.scaled(ctx);
        match self.by {
            DecayBy::Lr => scaled.lr * self.lambda,
            DecayBy::Schedule => ctx.lr / self.alpha * self.lambda,
        }
    }
}

/// 0 where the signs are opposite, else 1. Products of tiny numbers may be zero, products of signs
/// are not.
#[inline(always)]
fn agree<V: Value>(a: V, b: V) -> V {
    (a.sign() * b.sign() + 1.0).clamp(0.0, 1.0)
}

impl<R: Rule<N>, const N: usize> Rule<N> for Decayed<R> {
    const STATE: [&'static str; N] = R::STATE;
    const BURN_RECORD: Option<BurnRecord<N>> = R::BURN_RECORD;

    fn uses_state(&self) -> [bool; N] {
        self.rule.uses_state()
    }

    fn initial_state(&self, lr: f64) -> [f64; N] {
        self.rule.initial_state(lr * self.lr_scale)
    }

    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        self.rule.tensor_scalars(self.scaled(ctx))
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, state: [V; N]) -> (V, [V; N]) {
        // 0 times an infinite parameter would be NaN
        let g = if self.l2 == 0.0 { g } else { g + x.clone() * self.l2 };
        let scaled = self.scaled(ctx);
        let (update, state) = self.rule.step(scaled, x, g, state);
        if self.lambda == 0.0 {
            return (update, state);
        }
        let decay = x.clone() * self.factor(ctx);
        if !self.cautious {
            return (update + decay, state);
        }
        let own = self.rule.decay(scaled);
        let moves = if own == 0.0 { update.clone() } else { update.clone() - x.clone() * own };
        (update + decay * agree(moves, x.clone()), state)
    }

    /// Of a decay that is not cautious.
    fn decay(&self, ctx: StepContext) -> f64 {
        self.rule.decay(self.scaled(ctx)) + self.factor(ctx)
    }

    fn has_evaluation_params(&self) -> bool {
        self.rule.has_evaluation_params()
    }

    fn evaluation_params<V: Value>(&self, ctx: StepContext, x: V, state: [V; N]) -> V {
        self.rule.evaluation_params(self.scaled(ctx), x, state)
    }

    fn signal<V: Value>(&self, ctx: StepContext, state: [V; N]) -> Option<Signal<V>> {
        self.rule.signal(self.scaled(ctx), state)
    }

    /// The bound of the rule; `None` with decoupled decay.
    fn bound(&self, ctx: StepContext) -> Option<f64> {
        self.rule.bound(self.scaled(ctx)).filter(|_| self.lambda == 0.0)
    }
}
