//! # Standardise: mean 0 and variance 1 in each channel
//!
//! ```text
//! x = (x - mean) / std        mean and std over all training examples and all places of the channel
//! ```
//!
//! The channels of inputs of three dimensions are the first (3 x 32 x 32: red, green, blue); inputs of two dimensions are one channel; of
//! inputs of one dimension, each number is a channel. Where std is 0, nothing is divided.
//!
//! ## Differences
//! torchvision's `Normalize` is this with numbers that somebody computed before. scikit-learn's `StandardScaler` takes every pixel for a channel.
//!
//! ## Source
//! Y. LeCun, L. Bottou, G. Orr, K.-R. Müller: Efficient BackProp (1998), section 4.3.

use rayon::prelude::*;

use super::prepare::{Fitted, Given};

crate::settings! {
    /// Mean 0 and variance 1 in each channel.
    pub struct Standardise {}
}

impl Standardise {
    pub(super) fn fit(&self, Given { shape, train }: Given<'_>) -> Channels {
        let width: usize = match shape {
            [_, rest @ .., last] if shape.len() > 2 => rest.iter().product::<usize>() * last,
            [_] => 1,
            _ => shape.iter().product(),
        };
        let features: usize = shape.iter().product();
        let channel = |channel: usize| {
            let (mut n, mut sum, mut squares) = (0.0f64, 0.0f64, 0.0f64);
            for row in train.chunks_exact(features) {
                let (mut row_sum, mut row_squares) = (0.0f64, 0.0f64);
                for x in &row[channel * width..(channel + 1) * width] {
                    row_sum += f64::from(*x);
                    row_squares += f64::from(*x) * f64::from(*x);
                }
                n += width as f64;
                sum += row_sum;
                squares += row_squares;
            }
            let mean = sum / n;
            let std = (squares / n - mean * mean).max(0.0).sqrt();
            (mean, if std > 1e-6 * mean.abs().max(f64::MIN_POSITIVE) { 1.0 / std } else { 1.0 })
        };
        Channels { width, of: (0..features / width).map(channel).collect() }
    }
}

/// Mean and factor of each channel.
#[derive(Debug)]
pub(super) struct Channels {
    width: usize,
    of: Vec<(f64, f64)>,
}

impl Fitted for Channels {
    fn apply(&self, numbers: &mut [f32]) {
        numbers.par_chunks_exact_mut(self.width * self.of.len()).for_each(|row| {
            for (channel, (mean, scale)) in row.chunks_exact_mut(self.width).zip(&self.of) {
                channel.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * scale) as f32);
            }
        });
    }
}
