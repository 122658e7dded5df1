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
    let masks = masks.min(examples).max(1);
    let begins = |part: usize| part * examples / masks;
    let parts = (0..masks).map(|at| {
        let part = match masks {
            1 => x.clone(),
            _ => x.clone().narrow(0, begins(at), begins(at + 1) - begins(at)),
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

/// Half-steps to each side of the mean at which a smooth activation is taken. The trapezoid rule is far better for a normal than quadrature with
/// as many nodes would be where the spread is large and the activation nearly a step.
const PLACES: i32 = 8;

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
        smooth => {
            let places = || (-PLACES..=PLACES).map(|i| f64::from(i) / 2.0);
            let density = |z: f64| (-z * z / 2.0).exp();
            let all: f64 = places().map(density).sum();
            let at = |z: f64| smooth.of(mean.clone() + spread.clone() * z) * (density(z) / all);
            places().map(at).fold(mean.zeros_like(), |sum, part| sum + part)
        }
    }
}
