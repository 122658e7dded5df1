//! # Crop: the image padded on all sides, and a window of the old size cut out at random
//!
//! ```text
//! dx, dy uniform in -pad .. pad, whole numbers
//! new[y][x] = old[y + dy][x + dx], beyond the edge by padding: zero is black, edge its pixel, reflect the mirrored image
//! ```
//!
//! ## Differences
//! torchvision's `RandomCrop(size, padding=pad, padding_mode=constant|edge|reflect)`, size being the image's. Before parts that move pixels too,
//! with the same padding, the window is not cut at once: what a rotation behind it brings back from beyond the window is there, where
//! torchvision has black.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1). Pad 4 is what He, Zhang, Ren and Sun, "Deep residual learning", 2015, section 4.2, do with CIFAR-10;
//! DeepOBS pads by 2.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Canvas, Change, Padding, unfit};
use crate::spec::{Allowed, SpecError};

crate::settings! {
    /// A window cut out of the padded image.
    pub struct Crop {
        /// pixels on each side
        pad: usize = 4, Allowed::Whole;
        /// what is there
        padding: Padding = Padding::Zero, Padding::WORDS;
    }
}

impl Change for Crop {
    fn fits(&self, name: &str, [_, h, w]: [usize; 3]) -> Result<(), SpecError> {
        match self.pad < h.min(w) {
            true => Ok(()),
            false => Err(unfit(name, "pad", self.pad, format!("less than {}, for images of {h} x {w}", h.min(w)))),
        }
    }

    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let pad = self.pad as i64;
        let mut by = || generator.random_range(-pad..=pad);
        let (right, down) = (by(), by());
        image.shift(right, down, self.padding);
    }
}
