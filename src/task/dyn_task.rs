//! A prepared task: its problem, its initial model, and what a header says about it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::memory::RunSize;
use crate::error::Result;
use crate::record::{CurvePoint, Header, RecordLine, RecordedTask, RunEnd, Writer};
use crate::seed::Seed;
use crate::train::{Plan, Problem, TrainObserver, train};

/// A run that is to be made.
pub struct Job {
    /// the first line of the record
    pub header: Header,
    /// optimizer and settings as in legends
    pub setting: String,
    /// the record
    pub path: PathBuf,
    /// how the model is trained
    pub plan: Plan,
}

/// A prepared task, whatever its problem. All runs of a series share it.
pub trait DynTask: Send + Sync {
    /// What a header says about the task.
    fn record(&self) -> &RecordedTask;

    /// Steps of one epoch.
    fn steps(&self) -> usize;

    /// What decides how much memory a run needs.
    fn size(&self) -> RunSize;

    /// Makes one run and writes its record. Calls `step` after each step; ends as interrupted once
    /// `stop` is true.
    ///
    /// # Errors
    /// If the record cannot be written or the device fails. Nothing half written stays.
    fn run(&self, job: &Job, step: &mut dyn FnMut(), stop: &AtomicBool) -> Result<RunEnd>;
}

/// Makes the initial model of a seed.
pub type InitialModel<M> = Box<dyn Fn(Seed) -> Result<M> + Send + Sync>;

/// A prepared task with its problem.
pub struct PreparedTask<P: Problem> {
    /// what a header says about it
    pub record: RecordedTask,
    /// what is minimized
    pub problem: P,
    /// the initial model of a seed
    pub initial: InitialModel<P::Model>,
    /// what decides how much memory a run needs
    pub size: RunSize,
}

impl<P: Problem + Clone + Send + Sync> DynTask for PreparedTask<P> {
    fn record(&self) -> &RecordedTask {
        &self.record
    }

    fn steps(&self) -> usize {
        self.problem.steps()
    }

    fn size(&self) -> RunSize {
        self.size.clone()
    }

    fn run(&self, job: &Job, step: &mut dyn FnMut(), stop: &AtomicBool) -> Result<RunEnd> {
        self.train(job, step, stop).map(|(_, end)| end)
    }
}

impl<P: Problem + Clone + Send + Sync + 'static> PreparedTask<P> {
    /// A task whose initial model does not depend on the seed. Each run gets a model of its own: a
    /// clone would share its autodiff graph with the runs of other threads.
    pub fn boxed(
        record: RecordedTask,
        problem: P,
        initial: fn(&P) -> P::Model,
    ) -> Box<dyn DynTask> {
        let from = problem.clone();
        let initial = Box::new(move |_| Ok(initial(&from)));
        // a model without data is tiny
        Box::new(PreparedTask { record, problem, initial, size: RunSize::default() })
    }
}

impl<P: Problem + Clone> PreparedTask<P> {
    /// The same as [`DynTask::run`], and returns the evaluation model too.
    ///
    /// # Errors
    /// As [`DynTask::run`].
    pub fn train(
        &self,
        job: &Job,
        step: &mut dyn FnMut(),
        stop: &AtomicBool,
    ) -> Result<(P::Model, RunEnd)> {
        let seed = Seed(job.header.seed);
        let model = (self.initial)(seed)?;
        let mut writer = Writer::create(&job.path, &job.header)?;
        let trained = self.train_into(&mut writer, seed, model, job, step, stop);
        // a run that failed leaves no half-written record
        trained.inspect_err(|_| drop(fs::remove_file(&job.path)))
    }

    fn train_into(
        &self,
        writer: &mut Writer,
        seed: Seed,
        model: P::Model,
        job: &Job,
        step: &mut dyn FnMut(),
        stop: &AtomicBool,
    ) -> Result<(P::Model, RunEnd)> {
        let mut problem = self.problem.clone().seeded(seed);
        let mut recorder = Recorder { writer, step, stop };
        let (model, end) = train(&mut problem, model, &job.plan, &mut recorder)?;
        writer.write(&RecordLine::End(end.clone()))?;
        Ok((model, end))
    }
}

/// Writes the points, reports the steps, and checks for Ctrl-C.
struct Recorder<'a> {
    writer: &'a mut Writer,
    step: &'a mut dyn FnMut(),
    stop: &'a AtomicBool,
}

impl TrainObserver for Recorder<'_> {
    fn point(&mut self, point: &CurvePoint) -> Result<()> {
        self.writer.write(&RecordLine::Point(point.clone()))
    }

    fn step(&mut self) -> bool {
        (self.step)();
        !self.stop.load(Ordering::Relaxed)
    }
}
