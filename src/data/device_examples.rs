//! Examples on a device, from which batches are taken.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::dataset::{Examples, Inputs, Labels};
use super::sparse::Sparse;

/// Examples that are evaluated at once. This bounds the memory: 64 channels of 32 x 32 pixels of
/// 1000 examples are 262 MB.
const AT_ONCE: usize = 1000;

/// Examples on a device.
#[derive(Clone, Debug)]
pub struct DeviceExamples {
    rows: Rows,
    y: Tensor<1, Int>,
    targets: Option<Tensor<2>>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // only two or three of them exist in a run
enum Rows {
    Dense(Tensor<2>),
    Sparse(Arc<Sparse>),
}

/// Some of the examples.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The inputs, one row per example.
    pub x: Tensor<2>,
    /// The classes; zeros if there are numbers to predict instead.
    pub y: Tensor<1, Int>,
    /// The numbers to predict, one row per example; `None` for classes.
    pub targets: Option<Tensor<2>>,
}

impl Examples {
    /// Copies the examples to the device once, so that a batch is one `select`. Sparse rows stay in
    /// main memory: only the rows of a batch are made dense and copied.
    pub fn to_device(&self, device: &Device) -> DeviceExamples {
        let (classes, targets) = match &self.labels {
            Labels::Classes(classes) => (classes.iter().map(|class| *class as i32).collect(), None),
            Labels::Targets { width, numbers } => {
                (vec![0; self.len()], Some(matrix(numbers.clone(), *width, device)))
            }
        };
        let rows = match &self.inputs {
            Inputs::Sparse(rows) => Rows::Sparse(rows.clone()),
            _ => Rows::Dense(matrix(self.numbers(), self.features(), device)),
        };
        DeviceExamples {
            rows,
            y: Tensor::from_data(TensorData::new::<i32, _>(classes, [self.len()]), device),
            targets,
        }
    }
}

impl DeviceExamples {
    /// The examples with these indices.
    pub fn select(&self, indices: &[i32]) -> Batch {
        let device = self.y.device();
        let positions =
            Tensor::from_data(TensorData::new(indices.to_vec(), [indices.len()]), &device);
        let x = match &self.rows {
            Rows::Dense(x) => x.clone().select(0, positions.clone()),
            Rows::Sparse(rows) => {
                let dense = rows.dense(indices.iter().map(|index| *index as usize));
                matrix(dense, rows.columns, &device)
            }
        };
        let targets = self.targets.clone().map(|all| all.select(0, positions.clone()));
        Batch { x, y: self.y.clone().select(0, positions), targets }
    }

    /// `length` examples from index `start` on.
    pub fn slice(&self, start: usize, length: usize) -> Batch {
        let whole = length == self.len(); // `narrow` would copy everything
        let x = match &self.rows {
            Rows::Dense(x) if whole => x.clone(),
            Rows::Dense(x) => x.clone().narrow(0, start, length),
            Rows::Sparse(rows) => {
                matrix(rows.dense(start..start + length), rows.columns, &self.y.device())
            }
        };
        let part = |all: Tensor<2>| if whole { all } else { all.narrow(0, start, length) };
        Batch {
            x,
            y: if whole { self.y.clone() } else { self.y.clone().narrow(0, start, length) },
            targets: self.targets.clone().map(part),
        }
    }

    /// All examples, in batches for evaluation.
    pub(crate) fn batches(&self) -> impl Iterator<Item = Batch> {
        let n = self.len();
        (0..n).step_by(AT_ONCE).map(move |start| self.slice(start, AT_ONCE.min(n - start)))
    }

    /// The examples with these indices, in batches for evaluation.
    pub(crate) fn batches_of(&self, indices: &[i32]) -> impl Iterator<Item = Batch> {
        indices.chunks(AT_ONCE).map(|indices| self.select(indices))
    }

    /// All examples.
    pub fn all(&self) -> Batch {
        self.slice(0, self.len())
    }

    /// The device of the examples.
    pub fn device(&self) -> Device {
        self.y.device()
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.y.dims()[0]
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn matrix(numbers: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows = numbers.len() / columns.max(1);
    Tensor::from_data(TensorData::new::<f32, _>(numbers, [rows, columns]), device)
}
