//! Rules whose step depends on sums over all parameters of the model.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::store::RecordError;
use burn::tensor::{Bytes, Shape, Tensor};

use super::joint_state::{AnyJoint, JointState};
use super::reshape::reshaped;
use super::value::Value;
use crate::burn_internals::Pack;

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
/// made of such a rule; [`JointOptimizer`] has the same `step` as burn's `ModuleOptimizer`.
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

/// An optimizer of a whole model that is made from a [`JointRule`]. It takes the place of burn's
/// `ModuleOptimizer` in a training loop of your own:
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use downhill::optim::Prodigy;
///
/// let device = Device::flex().autodiff();
/// let mut model = LinearConfig::new(2, 1).init(&device);
/// let mut optimizer = Prodigy::new().init();
/// for _ in 0..200 {
///     let loss = (model.forward(Tensor::<2>::ones([1, 2], &device)) - 1.0).square().sum();
///     let gradients = GradientsParams::from_grads(loss.backward(), &model);
///     model = optimizer.step(1.0, model, gradients); // lr=1: there is nothing to tune
/// }
/// let y = model.forward(Tensor::<2>::ones([1, 2], &device)).into_scalar::<f32>();
/// assert!((y - 1.0).abs() < 0.2, "{y}");
/// ```
pub struct JointOptimizer(Box<dyn AnyJoint>);

impl Clone for JointOptimizer {
    fn clone(&self) -> Self {
        JointOptimizer(self.0.clone_box())
    }
}

impl JointOptimizer {
    /// The optimizer before its first step.
    pub fn new<R: JointRule<N>, const N: usize>(rule: R) -> JointOptimizer {
        JointOptimizer(Box::new(JointState::new(rule)))
    }

    /// Moves the model. Parameters without gradient stay, and are not part of the sums.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> M {
        let joint = self.0.as_mut();
        joint.begin(lr);
        let mut sums = AddTerms { joint, gradients: &gradients, any: false };
        model.visit(&mut sums);
        if !sums.any {
            return model;
        }
        joint.estimate();
        model.map(&mut Move { joint, gradients })
    }

    /// The common estimate after the last step.
    pub fn estimate(&self) -> Estimate {
        self.0.current_estimate()
    }

    /// The names of the state of each element.
    pub fn state_names(&self) -> &'static [&'static str] {
        self.0.state_names()
    }

    /// The state in burn's format, with parameters identified by burn's ids.
    ///
    /// # Errors
    /// If burn cannot write it.
    pub fn into_bytes(&self) -> Result<Bytes, RecordError> {
        self.pack(Some).write()
    }

    /// The optimizer with a state that [`into_bytes`](JointOptimizer::into_bytes) wrote. `None` if
    /// the state is of another optimizer or incomplete.
    ///
    /// # Errors
    /// If the bytes are not in burn's format.
    pub fn from_bytes(self, bytes: Bytes) -> Result<Option<JointOptimizer>, RecordError> {
        Ok(self.unpack(Pack::read(bytes)?, |number| Some(ParamId::from(number))))
    }

    /// The state, with a number for each parameter. One without a number is dropped.
    pub(crate) fn pack(&self, number: impl Fn(u64) -> Option<u64>) -> Pack {
        self.0.pack(&|id| number(id.val()))
    }

    /// The optimizer with a packed state.
    pub(crate) fn unpack(
        mut self,
        pack: Pack,
        id: impl Fn(u64) -> Option<ParamId>,
    ) -> Option<JointOptimizer> {
        self.0.unpack(pack, &id)?;
        Some(self)
    }
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let n = x.shape().num_elements();
    reshaped(x, [n])
}

/// Adds up the terms of all parameters, in the order of the model.
struct AddTerms<'a> {
    joint: &'a mut dyn AnyJoint,
    gradients: &'a GradientsParams,
    any: bool,
}

impl ModuleVisitor for AddTerms<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(g) = self.gradients.get::<D>(param.id) {
            self.any = true;
            self.joint.add(param.id, flat(param.val().inner()), flat(g));
        }
    }
}

/// Moves each parameter.
struct Move<'a> {
    joint: &'a mut dyn AnyJoint,
    gradients: GradientsParams,
}

impl ModuleMapper for Move<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(g) = self.gradients.remove::<D>(param.id) else { return param };
        let id = param.id;
        param.map(|x| {
            let (shape, require_grad): (Shape, bool) = (x.shape(), x.is_require_grad());
            let moved = self.joint.step(id, flat(x.inner()), flat(g));
            Tensor::from_inner(reshaped(moved, shape)).set_require_grad(require_grad)
        })
    }
}
