//! # MLP: fully connected layers
//!
//! ```text
//! h      = relu(x W1 + b1), relu(h W2 + b2), ...
//! scores = h W + b
//! ```
//!
//! In training, `dropout` leaves out units, and `dropconnect` weights of the hidden layers; what is kept is made larger in turn, so that sums
//! keep their mean.
//!
//! ## Differences
//! Srivastava et al. and Wan et al. keep the scale in training and shrink at evaluation instead: the same networks with weights in another
//! scale. Wan et al. draw a mask of the weights for each example; here `masks` says for how many parts of a batch one is drawn each, since
//! each part is a matrix product of its own: as many as the batch has examples is the paper's. Biases are not masked.
//!
//! At evaluation a unit of a layer with DropConnect has, by the masks, a sum u that is nearly normal with mean x W + b and variance
//! p / (1 - p) (x * x) (W * W), p being the share left out. Wan et al. draw from it and average a(u); `inference=gaussian` is the average of
//! infinitely many draws: in closed form for ReLU, else by the trapezoid rule at 17 places. `inference=mean` takes a(x W + b).
//!
//! ## Source
//! The default, two layers of 1000, is the network of figure 2 of the Adam paper; the AdaDelta paper's is `mlp:hidden=500-300`. Dropout:
//! Srivastava et al. 2014. DropConnect: Wan et al. 2013, two layers of 800.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::dropconnect::{self, Inference};
use super::layers::{Activation, Init, Maker, linear_parameters};
use super::{Build, Mode, Shapes, dropout};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of the fully connected network.
    pub struct MlpSettings {
        /// units of each hidden layer, such as 500-300
        hidden: Vec<usize> = vec![1000, 1000], Allowed::Counts;
        /// behind each layer but the last
        activation: Activation = Activation::Relu, Activation::WORDS;
        /// share of the inputs left out in training
        input_dropout: f64 = 0.0, Allowed::Decay;
        /// share of the units of the hidden layers left out in training
        dropout: f64 = 0.0, Allowed::Decay;
        /// share of the weights of the hidden layers left out in training
        dropconnect: f64 = 0.0, Allowed::Decay;
        /// parts of a batch with masks of their own for DropConnect
        masks: usize = 1, Allowed::Count;
        /// how DropConnect is evaluated
        inference: Inference = Inference::Gaussian, Inference::WORDS;
        /// how the first weights are drawn
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
        let mut maker = Maker { init: self.init, bias: None, weights, device };
        let layers = self.layers(shapes).into_iter().map(|(inputs, outputs)| maker.linear(inputs, outputs)).collect();
        Mlp { layers, settings: self.clone() }
    }
}

impl Mlp {
    /// From inputs, one a row, to a score for each class.
    pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let MlpSettings { activation, dropconnect: rate, masks, inference, .. } = self.settings;
        let mut x = dropout(x, self.settings.input_dropout, mode);
        for (i, layer) in self.layers.iter().enumerate() {
            if i + 1 == self.layers.len() {
                x = layer.forward(x);
                break;
            }
            x = match mode {
                Mode::Train(generator) if rate > 0.0 => activation.of(dropconnect::masked(layer, x, rate, masks, generator)),
                Mode::Evaluate if rate > 0.0 && inference == Inference::Gaussian => dropconnect::expected(layer, x, rate, activation),
                _ => activation.of(layer.forward(x)),
            };
            x = dropout(x, self.settings.dropout, mode);
        }
        x
    }
}
