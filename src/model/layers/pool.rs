//! Pooling.

use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Int, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::max_pool::argmax;
use super::stochastic_pool::draw;
use super::windows::Windows;
use crate::model::convolution::{Numbers, with_numbers};
use crate::model::mode::Mode;

/// The function that reduces the numbers of a window to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PoolKind {
    /// the maximum
    Max,
    /// the mean
    Mean,
    /// one of the numbers, drawn with a probability proportional to it; at evaluation the mean,
    /// weighted by these probabilities (Zeiler & Fergus 2013)
    Stochastic,
}

crate::words!(PoolKind { Max = "max", Mean = "mean", Stochastic = "stochastic" });

/// Pooling over windows of `size` x `size` at distances of `stride`. As in TensorFlow's `same`, a
/// side of n becomes ⌈n / stride⌉, and windows that extend beyond the edge contain fewer numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// the function that reduces the numbers of a window to one
    pub kind: PoolKind,
    /// height and width of a window
    pub size: usize,
    /// distance between windows
    pub stride: usize,
}

/// burn's padding of an image.
struct Padding {
    pairs: [(usize, usize); 2],
    ceil: bool,
}

impl Pool {
    /// The number of windows along a side.
    pub fn windows(&self, side: usize) -> usize {
        side.div_ceil(self.stride)
    }

    /// Pools images of [examples, channels, height, width]. For [`PoolKind::Stochastic`] no number
    /// may be negative.
    pub fn of(&self, x: Tensor<4>, mode: &mut Mode) -> Tensor<4> {
        match (self.kind, mode) {
            (PoolKind::Max, _) => self.max(x),
            (PoolKind::Mean, _) => self.mean(x),
            (PoolKind::Stochastic, Mode::Evaluate) => {
                self.mean(x.clone() * x.clone()) / self.mean(x).clamp_min(f32::MIN_POSITIVE)
            }
            (PoolKind::Stochastic, Mode::Train(generator)) => self.stochastic(x, generator),
        }
    }

    fn windows_of(&self, [_, _, height, width]: [usize; 4]) -> Windows {
        Windows::new(self.size, self.stride, height, width)
    }

    /// The same padding on both sides is the fastest. burn's ceiling mode adds one more at the end.
    fn padding(&self, dims: [usize; 4]) -> Padding {
        let sides = self.windows_of(dims).overhang();
        let ceil = self.stride > 1 && sides.iter().all(|(before, after)| *after == before + 1);
        let pairs = if ceil { sides.map(|(before, _)| (before, before)) } else { sides };
        Padding { pairs, ceil }
    }

    fn mean(&self, x: Tensor<4>) -> Tensor<4> {
        let padding = self.padding(x.dims());
        let options = AvgPoolOptions::new([self.size; 2])
            .with_stride([self.stride; 2])
            .with_padding_pairs(padding.pairs)
            .with_count_include_pad(false)
            .with_ceil_mode(padding.ceil);
        avg_pool2d(x, options)
    }

    /// On flex, [`argmax`] and a `gather` are several times as fast as burn's pooling.
    fn max(&self, x: Tensor<4>) -> Tensor<4> {
        let windows = self.windows_of(x.dims());
        let positions = with_numbers(&x, |numbers| match numbers {
            Numbers::Single(numbers) => argmax(windows, numbers),
            Numbers::Double(numbers) => argmax(windows, numbers),
        });
        match positions {
            Some(positions) => self.gather(x, positions),
            None => {
                let padding = self.padding(x.dims());
                let options = MaxPoolOptions::new([self.size; 2])
                    .with_stride([self.stride; 2])
                    .with_padding_pairs(padding.pairs)
                    .with_ceil_mode(padding.ceil);
                max_pool2d(x, options)
            }
        }
    }

    /// The positions are drawn without autodiff; the gradient comes from `gather`.
    fn stochastic(&self, x: Tensor<4>, generator: &mut ChaCha8Rng) -> Tensor<4> {
        let [examples, channels, ..] = x.dims();
        let windows = self.windows_of(x.dims());
        let mut drawn = vec![0u32; examples * channels * windows.count()];
        generator.fill_bytes(bytemuck::cast_slice_mut(&mut drawn));
        let positions = with_numbers(&x, |numbers| match numbers {
            Numbers::Single(numbers) => draw(windows, numbers, &drawn),
            Numbers::Double(numbers) => draw(windows, numbers, &drawn),
        });
        let positions = positions.unwrap_or_else(|| {
            let numbers: Vec<f32> = x.to_data().iter::<f32>().collect();
            draw(windows, &numbers, &drawn)
        });
        self.gather(x, positions)
    }

    /// The numbers at these positions of each plane, one per window.
    fn gather(&self, x: Tensor<4>, positions: Vec<i32>) -> Tensor<4> {
        let [examples, channels, height, width] = x.dims();
        let (planes, windows) = (examples * channels, self.windows_of(x.dims()));
        let positions = TensorData::new(positions, [planes, windows.count()]);
        let positions = Tensor::<2, Int>::from_data(positions, &x.device());
        x.reshape([planes, height * width]).gather(1, positions).reshape([
            examples,
            channels,
            windows.rows,
            windows.columns,
        ])
    }
}
