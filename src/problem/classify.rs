//! Training a classifier: batches of examples, cross-entropy and a penalty.

use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};

use crate::data::{Dataset, Resident, Shuffled};
use crate::model::Net;
use crate::regularizer::Penalty;
use crate::schedule::Moment;
use crate::seed::Seed;
use crate::train::Problem;

/// Examples evaluated at once, and their numbers, which bounds the memory that evaluation takes.
const AT_ONCE: usize = 10_000;
const NUMBERS_AT_ONCE: usize = 1 << 25;

/// A data set to be told apart in batches.
///
/// Each epoch sees every training example once, in an order of its own; the last batch may be shorter. The loss of a batch is its mean
/// cross-entropy plus the penalty. Measured are, without the penalty, `train_loss` over the whole training part, `test_loss` and
/// `test_accuracy`, and `objective`: `train_loss` plus the penalty.
#[derive(Clone)]
pub struct Classify {
    train: Resident,
    test: Resident,
    batch: usize,
    penalty: Penalty,
    seed: Seed,
    order: Shuffled,
    device: Device,
}

impl Classify {
    /// Moves the data to `device`, which is one with autodiff. Clones share it.
    pub fn new(data: &Dataset, batch: usize, penalty: Penalty, device: &Device) -> Classify {
        let inner = device.clone().inner();
        Classify {
            train: data.train.resident(&inner),
            test: data.test.resident(&inner),
            batch,
            penalty,
            seed: Seed(0),
            order: Shuffled::default(),
            device: device.clone(),
        }
    }
}

impl Problem for Classify {
    type Model = Net;

    fn seeded(self, seed: Seed) -> Classify {
        Classify { seed, order: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        self.train.len().div_ceil(self.batch)
    }

    fn loss(&mut self, model: &Net, now: Moment) -> Tensor<1> {
        let order = self.order.of(self.train.len(), self.seed, now.epoch);
        let start = (now.batch - 1) * self.batch;
        let places = &order[start..(start + self.batch).min(self.train.len())];
        let batch = self.train.select(places);
        let scores = model.forward(Tensor::from_inner(batch.x));
        let loss = cross_entropy(scores, batch.y.to_device(&self.device)).mean();
        match self.penalty.of(model) {
            Some(penalty) => loss + penalty,
            None => loss,
        }
    }

    fn measure(&self, model: &Net, _now: Moment) -> BTreeMap<String, f64> {
        let (train, test) = (evaluate(model, &self.train), evaluate(model, &self.test));
        let penalty = self.penalty.of(model).map_or(0.0, |penalty| penalty.into_scalar::<f64>());
        BTreeMap::from([
            ("train_loss".into(), train.loss),
            ("objective".into(), train.loss + penalty),
            ("test_loss".into(), test.loss),
            ("test_accuracy".into(), test.accuracy()),
        ])
    }
}

/// −log of the probability that the model gives to the right class, for each example.
fn cross_entropy(scores: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let n = classes.dims()[0];
    -log_softmax(scores, 1).gather(1, classes.reshape([n, 1])).reshape([n])
}

/// What a model does on examples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// `confusion[actual][predicted]` counts examples.
    pub confusion: Vec<Vec<usize>>,
}

impl Evaluation {
    /// Share of the examples told right.
    pub fn accuracy(&self) -> f64 {
        let right: usize = self.confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
        right as f64 / self.confusion.iter().flatten().sum::<usize>() as f64
    }
}

/// Runs a model over examples; both without autodiff.
pub fn evaluate(model: &Net, examples: &Resident) -> Evaluation {
    let (mut loss, mut confusion) = (0.0, Vec::new());
    let at_once = (NUMBERS_AT_ONCE / examples.features().max(1)).clamp(1, AT_ONCE);
    for start in (0..examples.len()).step_by(at_once) {
        let part = examples.slice(start, at_once.min(examples.len() - start));
        let scores = model.forward(part.x);
        if confusion.is_empty() {
            confusion = vec![vec![0; scores.dims()[1]]; scores.dims()[1]];
        }
        let predicted = scores.clone().argmax(1).into_data();
        loss += cross_entropy(scores, part.y.clone()).sum().into_scalar::<f64>();
        for (predicted, actual) in predicted.iter::<i64>().zip(part.y.into_data().iter::<i64>()) {
            confusion[actual as usize][predicted as usize] += 1;
        }
    }
    Evaluation { loss: loss / examples.len() as f64, confusion }
}
