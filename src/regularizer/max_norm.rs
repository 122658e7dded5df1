//! # Max-norm: bounds the norm of the incoming weights of each unit
//!
//! ```text
//! after each step of the optimizer, for the weights w into each unit:  w = w * min(1, max / |w|)
//! ```
//!
//! A unit is a column of a linear layer, whose weights are `[in, out]`, or a filter of a
//! convolution, `[out, in, height, width]`. Biases are neither bounded nor part of the norm.
//!
//! ## Differences
//! This is Keras's `MaxNorm(2)` with axis 0 for dense layers and [0, 1, 2] for convolutions, and
//! torch's `renorm` over the other dimension. In an embedding, `[rows, numbers]`, it bounds the
//! columns. In a transposed convolution, `[in, out, ...]`, it bounds the outgoing weights of each
//! channel. The initial weights and the evaluation parameters of `ema`, `lookahead` and `nag` are
//! projected as well. The bound is reduced by one part in a million, so that rounding does not
//! exceed it.
//!
//! ## Source
//! Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout", JMLR 2014, section 5.1:
//! max between 3 and 4.

use burn::module::Module;

use super::penalty::{By, Regularizer};
use super::weights::{self, factor};
use crate::spec::Allowed;

crate::settings! {
    /// Bounds the norm of the incoming weights of each unit.
    pub struct MaxNorm {
        /// the largest norm
        max: f64 = 3.0, Allowed::Positive;
    }
}

impl Regularizer for MaxNorm {
    fn by(&self) -> By {
        By::Prox
    }

    fn after_step<M: Module>(&self, model: M, _lr: f64) -> M {
        weights::map(model, |layer| {
            let factors = layer.norms().into_iter().map(|norm| factor(norm, self.max)).collect();
            layer.scaled(factors)
        })
    }
}
