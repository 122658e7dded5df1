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
    /// Whether the model handed out differs from the one trained.
    fn looks_ahead(&self) -> bool;
    /// [`Rule::hand_out`] for a flattened parameter.
    fn hand_out(&self, x: Tensor<1>, memory: Vec<Tensor<1>>) -> Tensor<1>;
}

impl<R: Rule<N>, const N: usize> HandOut for Fused<R, N> {
    fn memory(&self) -> &'static [&'static str] {
        &R::MEMORY
    }
    fn looks_ahead(&self) -> bool {
        R::LOOKS_AHEAD
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
