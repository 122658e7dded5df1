//! A single training, as `downhill train` asks for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::folder::lock;
use super::header::{RunName, header};
use super::memory;
use super::workers::finished_run;
use crate::error::{Error, Result};
use crate::files::make_folder;
use crate::model::Net;
use crate::model::saved::ModelCard;
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::record::{self, Run};
use crate::schedule::Schedule;
use crate::spec::SpecLine;
use crate::task::{Classification, Job, Task, TaskContext};
use crate::train::{Plan, Problem};

/// A single training.
pub struct SingleTraining<'a> {
    /// the classifier
    pub task: Classification,
    /// pipeline spec: an optimizer with its gradient transformations
    pub optimizer: &'a str,
    /// spec of the schedule, if the pipeline spec has none
    pub schedule: Option<&'a str>,
    /// `flex`, `ndarray` or `wgpu`
    pub device: &'a str,
    /// number of epochs
    pub epochs: usize,
    /// seed of the initial weights and of the order of the examples
    pub seed: u64,
    /// trains again what is there already
    pub fresh: bool,
    /// records what the last step of each epoch did to every parameter
    pub diagnose: bool,
}

/// A model after training.
pub struct TrainedModel {
    /// the evaluation model
    pub model: Net,
    /// what its file says about it
    pub card: ModelCard,
}

impl SingleTraining<'_> {
    /// Trains and writes the record into `folder`. Returns the run, the model, and the path of the
    /// record. A training that is complete is not repeated; then there is no model.
    ///
    /// # Errors
    /// On unknown names, values out of range, damaged data, or a disk that cannot be written.
    pub fn train(
        &self,
        folder: &Path,
        optimizers: &Optimizers,
        started: impl FnOnce(usize),
        mut step: impl FnMut(),
        stop: &AtomicBool,
    ) -> Result<(Run, Option<TrainedModel>, PathBuf)> {
        let plan = self.plan(optimizers)?;
        let (task, card) = self.task.prepare_classifier(&mut TaskContext::on(self.device))?;
        memory::check(&task.size, &plan, self.device)?;
        let series = plan.pipeline.spec.names_as_in(&self.optimizer.parse()?);
        let name = RunName { experiment: "train", scale: "", series: &series, device: self.device };
        let header = header(&task.record, &name, &plan, self.seed);
        let steps = self.epochs * task.problem.steps();
        make_folder(folder)?;
        let _lock = lock(folder)?;
        let path = folder.join(header.file_name());
        if let Some(run) =
            finished_run(&path, &header, self.fresh).filter(|run| self.is_answered_by(run))
        {
            return Ok((run, None, path));
        }
        plan.fits(steps)?;
        started(steps);
        let job = Job { header, setting: String::new(), path: path.clone(), plan };
        let (model, _) = task.train(&job, &mut step, stop)?;
        Ok((record::read(&path)?, Some(TrainedModel { model, card }), path))
    }

    fn plan(&self, optimizers: &Optimizers) -> Result<Plan> {
        let pipeline = PipelineConfig::read(&self.optimizer.parse::<SpecLine>()?, optimizers)?;
        let schedule = self.schedule_of(&pipeline)?;
        self.task.check()?;
        let early_stopping = self.task.early_stopping()?;
        Ok(Plan {
            pipeline,
            schedule,
            epochs: self.epochs,
            diagnose: self.diagnose,
            early_stopping,
        })
    }

    fn schedule_of(&self, pipeline: &PipelineConfig) -> Result<Schedule> {
        match (&pipeline.schedule, self.schedule) {
            (Some(own), Some(other)) => Err(Error::Invalid(format!(
                "two schedules, {} in the optimizer's spec and {other} beside it; expected one",
                own.spec()
            ))),
            (Some(own), None) => Ok(own.clone()),
            (None, other) => Schedule::read(&other.unwrap_or("constant").parse()?),
        }
    }

    /// Whether a complete record contains what is asked for: a record without diagnostics does not.
    fn is_answered_by(&self, run: &Run) -> bool {
        !self.diagnose || run.points.iter().any(|point| !point.layers.is_empty())
    }
}
