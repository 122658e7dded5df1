//! # Standardise: mean 0 and variance 1 in each channel
//!
//! ```text
//! x = (x - mean) / std      mean and std over all training examples and all pixels of the channel
//! ```
//!
//! If an input has three dimensions, the first one is the channel (3 x 32 x 32: red, green, blue).
//! An input with two dimensions has one channel. If an input has one dimension, each number is a
//! channel. A channel with std 0 is not divided.
//!
//! ## Differences
//! torchvision's `Normalize` is the same with mean and std given as numbers. scikit-learn's
//! `StandardScaler` treats every pixel as a channel.
//!
//! ## Source
//! Y. LeCun, L. Bottou, G. Orr, K.-R. Müller: Efficient BackProp (1998), section 4.3.

use rayon::prelude::*;

use super::fitted::{Fitted, TrainingInputs};

crate::settings! {
    /// Mean 0 and variance 1 in each channel.
    pub struct Standardise {}
}

impl Standardise {
    pub(super) fn fit(&self, inputs: TrainingInputs<'_>) -> Channels {
        let features = inputs.features();
        let width: usize = match inputs.shape {
            [_, height, rest @ ..] if !rest.is_empty() => height * rest.iter().product::<usize>(),
            [_] => 1,
            _ => features,
        };
        let rows = || inputs.train.chunks_exact(features);
        let channels = (0..features / width)
            .map(|channel| Channel::of(rows().map(|row| &row[channel * width..][..width])))
            .collect();
        Channels { width, channels }
    }
}

/// Mean and scale of each channel.
#[derive(Debug)]
pub(super) struct Channels {
    /// numbers of one channel in one example
    width: usize,
    channels: Vec<Channel>,
}

#[derive(Debug)]
struct Channel {
    mean: f64,
    scale: f64,
}

impl Channel {
    /// From the numbers of the channel in each example.
    fn of<'a>(examples: impl Iterator<Item = &'a [f32]>) -> Channel {
        let (mut n, mut sum, mut squares) = (0.0f64, 0.0f64, 0.0f64);
        for numbers in examples {
            let (mut row_sum, mut row_squares) = (0.0f64, 0.0f64);
            for x in numbers {
                row_sum += f64::from(*x);
                row_squares += f64::from(*x) * f64::from(*x);
            }
            n += numbers.len() as f64;
            sum += row_sum;
            squares += row_squares;
        }
        let mean = sum / n;
        let std = (squares / n - mean * mean).max(0.0).sqrt();
        let varies = std > 1e-6 * mean.abs().max(f64::MIN_POSITIVE);
        Channel { mean, scale: if varies { 1.0 / std } else { 1.0 } }
    }
}

impl Fitted for Channels {
    fn apply(&self, numbers: &mut [f32]) {
        numbers.par_chunks_exact_mut(self.width * self.channels.len()).for_each(|row| {
            for (numbers, Channel { mean, scale }) in
                row.chunks_exact_mut(self.width).zip(&self.channels)
            {
                numbers.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * scale) as f32);
            }
        });
    }
}
