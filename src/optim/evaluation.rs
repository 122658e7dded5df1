//! The model to evaluate and to save, where it differs from the model in training.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::ModuleOptimizer;
use burn::store::RecordError;
use burn::tensor::Tensor;

use super::dyn_rule::DynRule;
use super::param_state::{ParamState, optimizer_state};
use super::reshape::reshaped;
use super::rule::StepContext;

/// The model to evaluate and to save. For most rules this is the model itself. A look-ahead method
/// such as [`Nag`](super::Nag) takes gradients at one point and is evaluated at another.
///
/// `rule` is the rule that `optimizer` was made from. A parameter that has not taken a step stays
/// unchanged.
///
/// # Errors
/// If burn cannot write the optimizer's state.
pub fn evaluation_model<M: Module>(
    model: M,
    optimizer: &ModuleOptimizer,
    rule: &dyn DynRule,
) -> Result<M, RecordError> {
    if !rule.has_evaluation_params() {
        return Ok(model);
    }
    let states = optimizer_state(optimizer, rule)?;
    Ok(model.map(&mut EvaluationMapper { rule, states }))
}

struct EvaluationMapper<'a> {
    rule: &'a dyn DynRule,
    states: HashMap<ParamId, ParamState>,
}

impl ModuleMapper for EvaluationMapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.states.remove(&param.id) {
            Some(state) => param.map(|x| evaluation_tensor(self.rule, x, state)),
            None => param,
        }
    }
}

/// The evaluation parameters of one parameter, which requires a gradient if `x` does.
fn evaluation_tensor<const D: usize>(
    rule: &dyn DynRule,
    x: Tensor<D>,
    state: ParamState,
) -> Tensor<D> {
    let (shape, device, dtype) = (x.shape(), x.device().inner(), x.dtype());
    let (n, require_grad) = (shape.num_elements(), x.is_require_grad());
    let flat = |data| reshaped(Tensor::<D>::from_data(data, (&device, dtype)), [n]);
    let tensors = state.tensors.into_iter().map(flat).collect();
    let ParamState { t, tensor_scalars, .. } = state;
    let ctx = StepContext { t, lr: tensor_scalars[0], tensor_scalars };
    let x = rule.evaluation_params(ctx, reshaped(x.inner(), [n]), tensors);
    Tensor::from_inner(reshaped(x, shape)).set_require_grad(require_grad)
}
