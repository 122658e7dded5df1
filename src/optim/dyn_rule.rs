//! Rules behind a pointer: reading their state, and steps on vectors.

use burn::module::ParamGroup;
use burn::optim::ModuleOptimizer;
use burn::tensor::Tensor;

use super::fused::Fused;
use super::fused_state::next_context;
use super::pass::{PassBuffers, pass};
use super::rule::{Rule, Signal, StepContext};
use super::value::Lane;

/// A [`Rule`] behind a pointer, for evaluation, diagnostics and steps on vectors.
pub trait DynRule: Send + Sync {
    /// The names of the state that the rule uses with its settings.
    fn state_names(&self) -> Vec<&'static str>;

    /// The names of the complete state, used or not.
    fn all_state_names(&self) -> &'static [&'static str];

    /// [`Rule::has_evaluation_params`]
    fn has_evaluation_params(&self) -> bool;

    /// [`Rule::evaluation_params`] of a flattened parameter. The state is in the order of
    /// [`state_names`](DynRule::state_names).
    fn evaluation_params(&self, ctx: StepContext, x: Tensor<1>, state: Vec<Tensor<1>>)
    -> Tensor<1>;

    /// [`Rule::signal`] of a flattened parameter.
    fn signal(&self, ctx: StepContext, state: Vec<Tensor<1>>) -> Option<Signal<Tensor<1>>>;

    /// [`Rule::bound`]
    fn bound(&self, ctx: StepContext) -> Option<f64>;

    /// burn's optimizer with this rule for one group of parameters.
    fn add_to(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer;

    /// A step on a vector, without tensors.
    fn step_vector(&self, lr: f64, x: &mut [f64], g: &[f64], state: &mut VectorState);

    /// [`Rule::evaluation_params`] of a vector.
    fn evaluation_vector(&self, x: &[f64], state: &VectorState) -> Vec<f64>;
}

/// The optimizer state of a vector.
#[derive(Clone, Debug, Default)]
pub struct VectorState {
    /// of the last step
    ctx: Option<StepContext>,
    /// in the order of [`DynRule::all_state_names`]; empty where the settings do not use it
    pub values: Vec<Vec<f64>>,
}

impl VectorState {
    fn initial<R: Rule<N>, const N: usize>(rule: &R, lr: f64, n: usize) -> VectorState {
        let parts = rule.initial_state(lr).into_iter().zip(rule.uses_state());
        let values = parts.map(|(value, used)| vec![value; if used { n } else { 0 }]).collect();
        VectorState { ctx: None, values }
    }

    /// Begins a step on a vector of `n` numbers. The first step makes the initial state.
    pub(super) fn next<R: Rule<N>, const N: usize>(
        &mut self,
        rule: &R,
        lr: f64,
        n: usize,
    ) -> StepContext {
        if self.ctx.is_none() {
            *self = VectorState::initial(rule, lr, n);
        }
        let last = self.ctx.map_or((0, [1.0; 2]), |last| (last.t, last.tensor_scalars));
        let ctx = next_context(rule, last.0, last.1, lr);
        self.ctx = Some(ctx);
        ctx
    }

    /// The state of element `i`, as a rule takes it.
    fn element<const N: usize>(&self, i: usize) -> [Lane<f64>; N] {
        let value = |n: usize| self.values.get(n)?.get(i).copied();
        std::array::from_fn(|n| Lane(value(n).unwrap_or(0.0)))
    }
}

impl<R: Rule<N>, const N: usize> Fused<R, N> {
    /// The complete state: tensors as given where they are used, one zero where not.
    fn complete(&self, state: Vec<Tensor<1>>) -> Option<[Tensor<1>; N]> {
        let (device, dtype) = state.first().map(|first| (first.device(), first.dtype()))?;
        let zero = || Tensor::zeros([1], (&device, dtype));
        let mut given = state.into_iter();
        let tensor = |used: bool| if used { given.next() } else { None };
        Some(self.0.uses_state().map(tensor).map(|tensor| tensor.unwrap_or_else(zero)))
    }
}

impl<R: Rule<N>, const N: usize> DynRule for Fused<R, N> {
    fn state_names(&self) -> Vec<&'static str> {
        let names = R::STATE.into_iter().zip(self.0.uses_state());
        names.filter_map(|(name, used)| used.then_some(name)).collect()
    }

    fn all_state_names(&self) -> &'static [&'static str] {
        &R::STATE
    }

    fn has_evaluation_params(&self) -> bool {
        self.0.has_evaluation_params()
    }

    fn evaluation_params(
        &self,
        ctx: StepContext,
        x: Tensor<1>,
        state: Vec<Tensor<1>>,
    ) -> Tensor<1> {
        match self.complete(state) {
            Some(state) => self.0.evaluation_params(ctx, x, state),
            None => x,
        }
    }

    fn signal(&self, ctx: StepContext, state: Vec<Tensor<1>>) -> Option<Signal<Tensor<1>>> {
        self.0.signal(ctx, self.complete(state)?)
    }

    fn bound(&self, ctx: StepContext) -> Option<f64> {
        self.0.bound(ctx)
    }

    fn add_to(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer {
        optimizer.with_group(group, self.clone(), None)
    }

    fn step_vector(&self, lr: f64, x: &mut [f64], g: &[f64], state: &mut VectorState) {
        let rule = &self.0;
        let ctx = state.next(rule, lr, x.len());
        let mut values = state.values.iter_mut();
        let slices =
            std::array::from_fn(|_| values.next().map(Vec::as_mut_slice).unwrap_or_default());
        pass(rule, ctx, PassBuffers { source: None, x, g, state: slices });
    }

    fn evaluation_vector(&self, x: &[f64], state: &VectorState) -> Vec<f64> {
        match state.ctx {
            Some(ctx) if self.0.has_evaluation_params() => {
                let element = |(i, x): (usize, &f64)| {
                    self.0.evaluation_params(ctx, Lane(*x), state.element(i)).0
                };
                x.iter().enumerate().map(element).collect()
            }
            _ => x.to_vec(),
        }
    }
}
