//! # 3c3d: DeepOBS' network for CIFAR-10
//!
//! ```text
//! h      = pool(relu(conv(x)))    64 channels of 5x5 and 96 of 3x3 without padding,
//!                                 128 of 3x3 with padding; 3x3 windows with stride 2
//! h      = relu(h W + b)          512, then 256 units
//! scores = h W + b
//! ```
//!
//! The initial weights are `glorot_normal` in convolutions and `glorot` (uniform) in fully
//! connected layers. The initial biases are 0.
//!
//! ## Differences
//! After the last pooling, the features are ordered with channels first. DeepOBS' L2 penalty of
//! 0.002 / 2 is `--penalty l2:lambda=0.002` here.
//!
//! ## Source
//! Schneider, Balles & Hennig, DeepOBS, ICLR 2019: `cifar10_3c3d`. Taken from its `_3c3d.py`.

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Misfit, Shapes};
use super::convnet::{ConvNet, ConvNetPlan, ConvStage};
use super::layers::{Activation, Init, Pool, PoolKind};

crate::settings! {
    /// DeepOBS' network has no settings.
    pub struct DeepObs3c3dSettings {}
}

/// The network.
pub type DeepObs3c3d = ConvNet;

impl DeepObs3c3dSettings {
    fn plan(&self) -> ConvNetPlan {
        let stages = [(64, 5, false), (96, 3, false), (128, 3, true)];
        ConvNetPlan {
            stages: stages
                .map(|(channels, kernel, same)| ConvStage { channels, kernel, same })
                .into(),
            pool: Pool { kind: PoolKind::Max, size: 3, stride: 2 },
            hidden: vec![512, 256],
            activation: Activation::Relu,
            input_dropout: 0.0,
            dropout: 0.0,
            convolutions: Init::GlorotNormal,
            linear: Init::Glorot,
            bias: None,
        }
    }
}

impl Build for DeepObs3c3dSettings {
    type Model = DeepObs3c3d;

    fn fits(&self, shapes: &Shapes) -> Result<(), Misfit> {
        self.plan().fits(shapes)
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        self.plan().parameters(shapes)
    }

    fn units(&self, shapes: &Shapes) -> usize {
        self.plan().units(shapes).unwrap_or(usize::MAX)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> DeepObs3c3d {
        self.plan().build(shapes, weights, device)
    }
}
