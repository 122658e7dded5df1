//! # Cutout: a square of the image taken out
//!
//! ```text
//! middle of the square uniform over the pixels, what lies beyond the edge left out
//! new = fill inside the square
//! ```
//!
//! ## Differences
//! The paper's square of zeros comes after standardisation, so it is the mean of the data; here inputs lie between 0 and 1, and `fill` says
//! which grey it is. torchvision's `RandomErasing` keeps the rectangle inside, draws its size too, and does it to half of the images.
//!
//! ## Source
//! DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", arXiv 1708.04552: 16 for CIFAR-10.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Canvas, Change, unfit};
use crate::spec::{Allowed, SpecError};

crate::settings! {
    /// A square taken out.
    pub struct Cutout {
        /// pixels of its side
        size: usize = 8, Allowed::Count;
        /// what is there instead, from 0, black, to 1
        fill: f64 = 0.0, Allowed::Share;
    }
}

impl Change for Cutout {
    fn fits(&self, name: &str, [_, h, w]: [usize; 3]) -> Result<(), SpecError> {
        match self.size <= h.min(w) {
            true => Ok(()),
            false => Err(unfit(name, "size", self.size, format!("at most {}, for images of {h} x {w}", h.min(w)))),
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
