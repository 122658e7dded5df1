//! The state that the adapter keeps for one parameter, and its form in burn's records.

use std::marker::PhantomData;

use burn::optim::{RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::rule::{Rule, StepContext};

/// The name of the step number in records.
pub(super) const STEP: &str = "t";

/// The names of the per-tensor scalars in records. Saved states of earlier versions have the first.
pub(super) const TENSOR_SCALARS: [&str; 2] = ["carry", "carry2"];

/// The name of the bits that say which parts of the state are used.
const USED: &str = "uses";

/// The optimizer state of one parameter.
#[derive(Clone)]
pub struct FusedState<R, const D: usize, const N: usize> {
    /// the number of the last step
    pub(super) t: u64,
    /// [`Rule::tensor_scalars`] after that step
    pub(super) tensor_scalars: [f64; 2],
    /// `None` where the settings do not need that part of the state
    pub(super) tensors: [Option<Tensor<D>>; N],
    rule: PhantomData<R>,
}

impl<R: Rule<N>, const D: usize, const N: usize> FusedState<R, D, N> {
    pub(super) fn new(t: u64, tensor_scalars: [f64; 2], tensors: [Option<Tensor<D>>; N]) -> Self {
        FusedState { t, tensor_scalars, tensors, rule: PhantomData }
    }

    /// The state before the first step on the parameter `x`.
    pub(super) fn initial(rule: &R, lr: f64, x: &Tensor<D>) -> Self {
        let (used, values) = (rule.uses_state(), rule.initial_state(lr));
        let tensor = |n: usize| {
            used[n].then(|| Tensor::full(x.shape(), values[n], (&x.device(), x.dtype())))
        };
        FusedState::new(0, [1.0; 2], std::array::from_fn(tensor))
    }
}

/// The context of the step after step `t`, which left this per-tensor scalar.
pub(super) fn next_context<R: Rule<N>, const N: usize>(
    rule: &R,
    t: u64,
    tensor_scalars: [f64; 2],
    lr: f64,
) -> StepContext {
    let ctx = StepContext { t: t + 1, lr, tensor_scalars };
    StepContext { tensor_scalars: rule.tensor_scalars(ctx), ..ctx }
}

/// By hand, because burn's derive expands to paths that only burn's own crates have.
impl<R: Rule<N>, const D: usize, const N: usize> RecordState for FusedState<R, D, N> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, STEP, self.t.into());
        for (name, scalar) in TENSOR_SCALARS.into_iter().zip(self.tensor_scalars) {
            out.push_scalar(prefix, name, scalar.into());
        }
        out.push_scalar(prefix, USED, bits(self.tensors.each_ref().map(Option::is_some)).into());
        for (name, tensor) in R::STATE.iter().zip(&self.tensors) {
            if let Some(tensor) = tensor {
                out.push_tensor(prefix, name, tensor.to_data());
            }
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        if from.take_scalar(prefix, STEP).is_none() {
            return from_burn(prefix, from, device);
        }
        let t = u64::try_from(from.take_scalar(prefix, STEP)?).ok()?;
        let tensor_scalars = take_scalars(prefix, from)?;
        let saved = u64::try_from(from.take_scalar(prefix, USED)?).ok()?;
        let tensors: [Option<Tensor<D>>; N] = R::STATE.map(|name| {
            let data = from.take_tensor(prefix, name).filter(|data| data.rank() == D)?;
            let dtype = data.dtype();
            Some(Tensor::from_data(data, (device, dtype)))
        });
        // the state of another rule, or an incomplete one, is refused
        let complete = bits(tensors.each_ref().map(Option::is_some)) == saved;
        complete.then(|| FusedState::new(t, tensor_scalars, tensors))
    }
}

/// The per-tensor scalars in a record. Saved states of earlier versions have no second one.
pub(super) fn take_scalars(prefix: &str, from: &mut StateSource) -> Option<[f64; 2]> {
    let [first, second] = TENSOR_SCALARS;
    let first = f64::try_from(from.take_scalar(prefix, first)?).ok()?;
    let second = match from.take_scalar(prefix, second) {
        Some(second) => f64::try_from(second).ok()?,
        None => 1.0,
    };
    Some([first, second])
}

/// The state in a record of burn's own optimizer.
fn from_burn<R: Rule<N>, const D: usize, const N: usize>(
    prefix: &str,
    from: &mut StateSource,
    device: &Device,
) -> Option<FusedState<R, D, N>> {
    let names = R::BURN_RECORD?;
    let t = match names.step {
        Some(step) => u64::try_from(from.take_scalar(prefix, step)?).ok()?,
        None => 1,
    };
    let tensors = names.state.map(|name| {
        let data = from.take_tensor(prefix, name).filter(|data| data.rank() == D)?;
        let dtype = data.dtype();
        Some(Tensor::from_data(data, (device, dtype)))
    });
    let complete = tensors.iter().all(Option::is_some);
    complete.then(|| FusedState::new(t, [1.0; 2], tensors))
}

/// The flags as the bits of one number.
fn bits<const N: usize>(flags: [bool; N]) -> u64 {
    flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag))
}
