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
    /// Called for each point of the curve: before the first epoch and after each epoch.
    ///
    /// # Errors
    /// If the point cannot be written. The run then ends with this error.
    fn point(&mut self, point: &CurvePoint) -> Result<()>;

    /// Called after each step. `false` ends the run as interrupted.
    fn step(&mut self) -> bool;
}
