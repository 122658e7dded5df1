//! The loss of a module as a function of its parameters.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::flatten::{gradient_of, precision, unflatten};
use super::smooth::Smooth;

/// The loss of a burn module as a function of its parameters, in the order of
/// [`flatten`](super::flatten).
///
/// The module must have autodiff. Parameters without gradient, for example frozen ones, do not
/// change. The same is true for the running means of batch normalization, which burn counts as
/// parameters.
pub struct ModelLoss<'a, M, L> {
    model: &'a M,
    loss: L,
    precision: f64,
}

impl<'a, M: Module, L: FnMut(&M) -> Tensor<1>> ModelLoss<'a, M, L> {
    /// `loss` returns one number, always the same for the same parameters. The parameter with the
    /// lowest precision determines the distance in differences of gradients.
    pub fn new(model: &'a M, loss: L) -> Self {
        ModelLoss { model, loss, precision: precision(model) }
    }
}

impl<M: Module, L: FnMut(&M) -> Tensor<1>> Smooth for ModelLoss<'_, M, L> {
    /// The gradient is empty if x has the wrong length, or the loss does not depend on a parameter
    /// with autodiff. A value that the device does not return is NaN.
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let Ok(model) = unflatten(self.model.clone(), x) else { return (f64::NAN, Vec::new()) };
        let loss = (self.loss)(&model);
        if !loss.is_tracked() {
            return (f64::NAN, Vec::new());
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        (loss.try_into_scalar().unwrap_or(f64::NAN), gradient_of(&gradients, &model))
    }

    fn precision(&self) -> f64 {
        self.precision
    }
}
