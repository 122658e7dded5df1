//! # Horizontal flip: exchanges left and right
//!
//! ```text
//! with probability p:  new[y][x] = old[y][width - 1 - x]
//! ```
//!
//! ## Differences
//! None from torchvision's `RandomHorizontalFlip`.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::change::Change;
use crate::spec::Allowed;

crate::settings! {
    /// Exchanges left and right.
    pub struct Hflip {
        /// probability of a flip
        p: f64 = 0.5, Allowed::Share;
    }
}

impl Change for Hflip {
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        if generator.random_bool(self.p) {
            image.flip(true);
        }
    }
}
