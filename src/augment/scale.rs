//! # Scale: larger or smaller about the middle, at the old size
//!
//! ```text
//! s uniform in 1 - by .. 1 + by
//! new(p) = old(middle + (p - middle) / s), beyond the edge by padding
//! ```
//!
//! ## Differences
//! torchvision's `RandomAffine(0, scale=(1 - by, 1 + by))`, which takes the nearest pixel by default; here a pixel between others is their
//! weighted mean (`filter=nearest` is theirs).
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Canvas, Change, Filter, Padding};
use crate::spec::Allowed;

crate::settings! {
    /// Larger or smaller about the middle.
    pub struct Scale {
        /// at most so much, as a share of the size
        by: f64 = 0.1, Allowed::Decay;
        /// what lies beyond the edge
        padding: Padding = Padding::Zero, Padding::WORDS;
        /// how pixels between pixels are made
        filter: Filter = Filter::Bilinear, Filter::WORDS;
    }
}

impl Change for Scale {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let larger = generator.random_range(1.0 - self.by..=1.0 + self.by);
        image.turn(larger, 0.0, self.padding, self.filter);
    }
}
