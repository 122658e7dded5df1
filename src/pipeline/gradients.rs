//! The gradients of a model, and the transformations that act on them before the optimizer.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Shape, Tensor};

use super::paths::parameter_paths;
use crate::optim::reshaped;

/// How gradients are clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// each element
    Value(f64),
    /// the norm of each parameter's gradient
    Norm(f64),
    /// the norm of all gradients together
    Global(f64),
}

/// The gradients times min(1, max / norm), where norm is the Euclidean norm of all gradients
/// together. The same as torch's `clip_grad_norm_` and Optax's `clip_by_global_norm`, up to torch's
/// 1e-6 in the denominator. burn's own clipping takes the norm of each parameter by itself.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use downhill::pipeline::clip_by_global_norm;
///
/// let device = Device::flex().autodiff();
/// let model = LinearConfig::new(2, 3).init(&device);
/// let loss = model.forward(Tensor::<2>::ones([1, 2], &device)).sum();
/// let gradients = GradientsParams::from_grads(loss.backward(), &model);
/// let gradients = clip_by_global_norm(gradients, &model, 1.0);
/// // the norm was 3: six weights and three biases have a gradient of 1
/// let weight = gradients.get::<2>(model.weight.id).unwrap().into_data();
/// assert!(weight.iter::<f64>().all(|g| (g - 1.0 / 3.0).abs() < 1e-6));
/// ```
pub fn clip_by_global_norm<M: Module>(
    gradients: GradientsParams,
    model: &M,
    max: f64,
) -> GradientsParams {
    let mut gradients = Gradients::of(gradients, model);
    gradients.clip(Bound::Global(max));
    gradients.into_params()
}

/// The gradients of the parameters that have one, flattened, in the order of the model's
/// parameters.
#[derive(Clone, Default)]
pub(super) struct Gradients(pub(super) Vec<Gradient>);

/// The gradient of one parameter.
#[derive(Clone)]
pub(super) struct Gradient {
    pub id: ParamId,
    pub shape: Shape,
    pub g: Tensor<1>,
}

/// A gradient that is not finite.
pub(super) struct NonfiniteGradient {
    /// the path of the parameter
    pub parameter: String,
    /// an element that is not finite
    pub value: f64,
}

impl Gradients {
    pub fn of<M: Module>(gradients: GradientsParams, model: &M) -> Gradients {
        let mut visitor = GradientVisitor { from: gradients, all: Vec::new() };
        model.visit(&mut visitor);
        Gradients(visitor.all)
    }

    pub fn into_params(self) -> GradientsParams {
        let mut params = GradientsParams::new();
        for Gradient { id, shape, g } in self.0 {
            macro_rules! register {
                ($($D:literal)*) => {
                    match shape.num_dims() {
                        $($D => params.register(id, reshaped::<1, $D>(g, shape)),)*
                        more => unreachable!("a tensor of {more} dimensions, burn has at most 8"),
                    }
                };
            }
            register!(0 1 2 3 4 5 6 7 8);
        }
        params
    }

    /// Adds the gradients of another batch. A missing gradient counts as zero.
    pub fn add(&mut self, others: Gradients) {
        for other in others.0 {
            match self.0.iter_mut().find(|own| own.id == other.id) {
                Some(own) => own.g = own.g.clone() + other.g,
                None => self.0.push(other),
            }
        }
    }

    pub fn scale(&mut self, factor: f64) {
        for gradient in &mut self.0 {
            gradient.g = gradient.g.clone() * factor;
        }
    }

    /// The first gradient that is not finite. `None` if all are.
    pub fn nonfinite<M: Module>(&self, model: &M) -> Option<NonfiniteGradient> {
        let gradient = self.0.iter().find(|gradient| !gradient.is_finite())?;
        let elements = gradient.g.to_data();
        Some(NonfiniteGradient {
            parameter: parameter_paths(model).remove(&gradient.id).unwrap_or_default(),
            value: elements.iter::<f64>().find(|g| !g.is_finite()).unwrap_or(f64::NAN),
        })
    }

    pub fn clip(&mut self, bound: Bound) {
        match bound {
            Bound::Value(max) => {
                for gradient in &mut self.0 {
                    gradient.g = gradient.g.clone().clamp(-max, max);
                }
            }
            Bound::Norm(max) => {
                for gradient in &mut self.0 {
                    gradient.g = gradient.g.clone() * clip_factor(gradient.squared_norm(), max);
                }
            }
            Bound::Global(max) => {
                let squares = self.0.iter().map(Gradient::squared_norm);
                let Some(sum) = squares.reduce(|a, b| a + b) else { return };
                let factor = clip_factor(sum, max);
                for gradient in &mut self.0 {
                    gradient.g = gradient.g.clone() * factor.clone();
                }
            }
        }
    }
}

impl Gradient {
    fn is_finite(&self) -> bool {
        // 0 times a number is 0 only if the number is finite, so a single sum is enough
        let sum: f64 = (self.g.clone() * 0.0).sum().into_scalar();
        sum == 0.0
    }

    fn squared_norm(&self) -> Tensor<1> {
        (self.g.clone() * self.g.clone()).sum()
    }
}

/// min(1, max / norm). A norm of 0 makes an infinite quotient, which becomes 1 as well.
pub(super) fn clip_factor(squared_norm: Tensor<1>, max: f64) -> Tensor<1> {
    (squared_norm.sqrt().recip() * max).clamp_max(1.0)
}

struct GradientVisitor {
    from: GradientsParams,
    all: Vec<Gradient>,
}

impl ModuleVisitor for GradientVisitor {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(g) = self.from.remove::<D>(param.id) {
            let shape = g.shape();
            let g = reshaped(g, [shape.num_elements()]);
            self.all.push(Gradient { id: param.id, g, shape });
        }
    }
}
