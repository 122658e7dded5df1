//! # MLP: fully connected layers
//!
//! ```text
//! h      = relu(x W1 + b1), relu(h W2 + b2), ...
//! scores = h W + b
//! ```
//!
//! ## Source
//! The default, two layers of 1000, is the network of figure 2 of the Adam paper; the AdaDelta paper's is `mlp:hidden=500-300`.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation::relu};
use rand_chacha::ChaCha8Rng;

use super::{Build, Shapes, linear, linear_parameters};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of the fully connected network.
    pub struct MlpSettings {
        /// units of each hidden layer, such as 500-300
        hidden: Vec<usize> = vec![1000, 1000], Allowed::Counts;
    }
}

/// Linear layers with ReLU between them.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl MlpSettings {
    /// Inputs and outputs of each layer.
    fn layers(&self, shapes: &Shapes) -> Vec<(usize, usize)> {
        let inputs = std::iter::once(shapes.input.iter().product()).chain(self.hidden.iter().copied());
        let outputs = self.hidden.iter().copied().chain([shapes.classes]);
        inputs.zip(outputs).collect()
    }
}

impl Build for MlpSettings {
    type Model = Mlp;

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        shapes.features()?;
        self.layers(shapes).into_iter().try_fold(0usize, |sum, (inputs, outputs)| sum.checked_add(linear_parameters(inputs, outputs)?))
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Mlp {
        let layers = self.layers(shapes).into_iter();
        Mlp { layers: layers.map(|(inputs, outputs)| linear(inputs, outputs, weights, device)).collect() }
    }
}

impl Mlp {
    /// From inputs, one a row, to a score for each class.
    pub fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i + 1 < self.layers.len() {
                x = relu(x);
            }
        }
        x
    }
}
