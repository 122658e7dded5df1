//! quadratic_deep of DeepOBS: a quadratic of 100 dimensions with the curvature of a deep network.
//! 90 eigenvalues are between 0 and 1, and 10 between 30 and 60. Each example has its own minimum.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::dyn_task::{DynTask, PreparedTask};
use super::order::ExampleOrder;
use super::prepare::TaskContext;
use super::spec::{NOT_NEGATIVE, Task, wrong};
use crate::data::Shuffled;
use crate::error::Result;
use crate::pipeline::ParamVector;
use crate::record::{BATCH_LOSS, Measure, RecordedTask, TaskRecord};
use crate::schedule::Progress;
use crate::seed::Seed;
use crate::train::Problem;

const COLUMNS: [Measure; 2] =
    [Measure::new("test_loss", "test loss"), Measure::new("train_loss", "training loss")];

/// quadratic_deep, as in the TOML and in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quadratic {
    /// batch size
    pub batch: usize,
    /// order of the examples
    #[serde(default)]
    pub order: ExampleOrder,
}

#[typetag::serde(name = "quadratic")]
impl Task for Quadratic {
    fn check(&self) -> Result<()> {
        match self.batch {
            1..=EXAMPLES => Ok(()),
            other => {
                let expected = format!("1 to {EXAMPLES}, the examples of quadratic_deep");
                Err(wrong("batch", other, expected))
            }
        }
    }

    fn measures(&self) -> Vec<&'static str> {
        COLUMNS.iter().map(|measure| measure.name).chain([BATCH_LOSS]).collect()
    }

    fn range(&self, _measure: &str) -> RangeInclusive<f64> {
        NOT_NEGATIVE
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        run.as_kind::<Quadratic>().is_some_and(|run| run == self)
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        context.check_without_data()?;
        let problem = QuadraticProblem::new(self.batch, self.order)?;
        Ok(PreparedTask::boxed(RecordedTask::new(self.clone()), problem, QuadraticProblem::initial))
    }
}

#[typetag::serde(name = "quadratic")]
impl TaskRecord for Quadratic {
    fn title(&self) -> String {
        "quadratic_deep".into()
    }

    fn size(&self) -> String {
        "quadratic_deep of DeepOBS, 1000 training and 1000 test examples".into()
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("data", TaskRecord::size(self)),
            ("batch", format!("{} examples, {}", self.batch, self.order.name())),
        ]
    }

    fn columns(&self) -> Vec<Measure> {
        COLUMNS.to_vec()
    }
}

const N: usize = 100;
const EXAMPLES: usize = 1000;

const HESSIAN: &[u8] = include_bytes!("../../datasets/deepobs-quadratic/hessian_100x100_f64le.bin");
const TRAIN: &[u8] = include_bytes!("../../datasets/deepobs-quadratic/train_1000x100_f32le.bin");
const TEST: &[u8] = include_bytes!("../../datasets/deepobs-quadratic/test_1000x100_f32le.bin");

/// The problem with its data. The loss of a batch is the mean of (theta - x)' Q (theta - x) / 2. As
/// in DeepOBS, examples that do not fill a batch are left out, in training and in measuring. It
/// measures `train_loss` and `test_loss`.
#[derive(Clone)]
pub struct QuadraticProblem {
    hessian: Tensor<2>,
    train: Tensor<2>,
    test: Tensor<2>,
    batch: usize,
    order: ExampleOrder,
    seed: Seed,
    shuffled: Shuffled,
}

impl QuadraticProblem {
    /// # Errors
    /// If a batch is empty or larger than the data.
    pub fn new(batch: usize, order: ExampleOrder) -> Result<QuadraticProblem> {
        Quadratic { batch, order }.check()?;
        let double = |bytes: &[u8]| {
            bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default()))
                .collect()
        };
        let single = |bytes: &[u8]| {
            bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap_or_default()).into())
                .collect()
        };
        Ok(QuadraticProblem {
            hessian: rows(double(HESSIAN)),
            train: rows(single(TRAIN)),
            test: rows(single(TEST)),
            batch,
            order,
            seed: Seed(0),
            shuffled: Shuffled::default(),
        })
    }

    /// All ones.
    pub fn initial(&self) -> ParamVector {
        ParamVector::at(&[1.0; N], DType::F64)
    }

    fn mean_loss(&self, point: Tensor<1>, examples: Tensor<2>) -> Tensor<1> {
        let n = examples.dims()[0];
        let difference = point.reshape([1, N]) - examples;
        let hessian = match difference.is_autodiff() {
            true => Tensor::from_inner(self.hessian.clone()),
            false => self.hessian.clone(),
        };
        (difference.clone().matmul(hessian) * difference).sum() * (0.5 / n as f64)
    }

    fn loss_on(&self, point: &ParamVector, examples: &Tensor<2>) -> f64 {
        let whole_batches = EXAMPLES / self.batch * self.batch;
        self.mean_loss(point.x.val(), examples.clone().slice(0..whole_batches)).into_scalar()
    }
}

/// A matrix of [`N`] columns in f64.
fn rows(numbers: Vec<f64>) -> Tensor<2> {
    let rows = numbers.len() / N;
    Tensor::from_data(TensorData::new(numbers, [rows, N]), (&Device::default(), DType::F64))
}

impl Problem for QuadraticProblem {
    type Model = ParamVector;

    fn seeded(self, seed: Seed) -> QuadraticProblem {
        QuadraticProblem { seed, shuffled: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        EXAMPLES / self.batch
    }

    fn loss(&mut self, point: &ParamVector, now: Progress) -> Tensor<1> {
        let batch = (now.batch - 1) * self.batch..now.batch * self.batch;
        let places = match self.order {
            ExampleOrder::Cyclic => batch.map(|place| place as i32).collect(),
            ExampleOrder::Repeated => self.shuffled.of(EXAMPLES, self.seed, 1)[batch].to_vec(),
            ExampleOrder::Reshuffled => {
                self.shuffled.of(EXAMPLES, self.seed, now.epoch)[batch].to_vec()
            }
        };
        let places = Tensor::<1, Int>::from_data(
            TensorData::new(places, [self.batch]),
            &self.train.device(),
        );
        self.mean_loss(point.x.val(), Tensor::from_inner(self.train.clone().select(0, places)))
    }

    fn measure(&self, point: &ParamVector, _now: Progress) -> BTreeMap<String, f64> {
        BTreeMap::from([
            ("train_loss".into(), self.loss_on(point, &self.train)),
            ("test_loss".into(), self.loss_on(point, &self.test)),
        ])
    }
}
