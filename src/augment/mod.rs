//! Augmentation: images of a batch changed at random before each step, so that no step sees the same ones again. A new kind is a new file, and a
//! line in the table below.
//!
//! ```
//! use downhill::augment::Augment;
//! use downhill::seed::{Purpose, Seed};
//!
//! let augment = Augment::read(&"hflip|crop:pad=4|color:brightness=0.2".parse()?)?;
//! let mut batch = vec![0.5; 128 * 3 * 32 * 32]; // channels first, between 0 and 1
//! let step = 1; // a stream for each step: the same step of the same seed is the same batch
//! augment.apply(&mut batch, [3, 32, 32], &mut Seed(0).generator(Purpose::Augmentation, step))?;
//! # Ok::<(), downhill::Error>(())
//! ```

mod canvas;
pub mod sheet;

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::about::{About, Entry};
use crate::error::{Error, Result};
use crate::spec::{Line, Settings, Spec, SpecError, unknown};

use canvas::{Canvas, Scratch};
pub use canvas::{Filter, Padding};

/// Images handed to a thread at once; fewer cost more to hand over than to change.
const AT_ONCE: usize = 4;

/// One kind of change.
trait Change: Settings {
    /// Whether images of `[channels, height, width]` can be changed so. `name` is for the error.
    fn fits(&self, name: &str, shape: [usize; 3]) -> std::result::Result<(), SpecError> {
        let _ = (name, shape);
        Ok(())
    }

    /// Draws how much, and changes one image by that.
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng);
}

macro_rules! augmentations {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub mod $module; pub use $module::$Type;)*

        #[derive(Clone, Debug, PartialEq)]
        enum Part {
            $($Type($Type)),*
        }

        /// All augmentations.
        pub const AUGMENTATIONS: &[Entry] = &[$(Entry {
            name: stringify!($module),
            about: About(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$Type as Settings>::SETTINGS,
            defaults: || $Type::default().values(),
        }),*];

        impl Part {
            fn read(spec: &Spec) -> std::result::Result<Part, SpecError> {
                match spec.name.as_str() {
                    $(stringify!($module) => spec.read().map(Part::$Type),)*
                    other => Err(unknown("augmentation", other, ["none", $(stringify!($module)),*])),
                }
            }

            fn spec(&self) -> Spec {
                match self {
                    $(Part::$Type(part) => part.spec(stringify!($module))),*
                }
            }

            fn fits(&self, shape: [usize; 3]) -> std::result::Result<(), SpecError> {
                match self {
                    $(Part::$Type(part) => part.fits(stringify!($module), shape)),*
                }
            }

            fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng) {
                match self {
                    $(Part::$Type(part) => part.change(image, generator)),*
                }
            }
        }
    };
}

augmentations! {
    hflip::Hflip,
    vflip::Vflip,
    crop::Crop,
    scale::Scale,
    rotate::Rotate,
    color::Color,
    noise::Noise,
    cutout::Cutout,
}

/// What is done to each image of a batch, from left to right; there may be nothing.
///
/// Each image has random numbers of its own, so the result is the same for any number of threads. Parts that only move pixels, one behind
/// another, move them once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Augment(Vec<Part>);

impl Augment {
    /// Reads a line, such as `hflip|crop:pad=4|color:brightness=0.2`; `none` is no augmentation.
    ///
    /// # Errors
    /// On an unknown augmentation or setting, or a value that is not allowed.
    pub fn read(line: &Line) -> Result<Augment> {
        if line.0.len() > 1 && line.0.iter().any(|spec| spec.name == "none") {
            let problem = "none beside an augmentation, expected either".into();
            return Err(SpecError::Several { spec: line.to_string(), problem }.into());
        }
        let parts = line.0.iter().filter(|spec| spec.to_string() != "none").map(Part::read);
        Ok(Augment(parts.collect::<std::result::Result<_, _>>()?))
    }

    /// The line with every setting spelled out.
    pub fn spec(&self) -> String {
        if self.0.is_empty() { "none".into() } else { Line(self.0.iter().map(Part::spec).collect()).to_string() }
    }

    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// `[channels, height, width]` of inputs of this shape, grey images having one channel.
    ///
    /// # Errors
    /// If they are no images, or not such as can be changed so.
    pub fn fits(&self, input: &[usize]) -> Result<[usize; 3]> {
        let shape = match *input {
            [height, width] => [1, height, width],
            [channels, height, width] => [channels, height, width],
            _ => {
                let text = format!(
                    "augmentation is for images, and inputs of {input:?} are none: expected [height, width] or [channels, height, width]"
                );
                return Err(Error::Asked(text));
            }
        };
        if numbers(shape).is_none() {
            return Err(Error::Asked(format!(
                "images of {input:?} cannot be augmented: expected at least one pixel, and no more than fit in memory"
            )));
        }
        self.0.iter().try_for_each(|part| part.fits(shape))?;
        Ok(shape)
    }

    /// Whether data of this name and shape can be changed so, of numbers that are `pixels` from 0 to 1 or others.
    ///
    /// # Errors
    /// If not.
    pub fn takes(&self, name: &str, input: &[usize], pixels: bool) -> Result<()> {
        if self.is_none() {
            return Ok(());
        }
        self.fits(input)?;
        if !pixels {
            let found = format!("{} on {name}", self.spec());
            return Err(Error::Asked(format!("augment is {found}, expected images, pixels from 0 to 1")));
        }
        Ok(())
    }

    /// Changes images of `[channels, height, width]`, one after another, whose numbers lie between 0 and 1; there they stay.
    ///
    /// # Errors
    /// If they do not [fit](Augment::fits), or are not a whole number of images.
    pub fn apply(&self, images: &mut [f32], shape: [usize; 3], generator: &mut ChaCha8Rng) -> Result<()> {
        let shape = self.fits(&shape)?;
        let size = numbers(shape).unwrap_or(1);
        if !images.len().is_multiple_of(size) {
            return Err(Error::Asked(format!("{} numbers are no images of {shape:?}: expected a multiple of {size}", images.len())));
        }
        if self.is_none() {
            return Ok(());
        }
        // drawn in order, before threads have a say
        let seeds: Vec<u64> = (0..images.len() / size).map(|_| generator.random()).collect();
        let images = images.par_chunks_exact_mut(size).zip(seeds).with_min_len(AT_ONCE);
        images.for_each_init(Scratch::default, |scratch, (image, seed)| {
            let mut own = ChaCha8Rng::seed_from_u64(seed);
            let mut canvas = Canvas::new(image, shape, scratch);
            self.0.iter().for_each(|part| part.change(&mut canvas, &mut own));
            canvas.pixels();
        });
        Ok(())
    }

    /// The same for a batch on a device, an image a row: its numbers are fetched, changed and sent back.
    ///
    /// # Errors
    /// As [`apply`](Augment::apply), and if a row is not one image.
    pub fn apply_to(&self, x: Tensor<2>, shape: [usize; 3], generator: &mut ChaCha8Rng) -> Result<Tensor<2>> {
        if self.is_none() {
            return Ok(x);
        }
        let (device, dtype, dims) = (x.device(), x.dtype(), x.dims());
        if numbers(self.fits(&shape)?) != Some(dims[1]) {
            return Err(Error::Asked(format!("rows of {} numbers: expected rows that are images of {shape:?}", dims[1])));
        }
        let mut numbers: Vec<f32> = x.into_data().iter().collect();
        self.apply(&mut numbers, shape, generator)?;
        Ok(Tensor::from_data(TensorData::new(numbers, dims), (&device, dtype)))
    }
}

/// Numbers of one image; nothing if there are none or too many to count.
fn numbers(shape: [usize; 3]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|n| (1..=isize::MAX as usize / 4).contains(n))
}

/// The error of a setting that does not go with these images.
fn unfit(name: &str, key: &str, found: impl ToString, expected: String) -> SpecError {
    SpecError::Value { owner: name.into(), key: key.into(), found: found.to_string(), expected }
}
