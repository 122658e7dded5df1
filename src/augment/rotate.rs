//! # Rotate: turned about the middle, at the old size
//!
//! ```text
//! a uniform in -degrees .. degrees
//! new(p) = old(middle + R(a) (p - middle)), beyond the edge by padding
//! ```
//!
//! ## Differences
//! torchvision's `RandomRotation(degrees)`, which takes the nearest pixel by default; here a pixel between others is their weighted mean
//! (`filter=nearest` is theirs).
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Canvas, Change, Filter, Padding};
use crate::spec::Allowed;

crate::settings! {
    /// Turned about the middle.
    pub struct Rotate {
        /// at most so far, either way
        degrees: f64 = 10.0, Allowed::NotNegative;
        /// what lies beyond the edge
        padding: Padding = Padding::Zero, Padding::WORDS;
        /// how pixels between pixels are made
        filter: Filter = Filter::Bilinear, Filter::WORDS;
    }
}

impl Change for Rotate {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        // more than half a turn is no farther
        let most = self.degrees.min(180.0);
        let degrees: f64 = generator.random_range(-most..=most);
        image.turn(1.0, degrees.to_radians(), self.padding, self.filter);
    }
}
