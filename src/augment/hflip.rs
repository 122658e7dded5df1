//! # Horizontal flip: left and right are exchanged
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
    /// Left and right exchanged.
    pub struct Hflip {
        /// probability
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
