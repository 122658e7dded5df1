//! # Crop: a random window of the padded image; the image size does not change
//!
//! ```text
//! dx, dy uniform in -pad .. pad, whole numbers
//! new[y][x] = old[y + dy][x + dx]
//! beyond the edge by padding: zero is black, edge the nearest pixel, reflect the mirrored image
//! ```
//!
//! ## Differences
//! This is torchvision's `RandomCrop(size, padding=pad, padding_mode=constant|edge|reflect)` with
//! the size of the image. There is one difference: if the next augmentation also moves pixels, with
//! the same padding, both are applied in one operation. A rotation after a crop can therefore move
//! pixels back into the window, where torchvision has black.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1). He, Zhang, Ren and Sun, "Deep residual learning", 2015,
//! section 4.2, pad CIFAR-10 by 4; DeepOBS pads by 2.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Padding};
use super::change::{Change, unfit};
use crate::spec::{Allowed, SpecError};

crate::settings! {
    /// A random window of the padded image.
    pub struct Crop {
        /// padding on each side, in pixels
        pad: usize = 4, Allowed::Whole;
        /// pixels beyond the edge
        padding: Padding = Padding::Zero, Padding::WORDS;
    }
}

impl Change for Crop {
    fn fits(&self, name: &str, [_, h, w]: [usize; 3]) -> Result<(), SpecError> {
        match self.pad < h.min(w) {
            true => Ok(()),
            false => {
                let expected = format!("less than {}, for images of {h} x {w}", h.min(w));
                Err(unfit(name, "pad", self.pad, expected))
            }
        }
    }

    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let pad = self.pad as i64;
        let mut offset = || generator.random_range(-pad..=pad);
        let (right, down) = (offset(), offset());
        image.shift(right, down, self.padding);
    }
}
