//! # L1: the sum of absolute weights, which favours weights of zero
//!
//! ```text
//! penalty = lambda * sum of |w|
//!
//! by=loss:  a term of the loss; its gradient is lambda sign(w), and 0 at w = 0
//! by=prox:  after each step of the optimizer, w = sign(w) max(|w| - lr lambda, 0)
//! ```
//!
//! The sum includes weights (parameters of at least two dimensions) but not biases.
//!
//! ## Differences
//! torch and Keras have only the term of the loss. With this term, weights oscillate around zero
//! and are almost never exactly 0. The proximal step produces exact zeros. It uses the learning
//! rate of the optimizer; with plain gradient descent it is ISTA. An adaptive optimizer scales the
//! gradient but not the proximal step, so the same lambda has different effects in the two forms.
//! Newton's methods and L-BFGS have no such learning rate; use by=loss with them. The evaluation
//! parameters of `ema`, `lookahead` and `nag` are averages of weights and rarely zero. The measured
//! training loss + penalty contains the penalty in both forms. The loss of a batch contains it only
//! with by=loss.
//!
//! ## Source
//! "Regularization and optimization strategies in deep convolutional neural network", arXiv
//! 1712.04711, section 4.2 (S1). The proximal step: Daubechies, Defrise and De Mol 2004, and Beck
//! and Teboulle 2009 (ISTA, FISTA).

use burn::module::Module;
use burn::tensor::Tensor;

use super::penalty::{By, Regularizer, soft};
use super::weights;
use crate::spec::Allowed;

crate::settings! {
    /// The L1 penalty, `lambda * sum of |w|` over the weights.
    pub struct L1 {
        /// strength of the penalty
        lambda: f64 = 1e-4, Allowed::NotNegative;
        /// a term of the loss, or a proximal step after each optimizer step
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
