//! # CNN: three stages of convolution and pooling, then a fully connected layer
//!
//! ```text
//! h      = relu(pool(conv(x)))            for each of the channels; 5x5 kernels, 3x3 windows at every second place
//! h      = relu(h W + b)                  for each of the hidden layers
//! scores = h W + b
//! ```
//!
//! ## Differences
//! The paper does not say how its images are padded nor how the weights begin. Here zeros around the image keep its size through a convolution,
//! and pooling halves it, rounding up: 32, 16, 8, 4. DeepOBS' `3c3d` is a relative that pads otherwise.
//!
//! ## Source
//! c64-c64-c128-1000, the network of figure 3 of the Adam paper (Kingma & Ba 2015, section 6.3), with its dropout on inputs and the fully
//! connected layer as settings. Stochastic pooling: Zeiler & Fergus 2013.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::convnet::{ConvNet, Plan, Stage};
use super::layers::{Activation, Init, Kind, Pool};
use super::{Build, Shapes};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of the convolutional network.
    pub struct CnnSettings {
        /// channels of each convolution, such as 64-64-128
        channels: Vec<usize> = vec![64, 64, 128], Allowed::Counts;
        /// height and width of the kernels
        kernel: usize = 5, Allowed::Count;
        /// what becomes of a 3x3 window
        pool: Kind = Kind::Max, Kind::WORDS;
        /// units of each fully connected layer, such as 1000
        hidden: Vec<usize> = vec![1000], Allowed::Counts;
        /// behind each layer but the last
        activation: Activation = Activation::Relu, Activation::WORDS;
        /// share of the inputs left out in training
        input_dropout: f64 = 0.0, Allowed::Decay;
        /// share of the units of the fully connected layers left out in training
        dropout: f64 = 0.0, Allowed::Decay;
        /// how the first weights are drawn
        init: Init = Init::He, Init::WORDS;
    }
}

/// The network.
pub type Cnn = ConvNet;

impl CnnSettings {
    fn plan(&self) -> Plan {
        Plan {
            stages: self.channels.iter().map(|channels| Stage { channels: *channels, kernel: self.kernel, same: true }).collect(),
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

    fn fits(&self, shapes: &Shapes) -> Result<(), String> {
        self.plan().fits(shapes)
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        self.plan().parameters(shapes)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Cnn {
        self.plan().build(shapes, weights, device)
    }
}
