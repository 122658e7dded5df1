//! # L1 ball: bounds the sum of absolute weights
//!
//! ```text
//! after each step of the optimizer, if sum of |w| > radius:
//!     w = sign(w) max(|w| - theta, 0), with the theta that makes the sum equal to radius
//!
//! over=all:     w is all weights of the model together
//! over=tensor:  w is the weights of one layer, each layer by itself
//! ```
//!
//! This is the nearest point of the ball. Many of its weights are exactly zero, as after the
//! proximal step of `l1`. The sum includes weights (parameters of at least two dimensions) but not
//! biases.
//!
//! ## Differences
//! This is a constraint; `l1` is a penalty. As with `max_norm`, the initial weights and the
//! evaluation parameters are projected as well, and the radius is reduced by one part in a million.
//!
//! ## Source
//! arXiv 1712.04711, section 4.2 (S1), "norms as constraints". The projection: Duchi,
//! Shalev-Shwartz, Singer and Chandra, "Efficient projections onto the l1-ball for learning in high
//! dimensions", 2008; theta is computed as in Michelot 1986, without sorting.

use burn::module::Module;
use burn::tensor::Tensor;

use super::penalty::{By, Over, Regularizer, soft};
use super::weights;
use crate::spec::Allowed;

crate::settings! {
    /// Bounds the L1 norm of all weights, or of those of each layer.
    pub struct L1Ball {
        /// radius of the ball
        radius: f64 = 100.0, Allowed::Positive;
        /// all weights together, or each tensor by itself
        over: Over = Over::All, Over::WORDS;
    }
}

impl Regularizer for L1Ball {
    fn by(&self) -> By {
        By::Prox
    }

    fn after_step<M: Module>(&self, model: M, _lr: f64) -> M {
        match self.over {
            Over::Tensor => weights::map(model, |layer| match theta(&[&layer.w], self.radius) {
                Some(theta) => soft(layer.w, theta),
                None => layer.w,
            }),
            Over::All => {
                let layers = weights::layers(&model);
                let weights: Vec<_> = layers.iter().map(|layer| &layer.w).collect();
                let found = theta(&weights, self.radius);
                drop(layers); // they share the buffers of the model
                match found {
                    Some(theta) => weights::map(model, |layer| soft(layer.w, theta)),
                    None => model,
                }
            }
        }
    }
}

/// The number to subtract from every absolute weight, or `None` if the weights are inside the ball
/// or not finite.
fn theta(weights: &[&Tensor<2>], radius: f64) -> Option<f64> {
    let of = |w: &Tensor<2>| (*w).clone().abs().sum().into_scalar::<f64>();
    let sum: f64 = weights.iter().map(|w| of(w)).sum();
    if sum <= radius {
        return None;
    }
    let mut absolute: Vec<f64> = weights
        .iter()
        .flat_map(|w| (*w).clone().into_data().iter::<f64>().map(f64::abs).collect::<Vec<_>>())
        .collect();
    if absolute.iter().any(|w| !w.is_finite()) {
        return None;
    }
    let radius = radius * (1.0 - 1e-6);
    loop {
        let theta = (absolute.iter().sum::<f64>() - radius) / absolute.len() as f64;
        let before = absolute.len();
        absolute.retain(|w| *w > theta);
        if absolute.len() == before || absolute.is_empty() {
            return Some(theta.max(0.0));
        }
    }
}
