//! A single training, as `downhill train` asks for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::complete::{Complete, Fresh};
use super::header::{RunName, header};
use super::lease::{Attempt, Holder, Lease, Leases};
use super::memory;
use super::outdated;
use crate::error::{Error, Result};
use crate::files::{make_folder, remove};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::record::{self, CurvePoint, Measure, Outcome, Run, RunEnd, part_of};
use crate::schedule::Schedule;
use crate::spec::SpecLine;
use crate::task::{Control, Job, PreparedTask, SaveModel, SavedTask, TaskContext};
use crate::train::{Plan, Problem};

/// A single training.
pub struct SingleTraining<'a, T> {
    /// the model and its data
    pub task: T,
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
    /// the longest time between two checkpoints within an epoch; `Duration::MAX` is no checkpoints,
    /// except when the run is stopped
    pub checkpoint_every: Duration,
}

/// What happens during a single training.
pub trait TrainingObserver {
    /// Called before the first step, with the number of steps.
    fn start(&self, steps: usize);
    /// Called at the start with the number of steps of an earlier, interrupted part.
    fn resumed(&self, step: usize);
    /// Called with a remark about the training.
    fn message(&self, text: &str);
    /// Called after each step.
    fn step(&self);
    /// Called with each point of the curve, before the first epoch and after each, and with the
    /// measurements that a line about it contains.
    fn point(&self, _columns: &[Measure], _point: &CurvePoint) {}
}

/// A training that ended, now or before.
pub struct Trained {
    /// its record
    pub run: Run,
    /// the file of the record
    pub record: PathBuf,
    /// The file of the model. `None` if the training diverged and early stopping kept no model.
    pub model: Option<PathBuf>,
    /// whether it was complete before
    pub before: bool,
}

/// The model of a complete training, beside its record.
fn model_of(record: &Path) -> PathBuf {
    record.with_extension("safetensors")
}

/// The model so far of an interrupted training.
fn interrupted_model_of(record: &Path) -> PathBuf {
    record.with_extension("interrupted.safetensors")
}

/// Whether the training ends with a model that is worth saving.
fn has_model(end: &RunEnd) -> bool {
    end.outcome != Outcome::Diverged || end.kept.is_some()
}

impl<T: SavedTask> SingleTraining<'_, T> {
    /// Trains, and writes record and model into `folder`. A training that is complete is not
    /// repeated. One that was interrupted or killed continues from its last checkpoint.
    ///
    /// # Errors
    /// On unknown names, values out of range, damaged data, another process that makes the same
    /// training, a checkpoint that is damaged, or a disk that cannot be written.
    pub fn train(
        &self,
        folder: &Path,
        optimizers: &Optimizers,
        observer: &impl TrainingObserver,
        stop: &AtomicBool,
    ) -> Result<Trained> {
        let plan = self.plan(optimizers)?;
        let (task, save) = self.task.prepare_saved(&mut TaskContext::on(self.device))?;
        memory::check(&task.size, &plan, self.device)?;
        let series = plan.pipeline.spec.names_as_in(&self.optimizer.parse()?);
        let name = RunName { experiment: "train", scale: "", series: &series, device: self.device };
        let header = header(&task.record, &name, &plan, self.seed);
        let steps = self.epochs * task.problem.steps();
        plan.fits(steps)?;
        make_folder(folder)?;
        let path = folder.join(header.file_name());
        let leases = Leases::new();
        let lease = match leases.take(&path)? {
            Attempt::Taken(lease) => lease,
            Attempt::Busy(Holder(holder)) => {
                return Err(Error::Locked { doing: format!("making this run ({holder})"), path });
            }
        };
        let fresh = Fresh::at(path.with_extension("fresh"));
        let since = fresh.begin(self.fresh, std::iter::once(path.clone()))?;
        let complete = Complete { since, any_processor: false };
        let known = complete.run(&path, &header).filter(|run| self.is_answered_by(run, &path));
        let before = known.is_some();
        let run = match known {
            Some(run) => run,
            None => {
                observer.start(steps);
                let job = Job { header, setting: String::new(), path: path.clone(), plan };
                let remark = outdated::remark(std::iter::once(&job));
                remark.iter().for_each(|text| observer.message(text));
                self.run(&task, &save, &job, observer, &lease, stop)?
            }
        };
        if run.is_complete() {
            fresh.end()?;
        }
        let model = match &run.end {
            Some(end) if end.outcome == Outcome::Interrupted => Some(interrupted_model_of(&path)),
            Some(end) if has_model(end) => Some(model_of(&path)),
            _ => None,
        };
        let record = if run.is_complete() { path } else { part_of(&path) };
        Ok(Trained { run, record, model, before })
    }

    fn run(
        &self,
        task: &PreparedTask<T::Problem>,
        save: &SaveModel<<T::Problem as Problem>::Model>,
        job: &Job,
        observer: &impl TrainingObserver,
        lease: &Lease,
        stop: &AtomicBool,
    ) -> Result<Run> {
        let columns = self.task.shown(&*task.record);
        let control = Control {
            resumed: &mut |step| observer.resumed(step),
            step: &mut || observer.step(),
            point: &mut |point| observer.point(&columns, point),
            stop: &|| stop.load(Ordering::Relaxed) || lease.is_lost(),
            check: &|| lease.check(),
            checkpoint_every: self.checkpoint_every,
        };
        let keep = |model: &_, end: &RunEnd| match has_model(end) {
            true => save(model, &model_of(&job.path)),
            false => remove(&model_of(&job.path)), // of an earlier training, with --fresh
        };
        let (model, end) = task.train(job, control, keep)?;
        let so_far = interrupted_model_of(&job.path);
        if end.outcome == Outcome::Interrupted {
            save(&model, &so_far)?;
            return record::read(&part_of(&job.path));
        }
        remove(&so_far)?;
        record::read(&job.path)
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
            (Some(own), Some(other)) => Err(Error::value(
                "--schedule",
                other,
                format!("no schedule, because the optimizer's spec has one, {}", own.spec()),
            )),
            (Some(own), None) => Ok(own.clone()),
            (None, other) => Schedule::read(&other.unwrap_or("constant").parse()?),
        }
    }

    /// Whether a complete record contains what is asked for: a record without diagnostics does not,
    /// and neither does one whose model is missing.
    fn is_answered_by(&self, run: &Run, path: &Path) -> bool {
        let has_diagnosis = run.points.iter().any(|point| !point.layers.is_empty());
        let needs_model = run.end.as_ref().is_some_and(has_model);
        (!self.diagnose || has_diagnosis) && (!needs_model || model_of(path).is_file())
    }
}
