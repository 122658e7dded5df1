//! The input of a preparation, and the trait of fitted preparations.

use std::fmt;

/// The training set, from which a preparation computes its statistics.
pub(super) struct TrainingInputs<'a> {
    /// The shape of one example.
    pub shape: &'a [usize],
    /// The examples, one after another.
    pub train: &'a [f32],
}

impl TrainingInputs<'_> {
    /// The number of features of one example.
    pub fn features(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A preparation with the statistics of the training set.
pub(super) trait Fitted: fmt::Debug + Send + Sync {
    /// Transforms whole examples, one after another.
    fn apply(&self, numbers: &mut [f32]);
}
