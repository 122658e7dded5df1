//! # 2c2d: DeepOBS' network for Fashion-MNIST
//!
//! ```text
//! h      = pool(relu(conv(x)))    32, then 64 channels; 5x5 kernels with padding, 2x2 windows
//! h      = relu(h W + b)          1024 units
//! scores = h W + b
//! ```
//!
//! The initial weights are truncated normal with standard deviation 0.05. All biases are initially
//! 0.05.
//!
//! ## Differences
//! After the last pooling, the features are ordered with channels first.
//!
//! ## Source
//! Schneider, Balles & Hennig, DeepOBS, ICLR 2019: `fmnist_2c2d` and `mnist_2c2d`. Taken from its
//! `_2c2d.py`.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Misfit, Shapes};
use super::convnet::{ConvNet, ConvNetPlan, ConvStage};
use super::layers::{Activation, Init, Pool, PoolKind};

crate::settings! {
    /// DeepOBS' network has no settings.
    pub struct DeepObs2c2dSettings {}
}

/// The network.
pub type DeepObs2c2d = ConvNet;

impl DeepObs2c2dSettings {
    fn plan(&self) -> ConvNetPlan {
        ConvNetPlan {
            stages: [32, 64].map(|channels| ConvStage { channels, kernel: 5, same: true }).into(),
            pool: Pool { kind: PoolKind::Max, size: 2, stride: 2 },
            hidden: vec![1024],
            activation: Activation::Relu,
            input_dropout: 0.0,
            dropout: 0.0,
            convolutions: Init::TruncNormal(0.05),
            linear: Init::TruncNormal(0.05),
            bias: Some(0.05),
        }
    }
}

impl Build for DeepObs2c2dSettings {
    type Model = DeepObs2c2d;

    fn fits(&self, shapes: &Shapes) -> Result<(), Misfit> {
        self.plan().fits(shapes)
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        self.plan().parameters(shapes)
    }

    fn units(&self, shapes: &Shapes) -> usize {
        self.plan().units(shapes).unwrap_or(usize::MAX)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> DeepObs2c2d {
        self.plan().build(shapes, weights, device)
    }
}
