//! Weight decay around any rule.

use super::{At, Rule, Signal, Value};

/// What decoupled decay is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecayBy {
    /// the learning rate, as torch, Keras, Optax and burn do
    Lr,
    /// the schedule alone, lr / alpha, as the AdamW paper does
    Schedule,
}
crate::words!(DecayBy { Lr = "lr", Schedule = "schedule" });

/// A rule with weight decay, in the same pass:
///
/// ```text
/// g = g + l2 x                          into the gradient: the same as a penalty l2 / 2 |x|^2 in the loss
/// x = x - step(g) - lr lambda x         decoupled, by=lr
/// x = x - step(g) - lr / alpha lambda x decoupled, by=schedule
/// ```
#[derive(Clone, Debug)]
pub struct Decayed<R> {
    /// the rule
    pub rule: R,
    /// into the gradient
    pub l2: f64,
    /// decoupled
    pub lambda: f64,
    /// what lambda is multiplied by
    pub by: DecayBy,
    /// the learning rate at which the schedule is 1
    pub alpha: f64,
}

impl<R> Decayed<R> {
    /// `l2 x` is added to the gradient before the rule sees it.
    pub fn l2(rule: R, l2: f64) -> Self {
        Decayed { rule, l2, lambda: 0.0, by: DecayBy::Lr, alpha: 1.0 }
    }

    /// `lr lambda x` is subtracted besides the rule's step.
    pub fn decoupled(rule: R, lambda: f64) -> Self {
        Decayed { rule, l2: 0.0, lambda, by: DecayBy::Lr, alpha: 1.0 }
    }
}

impl<R: Rule<N>, const N: usize> Rule<N> for Decayed<R> {
    const MEMORY: [&'static str; N] = R::MEMORY;

    fn uses(&self) -> [bool; N] {
        self.rule.uses()
    }

    fn start(&self, lr: f64) -> [f64; N] {
        self.rule.start(lr)
    }

    fn carry(&self, at: At) -> f64 {
        self.rule.carry(at)
    }

    #[inline(always)]
    fn step<V: Value>(&self, at: At, x: &V, g: V, memory: [V; N]) -> (V, [V; N]) {
        // a factor of 0 would make NaN of an infinite parameter
        let g = if self.l2 == 0.0 { g } else { g + x.clone() * self.l2 };
        let (down, memory) = self.rule.step(at, x, g, memory);
        if self.lambda == 0.0 {
            return (down, memory);
        }
        let share = match self.by {
            DecayBy::Lr => at.lr * self.lambda,
            DecayBy::Schedule => at.lr / self.alpha * self.lambda,
        };
        (down + x.clone() * share, memory)
    }

    fn looks_ahead(&self) -> bool {
        self.rule.looks_ahead()
    }

    fn hand_out<V: Value>(&self, at: At, x: V, memory: [V; N]) -> V {
        self.rule.hand_out(at, x, memory)
    }

    fn signal<V: Value>(&self, at: At, memory: [V; N]) -> Option<Signal<V>> {
        self.rule.signal(at, memory)
    }

    /// That of the rule, where nothing is decoupled.
    fn bound(&self, at: At) -> Option<f64> {
        self.rule.bound(at).filter(|_| self.lambda == 0.0)
    }
}
