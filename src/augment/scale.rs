//! # Scale: random zoom about the centre; the image size does not change
//!
//! ```text
//! s uniform in 1 - by .. 1 + by
//! new(p) = old(centre + (p - centre) / s), beyond the edge by padding
//! ```
//!
//! ## Differences
//! torchvision's `RandomAffine(0, scale=(1 - by, 1 + by))` takes the nearest pixel by default, like
//! `filter=nearest`. Here the default is bilinear interpolation.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Filter, Padding};
use super::change::Change;
use crate::spec::Allowed;

crate::settings! {
    /// Zoom about the centre.
    pub struct Scale {
        /// largest relative change of the scale
        by: f64 = 0.1, Allowed::Decay;
        /// pixels beyond the edge
        padding: Padding = Padding::Zero, Padding::WORDS;
        /// interpolation between pixels
        filter: Filter = Filter::Bilinear, Filter::WORDS;
    }
}

impl Change for Scale {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let scale = generator.random_range(1.0 - self.by..=1.0 + self.by);
        image.turn(scale, 0.0, self.padding, self.filter);
    }
}
