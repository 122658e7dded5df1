//! One layer of the decoder: attention, and a hidden layer.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::model::mode::{Mode, dropout};

/// The sizes of a layer.
pub(super) struct Sizes {
    pub width: usize,
    /// units of the hidden layer
    pub hidden: usize,
    pub heads: usize,
    pub dropout: f64,
}

/// Attention and a hidden layer, each with a normalization before it and a sum after it.
#[derive(Module, Debug)]
pub(super) struct Block {
    norm1: LayerNorm,
    /// queries, keys and values side by side
    attention: Linear,
    projection: Linear,
    norm2: LayerNorm,
    hidden: Linear,
    contraction: Linear,
    #[module(skip)]
    heads: usize,
    #[module(skip)]
    dropout: f64,
}

impl Block {
    pub fn forward(&self, x: Tensor<3>, future: &Tensor<2, Bool>, mode: &mut Mode) -> Tensor<3> {
        let seen = self.attend(self.norm1.forward(x.clone()), future, mode);
        let x = x + dropout(self.projection.forward(seen), self.dropout, mode);
        let hidden = gelu(self.hidden.forward(self.norm2.forward(x.clone())));
        x + dropout(self.contraction.forward(hidden), self.dropout, mode)
    }

    /// What each position takes from itself and those before it, the heads side by side.
    fn attend(&self, x: Tensor<3>, future: &Tensor<2, Bool>, mode: &mut Mode) -> Tensor<3> {
        let [windows, length, width] = x.dims();
        let size = width / self.heads;
        let all = self.attention.forward(x);
        let [queries, keys, values] = [0, 1, 2].map(|part| {
            let part = all.clone().narrow(2, part * width, width);
            part.reshape([windows, length, self.heads, size]).swap_dims(1, 2)
        });
        let scores = queries.matmul(keys.transpose()) * (size as f64).powf(-0.5);
        let scores = scores.mask_fill(future.clone().unsqueeze(), f64::NEG_INFINITY);
        let shares = dropout(softmax(scores, 3), self.dropout, mode);
        shares.matmul(values).swap_dims(1, 2).reshape([windows, length, width])
    }
}

/// Draws initial weights from a run's own generator.
pub(super) struct Drawn<'a> {
    pub weights: &'a mut ChaCha8Rng,
    pub device: &'a Device,
}

impl Drawn<'_> {
    /// A matrix of normal weights with this standard deviation.
    pub fn matrix(&mut self, [rows, columns]: [usize; 2], spread: f64) -> Param<Tensor<2>> {
        let normal = StandardNormal;
        let mut draw = || {
            let drawn: f64 = normal.sample(self.weights);
            (spread * drawn) as f32
        };
        let weights: Vec<f32> = (0..rows * columns).map(|_| draw()).collect();
        Param::from_data(TensorData::new(weights, [rows, columns]), self.device)
    }

    fn linear(&mut self, inputs: usize, outputs: usize, spread: f64) -> Linear {
        let weight = self.matrix([inputs, outputs], spread);
        let zeros = TensorData::new(vec![0.0f32; outputs], [outputs]);
        Linear { weight, bias: Some(Param::from_data(zeros, self.device)) }
    }

    /// A layer. The second standard deviation is that of the weights before a sum.
    pub fn block(&mut self, sizes: &Sizes, [spread, residual]: [f64; 2]) -> Block {
        let (&Sizes { width, hidden, heads, dropout }, device) = (sizes, self.device);
        Block {
            norm1: LayerNormConfig::new(width).init(device),
            attention: self.linear(width, 3 * width, spread),
            projection: self.linear(width, width, residual),
            norm2: LayerNormConfig::new(width).init(device),
            hidden: self.linear(width, hidden, spread),
            contraction: self.linear(hidden, width, residual),
            heads,
            dropout,
        }
    }
}
