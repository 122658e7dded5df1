//! Sharpness-aware minimization: the gradient is taken where the loss near the weights is larger.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Shape, Tensor};

use super::gradients::Gradients;
use crate::optim::reshaped;
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// SAM: the gradient at a distance of rho uphill from the weights.
    pub struct Sam {
        /// distance from the weights
        rho: f64 = 0.05, Allowed::Positive;
        /// ASAM: elements move in proportion to the square of the weight
        adaptive: bool = false, YES_OR_NO;
    }
}

/// Keeps the distance finite where all gradients are zero, as in the authors' code.
const LEAST_NORM: f64 = 1e-12;

impl Sam {
    /// The model a step uphill along these gradients.
    pub(super) fn uphill<M: Module>(&self, model: &M, gradients: GradientsParams) -> M {
        let gradients = Gradients::of(gradients, model);
        let scaled = gradients.0.into_iter().map(|gradient| (gradient.id, gradient.g));
        let mut uphill = Uphill { rho: 0.0, adaptive: self.adaptive, gradients: scaled.collect() };
        // the first pass only adds up the norm
        let mut norm = Norm { uphill: &uphill, sum: None };
        model.visit(&mut norm);
        let Some(sum) = norm.sum else { return model.clone() };
        let norm: f64 = sum.sqrt().into_scalar();
        uphill.rho = self.rho / (norm + LEAST_NORM);
        model.clone().map(&mut uphill)
    }
}

/// Moves each parameter by rho times its direction.
struct Uphill {
    rho: f64,
    adaptive: bool,
    gradients: HashMap<ParamId, Tensor<1>>,
}

/// The sum of squares of all directions.
struct Norm<'a> {
    uphill: &'a Uphill,
    sum: Option<Tensor<1>>,
}

impl burn::module::ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(g) = self.uphill.gradients.get(&param.id).cloned() else { return };
        let part = match self.uphill.adaptive {
            true => flat(param.val().inner()).abs() * g,
            false => g,
        };
        let squares = part.square().sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + squares,
            None => squares,
        });
    }
}

impl ModuleMapper for Uphill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(g) = self.gradients.remove(&param.id) else { return param };
        let (rho, adaptive) = (self.rho, self.adaptive);
        param.map(|x| {
            let (shape, require_grad): (Shape, bool) = (x.shape(), x.is_require_grad());
            let x = flat(x.inner());
            let direction = if adaptive { x.clone().square() * g } else { g };
            let moved = reshaped(x + direction * rho, shape);
            Tensor::from_inner(moved).set_require_grad(require_grad)
        })
    }
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let n = x.shape().num_elements();
    reshaped(x, [n])
}
