//! Fitting y = x1 + 2 x2 by least squares, as in seed S2: all examples at once, some, or one at a time.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rand::RngExt;

use crate::data::Shuffled;
use crate::descent::Point;
use crate::record::{Order, Until};
use crate::schedule::Moment;
use crate::seed::{Purpose, Seed};
use crate::train::{Problem, Stop};

/// The parameters that made the examples.
const TRUTH: [f64; 2] = [1.0, 2.0];
/// Both stop rules of S2 end there.
const SMALL: f64 = 1e-4;

/// Examples with x1 and x2 drawn from 1.1 to 10.4, and y without noise. Each epoch is one step. The loss of a batch is half its mean squared
/// error. Measured are over all examples `loss` and `gradient`, its norm; `error`, how far the parameters are from the truth; and what it has
/// cost so far, `steps` and `gradients` of single examples.
#[derive(Clone)]
pub struct LeastSquares {
    n: usize,
    batch: usize,
    order: Order,
    until: Until,
    seed: Seed,
    examples: Option<(Tensor<2>, Tensor<1>)>,
    shuffled: Shuffled,
}

impl LeastSquares {
    /// So many examples, in batches of at most `batch`.
    pub fn new(n: usize, batch: usize, order: Order, until: Until) -> LeastSquares {
        LeastSquares { n, batch: batch.min(n), order, until, seed: Seed(0), examples: None, shuffled: Shuffled::default() }
    }

    /// Both parameters zero.
    pub fn begin(&self) -> Point {
        Point::at(&[0.0, 0.0], DType::F64)
    }

    /// The places of the examples of a step.
    fn places(&mut self, step: usize) -> Vec<i32> {
        let first = step * self.batch;
        let (pass, start) = (first / self.n, first % self.n);
        let shuffled_as = match self.order {
            Order::Cyclic => return (0..self.batch).map(|i| ((start + i) % self.n) as i32).collect(),
            Order::Repeated => 1,
            Order::Reshuffled => pass + 1,
        };
        let order = self.shuffled.of(self.n, self.seed, shuffled_as);
        (0..self.batch).map(|i| order[(start + i) % self.n]).collect()
    }

    /// Errors of the prediction, and the inputs they belong to.
    fn residuals(&self, point: Tensor<1>, places: Option<Vec<i32>>) -> Option<(Tensor<1>, Tensor<2>)> {
        let (x, y) = self.examples.clone()?;
        let (x, y) = match places {
            None => (x, y),
            Some(places) => {
                let n = places.len();
                let places = Tensor::<1, Int>::from_data(TensorData::new(places, [n]), &x.device());
                (x.select(0, places.clone()), y.select(0, places))
            }
        };
        let n = y.dims()[0];
        let predicted = match point.is_autodiff() {
            true => (Tensor::from_inner(x.clone()) * point.reshape([1, 2])).sum_dim(1).reshape([n]) - Tensor::from_inner(y),
            false => (x.clone() * point.reshape([1, 2])).sum_dim(1).reshape([n]) - y,
        };
        Some((predicted, x))
    }
}

impl Problem for LeastSquares {
    type Model = Point;

    fn seeded(self, seed: Seed) -> LeastSquares {
        let mut generator = seed.generator(Purpose::Examples, 0);
        let x: Vec<f64> = (0..2 * self.n).map(|_| generator.random_range(1.1..10.4)).collect();
        let y: Vec<f64> = x.chunks(2).map(|x| TRUTH[0] * x[0] + TRUTH[1] * x[1]).collect();
        let (n, to) = (self.n, (&Device::default(), DType::F64));
        let examples = (Tensor::from_data(TensorData::new(x, [n, 2]), to), Tensor::from_data(TensorData::new(y, [n]), to));
        LeastSquares { seed, examples: Some(examples), shuffled: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        1
    }

    fn loss(&mut self, point: &Point, now: Moment) -> Tensor<1> {
        let places = (self.batch < self.n).then(|| self.places(now.step - 1));
        let point = point.x.val();
        match self.residuals(point.clone(), places) {
            Some((errors, _)) => (errors.clone() * errors).mean() * 0.5,
            None => point.sum() * 0.0, // without a seed there are no examples
        }
    }

    fn measure(&self, point: &Point, now: Moment) -> BTreeMap<String, f64> {
        let numbers = point.numbers();
        let (loss, gradient) = match self.residuals(point.x.val(), None) {
            None => (0.0, 0.0),
            Some((errors, x)) => {
                let n = self.n;
                let gradient: Vec<f64> = (x * errors.clone().reshape([n, 1])).mean_dim(0).into_data().iter::<f64>().collect();
                ((errors.clone() * errors).mean().into_scalar::<f64>() * 0.5, gradient[0].hypot(gradient[1]))
            }
        };
        let error = (numbers[0] - TRUTH[0]).hypot(numbers[1] - TRUTH[1]);
        let (steps, gradients) = (now.step as f64, (now.step * self.batch) as f64);
        let named = [
            ("steps", steps),
            ("gradients", gradients),
            ("loss", loss),
            ("gradient", gradient),
            ("error", error),
            ("x", numbers[0]),
            ("y", numbers[1]),
        ];
        named.map(|(name, value)| (name.to_string(), value)).into()
    }

    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let done = match self.until {
            Until::End => false,
            Until::Loss => measures["loss"] <= SMALL,
            Until::Gradient => measures["gradient"] < SMALL,
        };
        done.then_some(Stop::Done)
    }
}
