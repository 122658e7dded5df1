//! A data set in main memory: a training set and a test set of labelled examples.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::sparse::Sparse;
use crate::docs::hex;

/// A data set with its training set and test set.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name on the command line; for a path, its last component.
    pub name: String,
    /// The number of classes; 0 if there are numbers to predict instead.
    pub classes: usize,
    /// The names of the classes; empty if the files do not name them.
    pub names: Vec<String>,
    /// The training set.
    pub train: Examples,
    /// The test set, never used in training.
    pub test: Examples,
    /// Replaces the hash of the examples in [`sha256`](Dataset::sha256) if the data were
    /// [prepared](super::prepare::Prepare).
    pub fingerprint: Option<String>,
}

/// Inputs with their labels.
#[derive(Clone, Debug)]
pub struct Examples {
    /// The shape of one input: height and width, channels, height and width, or the number of
    /// words.
    pub shape: Vec<usize>,
    /// All inputs, one after another.
    pub inputs: Inputs,
    /// What is to be predicted for each input.
    pub labels: Labels,
}

/// What is to be predicted for each input.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// A class, counted from 0.
    Classes(Vec<u32>),
    /// Numbers.
    Targets {
        /// how many for each input
        width: usize,
        /// those of the first input, then those of the second, ...
        numbers: Vec<f32>,
    },
}

impl From<Vec<u8>> for Labels {
    fn from(classes: Vec<u8>) -> Labels {
        Labels::Classes(classes.into_iter().map(u32::from).collect())
    }
}

impl From<Vec<u32>> for Labels {
    fn from(classes: Vec<u32>) -> Labels {
        Labels::Classes(classes)
    }
}

impl FromIterator<u32> for Labels {
    fn from_iter<I: IntoIterator<Item = u32>>(classes: I) -> Labels {
        Labels::Classes(classes.into_iter().collect())
    }
}

impl Labels {
    /// The number of inputs that are labelled.
    pub fn len(&self) -> usize {
        match self {
            Labels::Classes(classes) => classes.len(),
            Labels::Targets { width, numbers } => numbers.len() / width,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The classes; empty if there are numbers instead.
    pub fn classes(&self) -> &[u32] {
        match self {
            Labels::Classes(classes) => classes,
            Labels::Targets { .. } => &[],
        }
    }

    /// How many numbers are to be predicted for each input; 0 for classes.
    pub fn width(&self) -> usize {
        match self {
            Labels::Classes(_) => 0,
            Labels::Targets { width, .. } => *width,
        }
    }

    fn select(&self, indices: &[usize]) -> Labels {
        match self {
            Labels::Classes(classes) => Labels::Classes(select_rows(classes, 1, indices)),
            Labels::Targets { width, numbers } => {
                Labels::Targets { width: *width, numbers: select_rows(numbers, *width, indices) }
            }
        }
    }

    fn slice(&self, range: Range<usize>) -> Labels {
        match self {
            Labels::Classes(classes) => Labels::Classes(classes[range].to_vec()),
            Labels::Targets { width, numbers } => Labels::Targets {
                width: *width,
                numbers: numbers[range.start * width..range.end * width].to_vec(),
            },
        }
    }

    /// Classes below 256 are hashed as bytes, as in all data sets that have an official hash.
    fn add_to(&self, hash: &mut Sha256) {
        match self {
            Labels::Classes(classes) => {
                match classes.iter().map(|class| u8::try_from(*class)).collect() {
                    Ok::<Vec<u8>, _>(bytes) => hash.update(bytes),
                    Err(_) => hash.update(bytemuck::cast_slice(classes)),
                }
            }
            Labels::Targets { width, numbers } => {
                hash.update((*width as u64).to_le_bytes());
                hash.update(bytemuck::cast_slice(numbers));
            }
        }
    }
}

/// The numbers of the inputs.
#[derive(Clone, Debug)]
pub enum Inputs {
    /// Bytes. A byte represents the number byte / 255, from 0 to 1.
    Pixels(Vec<u8>),
    /// Arbitrary numbers.
    Numbers(Vec<f32>),
    /// Numbers that are mostly zero, such as word counts.
    Sparse(Arc<Sparse>),
}

impl From<Vec<f32>> for Inputs {
    fn from(numbers: Vec<f32>) -> Inputs {
        Inputs::Numbers(numbers)
    }
}

impl Dataset {
    /// A fingerprint of all examples. It does not depend on the files they were read from.
    pub fn sha256(&self) -> String {
        if let Some(fingerprint) = &self.fingerprint {
            return fingerprint.clone();
        }
        let mut hash = Sha256::new();
        for examples in [&self.train, &self.test] {
            examples.add_to(&mut hash);
        }
        hex(&hash.finalize())
    }

    /// The name of a class, or its number if it has no name.
    pub fn class(&self, class: usize) -> String {
        self.names.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

impl Examples {
    /// Whether the inputs are pixels from 0 to 1.
    pub fn are_pixels(&self) -> bool {
        matches!(self.inputs, Inputs::Pixels(_))
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of features of one input.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }

    /// The examples of a range of indices.
    pub fn slice(&self, range: Range<usize>) -> Examples {
        let numbers = range.start * self.features()..range.end * self.features();
        let inputs = match &self.inputs {
            Inputs::Pixels(pixels) => Inputs::Pixels(pixels[numbers].to_vec()),
            Inputs::Numbers(all) => Inputs::Numbers(all[numbers].to_vec()),
            Inputs::Sparse(rows) => Inputs::Sparse(Arc::new(rows.slice(range.clone()))),
        };
        Examples { shape: self.shape.clone(), inputs, labels: self.labels.slice(range) }
    }

    /// The examples with these indices, in this order.
    pub fn select(&self, indices: &[usize]) -> Examples {
        let features = self.features();
        let inputs = match &self.inputs {
            Inputs::Pixels(pixels) => Inputs::Pixels(select_rows(pixels, features, indices)),
            Inputs::Numbers(numbers) => Inputs::Numbers(select_rows(numbers, features, indices)),
            Inputs::Sparse(rows) => Inputs::Sparse(Arc::new(rows.select(indices))),
        };
        let labels = self.labels.select(indices);
        Examples { shape: self.shape.clone(), inputs, labels }
    }

    /// All inputs as dense numbers, one row per input.
    pub fn numbers(&self) -> Vec<f32> {
        match &self.inputs {
            Inputs::Pixels(pixels) => pixels
                .par_iter()
                .with_min_len(1 << 16)
                .map(|pixel| f32::from(*pixel) / 255.0)
                .collect(),
            Inputs::Numbers(numbers) => numbers.clone(),
            Inputs::Sparse(rows) => rows.dense(0..rows.len()),
        }
    }

    /// Adds shape, inputs and labels to a hash.
    fn add_to(&self, hash: &mut Sha256) {
        for dim in &self.shape {
            hash.update((*dim as u64).to_le_bytes());
        }
        match &self.inputs {
            Inputs::Pixels(pixels) => hash.update(pixels),
            Inputs::Numbers(numbers) => hash.update(bytemuck::cast_slice(numbers)),
            Inputs::Sparse(rows) => rows.add_to(hash),
        }
        self.labels.add_to(hash);
    }
}

/// The rows of a table with `width` columns that have these indices.
fn select_rows<T: Copy>(table: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut selected = Vec::with_capacity(indices.len() * width);
    for index in indices {
        selected.extend_from_slice(&table[index * width..(index + 1) * width]);
    }
    selected
}
