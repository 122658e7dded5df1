//! What the training loop minimizes.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::schedule::Progress;
use crate::seed::Seed;

/// What is minimized: a model, a loss with gradients, and measurements along the way.
///
/// Training a classifier on batches is one problem (`src/task/classify.rs`); a surface without data
/// is another.
pub trait Problem {
    /// What is trained.
    type Model: Module;

    /// The problem with the random draws of this seed: the order of the examples, noise.
    #[must_use]
    fn seeded(self, seed: Seed) -> Self
    where
        Self: Sized,
    {
        let _ = seed;
        self
    }

    /// Steps of one epoch.
    fn steps(&self) -> usize;

    /// The loss at this point of the run, with penalties. It must be the same function if it is
    /// called twice for the same `now`.
    fn loss(&mut self, model: &Self::Model, now: Progress) -> Tensor<1>;

    /// Changes the model after an optimizer step with learning rate `lr`: proximal steps,
    /// constraints. The loop also calls it with a learning rate of 0 for the initial model and for
    /// each evaluation model; then it applies constraints only.
    #[must_use]
    fn after_step(&self, model: Self::Model, lr: f64) -> Self::Model {
        let _ = lr;
        model
    }

    /// Named measurements of a model without autodiff. A value that is not finite ends the run as
    /// diverged.
    fn measure(&self, model: &Self::Model, now: Progress) -> BTreeMap<String, f64>;

    /// Whether the run ends before its last epoch.
    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let _ = measures;
        None
    }
}

/// Why a run ends before its last epoch.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// it has reached its goal
    Done,
    /// it has diverged, for this reason
    Lost(String),
}
