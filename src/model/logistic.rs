//! # Logistic: multi-class logistic regression
//!
//! ```text
//! scores = x W + b
//! ```
//!
//! ## Source
//! The linear classifier of figure 1 of the Adam paper: convex with any L2 penalty, so that only the optimizer decides how fast it gets there.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::{Build, Shapes, linear, linear_parameters};

crate::settings! {
    /// Logistic regression has no settings.
    pub struct LogisticSettings {}
}

/// `scores = x W + b`
#[derive(Module, Debug)]
pub struct Logistic {
    linear: Linear,
}

impl Build for LogisticSettings {
    type Model = Logistic;

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        linear_parameters(shapes.features()?, shapes.classes)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Logistic {
        Logistic { linear: linear(shapes.input.iter().product(), shapes.classes, weights, device) }
    }
}

impl Logistic {
    /// From inputs, one a row, to a score for each class.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.linear.forward(x)
    }
}
