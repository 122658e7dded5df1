//! # L2 ball: bounds the L2 norm of the weights
//!
//! ```text
//! after each step of the optimizer:  w = w * min(1, radius / |w|)
//!
//! over=all:     w is all weights of the model together
//! over=tensor:  w is the weights of one layer, each layer by itself
//! ```
//!
//! The norm includes weights (parameters of at least two dimensions) but not biases.
//!
//! ## Differences
//! This is a constraint; `l2` is a penalty. As with `max_norm`, the initial weights and the
//! evaluation parameters are projected as well, and the radius is reduced by one part in a million.
//! `over=tensor` bounds the Frobenius norm of each layer.
//!
//! ## Source
//! arXiv 1712.04711, section 4.2 (S1), "norms as constraints"; Goodfellow, Bengio and Courville,
//! "Deep learning", section 7.2.

use burn::module::Module;

use super::penalty::{By, Over, Regularizer};
use super::weights::{self, Layer, factor};
use crate::spec::Allowed;

crate::settings! {
    /// Bounds the L2 norm of all weights, or of those of each layer.
    pub struct L2Ball {
        /// radius of the ball
        radius: f64 = 10.0, Allowed::Positive;
        /// all weights together, or each tensor by itself
        over: Over = Over::All, Over::WORDS;
    }
}

impl Regularizer for L2Ball {
    fn by(&self) -> By {
        By::Prox
    }

    fn after_step<M: Module>(&self, model: M, _lr: f64) -> M {
        let norm = |layer: &Layer| layer.norms()[0];
        match self.over {
            Over::Tensor => weights::map(model, |layer| {
                let layer = layer.in_one_row();
                let factor = factor(norm(&layer), self.radius);
                layer.scaled(vec![factor])
            }),
            Over::All => {
                let all = weights::layers(&model)
                    .into_iter()
                    .map(|layer| norm(&layer.in_one_row()))
                    .fold(0.0, f64::hypot);
                match factor(all, self.radius) {
                    1.0 => model,
                    factor => weights::map(model, |layer| layer.in_one_row().scaled(vec![factor])),
                }
            }
        }
    }
}
