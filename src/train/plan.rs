//! How a model is trained, and who observes it.

use crate::error::Result;
use crate::pipeline::PipelineConfig;
use crate::record::CurvePoint;
use crate::regularizer::EarlyStopping;
use crate::schedule::Schedule;

/// How a model is trained.
#[derive(Clone)]
pub struct Plan {
    /// the optimizer and its gradient transformations
    pub pipeline: PipelineConfig,
    /// the learning-rate schedule
    pub schedule: Schedule,
    /// number of epochs
    pub epochs: usize,
    /// whether the points say what the last step of each epoch did to every parameter
    pub diagnose: bool,
    /// when to stop by the validation loss, which the problem then has to measure
    pub early_stopping: Option<EarlyStopping>,
}

impl Plan {
    /// Whether a run of this many batches is long enough for the schedule and for at least one
    /// step.
    ///
    /// # Errors
    /// If it is not.
    pub fn fits(&self, batches: usize) -> Result<()> {
        self.pipeline.fits(batches)?;
        self.schedule.fits(batches)
    }
}

/// Observes a run.
pub trait TrainObserver {
    /// Called once if the training continues from a saved state, with the number of steps so far.
    fn resumed(&mut self, step: usize) {
        let _ = step;
    }

    /// Called for each point of the curve: before the first epoch and after each epoch.
    ///
    /// # Errors
    /// If the point cannot be written. The run then ends with this error.
    fn point(&mut self, point: &CurvePoint) -> Result<()>;

    /// Called after each step. `false` ends the run as interrupted, after
    /// [`save`](TrainObserver::save).
    fn step(&mut self) -> bool;

    /// Whether the state is to be saved now. Saving does not change the training.
    fn save_is_due(&mut self, moment: Moment) -> bool {
        let _ = moment;
        false
    }

    /// Takes the state of the training, from which [`train_from`](super::train_from) continues. It
    /// is called when [`save_is_due`](TrainObserver::save_is_due), and before an interruption.
    ///
    /// # Errors
    /// If it cannot be written. The run then ends with this error.
    fn save(&mut self, state: &[u8]) -> Result<()> {
        let _ = state;
        Ok(())
    }
}

/// A moment at which the state of a training can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// after a step within an epoch
    Step,
    /// after the point at the end of an epoch
    Epoch,
}
