//! Augmentation: random changes of the images of each batch. A new augmentation is a new file and a
//! line in the table below.
//!
//! ```
//! use downhill::lab::augment::Augment;
//! use downhill::lab::seed::{Purpose, Seed};
//!
//! let augment = Augment::read(&"hflip|crop:pad=4|color:brightness=0.2".parse()?)?;
//! let mut batch = vec![0.5; 128 * 3 * 32 * 32]; // channels first, between 0 and 1
//! let step = 1; // one stream per step: the same step of the same seed gives the same batch
//! augment.apply(&mut batch, [3, 32, 32], &mut Seed(0).generator(Purpose::Augmentation, step))?;
//! # Ok::<(), downhill::Error>(())
//! ```

mod canvas;
mod change;
pub mod sheet;

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use crate::docs::{CatalogEntry, Docs};
use crate::error::{Error, Result};
use crate::spec::{Settings, Spec, SpecError, SpecLine, unknown};

use canvas::{Canvas, Scratch};
pub use canvas::{Filter, Padding};
use change::Change;

/// The minimum number of images per thread task. With fewer, scheduling takes longer than the
/// augmentation.
const AT_ONCE: usize = 4;

macro_rules! augmentations {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub mod $module; pub use $module::$Type;)*

        #[derive(Clone, Debug, PartialEq)]
        enum Part {
            $($Type($Type)),*
        }

        /// All augmentations.
        pub const AUGMENTATIONS: &[CatalogEntry] = &[$(CatalogEntry {
            name: stringify!($module),
            docs: Docs(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$Type as Settings>::SETTINGS,
            defaults: || $Type::default().values(),
        }),*];

        impl Part {
            fn read(spec: &Spec) -> std::result::Result<Part, SpecError> {
                match spec.name.as_str() {
                    $(stringify!($module) => spec.read().map(Part::$Type),)*
                    other => {
                        let names = ["none", $(stringify!($module)),*];
                        Err(unknown("augmentation", other, names))
                    }
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

/// A sequence of augmentations, applied to each image of a batch from left to right. It may be
/// empty.
///
/// Each image has its own random numbers, so the result is the same for any number of threads.
/// Successive augmentations that only move pixels move them once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Augment(Vec<Part>);

impl Augment {
    /// Reads a spec, such as `hflip|crop:pad=4|color:brightness=0.2`; `none` is no augmentation.
    ///
    /// # Errors
    /// On an unknown augmentation or setting, or a value that is not allowed.
    pub fn read(line: &SpecLine) -> Result<Augment> {
        if line.0.len() > 1 && line.0.iter().any(|spec| spec.name == "none") {
            let problem =
                "found `none` together with an augmentation, expected one or the other".into();
            return Err(SpecError::Several { spec: line.to_string(), problem }.into());
        }
        match line.0.as_slice() {
            [one] if one.is_none()? => Ok(Augment::default()),
            specs => {
                let parts = specs.iter().map(Part::read);
                Ok(Augment(parts.collect::<std::result::Result<_, _>>()?))
            }
        }
    }

    /// The spec with all settings.
    pub fn spec(&self) -> String {
        if self.0.is_empty() {
            "none".into()
        } else {
            SpecLine(self.0.iter().map(Part::spec).collect()).to_string()
        }
    }

    /// Whether there is no augmentation.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// `[channels, height, width]` of inputs of this shape. Grey images have one channel.
    ///
    /// # Errors
    /// If the inputs are not images, or an augmentation cannot change them.
    pub fn fits(&self, input: &[usize]) -> Result<[usize; 3]> {
        let shape = match *input {
            [height, width] => [1, height, width],
            [channels, height, width] => [channels, height, width],
            _ => {
                let found = format!("inputs of {input:?}");
                let expected = "images of [height, width] or [channels, height, width]";
                return Err(Error::mismatch("augmentation", found, expected));
            }
        };
        if numbers(shape).is_none() {
            let found = format!("images of {input:?}");
            let expected = "at least one pixel, and no more than fit in memory";
            return Err(Error::mismatch("augmentation", found, expected));
        }
        self.0.iter().try_for_each(|part| part.fits(shape))?;
        Ok(shape)
    }

    /// Checks that data of this name and shape can be augmented. `pixels` says whether their
    /// numbers are pixels from 0 to 1.
    ///
    /// # Errors
    /// If they cannot.
    pub fn takes(&self, name: &str, input: &[usize], pixels: bool) -> Result<()> {
        if self.is_none() {
            return Ok(());
        }
        self.fits(input)?;
        if !pixels {
            let found = format!("{name}, whose inputs are not pixels");
            return Err(Error::mismatch(self.spec(), found, "images, pixels from 0 to 1"));
        }
        Ok(())
    }

    /// Changes images of `[channels, height, width]` that are stored one after another. All pixels
    /// are between 0 and 1, before and after.
    ///
    /// # Errors
    /// If the images do not [fit](Augment::fits), or are not a whole number of images.
    pub fn apply(
        &self,
        images: &mut [f32],
        shape: [usize; 3],
        generator: &mut ChaCha8Rng,
    ) -> Result<()> {
        let shape = self.fits(&shape)?;
        let size = numbers(shape).unwrap_or(1);
        if !images.len().is_multiple_of(size) {
            let found = format!("{} numbers", images.len());
            let expected = format!("images of {shape:?}, a multiple of {size} numbers");
            return Err(Error::mismatch("augmentation", found, expected));
        }
        if self.is_none() {
            return Ok(());
        }
        // the seeds are drawn in order, so they do not depend on the threads
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

    /// Like [`apply`](Augment::apply), for a batch on a device with one image per row. The pixels
    /// are copied to main memory and back.
    ///
    /// # Errors
    /// As [`apply`](Augment::apply), and if a row is not one image.
    pub fn apply_to(
        &self,
        x: Tensor<2>,
        shape: [usize; 3],
        generator: &mut ChaCha8Rng,
    ) -> Result<Tensor<2>> {
        if self.is_none() {
            return Ok(x);
        }
        let (device, dtype, dims) = (x.device(), x.dtype(), x.dims());
        if numbers(self.fits(&shape)?) != Some(dims[1]) {
            let found = format!("rows of {} numbers", dims[1]);
            let expected = format!("rows that are images of {shape:?}");
            return Err(Error::mismatch("augmentation", found, expected));
        }
        let mut numbers: Vec<f32> = x.into_data().iter().collect();
        self.apply(&mut numbers, shape, generator)?;
        Ok(Tensor::from_data(TensorData::new(numbers, dims), (&device, dtype)))
    }
}

/// The numbers of one image, or `None` if there are none or too many.
fn numbers(shape: [usize; 3]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |n, d| n.checked_mul(*d))
        .filter(|n| (1..=isize::MAX as usize / 4).contains(n))
}
