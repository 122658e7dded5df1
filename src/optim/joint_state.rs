//! The state of a rule with an estimate common to all parameters, and its two passes.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::{DType, Device, Tensor};

use super::fused::step_tensors;
use super::joint_rule::{Estimate, JointContext, JointRule};
use super::pass::sum_terms;
use super::rule::{Rule, StepContext};
use super::value::{Lane, Value};
use crate::burn_internals::{Buffer, NamedTensor, Number, Pack, on_cpu};

/// The names of the common numbers in saved states.
const STEP: &str = "t";
const ESTIMATE: [&str; 3] = ["d", "d_max", "numerator"];

/// A [`JointRule`] with its state, behind a pointer. All tensors are flattened parameters.
pub(super) trait AnyJoint: Send + Sync {
    fn clone_box(&self) -> Box<dyn AnyJoint>;

    /// Begins a step.
    fn begin(&mut self, lr: f64);

    /// Adds the terms of a parameter.
    fn add(&mut self, id: ParamId, x: Tensor<1>, g: Tensor<1>);

    /// Makes the estimate from the terms of all parameters.
    fn estimate(&mut self);

    /// Moves a parameter whose terms were added.
    fn step(&mut self, id: ParamId, x: Tensor<1>, g: Tensor<1>) -> Tensor<1>;

    fn current_estimate(&self) -> Estimate;

    fn state_names(&self) -> &'static [&'static str];

    fn pack(&self, number: &dyn Fn(ParamId) -> Option<u64>) -> Pack;

    /// Takes over a packed state; `None` if it is of another rule or incomplete.
    fn unpack(&mut self, pack: Pack, id: &dyn Fn(u64) -> Option<ParamId>) -> Option<()>;
}

#[derive(Clone)]
pub(super) struct JointState<R, const N: usize> {
    rule: R,
    /// the number of the last step
    t: u64,
    /// the estimate of the last step
    estimate: Estimate,
    /// of the step that has begun
    ctx: JointContext,
    /// of the step that has begun
    sums: [f64; 2],
    params: HashMap<ParamId, [Tensor<1>; N]>,
}

impl<R: JointRule<N>, const N: usize> JointState<R, N> {
    pub fn new(rule: R) -> Self {
        let first = rule.first_estimate();
        let ctx = JointContext { t: 0, lr: 0.0, before: first, now: first };
        JointState { rule, t: 0, estimate: first, ctx, sums: [0.0; 2], params: HashMap::new() }
    }

    /// The sums of the terms of one parameter.
    fn terms(&self, x: Tensor<1>, g: Tensor<1>, state: [Tensor<1>; N]) -> [f64; 2] {
        match x.dtype() {
            DType::F32 if on_cpu(&x.device()) => self.terms_of_buffers::<f32>(x, g, state),
            DType::F64 if on_cpu(&x.device()) => self.terms_of_buffers::<f64>(x, g, state),
            _ => {
                let terms = self.rule.terms(self.ctx, &x, g, state);
                terms.map(|term| term.sum().into_scalar::<f64>())
            }
        }
    }

    fn terms_of_buffers<T: Number>(
        &self,
        x: Tensor<1>,
        g: Tensor<1>,
        state: [Tensor<1>; N],
    ) -> [f64; 2]
    where
        Lane<T>: Value,
        f64: From<T>,
    {
        let (x, g) = (Buffer::<T>::from_tensor(x), Buffer::<T>::from_tensor(g));
        let state = state.map(Buffer::<T>::from_tensor);
        let state = state.each_ref().map(Buffer::as_slice);
        let terms = |x, g, state| self.rule.terms(self.ctx, &x, g, state);
        sum_terms(&terms, x.as_slice(), g.as_slice(), state)
    }

    fn initial_state(x: &Tensor<1>) -> [Tensor<1>; N] {
        R::STARTS_AT_X.map(|at_x| if at_x { x.clone() } else { x.zeros_like() })
    }
}

/// The second pass as a [`Rule`]: the estimate is known.
#[derive(Clone)]
struct WithEstimate<R> {
    rule: R,
    ctx: JointContext,
}

impl<R: JointRule<N>, const N: usize> Rule<N> for WithEstimate<R> {
    const STATE: [&'static str; N] = R::STATE;

    #[inline(always)]
    fn step<V: Value>(&self, _ctx: StepContext, x: &V, g: V, state: [V; N]) -> (V, [V; N]) {
        self.rule.step(self.ctx, x, g, state)
    }
}

impl<R: JointRule<N>, const N: usize> AnyJoint for JointState<R, N> {
    fn clone_box(&self) -> Box<dyn AnyJoint> {
        Box::new(self.clone())
    }

    fn begin(&mut self, lr: f64) {
        let before = self.estimate;
        self.ctx = JointContext { t: self.t + 1, lr, before, now: before };
        self.sums = [0.0; 2];
    }

    fn add(&mut self, id: ParamId, x: Tensor<1>, g: Tensor<1>) {
        let device = x.device();
        let state = match self.params.remove(&id) {
            Some(state) => state.map(|part| part.to_device(&device)),
            None => Self::initial_state(&x),
        };
        let terms = self.terms(x, g, state.clone());
        self.sums = std::array::from_fn(|i| self.sums[i] + terms[i]);
        self.params.insert(id, state);
    }

    fn estimate(&mut self) {
        self.ctx.now = self.rule.estimate(self.ctx, self.sums);
        (self.t, self.estimate) = (self.ctx.t, self.ctx.now);
    }

    fn step(&mut self, id: ParamId, x: Tensor<1>, g: Tensor<1>) -> Tensor<1> {
        let JointContext { t, lr, .. } = self.ctx;
        let rule = WithEstimate { rule: self.rule.clone(), ctx: self.ctx };
        let state = self.params.remove(&id).unwrap_or_else(|| Self::initial_state(&x));
        let ctx = StepContext { t, lr, tensor_scalars: [1.0; 2] };
        let (x, state) = step_tensors(&rule, ctx, x, g, state.map(Some));
        // `WithEstimate` uses all parts
        let state = state.map(|part| part.unwrap_or_else(|| x.zeros_like()));
        self.params.insert(id, state);
        x
    }

    fn current_estimate(&self) -> Estimate {
        self.estimate
    }

    fn state_names(&self) -> &'static [&'static str] {
        &R::STATE
    }

    fn pack(&self, number: &dyn Fn(ParamId) -> Option<u64>) -> Pack {
        let mut pack = Pack::default();
        for (id, state) in &self.params {
            let Some(number) = number(*id) else { continue };
            for (name, part) in R::STATE.iter().zip(state) {
                let (name, data) = (format!("{number}.{name}"), part.to_data());
                pack.tensors.push(NamedTensor { name, data, param_id: Some(number) });
            }
        }
        // the map has no order: sorting makes the bytes of equal states equal
        pack.tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let Estimate { d, d_max, numerator } = self.estimate;
        let numbers = ESTIMATE.into_iter().zip([d, d_max, numerator]);
        pack.scalars = numbers.map(|(name, x)| (name.to_string(), x.into())).collect();
        pack.scalars.insert(STEP.into(), self.t.into());
        pack
    }

    fn unpack(&mut self, pack: Pack, id: &dyn Fn(u64) -> Option<ParamId>) -> Option<()> {
        let t = pack.count(STEP)?;
        let number = |name: &str| f64::try_from(*pack.scalars.get(name)?).ok();
        let [d, d_max, numerator] = ESTIMATE.map(number);
        let mut parts: HashMap<ParamId, [Option<Tensor<1>>; N]> = HashMap::new();
        for NamedTensor { name, data, .. } in pack.tensors {
            let (number, name) = name.split_once('.')?;
            let place = R::STATE.iter().position(|known| *known == name)?;
            if data.rank() != 1 || !data.dtype().is_float() {
                return None;
            }
            let tensor = Tensor::from_data(data.clone(), (&Device::default(), data.dtype()));
            let id = id(number.parse().ok()?)?;
            parts.entry(id).or_insert_with(|| [const { None }; N])[place] = Some(tensor);
        }
        let mut params = HashMap::new();
        for (id, parts) in parts {
            let state: Vec<Tensor<1>> = parts.into_iter().collect::<Option<_>>()?;
            params.insert(id, state.try_into().ok()?);
        }
        (self.t, self.params) = (t, params);
        self.estimate = Estimate { d: d?, d_max: d_max?, numerator: numerator? };
        Some(())
    }
}
