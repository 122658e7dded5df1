//! # L2: the sum of squared weights
//!
//! ```text
//! penalty = lambda / 2 * sum of w^2
//! ```
//!
//! The sum includes weights (parameters of at least two dimensions) but not biases.
//!
//! ## Differences
//! Keras's `L2` has no factor 1/2. For a proximal step of this penalty, use
//! `elastic:ratio=0,by=prox`.
//!
//! ## Source
//! "Regularization for deep learning" as surveyed in arXiv 1712.04711, section 4.2. With the factor
//! 1/2 the gradient is lambda w, as in torch's and burn's `weight_decay` of SGD.

use burn::tensor::Tensor;

use super::penalty::Regularizer;
use crate::spec::Allowed;

crate::settings! {
    /// The L2 penalty, `lambda / 2 * sum of w²` over the weights.
    pub struct L2 {
        /// strength of the penalty
        lambda: f64 = 1e-4, Allowed::NotNegative;
    }
}

impl Regularizer for L2 {
    fn term<const D: usize>(&self, w: Tensor<D>) -> Option<Tensor<1>> {
        Some((w.clone() * w).sum())
    }

    fn strength(&self) -> f64 {
        self.lambda / 2.0
    }
}
