//! What the models are made of: layers with their first weights, activations, pooling.

use std::ops::Range;

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::activation::{relu, sigmoid, softplus, tanh};
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::Mode;
use super::convolution::{Numbers, with_numbers};
use crate::spec::{Allowed, Given};

/// How the first weights of a layer are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// uniform in ±1/√inputs, the biases too: the default of torch and burn
    Uniform,
    /// normal with variance 2 / inputs: He et al. 2015, made for ReLU
    He,
    /// uniform in ±√(6 / (inputs + outputs)): Glorot & Bengio 2010
    Glorot,
    /// truncated normal with variance 2 / (inputs + outputs), Keras' glorot_normal
    GlorotNormal,
    /// normal with this spread, drawn again beyond two spreads, as in TensorFlow
    TruncNormal(f64),
}

const TRUNC_NORMAL: &str = "trunc_normal:";

impl Init {
    /// What is allowed in a spec.
    pub const WORDS: Allowed =
        Allowed::OneOf(&["uniform", "he", "glorot", "glorot_normal", "trunc_normal:SPREAD such as trunc_normal:0.05"]);
}

impl Given for Init {
    fn read(text: &str, _: Allowed) -> Option<Init> {
        Some(match text {
            "uniform" => Init::Uniform,
            "he" => Init::He,
            "glorot" => Init::Glorot,
            "glorot_normal" => Init::GlorotNormal,
            other => Init::TruncNormal(f64::read(other.strip_prefix(TRUNC_NORMAL)?, Allowed::Positive)?),
        })
    }

    fn show(&self) -> String {
        match self {
            Init::Uniform => "uniform".into(),
            Init::He => "he".into(),
            Init::Glorot => "glorot".into(),
            Init::GlorotNormal => "glorot_normal".into(),
            Init::TruncNormal(spread) => format!("{TRUNC_NORMAL}{}", spread.show()),
        }
    }
}

/// Makes layers, their first weights drawn from the run's own generator.
pub struct Maker<'a> {
    /// how weights are drawn
    pub init: Init,
    /// what biases begin as; nothing is 0, or with [`Init::Uniform`] drawn like the weights
    pub bias: Option<f32>,
    /// where from
    pub weights: &'a mut ChaCha8Rng,
    /// where they live
    pub device: &'a Device,
}

impl Maker<'_> {
    fn draw(&mut self, n: usize, inputs: usize, outputs: usize) -> Vec<f32> {
        let weights = &mut *self.weights;
        let uniform = |weights: &mut ChaCha8Rng, k: f32| (0..n).map(|_| weights.random_range(-k..k)).collect();
        let mut normal = || -> f64 { StandardNormal.sample(weights) };
        let truncated = |mut normal: &mut dyn FnMut() -> f64, spread: f64| {
            let within = |normal: &mut dyn FnMut() -> f64| std::iter::repeat_with(normal).find(|x| x.abs() < 2.0).unwrap_or_default();
            (0..n).map(|_| (spread * within(&mut normal)) as f32).collect()
        };
        match self.init {
            Init::Uniform => uniform(weights, 1.0 / (inputs as f32).sqrt()),
            Init::Glorot => uniform(weights, (6.0 / (inputs + outputs) as f32).sqrt()),
            Init::He => (0..n).map(|_| ((2.0 / inputs as f64).sqrt() * normal()) as f32).collect(),
            // what is cut off makes the spread smaller by 0.8796, which Keras undoes
            Init::GlorotNormal => truncated(&mut normal, (2.0 / (inputs + outputs) as f64).sqrt() / 0.879_625_661_034_239_8),
            Init::TruncNormal(spread) => truncated(&mut normal, spread),
        }
    }

    fn biases(&mut self, n: usize, inputs: usize) -> Vec<f32> {
        match (self.bias, self.init) {
            (Some(bias), _) => vec![bias; n],
            (None, Init::Uniform) => self.draw(n, inputs, n),
            (None, _) => vec![0.0; n],
        }
    }

    /// A fully connected layer.
    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        let weight = TensorData::new(self.draw(inputs * outputs, inputs, outputs), [inputs, outputs]);
        let bias = TensorData::new(self.biases(outputs, inputs), [outputs]);
        Linear { weight: Param::from_data(weight, self.device), bias: Some(Param::from_data(bias, self.device)) }
    }

    /// A convolution with steps of 1. `same` pads with zeros, so that images keep their size; else they lose size - 1.
    pub fn conv(&mut self, [inputs, outputs]: [usize; 2], size: usize, same: bool) -> Conv2d {
        let area = size * size;
        let weight = self.draw(outputs * inputs * area, inputs * area, outputs * area);
        let weight = TensorData::new(weight, [outputs, inputs, size, size]);
        let bias = TensorData::new(self.biases(outputs, inputs * area), [outputs]);
        Conv2d {
            weight: Param::from_data(weight, self.device),
            bias: Some(Param::from_data(bias, self.device)),
            stride: [1, 1],
            kernel_size: [size, size],
            dilation: [1, 1],
            groups: 1,
            padding: if same { PaddingConfig2d::Same } else { PaddingConfig2d::Valid },
        }
    }
}

/// The parameters of a fully connected layer.
pub fn linear_parameters(inputs: usize, outputs: usize) -> Option<usize> {
    inputs.checked_add(1)?.checked_mul(outputs)
}

/// What stands behind a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Activation {
    Relu,
    Tanh,
    Sigmoid,
    Softplus,
}

crate::words!(Activation { Relu = "relu", Tanh = "tanh", Sigmoid = "sigmoid", Softplus = "softplus" });

impl Activation {
    /// Of each number.
    pub fn of<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Activation::Relu => relu(x),
            Activation::Tanh => tanh(x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Softplus => softplus(x, 1.0),
        }
    }
}

/// What becomes of the numbers in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// the largest
    Max,
    /// their mean
    Mean,
    /// one of them, drawn with a probability proportional to it; at evaluation the mean so weighted (Zeiler & Fergus 2013)
    Stochastic,
}

crate::words!(Kind { Max = "max", Mean = "mean", Stochastic = "stochastic" });

/// Pooling over windows of `size` x `size` that are `stride` apart. As with TensorFlow's `same`, an image of n comes out as ⌈n / stride⌉, and
/// windows that reach over the edge have fewer numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// what becomes of a window
    pub kind: Kind,
    /// its height and width
    pub size: usize,
    /// from one to the next
    pub stride: usize,
}

impl Pool {
    /// Windows along a side.
    pub fn windows(&self, side: usize) -> usize {
        side.div_ceil(self.stride)
    }

    /// How far the first window reaches over the edge, and the last.
    fn over(&self, side: usize) -> (usize, usize) {
        let over = ((self.windows(side).max(1) - 1) * self.stride + self.size).saturating_sub(side);
        (over / 2, over - over / 2)
    }

    /// Of images of [examples, channels, height, width]. Where it is [`Kind::Stochastic`], no number is to be negative.
    pub fn of(&self, x: Tensor<4>, mode: &mut Mode) -> Tensor<4> {
        match (self.kind, mode) {
            (Kind::Max, _) => self.largest(x),
            (Kind::Mean, _) => self.mean(x),
            (Kind::Stochastic, Mode::Evaluate) => self.mean(x.clone() * x.clone()) / self.mean(x).clamp_min(f32::MIN_POSITIVE),
            (Kind::Stochastic, Mode::Train(generator)) => self.drawn(x, generator),
        }
    }

    /// What burn pads an image with: the same on both sides is cheapest, and one more at the end is what it calls ceiling.
    fn padding(&self, [_, _, height, width]: [usize; 4]) -> ([(usize, usize); 2], bool) {
        let sides = [self.over(height), self.over(width)];
        let ceil = self.stride > 1 && sides.iter().all(|(before, after)| *after == before + 1);
        (if ceil { sides.map(|(before, _)| (before, before)) } else { sides }, ceil)
    }

    fn mean(&self, x: Tensor<4>) -> Tensor<4> {
        let (padding, ceil) = self.padding(x.dims());
        let options = AvgPoolOptions::new([self.size; 2]).with_stride([self.stride; 2]).with_padding_pairs(padding);
        avg_pool2d(x, options.with_count_include_pad(false).with_ceil_mode(ceil))
    }

    /// burn's, but on flex, where finding the places here and taking what is there is several times as fast.
    fn largest(&self, x: Tensor<4>) -> Tensor<4> {
        let places = with_numbers(&x, |numbers| match numbers {
            Numbers::Single(numbers) => self.largest_of(numbers, x.dims()),
            Numbers::Double(numbers) => self.largest_of(numbers, x.dims()),
        });
        match places {
            Some(places) => self.taken(x, places),
            None => {
                let (padding, ceil) = self.padding(x.dims());
                let options = MaxPoolOptions::new([self.size; 2]).with_stride([self.stride; 2]);
                max_pool2d(x, options.with_padding_pairs(padding).with_ceil_mode(ceil))
            }
        }
    }

    /// The place of the first of the largest in each window; what is not a number passes for that. A row of windows is gone through together,
    /// first their first numbers, then their second ones: so no window waits for what came of the number before.
    fn largest_of<T: Copy + PartialOrd + Sync + From<f32>>(&self, numbers: &[T], [_, _, height, width]: [usize; 4]) -> Vec<i32> {
        let (rows, columns) = (self.windows(height), self.windows(width));
        let (above, left) = (self.over(height).0, self.over(width).0);
        let mut places = vec![0; numbers.len() / (height * width).max(1) * rows * columns];
        let planes = places.par_chunks_mut((rows * columns).max(1)).zip(numbers.par_chunks((height * width).max(1)));
        let lowest = T::from(f32::NEG_INFINITY);
        planes.for_each_init(
            || (Vec::new(), vec![lowest; columns]),
            |(most, together), (places, plane)| {
                for (row, places) in places.chunks_exact_mut(columns).enumerate() {
                    let ys = (row * self.stride).saturating_sub(above)..(row * self.stride + self.size - above).min(height);
                    for (column, place) in places.iter_mut().enumerate() {
                        *place = (ys.start * width + (column * self.stride).saturating_sub(left)) as i32;
                    }
                    most.clear();
                    most.resize(columns, lowest);
                    for (y, dx) in ys.flat_map(|y| (0..self.size).map(move |dx| (y, dx))) {
                        // the first window that has a number there inside the image, and that number
                        let first = left.saturating_sub(dx).div_ceil(self.stride);
                        let begin = first * self.stride + dx - left;
                        if begin >= width {
                            continue;
                        }
                        // first what is apart is put together, then compared without branches: so both are done several at a time
                        let line = &plane[y * width..][begin..width];
                        let inside = line.len().div_ceil(self.stride).min(columns - first);
                        let (most, places) = (&mut most[first..first + inside], &mut places[first..first + inside]);
                        let together = &mut together[..inside];
                        for (i, x) in together.iter_mut().enumerate() {
                            *x = line[i * self.stride];
                        }
                        for i in 0..inside {
                            let (x, at) = (together[i], (y * width + begin + i * self.stride) as i32);
                            #[allow(clippy::eq_op)] // that is what makes it no number
                            let better = (x > most[i]) | (x != x);
                            most[i] = if better { x } else { most[i] };
                            places[i] = if better { at } else { places[i] };
                        }
                    }
                }
            },
        );
        places
    }

    /// One number of each window, drawn. The places are found without gradients; what is taken from there has them.
    fn drawn(&self, x: Tensor<4>, generator: &mut ChaCha8Rng) -> Tensor<4> {
        let [examples, channels, height, width] = x.dims();
        let mut drawn = vec![0u32; examples * channels * self.windows(height) * self.windows(width)];
        generator.fill_bytes(bytemuck::cast_slice_mut(&mut drawn));
        let share = |window: usize| f64::from(u32::from_le(drawn[window])) / f64::from(u32::MAX);
        let find = |numbers: Numbers| match numbers {
            Numbers::Single(numbers) => self.places(numbers, x.dims(), |plane, window, at| in_proportion(plane, at, share(window))),
            Numbers::Double(numbers) => self.places(numbers, x.dims(), |plane, window, at| in_proportion(plane, at, share(window))),
        };
        let places = with_numbers(&x, find).unwrap_or_else(|| {
            let numbers: Vec<f32> = x.to_data().iter::<f32>().collect();
            find(Numbers::Single(&numbers))
        });
        self.taken(x, places)
    }

    /// In each plane and window, what a function chooses from the numbers of the plane, the number of the window, and the places in it.
    fn places<T: Sync>(
        &self,
        numbers: &[T],
        [_, _, height, width]: [usize; 4],
        choose: impl Fn(&[T], usize, Places) -> usize + Sync,
    ) -> Vec<i32> {
        let (rows, columns) = (self.windows(height), self.windows(width));
        let (above, left) = (self.over(height).0, self.over(width).0);
        let side = |window: usize, before: usize, side: usize| {
            (window * self.stride).saturating_sub(before)..(window * self.stride + self.size - before).min(side)
        };
        let mut places = vec![0; numbers.len() / (height * width).max(1) * rows * columns];
        let planes = places.par_chunks_mut((rows * columns).max(1)).zip(numbers.par_chunks((height * width).max(1)));
        planes.enumerate().for_each(|(at, (places, plane))| {
            for (window, place) in places.iter_mut().enumerate() {
                let (ys, xs) = (side(window / columns, above, height), side(window % columns, left, width));
                *place = choose(plane, at * rows * columns + window, Places { ys, xs, width }) as i32;
            }
        });
        places
    }

    /// The numbers at these places.
    fn taken(&self, x: Tensor<4>, places: Vec<i32>) -> Tensor<4> {
        let [examples, channels, height, width] = x.dims();
        let (rows, columns, planes) = (self.windows(height), self.windows(width), examples * channels);
        let places = Tensor::<2, Int>::from_data(TensorData::new(places, [planes, rows * columns]), &x.device());
        x.reshape([planes, height * width]).gather(1, places).reshape([examples, channels, rows, columns])
    }
}

/// The places of a window in its plane.
#[derive(Clone)]
struct Places {
    ys: Range<usize>,
    xs: Range<usize>,
    width: usize,
}

impl Places {
    fn each(&self, mut visit: impl FnMut(usize)) {
        for y in self.ys.clone() {
            for x in self.xs.clone() {
                visit(y * self.width + x);
            }
        }
    }
}

/// The first at which the sum so far passes this share of the sum of all. What is 0 is never taken, unless all are.
fn in_proportion<T: Copy + Into<f64>>(plane: &[T], at: Places, share: f64) -> usize {
    let mut sum = 0.0;
    at.each(|here| sum += plane[here].into());
    let (mut left, mut place, mut found) = (sum * share, None, false);
    at.each(|here| {
        let x: f64 = plane[here].into();
        if !found && (x > 0.0 || place.is_none()) {
            place = Some(here);
        }
        left -= x;
        found |= left < 0.0;
    });
    place.unwrap_or_default()
}
