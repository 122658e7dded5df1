//! DropConnect: a layer that drops some of its weights in training (Wan et al. 2013). `mlp.rs`
//! describes the differences from the paper.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use burn::nn::Linear;
use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::layers::Activation;
use super::mode::mask;

/// The output of a layer with DropConnect at evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inference {
    /// the mean of the activation over all masks, with a normal distribution of the sums
    Gaussian,
    /// the activation of the mean sum
    Mean,
}

crate::words!(Inference { Gaussian = "gaussian", Mean = "mean" });

/// The weighted sums of a layer in training. The batch is divided into `masks` parts, each with its
/// own mask of the weights.
pub fn masked(
    layer: &Linear,
    x: Tensor<2>,
    rate: f64,
    masks: usize,
    generator: &mut ChaCha8Rng,
) -> Tensor<2> {
    let (examples, weight) = (x.dims()[0], layer.weight.val());
    let masks = masks.min(examples).max(1);
    let start = |part: usize| part * examples / masks;
    let mut parts: Vec<Tensor<2>> = (0..masks)
        .map(|i| {
            let part = match masks {
                1 => x.clone(),
                _ => x.clone().narrow(0, start(i), start(i + 1) - start(i)),
            };
            part.matmul(weight.clone() * mask(&weight, rate, generator))
        })
        .collect();
    let sums = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(parts, 0) };
    match &layer.bias {
        Some(bias) => sums + bias.val().unsqueeze(),
        None => sums,
    }
}

/// The mean of a layer's activations over all masks, with a normal distribution of the sums.
pub fn expected(layer: &Linear, x: Tensor<2>, rate: f64, activation: Activation) -> Tensor<2> {
    let weight = layer.weight.val();
    let variance = (x.clone() * x.clone()).matmul(weight.clone() * weight) * (rate / (1.0 - rate));
    mean_over_normal(activation, layer.forward(x), variance)
}

/// The number of nodes of the trapezoid rule on each side of the mean, at distances of half a
/// standard deviation. If the standard deviation is large and the activation is nearly a step, this
/// rule is far more accurate than Gaussian quadrature with the same number of nodes.
const NODES: i32 = 8;

/// E[a(u)] for normal u with these means and variances.
pub fn mean_over_normal<const D: usize>(
    activation: Activation,
    mean: Tensor<D>,
    variance: Tensor<D>,
) -> Tensor<D> {
    // above 0, because relu divides by it
    let std = variance.clamp_min(f64::from(f32::MIN_POSITIVE)).sqrt();
    match activation {
        Activation::Relu => {
            let z = mean.clone() / std.clone();
            let below = ((z.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
            let density = (-(z.clone() * z) * 0.5).exp() * (0.5 / PI).sqrt();
            mean * below + std * density
        }
        smooth => {
            let nodes = || (-NODES..=NODES).map(|i| f64::from(i) / 2.0);
            let density = |z: f64| (-z * z / 2.0).exp();
            let total: f64 = nodes().map(density).sum();
            let term = |z: f64| smooth.of(mean.clone() + std.clone() * z) * (density(z) / total);
            nodes().map(term).fold(mean.zeros_like(), |sum, term| sum + term)
        }
    }
}
