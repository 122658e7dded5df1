//! Activation functions.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid, softplus, tanh};

/// The function after a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Activation {
    Relu,
    Tanh,
    Sigmoid,
    Softplus,
}

crate::words!(Activation {
    Relu = "relu",
    Tanh = "tanh",
    Sigmoid = "sigmoid",
    Softplus = "softplus",
});

impl Activation {
    /// Applies the function to each number.
    pub fn of<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Activation::Relu => relu(x),
            Activation::Tanh => tanh(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Softplus => softplus(x, 1.0),
        }
    }
}
