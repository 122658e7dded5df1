//! Runs a copied rule in downhill. The traits of the copies are also copies, so that shared
//! formulas can be mutated. `main.rs` copies this file; it is not compiled separately.

use downhill::optim::{self, Dialect, NamedRule, Signal, Value};
use downhill::spec::{Setting, Settings, SpecError};

use super::rule::{Rule, StepContext};
use crate::Probe;

/// A rule of the copied trait as a rule of downhill.
#[derive(Clone, Default)]
pub struct Adapter<R>(R);

fn copied(ctx: optim::StepContext) -> StepContext {
    StepContext { t: ctx.t, lr: ctx.lr, tensor_scalars: ctx.tensor_scalars }
}

impl<R: Rule<N>, const N: usize> optim::Rule<N> for Adapter<R> {
    const STATE: [&'static str; N] = R::STATE;

    fn uses_state(&self) -> [bool; N] {
        self.0.uses_state()
    }
    fn initial_state(&self, lr: f64) -> [f64; N] {
        self.0.initial_state(lr)
    }
    fn tensor_scalars(&self, ctx: optim::StepContext) -> [f64; 2] {
        self.0.tensor_scalars(copied(ctx))
    }
    fn step<V: Value>(&self, ctx: optim::StepContext, x: &V, g: V, state: [V; N]) -> (V, [V; N]) {
        self.0.step(copied(ctx), x, g, state)
    }
    fn has_evaluation_params(&self) -> bool {
        self.0.has_evaluation_params()
    }
    fn evaluation_params<V: Value>(&self, ctx: optim::StepContext, x: V, state: [V; N]) -> V {
        self.0.evaluation_params(copied(ctx), x, state)
    }
    fn signal<V: Value>(&self, ctx: optim::StepContext, state: [V; N]) -> Option<Signal<V>> {
        let signal = self.0.signal(copied(ctx), state)?;
        Some(Signal { m_hat: signal.m_hat, v_hat: signal.v_hat, eps: signal.eps })
    }
    fn bound(&self, ctx: optim::StepContext) -> Option<f64> {
        self.0.bound(copied(ctx))
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

impl<R: NamedRule> NamedRule for Adapter<R> {
    const LR: f64 = R::LR;
    const DIALECTS: &'static [Dialect] = R::DIALECTS;

    fn at_lr(&mut self, lr: f64) {
        self.0.at_lr(lr);
    }
}

/// The rule `R` under a name, to be checked.
pub fn probe<R: NamedRule + Rule<N>, const N: usize>(name: &'static str) -> Probe {
    Probe { name, first_difference: crate::first_difference::<Adapter<R>, N> }
}
