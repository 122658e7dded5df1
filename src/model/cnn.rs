//! # CNN: three stages of convolution and pooling, then a fully connected layer
//!
//! ```text
//! h      = relu(pool(conv(x)))    for each of the channels; 5x5 kernels, 3x3 windows with stride 2
//! h      = relu(h W + b)          for each of the hidden layers
//! scores = h W + b
//! ```
//!
//! ## Differences
//! The paper does not describe the padding and the initial weights. Here convolutions pad with
//! zeros and keep the image size. Pooling halves it, rounding up: 32, 16, 8, 4. DeepOBS' `3c3d` is
//! a similar network with different padding.
//!
//! ## Source
//! c64-c64-c128-1000, the network of figure 3 of the Adam paper (Kingma & Ba 2015, section 6.3).
//! Its dropout of the inputs and of the fully connected layer are settings. Stochastic pooling:
//! Zeiler & Fergus 2013.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Misfit, Shapes};
use super::convnet::{ConvNet, ConvNetPlan, ConvStage};
use super::layers::{Activation, Init, Pool, PoolKind};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of the convolutional network.
    pub struct CnnSettings {
        /// channels of each convolution, such as 64-64-128
        channels: Vec<usize> = vec![64, 64, 128], Allowed::Counts;
        /// height and width of the kernels
        kernel: usize = 5, Allowed::Count;
        /// pooling of a 3x3 window
        pool: PoolKind = PoolKind::Max, PoolKind::WORDS;
        /// units of each fully connected layer, such as 1000
        hidden: Vec<usize> = vec![1000], Allowed::Counts;
        /// activation function of all layers except the last
        activation: Activation = Activation::Relu, Activation::WORDS;
        /// dropout rate of the inputs
        input_dropout: f64 = 0.0, Allowed::Decay;
        /// dropout rate of the fully connected layers
        dropout: f64 = 0.0, Allowed::Decay;
        /// distribution of the initial weights
        init: Init = Init::He, Init::WORDS;
    }
}

/// The network.
pub type Cnn = ConvNet;

impl CnnSettings {
    fn stage(&self, channels: usize) -> ConvStage {
        ConvStage { channels, kernel: self.kernel, same: true }
    }

    fn plan(&self) -> ConvNetPlan {
        ConvNetPlan {
            stages: self.channels.iter().map(|channels| self.stage(*channels)).collect(),
            pool: Pool { kind: self.pool, size: 3, stride: 2 },
            hidden: self.hidden.clone(),
            activation: self.activation,
            input_dropout: self.input_dropout,
            dropout: self.dropout,
            convolutions: self.init,
            linear: self.init,
            bias: None,
        }
    }
}

impl Build for CnnSettings {
    type Model = Cnn;

    fn fits(&self, shapes: &Shapes) -> Result<(), Misfit> {
        self.plan().fits(shapes)
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        self.plan().parameters(shapes)
    }

    fn units(&self, shapes: &Shapes) -> usize {
        self.plan().units(shapes).unwrap_or(usize::MAX)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Cnn {
        self.plan().build(shapes, weights, device)
    }
}
