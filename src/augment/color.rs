//! # Color: brightness, contrast and saturation, in this order
//!
//! ```text
//! kind=torchvision, each f uniform in max(0, 1 - setting) .. 1 + setting, each result cut off at 0 and 1
//!     brightness:  new = f old
//!     contrast:    new = f old + (1 - f) mean of the image's grey
//!     saturation:  new = f old + (1 - f) grey of the pixel           grey = 0.2989 red + 0.587 green + 0.114 blue
//!
//! kind=tensorflow, cut off at 0 and 1 at the end
//!     brightness:  new = old + d, d uniform in -setting .. setting
//!     contrast:    new = f old + (1 - f) mean of the channel
//!     saturation:  the S of hue, saturation and value times f, at most 1
//! ```
//!
//! A setting of 0 leaves out what it is for, and all three are 0 unless they are given: one has to be. Grey images, of one channel, have no
//! saturation to be changed.
//!
//! ## Differences
//! torchvision's `ColorJitter` does the three in a random order; it has hue too, and lets saturation pass on grey images. The functions
//! `tf.image.random_*` do not cut off. DeepOBS's for CIFAR-10 are, one behind another, since its order is another:
//! `color:kind=tensorflow,brightness=0.00097,saturation=0.5|color:kind=tensorflow,contrast=0.8`, but that it does not cut off in between either. Its
//! brightness is 63/255 of numbers from 0 to 255, and so hardly changes anything.
//!
//! ## Source
//! arXiv 1712.04711, section 4.1 (S1); torchvision's and TensorFlow's documentation.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Canvas, Change, unfit};
use crate::spec::{Allowed, SpecError};

/// Whose brightness, contrast and saturation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// mixtures with black and grey
    Torchvision,
    /// sums, channels by themselves, and HSV
    Tensorflow,
}
crate::words!(Kind { Torchvision = "torchvision", Tensorflow = "tensorflow" });

crate::settings! {
    /// Brightness, contrast and saturation.
    pub struct Color {
        /// how far brightness goes from 1, or from 0 where it is added
        brightness: f64 = 0.0, Allowed::NotNegative;
        /// how far contrast goes from 1
        contrast: f64 = 0.0, Allowed::NotNegative;
        /// how far saturation goes from 1
        saturation: f64 = 0.0, Allowed::NotNegative;
        /// whose formulas
        kind: Kind = Kind::Torchvision, Kind::WORDS;
    }
}

impl Change for Color {
    fn fits(&self, name: &str, [channels, ..]: [usize; 3]) -> Result<(), SpecError> {
        if [self.brightness, self.contrast, self.saturation] == [0.0; 3] {
            return Err(unfit(name, "brightness", self.brightness, "brightness, contrast or saturation above 0".into()));
        }
        match channels == 3 || self.saturation == 0.0 {
            true => Ok(()),
            false => Err(unfit(name, "saturation", self.saturation, format!("0 for images of {channels} channels, which have no red, green and blue"))),
        }
    }

    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
        let shape @ [channels, h, w] = image.shape();
        let pixels = image.pixels();
        // drawn in this order, and nothing for what is left out
        let mut draw = |setting: f64, around_zero: bool| {
            let (low, high) = if around_zero { (-setting, setting) } else { ((1.0 - setting).max(0.0), 1.0 + setting) };
            let u: f64 = if setting > 0.0 { generator.random() } else { return None };
            // beyond this all is black or white anyway, and three of them multiplied are still finite in f32
            Some((low * (1.0 - u) + high * u).clamp(-1e9, 1e9) as f32)
        };
        let brightness = draw(self.brightness, self.kind == Kind::Tensorflow);
        let (contrast, saturation) = (draw(self.contrast, false), draw(self.saturation, false));
        match self.kind {
            Kind::Torchvision => {
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
            Kind::Tensorflow => {
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

/// Between 0 and 1.
fn cut(x: f32) -> f32 {
    x.clamp(0.0, 1.0)
}

fn grey([red, green, blue]: [f32; 3]) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}

/// In f64 and in order, so that it does not depend on the width of the processor's vectors.
fn mean(numbers: &[f32]) -> f32 {
    (numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / numbers.len() as f64) as f32
}

/// The mean of the grey of all pixels; of an image without colors, the mean of its numbers.
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

/// With S = (max - min) / max times f, at most 1; hue and max stay.
fn saturated(rgb: [f32; 3], f: f32) -> [f32; 3] {
    let (max, min) = (rgb[0].max(rgb[1]).max(rgb[2]), rgb[0].min(rgb[1]).min(rgb[2]));
    if max <= min || max <= 0.0 {
        return rgb; // grey
    }
    let f = f.min(max / (max - min));
    rgb.map(|x| max - (max - x) * f)
}
