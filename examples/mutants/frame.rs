//! What stands around the copied source files of the optimizers: their traits are copies too, so that shared formulas can be mutated as
//! well, and here is how downhill runs a rule of the copied trait. Not compiled by itself; `main.rs` says where it goes.

use burn::optim::ModuleOptimizer;
use downhill::optim::{At as TheirAt, Dialect, Named, Rule as TheirRule, Value};
use downhill::spec::{Setting, Settings, SpecError};

use super::rule::{At, Rule};
use crate::Probe;

/// What the copied trait makes of a rule.
pub struct Fused<R, const N: usize>(pub R);

impl<R: Rule<N>, const N: usize> From<Fused<R, N>> for ModuleOptimizer {
    fn from(_: Fused<R, N>) -> ModuleOptimizer {
        unreachable!("the checks take their steps themselves")
    }
}

/// A rule of the copied trait as a rule of downhill.
#[derive(Clone, Default)]
pub struct Adapter<R>(R);

fn own(at: TheirAt) -> At {
    At { t: at.t, lr: at.lr, carry: at.carry }
}

impl<R: Rule<N>, const N: usize> TheirRule<N> for Adapter<R> {
    const MEMORY: [&'static str; N] = R::MEMORY;

    fn uses(&self) -> [bool; N] {
        self.0.uses()
    }
    fn start(&self, lr: f64) -> [f64; N] {
        self.0.start(lr)
    }
    fn carry(&self, at: TheirAt) -> f64 {
        self.0.carry(own(at))
    }
    fn step<V: Value>(&self, at: TheirAt, x: &V, g: V, memory: [V; N]) -> (V, [V; N]) {
        self.0.step(own(at), x, g, memory)
    }
    fn looks_ahead(&self) -> bool {
        self.0.looks_ahead()
    }
    fn hand_out<V: Value>(&self, at: TheirAt, x: V, memory: [V; N]) -> V {
        self.0.hand_out(own(at), x, memory)
    }
    fn signal<V: Value>(&self, at: TheirAt, memory: [V; N]) -> Option<downhill::optim::Signal<V>> {
        let signal = self.0.signal(own(at), memory)?;
        Some(downhill::optim::Signal { m_hat: signal.m_hat, v_hat: signal.v_hat, eps: signal.eps })
    }
    fn bound(&self, at: TheirAt) -> Option<f64> {
        self.0.bound(own(at))
    }
}

impl<R: Settings> Settings for Adapter<R> {
    const SETTINGS: &'static [Setting] = R::SETTINGS;

    fn set(&mut self, owner: &str, key: &str, value: &str) -> Result<(), SpecError> {
        self.0.set(owner, key, value)
    }
    fn values(&self) -> Vec<(&'static str, String)> {
        self.0.values()
    }
}

impl<R: Named> Named for Adapter<R> {
    const LR: f64 = R::LR;
    const DIALECTS: &'static [Dialect] = R::DIALECTS;

    fn at_lr(&mut self, lr: f64) {
        self.0.at_lr(lr);
    }
}

/// The rule `R` under a name, to be checked.
pub fn probe<R: Named + Rule<N>, const N: usize>(name: &'static str) -> Probe {
    Probe { name, leaves: crate::leaves::<Adapter<R>, N> }
}
