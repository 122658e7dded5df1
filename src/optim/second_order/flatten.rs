//! A model as one vector of parameters.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::error::{NewtonError, check_len};

/// All float parameters of a model, in the order in which burn visits them.
pub fn flatten<M: Module>(model: &M) -> Vec<f64> {
    struct Flatten(Vec<f64>);
    impl ModuleVisitor for Flatten {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f64>());
        }
    }
    let mut visitor = Flatten(Vec::new());
    model.visit(&mut visitor);
    visitor.0
}

/// The model with these parameters, in the order of [`flatten`]. Each parameter keeps its id,
/// shape, type, device and whether it requires a gradient.
///
/// # Errors
/// If there are not as many numbers as the model has parameters.
pub fn unflatten<M: Module>(model: M, x: &[f64]) -> Result<M, NewtonError> {
    struct Unflatten<'a>(&'a [f64]);
    impl ModuleMapper for Unflatten<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|old| {
                let (numbers, rest) = self.0.split_at(old.shape().num_elements());
                self.0 = rest;
                let data = TensorData::new(numbers.to_vec(), old.shape());
                Tensor::from_data(data, (&old.device(), old.dtype()))
                    .set_require_grad(old.is_require_grad())
            })
        }
    }
    check_len("parameters", x, model.num_params())?;
    Ok(model.map(&mut Unflatten(x)))
}

/// The gradients of all float parameters of a model, in the order of [`flatten`]. A parameter
/// without gradient gets zeros.
pub fn gradient_of<M: Module>(gradients: &GradientsParams, model: &M) -> Vec<f64> {
    struct Flatten<'a>(&'a GradientsParams, Vec<f64>);
    impl ModuleVisitor for Flatten<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            match self.0.get::<D>(param.id) {
                Some(gradient) => self.1.extend(gradient.into_data().iter::<f64>()),
                None => self.1.resize(self.1.len() + param.shape().num_elements(), 0.0),
            }
        }
    }
    let mut visitor = Flatten(gradients, Vec::new());
    model.visit(&mut visitor);
    visitor.1
}

/// The relative rounding error of the parameter with the lowest precision.
pub(super) fn precision<M: Module>(model: &M) -> f64 {
    struct Lowest(f64);
    impl ModuleVisitor for Lowest {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 = param.val().dtype().finfo().map_or(self.0, |info| info.epsilon.max(self.0));
        }
    }
    let mut visitor = Lowest(f64::EPSILON);
    model.visit(&mut visitor);
    visitor.0
}
