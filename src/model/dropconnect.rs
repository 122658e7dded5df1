//! DropConnect: a layer some of whose weights are left out in training (Wan et al. 2013). `mlp.rs` says how it differs from the paper.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::layers::Activation;
use super::mode::mask;

/// What a layer with DropConnect is at evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inference {
    /// the mean of the activation over masks, their sums taken as normal
    Gaussian,
    /// the activation of the mean
    Mean,
}

crate::words!(Inference { Gaussian = "gaussian", Mean = "mean" });

/// The sums of a layer, each of so many parts of the batch with a mask of its own on the weights.
pub fn masked(layer: &Linear, x: Tensor<2>, rate: f64, masks: usize, generator: &mut ChaCha8Rng) -> Tensor<2> {
    let (examples, weight) = (x.dims()[0], layer.weight.val());
    let place = (&weight.device(), weight.dtype());
    let rows = examples.div_ceil(masks).max(1);
    let parts = (0..examples).step_by(rows).map(|start| {
        let part = match rows < examples {
            true => x.clone().narrow(0, start, rows.min(examples - start)),
            false => x.clone(),
        };
        part.matmul(weight.clone() * mask(weight.dims(), rate, generator, place))
    });
    let mut parts: Vec<Tensor<2>> = parts.collect();
    let sums = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 0) };
    match &layer.bias {
        Some(bias) => sums + bias.val().unsqueeze(),
        None => sums,
    }
}

/// The mean of a layer's activations over all masks, its sums taken as normal.
pub fn expected(layer: &Linear, x: Tensor<2>, rate: f64, activation: Activation) -> Tensor<2> {
    let weight = layer.weight.val();
    let variance = (x.clone() * x.clone()).matmul(weight.clone() * weight) * (rate / (1.0 - rate));
    mean_over_normal(activation, layer.forward(x), variance)
}

/// Places and weights of Gauss-Hermite quadrature with 9 nodes, for a standard normal; places left of 0 have the weights of those right of it.
const NODES: [(f64, f64); 5] = [
    (0.0, 0.406_349_206_349_206_35),
    (1.023_255_663_789_132_6, 0.244_097_502_894_939_53),
    (2.076_847_978_677_83, 0.049_916_406_765_217_82),
    (3.205_429_002_856_47, 0.002_789_141_321_231_769_2),
    (4.512_745_863_399_783, 0.000_022_345_844_007_746_607),
];

/// E[a(u)] for u normal with these means and variances.
pub fn mean_over_normal<const D: usize>(activation: Activation, mean: Tensor<D>, variance: Tensor<D>) -> Tensor<D> {
    // nothing is divided by 0 where all inputs are
    let spread = variance.clamp_min(f64::from(f32::MIN_POSITIVE)).sqrt();
    match activation {
        Activation::Relu => {
            let z = mean.clone() / spread.clone();
            let below = ((z.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
            let density = (-(z.clone() * z) * 0.5).exp() * (0.5 / PI).sqrt();
            mean * below + spread * density
        }
        smooth => NODES.iter().fold(mean.zeros_like(), |sum, (place, weight)| {
            let at = |place: f64| smooth.of(mean.clone() + spread.clone() * place);
            let both = if *place == 0.0 { at(0.0) } else { at(*place) + at(-*place) };
            sum + both * *weight
        }),
    }
}
