//! # Color: brightness, contrast and saturation, in this order
//!
//! ```text
//! kind=torchvision, f uniform in max(0, 1 - setting) .. 1 + setting, results clamped to 0 .. 1
//!     brightness:  new = f old
//!     contrast:    new = f old + (1 - f) mean of the image's grey
//!     saturation:  new = f old + (1 - f) grey of the pixel
//!     grey = 0.2989 red + 0.587 green + 0.114 blue
//!
//! kind=tensorflow, clamped to 0 .. 1 at the end
//!     brightness:  new = old + d, d uniform in -setting .. setting
//!     contrast:    new = f old + (1 - f) mean of the channel
//!     saturation:  the S of hue, saturation and value times f, at most 1
//! ```
//!
//! A setting of 0 skips its change. All three are 0 by default, and at least one has to be set.
//! Grey images (one channel) have no saturation.
//!
//! ## Differences
//! torchvision's `ColorJitter` applies the three in a random order. It also changes the hue, and
//! accepts saturation for grey images. The functions `tf.image.random_*` do not clamp. DeepOBS's
//! changes for CIFAR-10, in its order, are
//! `color:kind=tensorflow,brightness=0.00097,saturation=0.5|color:kind=tensorflow,contrast=0.8`,
//! but DeepOBS does not clamp between them. Its brightness change of 63/255 applies to pixels from
//! 0 to 255, so it has almost no effect.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1); torchvision's and TensorFlow's documentation.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::change::{Change, unfit};
use crate::spec::{Allowed, SpecError};

/// The library whose formulas are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorFormula {
    /// interpolation between the image and black or grey
    Torchvision,
    /// addition, separate channels, and HSV
    Tensorflow,
}
crate::words!(ColorFormula { Torchvision = "torchvision", Tensorflow = "tensorflow" });

crate::settings! {
    /// Brightness, contrast and saturation.
    pub struct Color {
        /// largest deviation of brightness from 1, or from 0 if it is added
        brightness: f64 = 0.0, Allowed::NotNegative;
        /// largest deviation of contrast from 1
        contrast: f64 = 0.0, Allowed::NotNegative;
        /// largest deviation of saturation from 1
        saturation: f64 = 0.0, Allowed::NotNegative;
        /// the library whose formulas are used
        kind: ColorFormula = ColorFormula::Torchvision, ColorFormula::WORDS;
    }
}

impl Change for Color {
    fn fits(&self, name: &str, [channels, ..]: [usize; 3]) -> Result<(), SpecError> {
        if [self.brightness, self.contrast, self.saturation] == [0.0; 3] {
            let expected = "brightness, contrast or saturation above 0".into();
            return Err(unfit(name, "brightness", self.brightness, expected));
        }
        match channels == 3 || self.saturation == 0.0 {
            true => Ok(()),
            false => {
                let expected = format!(
                    "0 for images of {channels} channels, which have no red, green and blue"
                );
                Err(unfit(name, "saturation", self.saturation, expected))
            }
        }
    }

    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let shape @ [channels, h, w] = image.shape();
        let pixels = image.pixels();
        // the random numbers are drawn in this order; a skipped change draws none
        let mut draw = |setting: f64, around_zero: bool| {
            let (low, high) = if around_zero {
                (-setting, setting)
            } else {
                ((1.0 - setting).max(0.0), 1.0 + setting)
            };
            let u: f64 = if setting > 0.0 { generator.random() } else { return None };
            // a larger factor gives only black and white, and a product of three such factors is
            // finite in f32
            Some((low * (1.0 - u) + high * u).clamp(-1e9, 1e9) as f32)
        };
        let brightness = draw(self.brightness, self.kind == ColorFormula::Tensorflow);
        let (contrast, saturation) = (draw(self.contrast, false), draw(self.saturation, false));
        match self.kind {
            ColorFormula::Torchvision => {
                if let Some(f) = brightness {
                    pixels.iter_mut().for_each(|x| *x = cut(*x * f));
                }
                if let Some(f) = contrast {
                    let mean = mean_grey(pixels, shape);
                    pixels.iter_mut().for_each(|x| *x = cut(*x * f + mean * (1.0 - f)));
                }
                if let Some(f) = saturation {
                    each_pixel(pixels, h * w, |rgb| {
                        let grey = grey(rgb);
                        rgb.map(|x| cut(x * f + grey * (1.0 - f)))
                    });
                }
            }
            ColorFormula::Tensorflow => {
                if let Some(d) = brightness {
                    pixels.iter_mut().for_each(|x| *x += d);
                }
                if let Some(f) = contrast {
                    for channel in pixels.chunks_exact_mut(h * w).take(channels) {
                        let mean = mean(channel);
                        channel.iter_mut().for_each(|x| *x = *x * f + mean * (1.0 - f));
                    }
                }
                if let Some(f) = saturation {
                    each_pixel(pixels, h * w, |rgb| saturated(rgb, f));
                }
                pixels.iter_mut().for_each(|x| *x = cut(*x));
            }
        }
    }
}

/// Clamps to 0 .. 1.
fn cut(x: f32) -> f32 {
    x.clamp(0.0, 1.0)
}

fn grey([red, green, blue]: [f32; 3]) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}

/// The mean, summed in f64 and in order, so that it does not depend on the processor.
fn mean(numbers: &[f32]) -> f32 {
    (numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / numbers.len() as f64) as f32
}

/// The mean grey of all pixels; of a grey image, the mean of its numbers.
fn mean_grey(pixels: &[f32], [channels, h, w]: [usize; 3]) -> f32 {
    match channels {
        3 => {
            let means: Vec<f32> = pixels.chunks_exact(h * w).map(mean).collect();
            grey([means[0], means[1], means[2]])
        }
        _ => mean(pixels),
    }
}

/// Changes red, green and blue of each pixel together.
fn each_pixel(pixels: &mut [f32], size: usize, change: impl Fn([f32; 3]) -> [f32; 3]) {
    let (red, rest) = pixels.split_at_mut(size);
    let (green, blue) = rest.split_at_mut(size);
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        [*r, *g, *b] = change([*r, *g, *b]);
    }
}

/// Multiplies S = (max - min) / max by f, to at most 1. Hue and max do not change.
fn saturated(rgb: [f32; 3], f: f32) -> [f32; 3] {
    let (max, min) = (rgb[0].max(rgb[1]).max(rgb[2]), rgb[0].min(rgb[1]).min(rgb[2]));
    if max <= min || max <= 0.0 {
        return rgb; // grey
    }
    let f = f.min(max / (max - min));
    rgb.map(|x| max - (max - x) * f)
}
