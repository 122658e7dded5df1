//! Rules whose step depends on sums over all parameters of the model.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::store::RecordError;
use burn::tensor::{Bytes, Shape, Tensor};

use super::joint_rule::{Estimate, JointRule};
use super::joint_state::{AnyJoint, JointState};
use super::reshape::reshaped;
use crate::burn_internals::Pack;

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
