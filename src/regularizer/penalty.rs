//! The trait of penalties and constraints.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::weights::is_weight;
use crate::spec::Settings;

/// A penalty or constraint.
pub trait Regularizer: Settings {
    /// The term of one layer's weights, without the factor lambda, or `None` for a constraint.
    fn term<const D: usize>(&self, w: Tensor<D>) -> Option<Tensor<1>> {
        let _ = w;
        None
    }

    /// The factor of the sum of the terms.
    fn strength(&self) -> f64 {
        0.0
    }

    /// Its value for this model, even if it acts by a proximal step. `None` for a constraint or for
    /// a model without weights.
    fn value<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
        sum(model, self).map(|sum| sum * self.strength())
    }

    /// Whether the penalty is a term of the loss or a proximal step.
    fn by(&self) -> By {
        By::Loss
    }

    /// The model after the optimizer's step with this learning rate. With learning rate 0 only
    /// constraints are applied.
    #[must_use]
    fn after_step<M: Module>(&self, model: M, lr: f64) -> M {
        let _ = lr;
        model
    }
}

/// How a penalty acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// as a term of the loss
    Loss,
    /// as a proximal step after each step of the optimizer
    Prox,
}
crate::words!(By { Loss = "loss", Prox = "prox" });

/// The weights that a ball constrains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// all weights of the model together
    All,
    /// the weights of each layer separately
    Tensor,
}
crate::words!(Over { All = "all", Tensor = "tensor" });

/// Soft thresholding: moves each number towards zero by `threshold`. A number whose absolute value
/// is smaller becomes exactly zero.
pub(super) fn soft(w: Tensor<2>, threshold: f64) -> Tensor<2> {
    w.clone() - w.clamp(-threshold, threshold)
}

/// The sum of a penalty's terms over all layers, or `None` for a model without weights.
fn sum<M: Module, P: Regularizer>(model: &M, penalty: &P) -> Option<Tensor<1>> {
    struct Sum<'a, P>(&'a P, Option<Tensor<1>>);
    impl<P: Regularizer> ModuleVisitor for Sum<'_, P> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let term = if is_weight(param) { self.0.term(param.val()) } else { None };
            self.1 = match (self.1.take(), term) {
                (Some(sum), Some(term)) => Some(sum + term),
                (sum, term) => sum.or(term),
            };
        }
    }
    let mut sum = Sum(penalty, None);
    model.visit(&mut sum);
    sum.1
}
