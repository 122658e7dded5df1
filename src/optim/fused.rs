//! The adapter that runs a rule as burn's `Optimizer`.

use std::ops::Sub;

use burn::optim::{ModuleOptimizer, Optimizer};
use burn::tensor::{DType, Device, Shape, Tensor};

use super::fused_state::{FusedState, next_context};
use super::pass::{PassBuffers, pass};
use super::reshape::reshaped;
use super::rule::{Rule, StepContext};
use super::value::{Lane, Value};
use crate::burn_internals::{Buffer, Number, on_cpu};

/// A rule as burn's `Optimizer`.
///
/// On flex and ndarray, in f32 and f64, a step is one pass over the buffers, in place where no
/// other tensor shares them. Everywhere else it is a sequence of tensor operations.
#[derive(Clone)]
pub struct Fused<R, const N: usize>(pub(super) R);

/// Makes a burn optimizer of a [`Rule`]. Every rule has it. The optimizers of this crate have the
/// same two functions without this trait.
pub trait IntoOptimizer<const N: usize>: Rule<N> {
    /// burn's optimizer of one tensor at a time, for one parameter group:
    /// `ModuleOptimizer::with_group(group, rule.build(), None)`.
    fn build(self) -> Fused<Self, N> {
        Fused(self)
    }

    /// burn's optimizer of a whole module.
    fn init(self) -> ModuleOptimizer {
        self.build().into()
    }
}

impl<R: Rule<N>, const N: usize> IntoOptimizer<N> for R {}

impl<R: Rule<N>, const N: usize> Optimizer for Fused<R, N> {
    type State<const D: usize> = FusedState<R, D, N>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: Option<FusedState<R, D, N>>,
    ) -> (Tensor<D>, Option<FusedState<R, D, N>>) {
        let rule = &self.0;
        let FusedState { t, tensor_scalars, tensors, .. } =
            state.unwrap_or_else(|| FusedState::initial(rule, lr, &x));
        let ctx = next_context(rule, t, tensor_scalars, lr);
        let (x, tensors) = step_tensors(rule, ctx, x, g, tensors);
        (x, Some(FusedState::new(ctx.t, ctx.tensor_scalars, tensors)))
    }

    fn to_device<const D: usize>(
        state: FusedState<R, D, N>,
        device: &Device,
    ) -> FusedState<R, D, N> {
        let tensors = state.tensors.map(|tensor| tensor.map(|tensor| tensor.to_device(device)));
        FusedState::new(state.t, state.tensor_scalars, tensors)
    }
}

/// The step of a parameter: one pass over the buffers where that is possible.
pub(super) fn step_tensors<R: Rule<N>, const D: usize, const N: usize>(
    rule: &R,
    ctx: StepContext,
    x: Tensor<D>,
    g: Tensor<D>,
    state: [Option<Tensor<D>>; N],
) -> (Tensor<D>, [Option<Tensor<D>>; N]) {
    let cpu = on_cpu(&x.device());
    match x.dtype() {
        DType::F32 if cpu => step_on_buffers::<f32, R, D, N>(rule, ctx, x, g, state),
        DType::F64 if cpu => step_on_buffers::<f64, R, D, N>(rule, ctx, x, g, state),
        _ => flattened_step(x, g, state, |x, g, state| {
            update_of_flat_tensors(rule, ctx, x, g, state)
        }),
    }
}

/// The state of a flattened parameter.
pub(super) type FlatState<const N: usize> = [Option<Tensor<1>>; N];

/// A step as tensor operations, for a tensor of any rank. `update` gets the flattened parameter,
/// gradient and state, and returns what is subtracted, and the new state.
pub(super) fn flattened_step<const D: usize, const N: usize>(
    x: Tensor<D>,
    g: Tensor<D>,
    state: [Option<Tensor<D>>; N],
    update: impl FnOnce(&Tensor<1>, Tensor<1>, FlatState<N>) -> (Tensor<1>, FlatState<N>),
) -> (Tensor<D>, [Option<Tensor<D>>; N]) {
    let shape = x.shape();
    let flat = |tensor: Tensor<D>| reshaped(tensor, [shape.num_elements()]);
    let (x, state) = (flat(x), state.map(|tensor| tensor.map(flat)));
    let (update, state) = update(&x, flat(g), state);
    let state = state.map(|tensor| tensor.map(|tensor| reshaped(tensor, shape.clone())));
    (reshaped(x - update, shape.clone()), state)
}

/// What a step subtracts from a flattened parameter, and the new state, by tensor operations.
pub(super) fn update_of_flat_tensors<R: Rule<N>, const N: usize>(
    rule: &R,
    ctx: StepContext,
    x: &Tensor<1>,
    g: Tensor<1>,
    state: FlatState<N>,
) -> (Tensor<1>, FlatState<N>) {
    let mut used = state.each_ref().map(Option::is_some).into_iter();
    let zero = || Tensor::zeros([1], (&x.device(), x.dtype()));
    let state = state.map(|tensor| tensor.unwrap_or_else(zero));
    let (update, state) = rule.step(ctx, x, g, state);
    (update, state.map(|tensor| Some(tensor).filter(|_| used.next() == Some(true))))
}

/// A step as one pass over the buffers. Only the conversion of tensors is generic in the rank.
fn step_on_buffers<T, R, const D: usize, const N: usize>(
    rule: &R,
    ctx: StepContext,
    x: Tensor<D>,
    g: Tensor<D>,
    state: [Option<Tensor<D>>; N],
) -> (Tensor<D>, [Option<Tensor<D>>; N])
where
    T: Number + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let (shape, device) = (x.shape(), x.device());
    let state = state.map(|tensor| tensor.map(Buffer::<T>::from_tensor));
    let (x, g) = (Buffer::<T>::from_tensor(x), Buffer::<T>::from_tensor(g));
    let (x, state) = one_pass(rule, ctx, &shape, x, g, state);
    let state = state.map(|buffer| buffer.map(|buffer| buffer.into_tensor(shape.clone(), &device)));
    (x.into_tensor(shape.clone(), &device), state)
}

fn one_pass<T, R, const N: usize>(
    rule: &R,
    ctx: StepContext,
    shape: &Shape,
    mut x: Buffer<T>,
    g: Buffer<T>,
    state: [Option<Buffer<T>>; N],
) -> (Buffer<T>, [Option<Buffer<T>>; N])
where
    T: Number + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let mut buffers = state.map(|buffer| buffer.map(Buffer::into_unshared));
    let n = x.as_slice().len();
    check_len("gradient", g.as_slice().len(), n, shape);
    for buffer in buffers.iter().flatten() {
        check_len("optimizer state", buffer.as_slice().len(), n, shape);
    }
    let state = buffers
        .each_mut()
        .map(|buffer| buffer.as_mut().and_then(Buffer::as_mut_slice).unwrap_or_default());
    let g = g.as_slice();
    let x = if let Some(in_place) = x.as_mut_slice() {
        pass(rule, ctx, PassBuffers { source: None, x: in_place, g, state });
        x
    } else {
        let mut new = vec![T::default(); n];
        pass(rule, ctx, PassBuffers { source: Some(x.as_slice()), x: &mut new, g, state });
        Buffer::Owned(new)
    };
    (x, buffers)
}

fn check_len(what: &str, found: usize, expected: usize, shape: &Shape) {
    assert_eq!(
        found, expected,
        "the {what} must have as many elements as its parameter of shape {shape:?}"
    );
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use burn::tensor::TensorData;

    use super::super::decay::{DecayBy, Decayed};
    use super::super::{
        AdEmaMix, AdaBelief, AdaDelta, AdaGrad, AdaMax, Adam, AdamW, AmsGrad, DeltaBarDelta,
        EpsPlace, LaProp, Lion, Momentum, NAdam, NAdamW, Nag, RAdam, RmsProp, Rprop,
        ScheduleFreeAdamW, ScheduleFreeSgd, Sgd, Signum,
    };
    use super::*;

    fn devices() -> Vec<Device> {
        vec![
            #[cfg(feature = "flex")]
            Device::flex(),
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)]
            Device::ndarray(),
        ]
    }

    fn random<const D: usize>(
        shape: [usize; D],
        generator: &mut ChaCha8Rng,
        dtype: DType,
        device: &Device,
    ) -> Tensor<D> {
        let n: usize = shape.iter().product();
        let numbers: Vec<f64> = (0..n)
            .map(|_| generator.random_range(-1.0..1.0) * 10f64.powi(generator.random_range(-6..1)))
            .collect();
        Tensor::from_data(TensorData::new(numbers, shape), (device, dtype))
    }

    fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    /// Compares the pass with the tensor operations on the same gradients.
    fn compare<R: Rule<N>, const N: usize, const D: usize>(
        rule: R,
        shape: [usize; D],
        dtype: DType,
        tolerance: f64,
    ) {
        for device in devices() {
            let mut generator = ChaCha8Rng::seed_from_u64(7);
            let mut x = random(shape, &mut generator, dtype, &device);
            let y = x.clone();
            let mut state = None;
            let n: usize = shape.iter().product();
            let mut y = y.reshape([n]);
            let mut tensors = FusedState::initial(&rule, 0.1, &y).tensors;
            let mut tensor_scalars = [1.0; 2];
            for t in 1..=20 {
                let g = random(shape, &mut generator, dtype, &device);
                let lr = 0.1 / t as f64;
                (x, state) = Fused(rule.clone()).step(lr, x, g.clone(), state);
                tensor_scalars = rule.tensor_scalars(StepContext { t, lr, tensor_scalars });
                let ctx = StepContext { t, lr, tensor_scalars };
                (y, tensors) = flattened_step(y, g.reshape([n]), tensors, |x, g, state| {
                    update_of_flat_tensors(&rule, ctx, x, g, state)
                });
                let (ours, theirs) = (numbers(&x), numbers(&y));
                for (a, b) in ours.iter().zip(&theirs) {
                    assert!(
                        (a - b).abs() <= tolerance * b.abs().max(0.1),
                        "{device:?} {shape:?} {dtype:?} step {t}: {a} and {b}"
                    );
                }
            }
        }
    }

    fn compare_all_shapes<R: Rule<N>, const N: usize>(rule: R) {
        for (dtype, tolerance) in [(DType::F32, 2e-5), (DType::F64, 1e-13)] {
            compare(rule.clone(), [1], dtype, tolerance);
            compare(rule.clone(), [0], dtype, tolerance);
            compare(rule.clone(), [131], dtype, tolerance);
            compare(rule.clone(), [3, 45], dtype, tolerance);
            compare(rule.clone(), [2, 3, 5, 7], dtype, tolerance);
        }
        compare(rule, [300_007], DType::F32, 2e-5); // several threads, and an incomplete block
    }

    #[test]
    fn the_pass_and_the_tensor_operations_give_the_same_steps() {
        compare_all_shapes(Sgd::new());
        compare_all_shapes(Momentum::new());
        compare_all_shapes(Nag::new());
        for place in [EpsPlace::Inside, EpsPlace::Outside, EpsPlace::Hat] {
            compare_all_shapes(AdaGrad::new().with_eps_place(place));
            compare_all_shapes(RmsProp::new().with_eps_place(place));
            compare_all_shapes(Adam::new().with_eps_place(place));
            compare_all_shapes(NAdam::new().with_eps_place(place).with_psi(Some(0.004)));
        }
        compare_all_shapes(AdaDelta::new().with_gamma(Some(0.9)));
        compare_all_shapes(Momentum::burn().with_mu_from(Some(0.5)).with_mu_steps(10));
        compare_all_shapes(Nag::torch());
        compare_all_shapes(RmsProp::torch().with_mu(0.9).with_centered(true));
        for amsgrad in [AmsGrad::new(), AmsGrad::paper(), AmsGrad::keras(), AmsGrad::optax()] {
            compare_all_shapes(amsgrad);
        }
        compare_all_shapes(AdamW::new());
        compare_all_shapes(AdamW::paper().with_alpha(Some(0.01)));
        // the denominator is used after a few steps
        compare_all_shapes(RAdam::new().with_beta2(0.9));
        compare_all_shapes(AdaMax::new());
        compare_all_shapes(AdaBelief::new());
        compare_all_shapes(Rprop::new());
        compare_all_shapes(Lion::optax());
        compare_all_shapes(DeltaBarDelta::new());
        compare_all_shapes(AdEmaMix::new().with_alpha_steps(Some(9)).with_beta3_steps(Some(5)));
        compare_all_shapes(NAdamW::torch().with_lambda(0.1));
        compare_all_shapes(Signum::new().with_lambda(0.1));
        // an eps of 1e-15 is 0 in f32, where tiny gradients have a square of 0
        for laprop in [LaProp::new(), LaProp::authors()] {
            compare_all_shapes(laprop.with_eps(1e-8));
        }
        for schedule_free in [ScheduleFreeAdamW::new(), ScheduleFreeAdamW::paper()] {
            compare_all_shapes(schedule_free.with_lambda(0.1).with_r(1.0));
        }
        compare_all_shapes(ScheduleFreeSgd::new());
        for cautious in [false, true] {
            compare_all_shapes(Decayed {
                rule: Adam::new(),
                l2: 0.1,
                lambda: 0.2,
                by: DecayBy::Schedule,
                cautious,
                alpha: 0.1,
                lr_scale: 0.5,
            });
        }
    }

    fn address<const D: usize>(tensor: &Tensor<D>) -> usize {
        Buffer::<f32>::from_tensor(tensor.clone()).as_slice().as_ptr() as usize
    }

    /// Applies `f` to each tensor of a state.
    fn each<R: Rule<N>, T, const D: usize, const N: usize>(
        state: &Option<FusedState<R, D, N>>,
        f: impl Fn(&Tensor<D>) -> T,
    ) -> Vec<Option<T>> {
        state.iter().flat_map(|state| &state.tensors).map(|t| t.as_ref().map(&f)).collect()
    }

    #[test]
    fn the_pass_writes_in_place_into_unshared_buffers_only() {
        for device in devices() {
            let mut generator = ChaCha8Rng::seed_from_u64(1);
            let start = random([1000], &mut generator, DType::F32, &device);
            let g = random([1000], &mut generator, DType::F32, &device);
            // the addition gives the copy a buffer of its own
            let copy = || Tensor::<1>::from_data(start.to_data(), (&device, DType::F32)) + 0.0;
            let adam = Fused(Adam::new());

            // on ndarray, data just loaded is borrowed; one step gives it a buffer of its own
            let (x, state) = adam.step(0.1, copy(), g.clone(), None);
            let (x_before, state_before) = (address(&x), each(&state, address));
            let (moved, state) = adam.step(0.1, x, g.clone(), state);
            assert_eq!(address(&moved), x_before, "{device:?}: the parameter was copied");
            assert_eq!(each(&state, address), state_before, "{device:?}: the state was copied");

            let (x, state) = adam.step(0.1, copy(), g.clone(), None);
            let (kept, kept_state) = (x.clone(), state.clone());
            let (values, state_values) = (numbers(&kept), each(&kept_state, numbers));
            let (shared, _) = adam.step(0.1, x, g.clone(), state);
            assert_eq!(
                numbers(&shared),
                numbers(&moved),
                "{device:?}: a shared parameter takes another step"
            );
            assert_eq!(numbers(&kept), values, "{device:?}: the kept parameter changed");
            let now = each(&kept_state, numbers);
            assert_eq!(now, state_values, "{device:?}: the kept state changed");
        }
    }

    #[test]
    fn parameters_and_gradients_that_are_not_contiguous_take_the_same_step() {
        for device in devices() {
            let mut generator = ChaCha8Rng::seed_from_u64(2);
            let x = random([4, 6], &mut generator, DType::F32, &device);
            let g = random([4, 6], &mut generator, DType::F32, &device);
            let wide = Tensor::cat(vec![g.clone(), g.clone()], 1);
            let adam = Fused(Adam::new());
            let (contiguous, _) = adam.step(0.1, x.clone(), g.clone(), None);
            let twice_transposed = |t: Tensor<2>| {
                Tensor::from_data(t.transpose().to_data(), (&device, DType::F32)).transpose()
            };
            let (strided, _) = adam.step(0.1, twice_transposed(x), wide.narrow(1, 6, 6), None);
            assert_eq!(numbers(&contiguous), numbers(&strided));
        }
    }

    #[test]
    fn a_learning_rate_of_zero_changes_no_parameter_and_counts_the_step() {
        for device in devices() {
            let x = Tensor::<1>::from_data([2.0f32], &device);
            let (x, state) = Fused(Adam::new()).step(0.0, x.clone(), x.clone(), None);
            assert_eq!(numbers(&x), [2.0]);
            assert_eq!(state.map(|state| state.t), Some(1));
        }
    }
}
