//! Data: examples with labels, resident on the device, in batches whose order comes from the run's seed.
//!
//! [`load`] takes a name or a path. Each format has a file; whatever the files hold, a reader gives data or an error, and allocates no
//! more than their size times a constant.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::about::hex;
use crate::error::Result;
use crate::seed::{Purpose, Seed};

pub mod archive;
pub mod binary;
pub mod cifar;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod gcn;
pub mod idx;
pub mod imdb;
pub mod known;
pub mod mnist;
pub mod prepare;
mod source;
pub mod sparse;
pub mod standardise;
pub mod text;
pub mod zca;

pub use source::{like, load, load_both, load_unprepared};
use sparse::Sparse;

/// How many words a bag of words tells apart.
pub const WORDS: usize = 10_000;

/// A data set, its training and test part.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// As on the command line; for a path, its last part.
    pub name: String,
    /// How many classes the labels name.
    pub classes: usize,
    /// What the classes are called; empty if the files do not say.
    pub names: Vec<String>,
    /// To train on.
    pub train: Examples,
    /// To test on, never seen in training.
    pub test: Examples,
    /// What [`sha256`](Dataset::sha256) says instead of the sum over the examples; for data that were [prepared](prepare::Prepare).
    pub fingerprint: Option<String>,
}

/// Inputs with their labels.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Of one input: 28 x 28 grey, 3 x 32 x 32 in colour, or how many words.
    pub shape: Vec<usize>,
    /// One after another.
    pub inputs: Inputs,
    /// One for each input.
    pub labels: Vec<u8>,
}

/// The numbers of the inputs.
#[derive(Clone, Debug)]
pub enum Inputs {
    /// Bytes, each read as a number from 0 to 1: x / 255.
    Pixels(Vec<u8>),
    /// Any numbers.
    Numbers(Vec<f32>),
    /// Mostly zeros, such as counts of words.
    Sparse(Arc<Sparse>),
}

impl From<Vec<f32>> for Inputs {
    fn from(numbers: Vec<f32>) -> Inputs {
        Inputs::Numbers(numbers)
    }
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

impl Dataset {
    /// A fingerprint of all examples, whatever files they came from.
    pub fn sha256(&self) -> String {
        if let Some(fingerprint) = &self.fingerprint {
            return fingerprint.clone();
        }
        let mut hash = Sha256::new();
        for part in [&self.train, &self.test] {
            for dim in &part.shape {
                hash.update((*dim as u64).to_le_bytes());
            }
            match &part.inputs {
                Inputs::Pixels(pixels) => hash.update(pixels),
                Inputs::Numbers(numbers) => hash.update(bytemuck::cast_slice(numbers)),
                Inputs::Sparse(rows) => {
                    rows.offsets.iter().for_each(|offset| hash.update((*offset as u64).to_le_bytes()));
                    hash.update(bytemuck::cast_slice(&rows.index));
                    hash.update(bytemuck::cast_slice(&rows.values));
                }
            }
            hash.update(&part.labels);
        }
        hex(&hash.finalize())
    }

    /// What a class is called: its name, or its number.
    pub fn class(&self, class: usize) -> String {
        self.names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

impl Examples {
    /// Whether the inputs are pixels from 0 to 1.
    pub fn are_pixels(&self) -> bool {
        matches!(self.inputs, Inputs::Pixels(_))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of one input.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// These examples alone.
    pub fn part(&self, range: Range<usize>) -> Examples {
        let numbers = range.start * self.features()..range.end * self.features();
        let inputs = match &self.inputs {
            Inputs::Pixels(pixels) => Inputs::Pixels(pixels[numbers].to_vec()),
            Inputs::Numbers(all) => Inputs::Numbers(all[numbers].to_vec()),
            Inputs::Sparse(rows) => Inputs::Sparse(Arc::new(rows.part(range.clone()))),
        };
        Examples { shape: self.shape.clone(), inputs, labels: self.labels[range].to_vec() }
    }

    /// The examples at these places, in this order.
    pub fn at(&self, places: &[usize]) -> Examples {
        fn rows<T: Copy>(all: &[T], length: usize, places: &[usize]) -> Vec<T> {
            places.iter().flat_map(|place| all[place * length..(place + 1) * length].iter().copied()).collect()
        }
        let inputs = match &self.inputs {
            Inputs::Pixels(pixels) => Inputs::Pixels(rows(pixels, self.features(), places)),
            Inputs::Numbers(numbers) => Inputs::Numbers(rows(numbers, self.features(), places)),
            Inputs::Sparse(all) => {
                let mut some = Sparse::new(all.columns);
                places.iter().for_each(|place| some.push(all.row(*place)));
                Inputs::Sparse(Arc::new(some))
            }
        };
        Examples { shape: self.shape.clone(), inputs, labels: rows(&self.labels, 1, places) }
    }

    /// All inputs as numbers, one a row.
    pub fn numbers(&self) -> Vec<f32> {
        match &self.inputs {
            Inputs::Pixels(pixels) => pixels.par_iter().with_min_len(1 << 16).map(|pixel| f32::from(*pixel) / 255.0).collect(),
            Inputs::Numbers(numbers) => numbers.clone(),
            Inputs::Sparse(rows) => rows.dense(0..rows.len()),
        }
    }

    /// Moves them to the device once, so that a batch is one `select`. Rows of mostly zeros stay as they are, and only a batch of them is
    /// written out and moved.
    pub fn resident(&self, device: &Device) -> Resident {
        let labels = self.labels.iter().map(|label| i32::from(*label)).collect();
        let rows = match &self.inputs {
            Inputs::Sparse(rows) => Rows::Sparse(rows.clone()),
            _ => Rows::Dense(matrix(self.numbers(), self.features(), device)),
        };
        Resident { rows, y: Tensor::from_data(TensorData::new::<i32, _>(labels, [self.len()]), device) }
    }
}

fn matrix(numbers: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows = numbers.len() / columns.max(1);
    Tensor::from_data(TensorData::new::<f32, _>(numbers, [rows, columns]), device)
}

/// Examples on a device.
#[derive(Clone, Debug)]
pub struct Resident {
    rows: Rows,
    y: Tensor<1, Int>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // there are two of them
enum Rows {
    Dense(Tensor<2>),
    Sparse(Arc<Sparse>),
}

/// Some of the examples.
#[derive(Clone, Debug)]
pub struct Batch {
    /// One example a row.
    pub x: Tensor<2>,
    /// The classes.
    pub y: Tensor<1, Int>,
}

impl Resident {
    /// The examples at these places.
    pub fn select(&self, places: &[i32]) -> Batch {
        let device = self.y.device();
        let at = Tensor::from_data(TensorData::new(places.to_vec(), [places.len()]), &device);
        let x = match &self.rows {
            Rows::Dense(x) => x.clone().select(0, at.clone()),
            Rows::Sparse(rows) => matrix(rows.dense(places.iter().map(|place| *place as usize)), rows.columns, &device),
        };
        Batch { x, y: self.y.clone().select(0, at) }
    }

    /// `length` examples from `start`.
    pub fn slice(&self, start: usize, length: usize) -> Batch {
        let whole = length == self.len(); // burn would copy it
        let x = match &self.rows {
            Rows::Dense(x) if whole => x.clone(),
            Rows::Dense(x) => x.clone().narrow(0, start, length),
            Rows::Sparse(rows) => matrix(rows.dense(start..start + length), rows.columns, &self.y.device()),
        };
        Batch { x, y: if whole { self.y.clone() } else { self.y.clone().narrow(0, start, length) } }
    }

    /// All examples.
    pub fn all(&self) -> Batch {
        self.slice(0, self.len())
    }

    /// Where they are.
    pub fn device(&self) -> Device {
        self.y.device()
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

    /// Batch number `batch`, counted from 1, of an epoch in batches of `size`; the last may be shorter.
    pub fn batch(&mut self, examples: &Resident, size: usize, seed: Seed, epoch: usize, batch: usize) -> Batch {
        let start = (batch - 1) * size;
        examples.select(&self.of(examples.len(), seed, epoch)[start..(start + size).min(examples.len())])
    }
}

/// The order of `n` examples in an epoch. It depends on nothing but seed and epoch, so a run can start again at any epoch.
pub fn order(n: usize, seed: Seed, epoch: usize) -> Vec<i32> {
    let mut order: Vec<i32> = (0..n as i32).collect();
    order.shuffle(&mut seed.generator(Purpose::Order, epoch));
    order
}
