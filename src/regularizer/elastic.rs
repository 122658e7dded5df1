//! # Elastic net: a weighted sum of the L1 and L2 penalties
//!
//! ```text
//! penalty = lambda * (ratio * sum of |w| + (1 - ratio) / 2 * sum of w^2)
//!
//! by=loss:  a term of the loss
//! by=prox:  after each step of the optimizer,
//!           w = sign(w) max(|w| - lr lambda ratio, 0) / (1 + lr lambda (1 - ratio))
//! ```
//!
//! `ratio=1` is `l1`, and `ratio=0` is `l2` with its factor 1/2. The sums include weights
//! (parameters of at least two dimensions) but not biases.
//!
//! ## Differences
//! lambda and ratio are scikit-learn's `alpha` and `l1_ratio`, with the same factor 1/2. The losses
//! of scikit-learn differ: `ElasticNet` uses half the mean squared error, and `LogisticRegression`
//! uses a sum over the examples times C, so lambda = 1 / (C n). Keras's `L1L2(l1, l2)` has no
//! factor 1/2: l1 = lambda ratio, l2 = lambda (1 - ratio) / 2. `downhill show l1` explains the
//! proximal step.
//!
//! ## Source
//! Zou and Hastie, "Regularization and variable selection via the elastic net", 2005, in the
//! penalized form; arXiv 1712.04711, section 4.2 (S1). The proximal step: Parikh and Boyd,
//! "Proximal algorithms", 2014, section 6.5.3.

use burn::module::Module;
use burn::tensor::Tensor;

use super::penalty::{By, Regularizer, soft};
use super::weights;
use crate::spec::Allowed;

crate::settings! {
    /// The elastic net, `lambda * (ratio * sum of |w| + (1 - ratio) / 2 * sum of w²)` over the
    /// weights.
    pub struct Elastic {
        /// strength of the penalty
        lambda: f64 = 1e-4, Allowed::NotNegative;
        /// the fraction of L1; the rest is L2
        ratio: f64 = 0.5, Allowed::Share;
        /// a term of the loss, or a proximal step after each optimizer step
        by: By = By::Loss, By::WORDS;
    }
}

impl Regularizer for Elastic {
    fn term<const D: usize>(&self, w: Tensor<D>) -> Option<Tensor<1>> {
        let absolute = |w: Tensor<D>| w.abs().sum();
        let squares = |w: Tensor<D>| (w.clone() * w).sum() / 2.0;
        // at 0 and 1 there is only one term, so that the penalty equals `l2` or `l1` bit for bit
        Some(match self.ratio {
            0.0 => squares(w),
            1.0 => absolute(w),
            ratio => absolute(w.clone()) * ratio + squares(w) * (1.0 - ratio),
        })
    }

    fn strength(&self) -> f64 {
        self.lambda
    }

    fn by(&self) -> By {
        self.by
    }

    fn after_step<M: Module>(&self, model: M, lr: f64) -> M {
        let (l1, l2) = (self.lambda * self.ratio, self.lambda * (1.0 - self.ratio));
        match self.by {
            By::Prox if lr > 0.0 => weights::map(model, |layer| {
                let w = if l1 > 0.0 { soft(layer.w, lr * l1) } else { layer.w };
                if l2 > 0.0 { w / (1.0 + lr * l2) } else { w }
            }),
            _ => model,
        }
    }
}
