//! # Noise: adds normal noise to each pixel
//!
//! ```text
//! new = old + std n, n normal, clamped to 0 .. 1
//! ```
//!
//! ## Differences
//! None from torchvision's `GaussianNoise(0, sigma=std)` with its default of 0.1.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1), "perturbations".

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::canvas::Canvas;
use super::change::Change;
use crate::spec::Allowed;

crate::settings! {
    /// Adds normal noise to each pixel.
    pub struct Noise {
        /// standard deviation of the noise
        std: f64 = 0.1, Allowed::NotNegative;
    }
}

impl Change for Noise {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let std = self.std.min(f32::MAX.into()) as f32;
        for x in image.pixels() {
            let n: f32 = StandardNormal.sample(generator);
            *x = (*x + std * n).clamp(0.0, 1.0);
        }
    }
}
