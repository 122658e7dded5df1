//! What a rule with an estimate common to all parameters defines.

use super::value::Value;

/// What a [`JointRule`] knows of the whole model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// the estimate of the distance from the initial model to the solution
    pub d: f64,
    /// the largest estimate that a step had, where the growth of d is bounded
    pub d_max: f64,
    /// the weighted sum of inner products over all steps
    pub numerator: f64,
}

/// The number, the learning rate and the estimates of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointContext {
    /// The number of this step, from 1.
    pub t: u64,
    /// The learning rate of this step.
    pub lr: f64,
    /// The estimate before this step.
    pub before: Estimate,
    /// The estimate of this step; that before it while [`JointRule::terms`] are added up.
    pub now: Estimate,
}

/// An update rule as [`Rule`](super::Rule), with an estimate that is common to all parameters. A
/// step has two passes: one adds up [`terms`](JointRule::terms) over all elements of the model,
/// the other moves the parameters.
///
/// burn's `Optimizer` trait gets one tensor at a time, and no other. So no burn optimizer can be
/// made of such a rule; [`JointOptimizer`](super::JointOptimizer) has the same `step` as burn's `ModuleOptimizer`.
pub trait JointRule<const N: usize>: Clone + Send + Sync + 'static {
    /// The names of the state, as written to saved states.
    const STATE: [&'static str; N];

    /// Which parts of the state start at the parameter. The others start at 0.
    const STARTS_AT_X: [bool; N];

    /// The estimate before the first step.
    fn first_estimate(&self) -> Estimate;

    /// What has to be added up over all elements of the model. `g` is the gradient at `x`, and the
    /// state is that of the step before.
    fn terms<V: Value>(&self, ctx: JointContext, x: &V, g: V, state: [V; N]) -> [V; 2];

    /// The estimate of the step, from the sums of the terms.
    fn estimate(&self, ctx: JointContext, sums: [f64; 2]) -> Estimate;

    /// The update, which is subtracted from the parameter `x`, and the new state.
    fn step<V: Value>(&self, ctx: JointContext, x: &V, g: V, state: [V; N]) -> (V, [V; N]);
}
