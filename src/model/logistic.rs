//! # Logistic: multi-class logistic regression
//!
//! ```text
//! scores = x W + b
//! ```
//!
//! ## Source
//! The linear classifier of figure 1 of the Adam paper: convex with any L2 penalty, so that only the optimizer decides how fast it gets there.
//! For bags of words it leaves out half of the words in training, `logistic:input_dropout=0.5`, as Wang & Manning (2013) do.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::layers::{Init, Maker, linear_parameters};
use super::{Build, Mode, Shapes, dropout};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of logistic regression.
    pub struct LogisticSettings {
        /// share of the inputs left out in training
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
        let mut maker = Maker { init: Init::Uniform, bias: None, weights, device };
        Logistic { linear: maker.linear(shapes.input.iter().product(), shapes.classes), input_dropout: self.input_dropout }
    }
}

impl Logistic {
    /// From inputs, one a row, to a score for each class.
    pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        self.linear.forward(dropout(x, self.input_dropout, mode))
    }
}
