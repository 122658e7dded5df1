//! A prepared task: its problem, its initial model, and what a header says about it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::memory::{RunSize, checkpoint_bytes};
use crate::error::Result;
use crate::files::{new_of, remove};
use crate::record::{
    Checkpoint, CurvePoint, Header, Outcome, RecordLine, RecordedTask, RunEnd, RunIdentity, Writer,
    checkpoint_of,
};
use crate::seed::Seed;
use crate::train::{Moment, Plan, Problem, TrainObserver, train_from};

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

impl Job {
    /// What a checkpoint of this run has to contain.
    pub(crate) fn identity(&self) -> RunIdentity {
        RunIdentity { header: self.header.clone(), diagnose: self.plan.diagnose }
    }
}

/// What happens during a run, apart from the training.
pub struct Control<'a> {
    /// called at the start with the number of steps of an earlier part of the run
    pub resumed: &'a mut dyn FnMut(usize),
    /// called after each step
    pub step: &'a mut dyn FnMut(),
    /// called with each point of the curve: before the first epoch, and after each
    pub point: &'a mut dyn FnMut(&CurvePoint),
    /// whether the run ends after this step, with a checkpoint
    pub stop: &'a dyn Fn() -> bool,
    /// fails if another process has taken over the run; then nothing more is written
    pub check: &'a dyn Fn() -> Result<()>,
    /// the longest time between two checkpoints within an epoch; `Duration::MAX` is no checkpoints,
    /// except when the run is stopped
    pub checkpoint_every: Duration,
}

/// A prepared task, whatever its problem. All runs of a series share it.
pub trait DynTask: Send + Sync {
    /// What a header says about the task.
    fn record(&self) -> &RecordedTask;

    /// Steps of one epoch.
    fn steps(&self) -> usize;

    /// What decides how much memory a run needs.
    fn size(&self) -> RunSize;

    /// Makes one run and writes its record. It continues from the checkpoint beside the record, if
    /// there is one, and writes checkpoints of its own.
    ///
    /// # Errors
    /// If the record or a checkpoint cannot be written, the checkpoint is not one of this run, or
    /// the device fails. The last checkpoint stays; without one, nothing half written stays.
    fn run(&self, job: &Job, control: Control<'_>) -> Result<RunEnd>;
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

    fn run(&self, job: &Job, control: Control<'_>) -> Result<RunEnd> {
        self.train(job, control, |_, _| Ok(())).map(|(_, end)| end)
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
    /// The same as [`DynTask::run`], and returns the evaluation model too. `keep` saves the model
    /// of a complete run. The record is complete only after that.
    ///
    /// # Errors
    /// As [`DynTask::run`], and if `keep` fails.
    pub fn train(
        &self,
        job: &Job,
        mut control: Control<'_>,
        keep: impl FnOnce(&P::Model, &RunEnd) -> Result<()>,
    ) -> Result<(P::Model, RunEnd)> {
        let seed = Seed(job.header.seed);
        let model = (self.initial)(seed)?;
        let checkpoint = Checkpoint::read(&job.path, &job.identity())?;
        let mut writer = match &checkpoint {
            Some(checkpoint) => Writer::resume(&job.path, checkpoint.length)?,
            None => Writer::create(&job.path, &job.header)?,
        };
        let mut recorder = Recorder {
            identity: job.identity(),
            job,
            writer: &mut writer,
            control: &mut control,
            has_checkpoint: checkpoint.is_some(),
            last: Instant::now(),
            asked: Instant::now(),
            cost: first_cost(&self.size, job),
        };
        let state = checkpoint.map(|checkpoint| checkpoint.state);
        let trained = self.train_into(state.as_deref(), seed, model, &mut recorder);
        let has_checkpoint = recorder.has_checkpoint;
        let ended = trained.and_then(|(model, end)| {
            (control.check)()?;
            if end.outcome == Outcome::Interrupted {
                writer.write(&RecordLine::End(end.clone()))?;
                return Ok((model, end));
            }
            keep(&model, &end)?;
            complete(job, &mut writer, &end)?;
            Ok((model, end))
        });
        if ended.is_err() && !has_checkpoint && (control.check)().is_ok() {
            writer.abandon();
        }
        ended
    }

    fn train_into(
        &self,
        state: Option<&[u8]>,
        seed: Seed,
        model: P::Model,
        recorder: &mut Recorder<'_, '_>,
    ) -> Result<(P::Model, RunEnd)> {
        let mut problem = self.problem.clone().seeded(seed);
        train_from(state, &mut problem, model, &recorder.job.plan, recorder)
    }
}

/// Writes the last line, and makes the record a complete one.
fn complete(job: &Job, writer: &mut Writer, end: &RunEnd) -> Result<()> {
    writer.write(&RecordLine::End(end.clone()))?;
    // waiting for the disk would double the time of a short run, which is soon repeated
    if end.seconds >= 1.0 {
        writer.sync()?;
    }
    writer.finish()?;
    let checkpoint = checkpoint_of(&job.path);
    remove(&new_of(&checkpoint))?; // of a process that was killed
    remove(&checkpoint)
}

/// What a checkpoint may cost, before the first one was measured: 10 ms, and a second for each
/// 300 MB. Disks of laptops and the hash are faster.
fn first_cost(size: &RunSize, job: &Job) -> Duration {
    const BYTES_PER_SECOND: f64 = 3e8;
    Duration::from_millis(10)
        + Duration::from_secs_f64(checkpoint_bytes(size, &job.plan) as f64 / BYTES_PER_SECOND)
}

/// The share of the time for checkpoints at the ends of epochs is at most 1 in this number.
const COST_FACTOR: u32 = 100;

/// Writes points and checkpoints, reports the steps, and stops where asked.
struct Recorder<'a, 'c> {
    job: &'a Job,
    identity: RunIdentity,
    writer: &'a mut Writer,
    control: &'a mut Control<'c>,
    has_checkpoint: bool,
    /// the last checkpoint, or the start
    last: Instant,
    /// when the loop last asked whether a checkpoint is due
    asked: Instant,
    /// the time that the last checkpoint took
    cost: Duration,
}

impl TrainObserver for Recorder<'_, '_> {
    fn resumed(&mut self, step: usize) {
        (self.control.resumed)(step);
    }

    fn point(&mut self, point: &CurvePoint) -> Result<()> {
        (self.control.check)()?;
        self.writer.write(&RecordLine::Point(point.clone()))?;
        (self.control.point)(point);
        Ok(())
    }

    fn step(&mut self) -> bool {
        (self.control.step)();
        !(self.control.stop)()
    }

    fn save_is_due(&mut self, moment: Moment) -> bool {
        let every = self.control.checkpoint_every;
        if every == Duration::MAX {
            return false;
        }
        let pause = match moment {
            Moment::Step => every,
            Moment::Epoch => every.min(self.cost * COST_FACTOR),
        };
        self.asked = Instant::now();
        self.asked - self.last >= pause
    }

    fn save(&mut self, state: &[u8]) -> Result<()> {
        (self.control.check)()?;
        self.writer.sync()?;
        Checkpoint::write(&self.job.path, &self.identity, self.writer.length(), state)?;
        self.has_checkpoint = true;
        self.cost = self.asked.elapsed();
        self.last = Instant::now();
        Ok(())
    }
}
