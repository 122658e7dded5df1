//! A schedule with its learning rate and its counters, for burn's loops and for pipelines.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use super::scheduler::Scheduler;
use super::table::Schedule;
use super::time::Progress;
use crate::error::{Error, Result};

/// A schedule as burn's `LrScheduler`: it counts the batches itself, and returns the learning rate
/// of the next one.
///
/// ```
/// use burn::lr_scheduler::LrScheduler;
/// use downhill::schedule::LrSchedule;
///
/// let mut schedule = LrSchedule::read("cosine:warmup=2,steps=8", 0.1)?;
/// let lrs: Vec<f64> = (0..10).map(|_| schedule.step()).collect();
/// assert!(lrs[0] == 0.05 && lrs[1] == 0.1 && lrs[9] < 0.01);
/// # Ok::<(), downhill::Error>(())
/// ```
///
/// burn's `Learner` calls `step` once for each batch, or, if gradients are accumulated, once for
/// each optimizer step.
#[derive(Clone, Debug)]
pub struct LrSchedule {
    scheduler: Scheduler,
    lr: f64,
    run: Option<RunLength>,
    /// the number of batches so far
    batches: usize,
}

/// The length of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RunLength {
    epochs: usize,
    batches_per_epoch: usize,
}

impl LrSchedule {
    /// Reads the spec of a schedule that does not need the length of the run. `lr` is the learning
    /// rate where the schedule is 1.
    ///
    /// # Errors
    /// On an unknown schedule or setting, a value that is not allowed, or a schedule that needs
    /// [`for_run`](LrSchedule::for_run), such as `cosine` without `steps`.
    pub fn read(spec: &str, lr: f64) -> Result<LrSchedule> {
        let schedule = LrSchedule::new(Schedule::read(&spec.parse()?)?, lr);
        schedule.check_run()?;
        Ok(schedule)
    }

    /// Reads the spec of a schedule for a run of this length.
    ///
    /// # Errors
    /// On an unknown schedule or setting, a value that is not allowed, or a warm-up that is longer
    /// than the run.
    pub fn for_run(
        spec: &str,
        lr: f64,
        epochs: usize,
        batches_per_epoch: usize,
    ) -> Result<LrSchedule> {
        LrSchedule::new(Schedule::read(&spec.parse()?)?, lr).with_run(epochs, batches_per_epoch)
    }

    /// A schedule before the first batch.
    pub(crate) fn new(schedule: Schedule, lr: f64) -> LrSchedule {
        LrSchedule { scheduler: Scheduler::new(schedule), lr, run: None, batches: 0 }
    }

    pub(crate) fn with_run(self, epochs: usize, batches_per_epoch: usize) -> Result<LrSchedule> {
        self.schedule().fits(epochs * batches_per_epoch)?;
        Ok(LrSchedule { run: Some(RunLength { epochs, batches_per_epoch }), ..self })
    }

    /// Checks that the length of the run is known, if the schedule needs it.
    pub(crate) fn check_run(&self) -> Result<()> {
        match (self.run, self.schedule().needs_run()) {
            (None, Some(key)) => {
                Err(Error::RunLength { schedule: self.schedule().spec(), key: key.into() })
            }
            _ => Ok(()),
        }
    }

    /// The schedule.
    pub fn schedule(&self) -> &Schedule {
        self.scheduler.schedule()
    }

    /// The number of batches so far.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// The learning rate of the next batch.
    pub fn lr(&self) -> f64 {
        self.scheduler.lr(self.lr, self.next())
    }

    /// Counts a batch.
    pub fn advance(&mut self) {
        self.batches += 1;
    }

    /// Takes the mean training loss of an epoch, at its end. Only `plateau` uses it.
    pub fn end_epoch(&mut self, mean_loss: f64) {
        self.scheduler.observe(mean_loss);
    }

    /// The progress of the run at the next batch.
    fn next(&self) -> Progress {
        let step = self.batches + 1;
        match self.run {
            None => Progress { step, epoch: 1, batch: step, steps: step },
            Some(RunLength { epochs, batches_per_epoch }) => {
                let per_epoch = batches_per_epoch.max(1);
                let (epoch, batch) = (self.batches / per_epoch + 1, self.batches % per_epoch + 1);
                Progress { step, epoch, batch, steps: epochs * batches_per_epoch }
            }
        }
    }

    /// The state as named numbers.
    pub(crate) fn to_numbers(&self) -> Vec<(&'static str, f64)> {
        let mut numbers = self.scheduler.to_numbers();
        numbers.push(("batches", self.batches as f64));
        numbers
    }

    /// Continues from what [`to_numbers`](LrSchedule::to_numbers) returned. `None`, and no change,
    /// if a number is missing.
    pub(crate) fn load_numbers(&mut self, number: impl Fn(&str) -> Option<f64>) -> Option<()> {
        let batches = number("batches")? as usize;
        self.scheduler.load_numbers(number)?;
        self.batches = batches;
        Some(())
    }
}

impl LrScheduler for LrSchedule {
    fn step(&mut self) -> f64 {
        let lr = self.lr();
        self.advance();
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let numbers = self.to_numbers().into_iter();
        numbers.fold(LrSchedulerRecord::new(), |record, (name, x)| record.with_scalar(name, x))
    }

    /// A record of another scheduler, without the numbers of this one, changes nothing.
    fn load_record(&mut self, record: LrSchedulerRecord) {
        let _ = self.load_numbers(|name| record.scalar(name));
    }
}
