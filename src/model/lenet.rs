//! # LeNet: a small convolutional network for digits
//!
//! ```text
//! h      = pool(relu(conv(x)))    6, then 16 channels; 5x5 kernels without padding, 2x2 windows
//! h      = relu(h W + b)          120, then 84 units
//! scores = h W + b
//! ```
//!
//! ## Differences
//! The sizes are those of LeNet-5. The original uses tanh, pools with trained averages, connects
//! only some of the channels in the second convolution, computes distances in the last layer, and
//! takes 32 x 32 pixels. `lenet:activation=tanh,pool=mean` is closer to it.
//!
//! ## Source
//! LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Misfit, Shapes};
use super::convnet::{ConvNet, ConvNetPlan, ConvStage};
use super::layers::{Activation, Init, Pool, PoolKind};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of LeNet.
    pub struct LenetSettings {
        /// pooling of a 2x2 window
        pool: PoolKind = PoolKind::Max, PoolKind::WORDS;
        /// activation function of all layers except the last
        activation: Activation = Activation::Relu, Activation::WORDS;
        /// dropout rate of the fully connected layers
        dropout: f64 = 0.0, Allowed::Decay;
        /// distribution of the initial weights
        init: Init = Init::Uniform, Init::WORDS;
    }
}

/// The network.
pub type Lenet = ConvNet;

impl LenetSettings {
    fn plan(&self) -> ConvNetPlan {
        ConvNetPlan {
            stages: [6, 16].map(|channels| ConvStage { channels, kernel: 5, same: false }).into(),
            pool: Pool { kind: self.pool, size: 2, stride: 2 },
            hidden: vec![120, 84],
            activation: self.activation,
            input_dropout: 0.0,
            dropout: self.dropout,
            convolutions: self.init,
            linear: self.init,
            bias: None,
        }
    }
}

impl Build for LenetSettings {
    type Model = Lenet;

    fn fits(&self, shapes: &Shapes) -> Result<(), Misfit> {
        self.plan().fits(shapes)
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        self.plan().parameters(shapes)
    }

    fn units(&self, shapes: &Shapes) -> usize {
        self.plan().units(shapes).unwrap_or(usize::MAX)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Lenet {
        self.plan().build(shapes, weights, device)
    }
}
