//! The examples of a run on its device: training, validation and test set.

use std::sync::Arc;

use burn::tensor::Device;
use rand::seq::SliceRandom;

use crate::data::prepare::Prepared;
use crate::data::{Dataset, DeviceExamples, Examples};
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};

/// The examples of a run, on its device.
#[derive(Clone)]
pub struct Splits {
    /// training set
    pub train: DeviceExamples,
    /// validation set, split off the training set
    pub validation: Option<DeviceExamples>,
    /// test set
    pub test: DeviceExamples,
    /// The training images before their preparation, and the preparation. Augmentation comes in
    /// between.
    images: Option<(DeviceExamples, Arc<Prepared>)>,
}

/// How many of the examples are used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Subset {
    /// maximum number of training examples, including those for validation
    pub train: Option<usize>,
    /// maximum number of test examples
    pub test: Option<usize>,
    /// this fraction of the training examples is the validation set
    pub validation: f64,
}

impl Splits {
    /// Moves the data to a device. The draws that choose the subset and the validation set do not
    /// depend on the seed of a run.
    pub fn of(data: &Dataset, subset: Subset, device: &Device) -> Splits {
        let device = device.clone().inner();
        let (train, validation) = match subset.split(data.train.len()) {
            None => (data.train.to_device(&device), None),
            Some((kept, validation)) => {
                let chosen = |places: &[usize]| data.train.select(places).to_device(&device);
                (chosen(&kept), (!validation.is_empty()).then(|| chosen(&validation)))
            }
        };
        Splits { train, validation, test: subset.test_set(&data.test, &device), images: None }
    }

    /// Adds the training images as they are before their preparation.
    pub fn with_images(self, images: &Examples, prepared: Prepared, subset: Subset) -> Splits {
        let device = self.train.device();
        let images = match subset.split(images.len()) {
            None => images.to_device(&device),
            Some((kept, _)) => images.select(&kept).to_device(&device),
        };
        Splits { images: Some((images, Arc::new(prepared))), ..self }
    }

    /// Checks that a fraction above 0 gave a validation set.
    pub(super) fn check_validation(&self, fraction: f64) -> Result<()> {
        if fraction == 0.0 || self.validation.is_some() {
            return Ok(());
        }
        let found = format!("{fraction}, which is 0 of {} training examples", self.train.len());
        Err(Error::value("task.validation", found, "a fraction with at least one example"))
    }

    /// The training images before their preparation, and the preparation.
    pub(super) fn images(&self) -> Option<&(DeviceExamples, Arc<Prepared>)> {
        self.images.as_ref()
    }
}

impl Subset {
    /// How many of `n` training examples are used for validation.
    pub fn validation_size(&self, n: usize) -> usize {
        (n as f64 * self.validation).round() as usize
    }

    /// Places of the examples for training and for validation; `None` if all are for training.
    fn split(&self, n: usize) -> Option<(Vec<usize>, Vec<usize>)> {
        if self.train.is_none_or(|some| some >= n) && self.validation == 0.0 {
            return None;
        }
        let mut kept = drawn(n, self.train, 0);
        let validation = kept.split_off(kept.len() - self.validation_size(kept.len()));
        Some((kept, validation))
    }

    fn test_set(&self, test: &Examples, device: &Device) -> DeviceExamples {
        match self.test {
            Some(n) if n < test.len() => {
                test.select(&drawn(test.len(), self.test, 1)).to_device(device)
            }
            _ => test.to_device(device),
        }
    }
}

/// At most so many of `n` places, in a random order that is the same in every run; another order
/// for each `stream`.
pub(super) fn drawn(n: usize, at_most: Option<usize>, stream: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    places.shuffle(&mut Seed(0).generator(Purpose::Split, stream));
    places.truncate(at_most.unwrap_or(n));
    places
}
