//! A rule that moves only where its update agrees with the gradient.

use burn::module::ParamGroup;
use burn::optim::{ModuleOptimizer, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::dyn_rule::{DynRule, VectorState};
use super::fused::{FlatState, Fused, flattened_step, update_of_flat_tensors};
use super::fused_state::{FusedState, next_context};
use super::rule::{Rule, Signal, StepContext};

/// How [`Cautious`] makes up for the elements that do not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// divided by the share of elements that move, which is at least 0.001
    Mean,
    /// times n / (elements that move + 1)
    Count,
}
crate::words!(Scale { Mean = "mean", Count = "count" });

/// The least share of elements that move, in the authors' code.
const LEAST_SHARE: f64 = 1e-3;

/// A rule whose update is cautious:
///
/// ```text
/// mask = 1 where update g > 0, else 0
/// x    = x - update mask / max(mean(mask), 0.001)        scale=mean
/// x    = x - update mask n / (sum(mask) + 1)             scale=count
/// ```
///
/// mean and sum are over one parameter with n elements. Decoupled weight decay is not part of the
/// update here: it moves every element.
///
/// Liang et al., "Cautious optimizers: improving training with one line of code", 2024, arXiv
/// 2411.16085, has `scale=count`. The authors' code and timm have `scale=mean`.
///
/// A step needs the mean over all elements, so it is made of tensor operations on every device.
#[derive(Clone)]
pub struct Cautious<R, const N: usize> {
    inner: Fused<R, N>,
    scale: Scale,
}

impl<R: Rule<N>, const N: usize> Cautious<R, N> {
    /// This rule with cautious updates. `Cautious::new(Adam::new(), Scale::Mean).into()` is burn's
    /// optimizer of a whole module.
    pub fn new(rule: R, scale: Scale) -> Cautious<R, N> {
        Cautious { inner: Fused(rule), scale }
    }

    /// The cautious update of a flattened parameter, and the new state.
    fn update(
        &self,
        ctx: StepContext,
        x: &Tensor<1>,
        g: Tensor<1>,
        state: FlatState<N>,
    ) -> (Tensor<1>, FlatState<N>) {
        let rule = &self.inner.0;
        let (update, state) = update_of_flat_tensors(rule, ctx, x, g.clone(), state);
        let decay = x.clone() * rule.decay(ctx);
        let update = update - decay.clone();
        // products of tiny numbers may be zero, products of signs are not
        let mask = (update.clone().sign() * g.sign()).clamp_min(0.0);
        let n = mask.shape().num_elements() as f64;
        let factor = match self.scale {
            Scale::Mean => (mask.clone().sum() / n).clamp_min(LEAST_SHARE).recip(),
            Scale::Count => (mask.clone().sum() + 1.0).recip() * n,
        };
        (update * mask * factor + decay, state)
    }
}

impl<R: Rule<N>, const N: usize> Optimizer for Cautious<R, N> {
    type State<const D: usize> = FusedState<R, D, N>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: Option<FusedState<R, D, N>>,
    ) -> (Tensor<D>, Option<FusedState<R, D, N>>) {
        let rule = &self.inner.0;
        let FusedState { t, tensor_scalars, tensors, .. } =
            state.unwrap_or_else(|| FusedState::initial(rule, lr, &x));
        let ctx = next_context(rule, t, tensor_scalars, lr);
        let (x, tensors) =
            flattened_step(x, g, tensors, |x, g, state| self.update(ctx, x, g, state));
        (x, Some(FusedState::new(ctx.t, ctx.tensor_scalars, tensors)))
    }

    fn to_device<const D: usize>(
        state: FusedState<R, D, N>,
        device: &Device,
    ) -> FusedState<R, D, N> {
        Fused::<R, N>::to_device(state, device)
    }
}

/// The state is that of the rule, and so is everything that is read from it.
impl<R: Rule<N>, const N: usize> DynRule for Cautious<R, N> {
    fn state_names(&self) -> Vec<&'static str> {
        self.inner.state_names()
    }

    fn all_state_names(&self) -> &'static [&'static str] {
        self.inner.all_state_names()
    }

    fn has_evaluation_params(&self) -> bool {
        self.inner.has_evaluation_params()
    }

    fn evaluation_params(
        &self,
        ctx: StepContext,
        x: Tensor<1>,
        state: Vec<Tensor<1>>,
    ) -> Tensor<1> {
        self.inner.evaluation_params(ctx, x, state)
    }

    fn signal(&self, ctx: StepContext, state: Vec<Tensor<1>>) -> Option<Signal<Tensor<1>>> {
        DynRule::signal(&self.inner, ctx, state)
    }

    /// The mask makes the other elements move further than the rule's bound.
    fn bound(&self, _ctx: StepContext) -> Option<f64> {
        None
    }

    fn add_to(&self, optimizer: ModuleOptimizer, group: ParamGroup) -> ModuleOptimizer {
        optimizer.with_group(group, self.clone(), None)
    }

    fn step_vector(&self, lr: f64, x: &mut [f64], g: &[f64], state: &mut VectorState) {
        let ctx = state.next(&self.inner.0, lr, x.len());
        let tensor = |numbers: &[f64]| {
            let data = TensorData::new(numbers.to_vec(), [numbers.len()]);
            Tensor::<1>::from_data(data, (&Device::default(), DType::F64))
        };
        let numbers = |tensor: Tensor<1>| tensor.into_data().iter::<f64>().collect::<Vec<f64>>();
        let tensors = std::array::from_fn(|n| {
            let values = state.values.get(n).filter(|values| !values.is_empty());
            values.map(|values| tensor(values))
        });
        let (update, tensors) = self.update(ctx, &tensor(x), tensor(g), tensors);
        x.iter_mut().zip(numbers(update)).for_each(|(x, update)| *x -= update);
        for (values, tensor) in state.values.iter_mut().zip(tensors) {
            *values = tensor.map(numbers).unwrap_or_default();
        }
    }

    fn evaluation_vector(&self, x: &[f64], state: &VectorState) -> Vec<f64> {
        self.inner.evaluation_vector(x, state)
    }
}
