//! # L1: the sum of absolute weights, which makes many of them zero
//!
//! ```text
//! penalty = lambda * sum of |w|
//!
//! by=loss:  a term of the loss; its gradient is lambda sign(w), and 0 at w = 0
//! by=prox:  after each step of the optimizer, w = sign(w) max(|w| - lr lambda, 0)
//! ```
//!
//! Over weights only, not biases: parameters of at least two dimensions.
//!
//! ## Differences
//! As a term of the loss, weights jump about zero and hardly one is ever exactly 0; torch and Keras have only that. The proximal step makes
//! exact zeros. It takes the optimizer's learning rate, so it is ISTA's with plain gradient descent; an adaptive optimizer scales a gradient but
//! not this step, so there the same lambda pulls differently in the two forms. Newton's methods and L-BFGS take no learning rate in this
//! sense: there, use by=loss. What is handed out by `ema`, `lookahead` or `nag` is a mixture of weights, and seldom zero.
//! The objective that is measured has the penalty in both forms; the loss of a batch only with by=loss.
//!
//! ## Source
//! "Regularization and optimization strategies in deep convolutional neural network", arXiv 1712.04711, section 4.2 (S1); the proximal step:
//! Daubechies, Defrise and De Mol 2004, and Beck and Teboulle 2009 (ISTA, FISTA).

use burn::module::Module;
use burn::tensor::Tensor;

use super::{By, Regularizer, soft, weights};
use crate::spec::Allowed;

crate::settings! {
    /// The L1 penalty, `lambda * sum of |w|` over the weights.
    pub struct L1 {
        /// its strength
        lambda: f64 = 1e-4, Allowed::NotNegative;
        /// a term of the loss, or a proximal step after the optimizer's
        by: By = By::Loss, By::WORDS;
    }
}

impl Regularizer for L1 {
    fn term<const D: usize>(&self, w: Tensor<D>) -> Option<Tensor<1>> {
        Some(w.abs().sum())
    }

    fn strength(&self) -> f64 {
        self.lambda
    }

    fn by(&self) -> By {
        self.by
    }

    fn after_step<M: Module>(&self, model: M, lr: f64) -> M {
        match self.by {
            By::Prox if lr > 0.0 => weights::map(model, |layer| soft(layer.w, lr * self.lambda)),
            _ => model,
        }
    }
}
