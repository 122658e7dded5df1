//! Evaluating a classifier: loss, accuracy, confusion table.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

use crate::data::{Batch, DeviceExamples};
use crate::model::{Mode, Net};

/// The result of a model on examples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// `confusion[actual][predicted]` counts examples. It is empty for more than
    /// [`MAX_CONFUSION`] classes.
    pub confusion: Vec<Vec<usize>>,
    correct: usize,
    all: usize,
}

/// The largest number of classes with a confusion matrix.
pub const MAX_CONFUSION: usize = 1000;

impl Evaluation {
    /// Fraction of the examples that are classified correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.all as f64
    }

    /// Fraction of the examples that are misclassified.
    pub fn error_rate(&self) -> f64 {
        (self.all - self.correct) as f64 / self.all as f64
    }
}

/// Evaluates a model on examples; both without autodiff.
pub fn evaluate(model: &Net, examples: &DeviceExamples) -> Evaluation {
    evaluate_batches(model, examples.batches())
}

/// The same, batch by batch.
pub(super) fn evaluate_batches(model: &Net, batches: impl Iterator<Item = Batch>) -> Evaluation {
    let (mut loss, mut confusion, mut correct, mut n) = (0.0, Vec::new(), 0, 0);
    for batch in batches {
        n += batch.y.dims()[0];
        let scores = model.forward(batch.x, &mut Mode::Evaluate);
        let classes = scores.dims()[1];
        if confusion.is_empty() && classes <= MAX_CONFUSION {
            confusion = vec![vec![0; classes]; classes];
        }
        let predicted = scores.clone().argmax(1).into_data();
        loss += cross_entropy(scores, batch.y.clone()).sum().into_scalar::<f64>();
        for (predicted, actual) in predicted.iter::<i64>().zip(batch.y.into_data().iter::<i64>()) {
            correct += usize::from(actual == predicted);
            if let Some(row) = confusion.get_mut(actual as usize) {
                row[predicted as usize] += 1;
            }
        }
    }
    Evaluation { loss: loss / n as f64, confusion, correct, all: n }
}

/// −log of the predicted probability of the true class, for each example.
pub(super) fn cross_entropy(scores: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let n = classes.dims()[0];
    -log_softmax(scores, 1).gather(1, classes.reshape([n, 1])).reshape([n])
}
