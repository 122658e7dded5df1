//! # Cutout: erases a square of the image
//!
//! ```text
//! centre of the square uniform over the pixels; the square is clipped at the edges
//! new = fill inside the square
//! ```
//!
//! ## Differences
//! In the paper the square is 0 after standardisation, which is the mean of the data. Here pixels
//! are between 0 and 1, and `fill` is the grey level of the square. torchvision's `RandomErasing`
//! draws a rectangle of random size inside the image, and changes only half of the images.
//!
//! ## Source
//! DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout",
//! arXiv 1708.04552, with size 16 for CIFAR-10.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::change::{Change, unfit};
use crate::spec::{Allowed, SpecError};

crate::settings! {
    /// Erases a square of the image.
    pub struct Cutout {
        /// side of the square, in pixels
        size: usize = 8, Allowed::Count;
        /// grey level of the square, from 0 (black) to 1 (white)
        fill: f64 = 0.0, Allowed::Share;
    }
}

impl Change for Cutout {
    fn fits(&self, name: &str, [_, h, w]: [usize; 3]) -> Result<(), SpecError> {
        match self.size <= h.min(w) {
            true => Ok(()),
            false => {
                let expected = format!("at most {}, for images of {h} x {w}", h.min(w));
                Err(unfit(name, "size", self.size, expected))
            }
        }
    }

    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let [_, h, w] = image.shape();
        let mut side = |length: usize| {
            let middle = generator.random_range(0..length);
            let from = middle.saturating_sub(self.size / 2);
            from..(middle + self.size - self.size / 2).min(length)
        };
        let (columns, rows) = (side(w), side(h));
        for channel in image.pixels().chunks_exact_mut(h * w) {
            rows.clone().for_each(|y| channel[y * w..][columns.clone()].fill(self.fill as f32));
        }
    }
}
