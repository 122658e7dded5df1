//! DeepOBS quadratic_deep: a quadratic of 100 dimensions with the curvature of a deep network, 90 eigenvalues from 0 to 1 and 10 from 30 to
//! 60, whose minimum is another one in each example.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::data::Shuffled;
use crate::descent::Point;
use crate::error::{Error, Result};
use crate::record::Order;
use crate::schedule::Moment;
use crate::seed::Seed;
use crate::train::Problem;

const N: usize = 100;
const EXAMPLES: usize = 1000;

const HESSIAN: &[u8] = include_bytes!("../../datasets/deepobs-quadratic/hessian_100x100_f64le.bin");
const TRAIN: &[u8] = include_bytes!("../../datasets/deepobs-quadratic/train_1000x100_f32le.bin");
const TEST: &[u8] = include_bytes!("../../datasets/deepobs-quadratic/test_1000x100_f32le.bin");

/// The problem with its data. The loss of a batch is the mean of (theta - x)' Q (theta - x) / 2; what does not fill a batch is left out, in
/// training and in measuring, as DeepOBS does. Measured are `train_loss` and `test_loss`.
#[derive(Clone)]
pub struct Quadratic {
    hessian: Tensor<2>,
    train: Tensor<2>,
    test: Tensor<2>,
    batch: usize,
    order: Order,
    seed: Seed,
    shuffled: Shuffled,
}

impl Quadratic {
    /// Whether there are as many examples, without unpacking them.
    ///
    /// # Errors
    /// If a batch is larger than the data.
    pub fn fits(batch: usize) -> Result<()> {
        match batch <= EXAMPLES {
            true => Ok(()),
            false => Err(Error::Asked(format!("task.batch is {batch}, expected at most the {EXAMPLES} examples of quadratic_deep"))),
        }
    }

    /// # Errors
    /// If a batch is larger than the data.
    pub fn new(batch: usize, order: Order) -> Result<Quadratic> {
        Quadratic::fits(batch)?;
        let double = |bytes: &[u8]| bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default())).collect();
        let single = |bytes: &[u8]| bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap_or_default()).into()).collect();
        let tensor = |numbers: Vec<f64>| {
            let rows = numbers.len() / N;
            Tensor::from_data(TensorData::new(numbers, [rows, N]), (&Device::default(), DType::F64))
        };
        let (hessian, train, test) = (tensor(double(HESSIAN)), tensor(single(TRAIN)), tensor(single(TEST)));
        Ok(Quadratic { hessian, train, test, batch, order, seed: Seed(0), shuffled: Shuffled::default() })
    }

    /// All ones.
    pub fn begin(&self) -> Point {
        Point::at(&[1.0; N], DType::F64)
    }

    fn mean(&self, point: Tensor<1>, examples: Tensor<2>) -> Tensor<1> {
        let n = examples.dims()[0];
        let apart = point.reshape([1, N]) - examples;
        let hessian = if apart.is_autodiff() { Tensor::from_inner(self.hessian.clone()) } else { self.hessian.clone() };
        (apart.clone().matmul(hessian) * apart).sum() * (0.5 / n as f64)
    }

    fn over(&self, point: &Point, examples: &Tensor<2>) -> f64 {
        let whole = EXAMPLES / self.batch * self.batch;
        self.mean(point.x.val(), examples.clone().slice(0..whole)).into_scalar()
    }
}

impl Problem for Quadratic {
    type Model = Point;

    fn seeded(self, seed: Seed) -> Quadratic {
        Quadratic { seed, shuffled: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        EXAMPLES / self.batch
    }

    fn loss(&mut self, point: &Point, now: Moment) -> Tensor<1> {
        let batch = (now.batch - 1) * self.batch..now.batch * self.batch;
        let places = match self.order {
            Order::Cyclic => batch.map(|place| place as i32).collect(),
            Order::Repeated => self.shuffled.of(EXAMPLES, self.seed, 1)[batch].to_vec(),
            Order::Reshuffled => self.shuffled.of(EXAMPLES, self.seed, now.epoch)[batch].to_vec(),
        };
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [self.batch]), &self.train.device());
        self.mean(point.x.val(), Tensor::from_inner(self.train.clone().select(0, places)))
    }

    fn measure(&self, point: &Point, _now: Moment) -> BTreeMap<String, f64> {
        BTreeMap::from([("train_loss".into(), self.over(point, &self.train)), ("test_loss".into(), self.over(point, &self.test))])
    }
}
