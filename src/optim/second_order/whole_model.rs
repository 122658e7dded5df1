//! The methods of this folder in a training loop: they move a whole burn module.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LBFGS, OptimizerRecord};
use burn::store::RecordError;
use burn::tensor::{Bytes, Tensor};

use super::error::NewtonError;
use super::flatten::{flatten, gradient_of, precision, unflatten};
use super::minimize::{Path, StopReason};
#[cfg(feature = "newton")]
use super::newton::Newton;
use super::newton_cg::NewtonCg;
use super::smooth::Smooth;
use crate::error::{Error, Result, StepError};

/// An optimizer that moves the whole model, and evaluates its loss as often as it needs.
#[derive(Clone)]
pub enum WholeModel {
    /// Newton's method with the whole Hessian
    #[cfg(feature = "newton")]
    Newton(Newton),
    /// Newton's method by conjugate gradients
    NewtonCg(NewtonCg),
    /// burn's L-BFGS
    Lbfgs(Box<LBFGS>),
}

/// The loss of a model on a batch, and its gradients.
type LossFn<'a, M> = dyn FnMut(&M) -> (f64, GradientsParams) + 'a;

/// The largest model with a Hessian: 32 MB, and some seconds for each step.
#[cfg(feature = "newton")]
const MAX_HESSIAN: usize = 2000;

impl WholeModel {
    /// Moves the model. `loss` returns the loss of a model and its gradients, and is the same
    /// function each time. For Newton's methods `lr` is the share of the distance that the model
    /// moves.
    ///
    /// # Errors
    /// If the Hessian is singular, or the model is too large for a Hessian.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, loss: &mut LossFn<'_, M>) -> Result<M> {
        match self {
            #[cfg(feature = "newton")]
            WholeModel::Newton(newton) => {
                check_size(model.num_params())?;
                newton_step(lr, model, loss, |f, x| newton.minimize(f, x))
            }
            WholeModel::NewtonCg(newton) => {
                newton_step(lr, model, loss, |f, x| newton.minimize(f, x))
            }
            WholeModel::Lbfgs(lbfgs) => {
                let loss_with_all_gradients = |model: M| {
                    let (value, gradients) = loss(&model);
                    (value, with_zero_gradients(gradients, &model))
                };
                Ok(lbfgs.step(lr, model, loss_with_all_gradients).0)
            }
        }
    }

    /// The optimizer state as burn's record. Newton's methods have no state.
    ///
    /// # Errors
    /// If burn cannot write it.
    pub fn to_bytes(&self) -> std::result::Result<Bytes, RecordError> {
        match self {
            WholeModel::Lbfgs(lbfgs) => lbfgs.into_bytes(),
            #[cfg(feature = "newton")]
            WholeModel::Newton(_) => OptimizerRecord::default().into_bytes(),
            WholeModel::NewtonCg(_) => OptimizerRecord::default().into_bytes(),
        }
    }

    /// The optimizer with the state that [`to_bytes`](WholeModel::to_bytes) wrote.
    ///
    /// # Errors
    /// If the bytes are not such a state.
    pub fn with_bytes(self, bytes: Bytes) -> std::result::Result<Self, RecordError> {
        match self {
            WholeModel::Lbfgs(lbfgs) => Ok(WholeModel::Lbfgs(Box::new(lbfgs.from_bytes(bytes)?))),
            newton => Ok(newton),
        }
    }
}

#[cfg(feature = "newton")]
fn check_size(n: usize) -> Result<()> {
    if n <= MAX_HESSIAN {
        return Ok(());
    }
    Err(Error::TooManyParameters { optimizer: "newton".into(), found: n, most: MAX_HESSIAN })
}

/// The loss on a batch as a function of all parameters.
struct BatchLoss<'a, 'b, M> {
    model: &'a M,
    loss: &'a mut LossFn<'b, M>,
}

impl<M: Module> Smooth for BatchLoss<'_, '_, M> {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let Ok(model) = unflatten(self.model.clone(), x) else { return (f64::NAN, Vec::new()) };
        let (value, gradients) = (self.loss)(&model);
        (value, gradient_of(&gradients, &model))
    }

    fn precision(&self) -> f64 {
        precision(self.model)
    }
}

/// Moves a model by the share `lr` of the distance to the last point of a minimization.
fn newton_step<M: Module>(
    lr: f64,
    model: M,
    loss: &mut LossFn<'_, M>,
    minimize: impl FnOnce(&mut dyn Smooth, Vec<f64>) -> Path,
) -> Result<M> {
    let start = flatten(&model);
    let path = minimize(&mut BatchLoss { model: &model, loss }, start.clone());
    let failed = |error: NewtonError| Error::from(StepError::Newton(error.to_string()));
    let x = match (path.end, path.points.last()) {
        // the training loop detects a diverged run by its loss, which becomes NaN
        (StopReason::Failed(NewtonError::NotFinite(_)), _) => vec![f64::NAN; start.len()],
        (
            StopReason::Failed(NewtonError::NoDescent)
            | StopReason::Converged
            | StopReason::OutOfSteps,
            Some(last),
        ) => start.iter().zip(&last.x).map(|(from, to)| from + lr * (to - from)).collect(),
        (StopReason::Failed(error), _) => return Err(failed(error)),
        (_, None) => start,
    };
    unflatten(model, &x).map_err(failed)
}

/// The gradients, with zeros for parameters without one. burn's L-BFGS would take a missing
/// gradient for a shorter vector.
fn with_zero_gradients<M: Module>(gradients: GradientsParams, model: &M) -> GradientsParams {
    struct AddZeros(GradientsParams);
    impl ModuleVisitor for AddZeros {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.get::<D>(param.id).is_none() {
                self.0.register(param.id, param.val().inner().zeros_like());
            }
        }
    }
    let mut visitor = AddZeros(gradients);
    model.visit(&mut visitor);
    visitor.0
}
