//! How burn runs a rule: the adapter to its `Optimizer` trait, and the state it saves.

use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::store::RecordError;
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

use super::buffer::{Buffer, Number, on_cpu};
use super::pass::{Strip, pass};
use super::rule::{At, Rule, Signal};
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
    /// nothing where the rule's settings need none
    slots: [Option<Tensor<D>>; N],
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
        let (rule, shape, device, dtype) = (&self.0, x.shape(), x.device(), x.dtype());
        let Memory { t, carry, slots, .. } = memory.unwrap_or_else(|| {
            let (uses, mut start) = (rule.uses(), rule.start(lr).into_iter());
            let slots = uses.map(|used| start.next().filter(|_| used).map(|value| Tensor::full(shape.clone(), value, (&device, dtype))));
            Memory { t: 0, carry: 1.0, slots, rule: PhantomData }
        });
        let mut at = At { t: t + 1, lr, carry };
        at.carry = rule.carry(at);
        let (x, slots) = match dtype {
            DType::F32 if on_cpu(&device) => on_buffers::<f32, R, D, N>(rule, at, x, g, slots),
            DType::F64 if on_cpu(&device) => on_buffers::<f64, R, D, N>(rule, at, x, g, slots),
            _ => {
                let flat = |tensor: Tensor<D>| reshaped(tensor, [shape.num_elements()]);
                let (x, slots) = tensor_operations(rule, at, flat(x), flat(g), slots.map(|slot| slot.map(flat)));
                (reshaped(x, shape.clone()), slots.map(|slot| slot.map(|slot| reshaped(slot, shape.clone()))))
            }
        };
        (x, Some(Memory { t: at.t, carry: at.carry, slots, rule: PhantomData }))
    }

    fn to_device<const D: usize>(memory: Memory<R, D, N>, device: &Device) -> Memory<R, D, N> {
        Memory { slots: memory.slots.map(|slot| slot.map(|slot| slot.to_device(device))), ..memory }
    }
}

/// The same numbers in another shape. burn's `reshape` takes a size of 0 for "as it was", and refuses tensors without numbers.
pub(crate) fn reshaped<const D: usize, const E: usize>(x: Tensor<D>, shape: impl Into<Shape>) -> Tensor<E> {
    let shape = shape.into();
    if shape.num_elements() == 0 { Tensor::zeros(shape, (&x.device(), x.dtype())) } else { x.reshape(shape) }
}

/// A step as tensor operations, on flattened tensors.
pub(super) fn tensor_operations<R: Rule<N>, const N: usize>(
    rule: &R,
    at: At,
    x: Tensor<1>,
    g: Tensor<1>,
    slots: [Option<Tensor<1>>; N],
) -> (Tensor<1>, [Option<Tensor<1>>; N]) {
    let used = slots.each_ref().map(Option::is_some);
    let nothing = || Tensor::zeros([1], (&x.device(), x.dtype()));
    let (down, slots) = rule.step(at, &x, g, slots.map(|slot| slot.unwrap_or_else(nothing)));
    let mut used = used.into_iter();
    (x - down, slots.map(|slot| Some(slot).filter(|_| used.next() == Some(true))))
}

/// A step as one pass over the buffers; what is generic in the rank is only the way in and out.
fn on_buffers<T, R, const D: usize, const N: usize>(
    rule: &R,
    at: At,
    x: Tensor<D>,
    g: Tensor<D>,
    slots: [Option<Tensor<D>>; N],
) -> (Tensor<D>, [Option<Tensor<D>>; N])
where
    T: Number + std::ops::Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let (shape, device) = (x.shape(), x.device());
    let slots = slots.map(|slot| slot.map(Buffer::<T>::open));
    let (x, slots) = one_pass(rule, at, &shape, Buffer::<T>::open(x), Buffer::<T>::open(g), slots);
    (x.close(shape.clone(), &device), slots.map(|slot| slot.map(|slot| slot.close(shape.clone(), &device))))
}

fn one_pass<T, R, const N: usize>(
    rule: &R,
    at: At,
    shape: &Shape,
    mut x: Buffer<T>,
    g: Buffer<T>,
    slots: [Option<Buffer<T>>; N],
) -> (Buffer<T>, [Option<Buffer<T>>; N])
where
    T: Number + std::ops::Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let mut slots = slots.map(|slot| slot.map(Buffer::unshared));
    let remembered = slots.iter().flatten().map(|slot| (slot.read().len(), "optimizer's memory"));
    for (length, of) in remembered.chain([(g.read().len(), "gradient")]) {
        assert_eq!(length, x.read().len(), "the {of} must have as many elements as its parameter of shape {shape:?}");
    }
    let memory = slots.each_mut().map(|slot| slot.as_mut().and_then(Buffer::write).unwrap_or_default());
    let x = if let Some(in_place) = x.write() {
        pass(rule, at, Strip { from: None, x: in_place, g: g.read(), memory });
        x
    } else {
        let from = x.read();
        let mut new = vec![T::default(); from.len()];
        pass(rule, at, Strip { from: Some(from), x: &mut new, g: g.read(), memory });
        Buffer::Own(new)
    };
    (x, slots)
}

/// By hand, since burn's derive expands to paths that only its own crates have.
impl<R: Rule<N>, const D: usize, const N: usize> RecordState for Memory<R, D, N> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "t", self.t.into());
        out.push_scalar(prefix, "carry", self.carry.into());
        out.push_scalar(prefix, "uses", uses(self.slots.each_ref().map(Option::is_some)).into());
        for (name, slot) in R::MEMORY.iter().zip(&self.slots) {
            if let Some(slot) = slot {
                out.push_tensor(prefix, name, slot.to_data());
            }
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let t = u64::try_from(from.take_scalar(prefix, "t")?).ok()?;
        let carry = f64::try_from(from.take_scalar(prefix, "carry")?).ok()?;
        let uses_saved = u64::try_from(from.take_scalar(prefix, "uses")?).ok()?;
        let slots: [Option<Tensor<D>>; N] = R::MEMORY.map(|name| {
            let data = from.take_tensor(prefix, name).filter(|data| data.rank() == D)?;
            let dtype = data.dtype();
            Some(Tensor::from_data(data, (device, dtype)))
        });
        // another rule's memory, or a part of it, is not this rule's
        (uses(slots.each_ref().map(Option::is_some)) == uses_saved).then_some(Memory { t, carry, slots, rule: PhantomData })
    }
}

/// Which of the memory is used, as one number.
fn uses<const N: usize>(used: [bool; N]) -> u64 {
    used.iter().rev().fold(0, |bits, used| bits << 1 | u64::from(*used))
}

/// A rule behind a pointer, as far as its memory can be read: for evaluation and diagnostics.
pub trait Insight: Send + Sync {
    /// The names of the memory that the rule uses.
    fn memory(&self) -> Vec<&'static str>;
    /// [`Rule::looks_ahead`]
    fn looks_ahead(&self) -> bool;
    /// [`Rule::hand_out`] for a flattened parameter.
    fn hand_out(&self, at: At, x: Tensor<1>, memory: Vec<Tensor<1>>) -> Tensor<1>;
    /// [`Rule::signal`] of a flattened parameter.
    fn signal(&self, at: At, memory: Vec<Tensor<1>>) -> Option<Signal<Tensor<1>>>;
    /// [`Rule::bound`]
    fn bound(&self, at: At) -> Option<f64>;
    /// The names of all of the rule's memory, used or not.
    fn all_memory(&self) -> &'static [&'static str];
    /// A step on numbers without a tensor around them.
    fn step_plain(&self, lr: f64, x: &mut [f64], g: &[f64], state: &mut PlainState);
    /// [`Rule::hand_out`] for such numbers.
    fn hand_out_plain(&self, x: &[f64], state: &PlainState) -> Vec<f64>;
}

/// What a rule remembers of numbers without a tensor around them.
#[derive(Clone, Debug, Default)]
pub struct PlainState {
    at: Option<At>,
    /// in the order of [`Insight::all_memory`]; empty where the settings need none
    pub memory: Vec<Vec<f64>>,
}

impl<R: Rule<N>, const N: usize> Fused<R, N> {
    /// All of the memory: as read where it is used, one zero where it is not.
    fn all(&self, memory: Vec<Tensor<1>>) -> Option<[Tensor<1>; N]> {
        let (device, dtype) = memory.first().map(|first| (first.device(), first.dtype()))?;
        let mut memory = memory.into_iter();
        Some(self.0.uses().map(|used| memory.next().filter(|_| used).unwrap_or_else(|| Tensor::zeros([1], (&device, dtype)))))
    }
}

impl<R: Rule<N>, const N: usize> Insight for Fused<R, N> {
    fn memory(&self) -> Vec<&'static str> {
        R::MEMORY.into_iter().zip(self.0.uses()).filter_map(|(name, used)| used.then_some(name)).collect()
    }
    fn looks_ahead(&self) -> bool {
        self.0.looks_ahead()
    }
    fn hand_out(&self, at: At, x: Tensor<1>, memory: Vec<Tensor<1>>) -> Tensor<1> {
        match self.all(memory) {
            Some(memory) => self.0.hand_out(at, x, memory),
            None => x,
        }
    }
    fn signal(&self, at: At, memory: Vec<Tensor<1>>) -> Option<Signal<Tensor<1>>> {
        self.0.signal(at, self.all(memory)?)
    }
    fn bound(&self, at: At) -> Option<f64> {
        self.0.bound(at)
    }
    fn all_memory(&self) -> &'static [&'static str] {
        &R::MEMORY
    }
    fn step_plain(&self, lr: f64, x: &mut [f64], g: &[f64], state: &mut PlainState) {
        let rule = &self.0;
        if state.at.is_none() {
            let fresh = rule.start(lr).into_iter().zip(rule.uses());
            state.memory = fresh.map(|(value, used)| vec![value; if used { x.len() } else { 0 }]).collect();
        }
        let mut at = state.at.map_or(At { t: 1, lr, carry: 1.0 }, |before| At { t: before.t + 1, lr, carry: before.carry });
        at.carry = rule.carry(at);
        let mut slots = state.memory.iter_mut();
        let memory = std::array::from_fn(|_| slots.next().map(Vec::as_mut_slice).unwrap_or_default());
        pass(rule, at, Strip { from: None, x, g, memory });
        state.at = Some(at);
    }
    fn hand_out_plain(&self, x: &[f64], state: &PlainState) -> Vec<f64> {
        let Some(at) = state.at.filter(|_| self.0.looks_ahead()) else { return x.to_vec() };
        let memory = |i: usize, n: usize| Lane(state.memory.get(n).and_then(|slot| slot.get(i)).copied().unwrap_or(0.0));
        x.iter().enumerate().map(|(i, x)| self.0.hand_out(at, Lane(*x), std::array::from_fn(|n| memory(i, n))).0).collect()
    }
}

/// What an optimizer remembers of one parameter.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// the number of its last step
    pub t: u64,
    /// [`Rule::carry`] after it
    pub carry: f64,
    /// the memory, flattened, in the order of [`Insight::memory`]
    pub memory: Vec<TensorData>,
}

/// What an optimizer remembers, by parameter. burn keeps the states to itself; its record is the one way to read them.
///
/// # Errors
/// If burn cannot write out the optimizer's state.
pub fn remembered(optimizer: &ModuleOptimizer, rule: &dyn Insight) -> Result<HashMap<ParamId, Remembered>, RecordError> {
    let reader = burn::store::burn_pack::Reader::from_bytes(optimizer.into_bytes()?)?;
    let mut state = StateSource::new(reader.scalars().clone());
    let mut ids = BTreeSet::new();
    ids.extend(reader.scalars().keys().filter_map(|key| key.strip_suffix(".t")?.parse::<u64>().ok()));
    for tensor in reader.into_tensors()? {
        let (name, dtype, shape, _, bytes) = tensor.into_parts()?;
        state.insert_tensor(name, TensorData::from_bytes(bytes, shape, dtype));
    }
    let read = |id: u64| {
        let prefix = id.to_string();
        let t = u64::try_from(state.take_scalar(&prefix, "t")?).ok()?;
        let carry = f64::try_from(state.take_scalar(&prefix, "carry")?).ok()?;
        let memory = rule.memory().iter().map(|name| state.take_tensor(&prefix, name)).collect::<Option<_>>()?;
        Some((ParamId::from(id), Remembered { t, carry, memory }))
    };
    Ok(ids.into_iter().filter_map(read).collect())
}

/// The model to evaluate and to save. For most rules that is the model itself; a look-ahead method ([`Nag`](super::Nag)) trains at
/// another point than the one it hands out.
///
/// `rule` is what `optimizer` was made from. A parameter that was never stepped stays as it is.
///
/// # Errors
/// If burn cannot write out the optimizer's state.
pub fn handed_out<M: Module>(model: M, optimizer: &ModuleOptimizer, rule: &dyn Insight) -> Result<M, RecordError> {
    if !rule.looks_ahead() {
        return Ok(model);
    }
    let remembered = remembered(optimizer, rule)?;
    Ok(model.map(&mut HandOutMapper { rule, remembered }))
}

struct HandOutMapper<'a> {
    rule: &'a dyn Insight,
    remembered: HashMap<ParamId, Remembered>,
}

impl ModuleMapper for HandOutMapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(Remembered { t, carry, memory }) = self.remembered.remove(&param.id) else { return param };
        param.map(|x| {
            let (shape, device, dtype, trained) = (x.shape(), x.device().inner(), x.dtype(), x.is_require_grad());
            let n = shape.num_elements();
            let memory = memory.into_iter().map(|data| reshaped(Tensor::<D>::from_data(data, (&device, dtype)), [n])).collect();
            let at = At { t, lr: carry, carry };
            let x = reshaped(self.rule.hand_out(at, reshaped(x.inner(), [n]), memory), shape);
            Tensor::from_inner(x).set_require_grad(trained)
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::decay::{DecayBy, Decayed};
    use super::super::{
        Adabelief, Adadelta, Adagrad, Adam, Adamax, Adamw, Amsgrad, DeltaBarDelta, EpsPlace, Lion, Momentum, Nadam, Nag, Radam, Rmsprop,
        Rprop, Sgd,
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
            let y = x.clone();
            let mut memory = None;
            let n: usize = shape.iter().product();
            let mut start = rule.start(0.1).into_iter();
            let mut slots = rule.uses().map(|used| start.next().filter(|_| used).map(|value| Tensor::full([n], value, (&device, dtype))));
            let mut y = y.reshape([n]);
            let mut carry = 1.0;
            for t in 1..=20 {
                let g = random(shape, &mut generator, dtype, &device);
                let lr = 0.1 / t as f64;
                (x, memory) = Fused(rule.clone()).step(lr, x, g.clone(), memory);
                carry = rule.carry(At { t, lr, carry });
                (y, slots) = tensor_operations(&rule, At { t, lr, carry }, y, g.reshape([n]), slots);
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
        all_shapes(Momentum::burn().with_mu_from(Some(0.5)).with_mu_steps(10));
        all_shapes(Nag::torch());
        all_shapes(Rmsprop::torch().with_mu(0.9).with_centered(true));
        for amsgrad in [Amsgrad::new(), Amsgrad::torch(), Amsgrad::keras(), Amsgrad::optax()] {
            all_shapes(amsgrad);
        }
        all_shapes(Adamw::new());
        all_shapes(Radam::new().with_beta2(0.9)); // the denominator is used after a few steps
        all_shapes(Adamax::new());
        all_shapes(Adabelief::new());
        all_shapes(Rprop::new());
        all_shapes(Lion::optax());
        all_shapes(DeltaBarDelta::new());
        all_shapes(Decayed { rule: Adam::new(), l2: 0.1, lambda: 0.2, by: DecayBy::Schedule, alpha: 0.1 });
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
            let (before, slots) = (address(&x), memory.as_ref().map(|m| m.slots.each_ref().map(|slot| slot.as_ref().map(address))));
            let (moved, memory_moved) = adam.step(0.1, x, g.clone(), memory);
            assert_eq!(address(&moved), before, "{device:?}: the parameter went to another buffer");
            assert_eq!(
                memory_moved.map(|m| m.slots.each_ref().map(|slot| slot.as_ref().map(address))),
                slots,
                "{device:?}: the memory went to another buffer"
            );

            let (x, memory) = adam.step(0.1, copy(), g.clone(), None);
            let (kept, kept_memory) = (x.clone(), memory.clone());
            let (values, remembered) =
                (numbers(&kept), kept_memory.as_ref().map(|m| m.slots.each_ref().map(|slot| slot.as_ref().map(numbers))));
            let (shared, _) = adam.step(0.1, x, g.clone(), memory);
            assert_eq!(numbers(&shared), numbers(&moved), "{device:?}: a shared parameter moves otherwise");
            assert_eq!(numbers(&kept), values, "{device:?}: the other owner's parameter changed");
            assert_eq!(
                kept_memory.map(|m| m.slots.each_ref().map(|slot| slot.as_ref().map(numbers))),
                remembered,
                "{device:?}: the other owner's memory changed"
            );
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
