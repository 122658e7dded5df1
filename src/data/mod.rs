//! Data: examples with labels, resident on the device, in batches whose order comes from the run's seed.

use std::path::Path;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

use crate::about::hex;
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};

pub mod idx;
pub mod mnist;

/// A data set, its training and test part.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// As on the command line; for a folder, its last part.
    pub name: String,
    /// How many classes the labels name.
    pub classes: usize,
    /// To train on.
    pub train: Examples,
    /// To test on, never seen in training.
    pub test: Examples,
}

/// Inputs with their labels.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Of one input, such as 28 x 28.
    pub shape: Vec<usize>,
    /// One after another; pixels lie between 0 and 1.
    pub inputs: Vec<f32>,
    /// One for each input.
    pub labels: Vec<u8>,
}

/// A data set that comes with the program.
pub struct Bundled {
    /// As on the command line.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    load: fn() -> Result<Dataset>,
}

/// All of them.
pub const BUNDLED: &[Bundled] = &[Bundled {
    name: "mnist-10k",
    about: "10,000 handwritten digits, 28 x 28 grey: 8,000 to train on, 2,000 to test on (CC BY-SA 3.0)",
    load: mnist::bundled,
}];

/// A bundled data set by name, or a folder in MNIST's layout.
///
/// # Errors
/// If there is neither, or the files are damaged.
pub fn load(name_or_folder: &str) -> Result<Dataset> {
    if let Some(bundled) = BUNDLED.iter().find(|bundled| bundled.name == name_or_folder) {
        return (bundled.load)();
    }
    if !Path::new(name_or_folder).is_dir() {
        let unknown = crate::spec::unknown("data set or folder", name_or_folder, BUNDLED.iter().map(|bundled| bundled.name));
        return Err(Error::Spec(unknown));
    }
    mnist::folder(Path::new(name_or_folder))
}

impl Dataset {
    /// A fingerprint of all examples, whatever files they came from.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.train, &self.test] {
            for dim in &part.shape {
                hash.update((*dim as u64).to_le_bytes());
            }
            hash.update(bytemuck::cast_slice(&part.inputs));
            hash.update(&part.labels);
        }
        hex(&hash.finalize())
    }
}

impl Examples {
    /// How many.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Numbers of one input.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    fn split(&self, at: usize) -> (Examples, Examples) {
        let part = |range: std::ops::Range<usize>| Examples {
            shape: self.shape.clone(),
            inputs: self.inputs[range.start * self.features()..range.end * self.features()].to_vec(),
            labels: self.labels[range].to_vec(),
        };
        (part(0..at), part(at..self.len()))
    }

    /// Moves them to the device once, so that a batch is one `select`.
    pub fn resident(&self, device: &Device) -> Resident {
        let labels = self.labels.iter().map(|label| i32::from(*label)).collect();
        Resident {
            x: Tensor::from_data(TensorData::new::<f32, _>(self.inputs.clone(), [self.len(), self.features()]), device),
            y: Tensor::from_data(TensorData::new::<i32, _>(labels, [self.len()]), device),
        }
    }
}

/// Examples on a device.
#[derive(Clone, Debug)]
pub struct Resident {
    /// One example a row.
    pub x: Tensor<2>,
    /// The classes.
    pub y: Tensor<1, Int>,
}

impl Resident {
    /// The examples at these places.
    pub fn select(&self, places: &[i32]) -> Resident {
        let places = Tensor::from_data(TensorData::new(places.to_vec(), [places.len()]), &self.x.device());
        Resident { x: self.x.clone().select(0, places.clone()), y: self.y.clone().select(0, places) }
    }

    /// `length` examples from `start`.
    pub fn slice(&self, start: usize, length: usize) -> Resident {
        if length == self.len() {
            return self.clone(); // burn would copy it
        }
        Resident { x: self.x.clone().narrow(0, start, length), y: self.y.clone().narrow(0, start, length) }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.y.dims()[0]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The order of one epoch, kept until another is asked for.
#[derive(Clone, Debug, Default)]
pub struct Shuffled(Option<(usize, Vec<i32>)>);

impl Shuffled {
    /// The [`order`] of this epoch. It is to be asked for one `n` and one seed only.
    pub fn of(&mut self, n: usize, seed: Seed, epoch: usize) -> &[i32] {
        if self.0.as_ref().is_none_or(|(kept, _)| *kept != epoch) {
            self.0 = Some((epoch, order(n, seed, epoch)));
        }
        self.0.as_ref().map_or(&[], |(_, order)| order)
    }
}

/// The order of `n` examples in an epoch. It depends on nothing but seed and epoch, so a run can start again at any epoch.
pub fn order(n: usize, seed: Seed, epoch: usize) -> Vec<i32> {
    let mut order: Vec<i32> = (0..n as i32).collect();
    order.shuffle(&mut seed.generator(Purpose::Order, epoch));
    order
}
