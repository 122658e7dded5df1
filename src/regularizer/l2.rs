//! # L2: the sum of squared weights
//!
//! ```text
//! penalty = lambda / 2 * sum of w^2
//! ```
//!
//! Over weights only, not biases: parameters of at least two dimensions.
//!
//! ## Source
//! "Regularization for deep learning" as surveyed in arXiv 1712.04711, section 4.2. The factor 1/2 makes its gradient lambda w, as torch's and burn's `weight_decay` of SGD.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::spec::Allowed;

crate::settings! {
    /// The L2 penalty, `lambda / 2 * sum of w²` over the weights.
    pub struct L2 {
        /// its strength
        lambda: f64 = 1e-4, Allowed::NotNegative;
    }
}

impl L2 {
    /// What is added to the loss of this model; nothing for a model without weights.
    pub fn of<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
        let mut sum = SumOfSquares(None);
        model.visit(&mut sum);
        sum.0.map(|sum| sum * (self.lambda / 2.0))
    }
}

struct SumOfSquares(Option<Tensor<1>>);

impl ModuleVisitor for SumOfSquares {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D >= 2 {
            let w = param.val();
            let more = (w.clone() * w).sum();
            self.0 = Some(match self.0.take() {
                Some(sum) => sum + more,
                None => more,
            });
        }
    }
}
