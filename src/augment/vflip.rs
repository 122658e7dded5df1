//! # Vertical flip: exchanges top and bottom
//!
//! ```text
//! with probability p:  new[y][x] = old[height - 1 - y][x]
//! ```
//!
//! ## Differences
//! None from torchvision's `RandomVerticalFlip`.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::change::Change;
use crate::spec::Allowed;

crate::settings! {
    /// Exchanges top and bottom.
    pub struct Vflip {
        /// probability of a flip
        p: f64 = 0.5, Allowed::Share;
    }
}

impl Change for Vflip {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        if generator.random_bool(self.p) {
            image.flip(false);
        }
    }
}
