//! How burn runs a rule: the adapter to its `Optimizer` trait, and the state it saves.

use std::array;
use std::marker::PhantomData;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::store::RecordError;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::buffer::{Buffer, Number, on_cpu};
use super::pass::{Strip, pass};
use super::rule::{At, Rule};
use super::value::{Lane, Value};

/// A rule as burn's `Optimizer`.
///
/// On flex and ndarray, in f32 and f64, one pass over the buffers, in place where no one shares them. Anywhere else, tensor operations.
#[derive(Clone)]
pub struct Fused<R, const N: usize>(pub(super) R);

/// What one parameter remembers between steps.
#[derive(Clone)]
pub struct Memory<R, const D: usize, const N: usize> {
    t: u64,
    carry: f64,
    slots: [Tensor<D>; N],
    rule: PhantomData<R>,
}

impl<R: Rule<N>, const N: usize> Optimizer for Fused<R, N> {
    type State<const D: usize> = Memory<R, D, N>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        memory: Option<Memory<R, D, N>>,
    ) -> (Tensor<D>, Option<Memory<R, D, N>>) {
        let (t, carry, slots) = match memory {
            Some(memory) => (memory.t + 1, memory.carry, memory.slots),
            None => (1, 1.0, self.0.start().map(|value| Tensor::full(x.shape(), value, (&x.device(), x.dtype())))),
        };
        let at = At { t, lr, carry: self.0.carry(t, carry) };
        let (x, slots) = match x.dtype() {
            DType::F32 if on_cpu(&x.device()) => one_pass::<f32, R, D, N>(&self.0, at, x, g, slots),
            DType::F64 if on_cpu(&x.device()) => one_pass::<f64, R, D, N>(&self.0, at, x, g, slots),
            _ => tensor_operations(&self.0, at, x, g, slots),
        };
        (x, Some(Memory { t, carry: at.carry, slots, rule: PhantomData }))
    }

    fn to_device<const D: usize>(memory: Memory<R, D, N>, device: &Device) -> Memory<R, D, N> {
        Memory { slots: memory.slots.map(|slot| slot.to_device(device)), ..memory }
    }
}

pub(super) fn tensor_operations<R: Rule<N>, const D: usize, const N: usize>(
    rule: &R,
    at: At,
    x: Tensor<D>,
    g: Tensor<D>,
    slots: [Tensor<D>; N],
) -> (Tensor<D>, [Tensor<D>; N]) {
    let (down, slots) = rule.step(at, &x, g, slots);
    (x - down, slots)
}

fn one_pass<T, R, const D: usize, const N: usize>(
    rule: &R,
    at: At,
    x: Tensor<D>,
    g: Tensor<D>,
    slots: [Tensor<D>; N],
) -> (Tensor<D>, [Tensor<D>; N])
where
    T: Number + std::ops::Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let (shape, device) = (x.shape(), x.device());
    let mut x = Buffer::<T>::open(x);
    let g = Buffer::<T>::open(g);
    let mut slots = slots.map(|slot| Buffer::<T>::open(slot).unshared());

    let memory = slots.each_mut().map(|slot| slot.write().unwrap_or_default());
    for (length, of) in [(g.read().len(), "gradient")].into_iter().chain(memory.iter().map(|m| (m.len(), "optimizer's memory"))) {
        assert_eq!(length, x.read().len(), "the {of} must have as many elements as its parameter of shape {shape:?}");
    }
    let x = if let Some(in_place) = x.write() {
        pass(rule, at, Strip { from: None, x: in_place, g: g.read(), memory });
        x
    } else {
        let from = x.read();
        let mut new = vec![T::default(); from.len()];
        pass(rule, at, Strip { from: Some(from), x: &mut new, g: g.read(), memory });
        Buffer::Own(new)
    };
    (x.close(shape.clone(), &device), slots.map(|slot| slot.close(shape.clone(), &device)))
}

/// By hand, since burn's derive expands to paths that only its own crates have.
impl<R: Rule<N>, const D: usize, const N: usize> RecordState for Memory<R, D, N> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "t", self.t.into());
        out.push_scalar(prefix, "carry", self.carry.into());
        for (name, slot) in R::MEMORY.iter().zip(&self.slots) {
            out.push_tensor(prefix, name, slot.to_data());
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let t = u64::try_from(from.take_scalar(prefix, "t")?).ok()?;
        let carry = f64::try_from(from.take_scalar(prefix, "carry")?).ok()?;
        let slots: Vec<Tensor<D>> = R::MEMORY
            .iter()
            .map(|name| {
                let data = from.take_tensor(prefix, name).filter(|data| data.rank() == D)?;
                let dtype = data.dtype();
                Some(Tensor::from_data(data, (device, dtype)))
            })
            .collect::<Option<_>>()?;
        Some(Memory { t, carry, slots: slots.try_into().ok()?, rule: PhantomData })
    }
}

/// A rule behind a pointer, as far as the training loop needs it.
pub trait HandOut: Send + Sync {
    /// The names of the memory.
    fn memory(&self) -> &'static [&'static str];
    /// [`Rule::looks_ahead`]
    fn looks_ahead(&self) -> bool;
    /// [`Rule::hand_out`] for a flattened parameter.
    fn hand_out(&self, x: Tensor<1>, memory: Vec<Tensor<1>>) -> Tensor<1>;
}

impl<R: Rule<N>, const N: usize> HandOut for Fused<R, N> {
    fn memory(&self) -> &'static [&'static str] {
        &R::MEMORY
    }
    fn looks_ahead(&self) -> bool {
        self.0.looks_ahead()
    }
    fn hand_out(&self, x: Tensor<1>, memory: Vec<Tensor<1>>) -> Tensor<1> {
        let mut memory = memory.into_iter();
        self.0.hand_out(x, array::from_fn(|_| memory.next().expect("one tensor for each name in MEMORY")))
    }
}

/// The model to evaluate and to save. For most rules that is the model itself; a look-ahead method ([`Nag`](super::Nag)) trains at
/// another point than the one it hands out.
///
/// `rule` is what `optimizer` was made from. A parameter that was never stepped stays as it is.
///
/// # Errors
/// If burn cannot write out the optimizer's state.
pub fn handed_out<M: Module>(model: M, optimizer: &ModuleOptimizer, rule: &dyn HandOut) -> Result<M, RecordError> {
    if !rule.looks_ahead() {
        return Ok(model);
    }
    // burn keeps the states to itself; its record is the one way to read them
    let mut state = StateSource::new(Default::default());
    for tensor in burn::store::burn_pack::Reader::from_bytes(optimizer.into_bytes()?)?.into_tensors()? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts()?;
        state.insert_tensor(name, TensorData::from_bytes(bytes, shape, dtype));
    }
    Ok(model.map(&mut HandOutMapper { rule, state }))
}

struct HandOutMapper<'a> {
    rule: &'a dyn HandOut,
    state: StateSource,
}

impl ModuleMapper for HandOutMapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let prefix = param.id.val().to_string();
        let memory: Option<Vec<_>> = self.rule.memory().iter().map(|name| self.state.take_tensor(&prefix, name)).collect();
        let Some(memory) = memory else { return param };
        param.map(|x| {
            let (shape, device, dtype, trained) = (x.shape(), x.device().inner(), x.dtype(), x.is_require_grad());
            let memory = memory.into_iter().map(|data| Tensor::<D>::from_data(data, (&device, dtype)).reshape([-1])).collect();
            let x = self.rule.hand_out(x.inner().reshape([-1]), memory).reshape(shape);
            Tensor::from_inner(x).set_require_grad(trained)
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::{Adadelta, Adagrad, Adam, EpsPlace, Momentum, Nadam, Nag, Rmsprop, Sgd};
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

    fn random<const D: usize>(shape: [usize; D], generator: &mut ChaCha8Rng, dtype: DType, device: &Device) -> Tensor<D> {
        let n: usize = shape.iter().product();
        let numbers: Vec<f64> = (0..n).map(|_| generator.random_range(-1.0..1.0) * 10f64.powi(generator.random_range(-6..1))).collect();
        Tensor::from_data(TensorData::new(numbers, shape), (device, dtype))
    }

    fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    /// Steps a rule through the pass and through tensor operations on the same gradients, and compares.
    fn both_ways<R: Rule<N>, const N: usize, const D: usize>(rule: R, shape: [usize; D], dtype: DType, tolerance: f64) {
        for device in devices() {
            let mut generator = ChaCha8Rng::seed_from_u64(7);
            let mut x = random(shape, &mut generator, dtype, &device);
            let mut y = x.clone();
            let mut memory = None;
            let mut slots = rule.start().map(|value| Tensor::full(shape, value, (&device, dtype)));
            let mut carry = 1.0;
            for t in 1..=20 {
                let g = random(shape, &mut generator, dtype, &device);
                let lr = 0.1 / t as f64;
                (x, memory) = Fused(rule.clone()).step(lr, x, g.clone(), memory);
                carry = rule.carry(t, carry);
                (y, slots) = tensor_operations(&rule, At { t, lr, carry }, y, g, slots);
                let (ours, theirs) = (numbers(&x), numbers(&y));
                for (a, b) in ours.iter().zip(&theirs) {
                    assert!((a - b).abs() <= tolerance * b.abs().max(0.1), "{device:?} {shape:?} {dtype:?} step {t}: {a} and {b}");
                }
            }
        }
    }

    fn all_shapes<R: Rule<N>, const N: usize>(rule: R) {
        for (dtype, tolerance) in [(DType::F32, 2e-5), (DType::F64, 1e-13)] {
            both_ways(rule.clone(), [1], dtype, tolerance);
            both_ways(rule.clone(), [0], dtype, tolerance);
            both_ways(rule.clone(), [131], dtype, tolerance);
            both_ways(rule.clone(), [3, 45], dtype, tolerance);
            both_ways(rule.clone(), [2, 3, 5, 7], dtype, tolerance);
        }
        both_ways(rule, [300_007], DType::F32, 2e-5); // several threads, and a rest
    }

    #[test]
    fn the_pass_and_the_tensor_operations_are_one_formula() {
        all_shapes(Sgd::new());
        all_shapes(Momentum::new());
        all_shapes(Nag::new());
        for place in [EpsPlace::Inside, EpsPlace::Outside, EpsPlace::Hat] {
            all_shapes(Adagrad::new().with_eps_place(place));
            all_shapes(Rmsprop::new().with_eps_place(place));
            all_shapes(Adam::new().with_eps_place(place));
            all_shapes(Nadam::new().with_eps_place(place).with_psi(Some(0.004)));
        }
        all_shapes(Adadelta::new().with_gamma(Some(0.9)));
    }

    fn address<const D: usize>(tensor: &Tensor<D>) -> usize {
        Buffer::<f32>::open(tensor.clone()).read().as_ptr() as usize
    }

    #[test]
    fn the_pass_is_in_place_for_a_moved_parameter_and_right_for_a_shared_one() {
        for device in devices() {
            let mut generator = ChaCha8Rng::seed_from_u64(1);
            let start = random([1000], &mut generator, DType::F32, &device);
            let g = random([1000], &mut generator, DType::F32, &device);
            let copy = || Tensor::<1>::from_data(start.to_data(), (&device, DType::F32)) + 0.0; // a buffer of its own
            let adam = Fused(Adam::new());

            // on ndarray, data just loaded is borrowed; one step gives it a buffer of its own
            let (x, memory) = adam.step(0.1, copy(), g.clone(), None);
            let (before, slots) = (address(&x), memory.as_ref().map(|m| m.slots.each_ref().map(address)));
            let (moved, memory_moved) = adam.step(0.1, x, g.clone(), memory);
            assert_eq!(address(&moved), before, "{device:?}: the parameter went to another buffer");
            assert_eq!(memory_moved.map(|m| m.slots.each_ref().map(address)), slots, "{device:?}: the memory went to another buffer");

            let (x, memory) = adam.step(0.1, copy(), g.clone(), None);
            let (kept, kept_memory) = (x.clone(), memory.clone());
            let (values, remembered) = (numbers(&kept), kept_memory.as_ref().map(|m| m.slots.each_ref().map(numbers)));
            let (shared, _) = adam.step(0.1, x, g.clone(), memory);
            assert_eq!(numbers(&shared), numbers(&moved), "{device:?}: a shared parameter moves otherwise");
            assert_eq!(numbers(&kept), values, "{device:?}: the other owner's parameter changed");
            assert_eq!(kept_memory.map(|m| m.slots.each_ref().map(numbers)), remembered, "{device:?}: the other owner's memory changed");
        }
    }

    #[test]
    fn a_parameter_or_gradient_that_does_not_lie_in_one_piece_is_stepped_the_same() {
        for device in devices() {
            let mut generator = ChaCha8Rng::seed_from_u64(2);
            let x = random([4, 6], &mut generator, DType::F32, &device);
            let g = random([4, 6], &mut generator, DType::F32, &device);
            let wide = Tensor::cat(vec![g.clone(), g.clone()], 1);
            let adam = Fused(Adam::new());
            let (plain, _) = adam.step(0.1, x.clone(), g.clone(), None);
            let twice_transposed = |t: Tensor<2>| Tensor::from_data(t.transpose().to_data(), (&device, DType::F32)).transpose();
            let (odd, _) = adam.step(0.1, twice_transposed(x), wide.narrow(1, 6, 6), None);
            assert_eq!(numbers(&plain), numbers(&odd));
        }
    }

    #[test]
    fn a_learning_rate_of_zero_moves_nothing_and_counts() {
        for device in devices() {
            let x = Tensor::<1>::from_data([2.0f32], &device);
            let (moved, memory) = Fused(Adam::new()).step(0.0, x.clone(), x.clone(), None);
            assert_eq!(numbers(&moved), [2.0]);
            assert_eq!(memory.map(|memory| memory.t), Some(1));
        }
    }
}
