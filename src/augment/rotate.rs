//! # Rotate: random rotation about the centre; the image size does not change
//!
//! ```text
//! a uniform in -degrees .. degrees
//! new(p) = old(centre + R(a) (p - centre)), beyond the edge by padding
//! ```
//!
//! ## Differences
//! torchvision's `RandomRotation(degrees)` takes the nearest pixel by default, like
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
    /// Rotation about the centre.
    pub struct Rotate {
        /// largest angle in degrees, in both directions
        degrees: f64 = 10.0, Allowed::NotNegative;
        /// pixels beyond the edge
        padding: Padding = Padding::Zero, Padding::WORDS;
        /// interpolation between pixels
        filter: Filter = Filter::Bilinear, Filter::WORDS;
    }
}

impl Change for Rotate {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        // 180 degrees in both directions cover all angles
        let most = self.degrees.min(180.0);
        let degrees: f64 = generator.random_range(-most..=most);
        image.turn(1.0, degrees.to_radians(), self.padding, self.filter);
    }
}
