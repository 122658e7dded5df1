//! # MLP: fully connected layers
//!
//! ```text
//! h      = relu(x W1 + b1), relu(h W2 + b2), ...
//! scores = h W + b
//! ```
//!
//! In training, `dropout` drops units and `dropconnect` drops weights of the hidden layers. The
//! remaining ones are scaled up, so that the expected sums do not change.
//!
//! ## Differences
//! Srivastava et al. and Wan et al. do not scale up in training, but scale down at evaluation. This
//! gives the same networks with differently scaled weights. Wan et al. draw a mask of the weights
//! for each example. Here the batch is divided into `masks` parts with one mask each, because each
//! mask needs its own matrix product. With one part per example it is the paper's method. Biases
//! are not masked.
//!
//! Over random masks, the weighted sum u of a unit with DropConnect has an approximately normal
//! distribution. Its mean is x W + b, and its variance is p / (1 - p) (x * x) (W * W), where p is
//! the DropConnect rate. At evaluation, Wan et al. draw samples of u and average the activations
//! a(u). `inference=gaussian` computes this average for infinitely many samples: in closed form for
//! ReLU, otherwise with the trapezoid rule at 17 nodes. `inference=mean` computes a(x W + b).
//!
//! ## Source
//! The default, two layers of 1000, is the network of figure 2 of the Adam paper. The network of
//! the AdaDelta paper is `mlp:hidden=500-300`. Dropout: Srivastava et al. 2014. DropConnect: Wan et
//! al. 2013, two layers of 800.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Shapes};
use super::dropconnect::{self, Inference};
use super::layers::{Activation, Init, LayerInit, linear_parameters};
use super::mode::{Mode, dropout};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of the fully connected network.
    pub struct MlpSettings {
        /// units of each hidden layer, such as 500-300
        hidden: Vec<usize> = vec![1000, 1000], Allowed::Counts;
        /// activation function of all layers except the last
        activation: Activation = Activation::Relu, Activation::WORDS;
        /// dropout rate of the inputs
        input_dropout: f64 = 0.0, Allowed::Decay;
        /// dropout rate of the hidden layers
        dropout: f64 = 0.0, Allowed::Decay;
        /// DropConnect rate of the weights of the hidden layers
        dropconnect: f64 = 0.0, Allowed::Decay;
        /// number of DropConnect masks per batch
        masks: usize = 1, Allowed::Count;
        /// how DropConnect is evaluated
        inference: Inference = Inference::Gaussian, Inference::WORDS;
        /// distribution of the initial weights
        init: Init = Init::Uniform, Init::WORDS;
    }
}

/// Linear layers with activations between them.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    #[module(skip)]
    settings: MlpSettings,
}

impl MlpSettings {
    /// Inputs and outputs of each layer.
    fn layers(&self, shapes: &Shapes) -> Vec<(usize, usize)> {
        let features = shapes.input.iter().product();
        let inputs = std::iter::once(features).chain(self.hidden.iter().copied());
        let outputs = self.hidden.iter().copied().chain([shapes.classes]);
        inputs.zip(outputs).collect()
    }
}

impl Build for MlpSettings {
    type Model = Mlp;

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        shapes.features()?;
        self.layers(shapes).into_iter().try_fold(0usize, |sum, (inputs, outputs)| {
            sum.checked_add(linear_parameters(inputs, outputs)?)
        })
    }

    fn units(&self, shapes: &Shapes) -> usize {
        self.layers(shapes).iter().fold(0, |sum, (_, outputs)| sum.saturating_add(*outputs))
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Mlp {
        let mut init = LayerInit { init: self.init, bias: None, weights, device };
        let layers = self.layers(shapes).into_iter();
        let layers = layers.map(|(inputs, outputs)| init.linear(inputs, outputs)).collect();
        Mlp { layers, settings: self.clone() }
    }
}

impl Mlp {
    /// The scores of each class for inputs, one input per row.
    pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let MlpSettings { activation, dropconnect: rate, masks, inference, .. } = self.settings;
        let mut x = dropout(x, self.settings.input_dropout, mode);
        for (i, layer) in self.layers.iter().enumerate() {
            if i + 1 == self.layers.len() {
                x = layer.forward(x);
                break;
            }
            x = match mode {
                Mode::Train(generator) if rate > 0.0 => {
                    activation.of(dropconnect::masked(layer, x, rate, masks, generator))
                }
                Mode::Evaluate if rate > 0.0 && inference == Inference::Gaussian => {
                    dropconnect::expected(layer, x, rate, activation)
                }
                _ => activation.of(layer.forward(x)),
            };
            x = dropout(x, self.settings.dropout, mode);
        }
        x
    }
}
