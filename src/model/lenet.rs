//! # LeNet: a small convolutional network for digits
//!
//! ```text
//! h      = pool(relu(conv(x)))            6, then 16 channels; 5x5 kernels without padding, 2x2 windows
//! h      = relu(h W + b)                  120, then 84 units
//! scores = h W + b
//! ```
//!
//! ## Differences
//! The sizes are LeNet-5's; the original has tanh, pools by a trained mean, connects only some channels of the second convolution, ends in
//! distances, and sees 32 x 32 pixels. `lenet:activation=tanh,pool=mean` is nearer to it.
//!
//! ## Source
//! LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::convnet::{ConvNet, Plan, Stage};
use super::layers::{Activation, Init, Kind, Pool};
use super::{Build, Shapes};
use crate::spec::Allowed;

crate::settings! {
    /// Settings of LeNet.
    pub struct LenetSettings {
        /// what becomes of a 2x2 window
        pool: Kind = Kind::Max, Kind::WORDS;
        /// behind each layer but the last
        activation: Activation = Activation::Relu, Activation::WORDS;
        /// share of the units of the fully connected layers left out in training
        dropout: f64 = 0.0, Allowed::Decay;
        /// how the first weights are drawn
        init: Init = Init::Uniform, Init::WORDS;
    }
}

/// The network.
pub type Lenet = ConvNet;

impl LenetSettings {
    fn plan(&self) -> Plan {
        Plan {
            stages: [6, 16].map(|channels| Stage { channels, kernel: 5, same: false }).into(),
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

    fn fits(&self, shapes: &Shapes) -> Result<(), String> {
        self.plan().fits(shapes)
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        self.plan().parameters(shapes)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Lenet {
        self.plan().build(shapes, weights, device)
    }
}
