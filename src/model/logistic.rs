//! # Logistic: multi-class logistic regression
//!
//! ```text
//! scores = x W + b
//! ```
//!
//! ## Source
//! The linear classifier of figure 1 of the Adam paper. The loss is convex, with and without an L2
//! penalty, so the optimizer affects only the speed of convergence. `logistic:input_dropout=0.5`
//! drops half of the inputs in training, as Wang & Manning (2013) do for bags of words.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Shapes};
use super::layers::{Init, LayerInit, linear_parameters};
use super::mode::{Mode, dropout};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of logistic regression.
    pub struct LogisticSettings {
        /// dropout rate of the inputs
        input_dropout: f64 = 0.0, Allowed::Decay;
    }
}

/// `scores = x W + b`
#[derive(Module, Debug)]
pub struct Logistic {
    linear: Linear,
    input_dropout: f64,
}

impl Build for LogisticSettings {
    type Model = Logistic;

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        linear_parameters(shapes.features()?, shapes.classes)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Logistic {
        let mut init = LayerInit { init: Init::Uniform, bias: None, weights, device };
        let features = shapes.input.iter().product();
        Logistic {
            linear: init.linear(features, shapes.classes),
            input_dropout: self.input_dropout,
        }
    }
}

impl Logistic {
    /// The scores of each class for inputs, one input per row.
    pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        self.linear.forward(dropout(x, self.input_dropout, mode))
    }
}
