//! Weight decay around a rule, as an optimizer with a name: downhill's table wraps with its own `Decayed`, and not with a copy. Around Nag,
//! which has everything that has to be passed on. Not compiled by itself; `main.rs` says where it goes.

use super::decay::{DecayBy, Decayed};
use super::{At, Nag, Rule, Value};
use crate::spec::Allowed;

crate::settings! {
    /// Nag with weight decay of both kinds.
    pub struct DecayedNag {
        /// into the gradient
        l2: f64 = 0.0, Allowed::NotNegative;
        /// decoupled
        lambda: f64 = 0.0, Allowed::NotNegative;
        /// what lambda is multiplied by
        by: DecayBy = DecayBy::Lr, DecayBy::WORDS;
        /// the learning rate at which the schedule is 1
        alpha: f64 = 1.0, Allowed::Positive;
    }
}

impl super::Named for DecayedNag {
    const LR: f64 = 0.01;
}

impl DecayedNag {
    fn inner(&self) -> Decayed<Nag> {
        Decayed {
            rule: Nag::new().with_lr_place(super::LrPlace::Outside),
            l2: self.l2,
            lambda: self.lambda,
            by: self.by,
            alpha: self.alpha,
        }
    }
}

impl Rule<1> for DecayedNag {
    const MEMORY: [&'static str; 1] = Decayed::<Nag>::MEMORY;

    fn carry(&self, at: At) -> f64 {
        self.inner().carry(at)
    }
    fn step<V: Value>(&self, at: At, x: &V, g: V, memory: [V; 1]) -> (V, [V; 1]) {
        self.inner().step(at, x, g, memory)
    }
    fn looks_ahead(&self) -> bool {
        self.inner().looks_ahead()
    }
    fn hand_out<V: Value>(&self, at: At, x: V, memory: [V; 1]) -> V {
        self.inner().hand_out(at, x, memory)
    }
}
