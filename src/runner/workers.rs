//! Makes the runs that are missing, with as many workers as asked, beside any number of other
//! processes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread::Builder;
use std::time::Duration;

use super::complete::Complete;
use super::lease::{Attempt, Lease, Leases};
use super::observer::{RunObserver, Runs};
use crate::docs::counted;
use crate::error::{Error, Result};
use crate::record::{self, Header, Run, RunEnd, checkpoint_of, part_of};
use crate::task::{Control, DynTask, Job};

/// A run with its task.
pub(super) struct TaskJob<'a> {
    /// what `run --only` expects
    pub key: String,
    pub job: Job,
    pub task: &'a dyn DynTask,
}

impl TaskJob<'_> {
    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        self.job.header.epochs * self.task.steps()
    }

    /// Whether the run continues from a checkpoint.
    pub fn has_checkpoint(&self) -> bool {
        checkpoint_of(&self.job.path).is_file()
    }

    /// Series, setting and seed.
    pub fn name(&self) -> String {
        let Header { series, seed, .. } = &self.job.header;
        format!("{series}, {}, seed {seed}", self.job.setting)
    }
}

/// How runs are made.
pub(super) struct Workers<'a, O> {
    /// runs at the same time
    pub number: usize,
    /// which runs need not be made
    pub complete: Complete,
    /// the longest time between two checkpoints within an epoch; `Duration::MAX` is no checkpoints,
    /// except when the run is stopped
    pub checkpoint_every: Duration,
    pub observer: &'a O,
    pub stop: &'a AtomicBool,
}

/// How often a worker looks whether the runs of other processes are complete.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl<O: RunObserver> Workers<'_, O> {
    /// Makes the runs that are not on the disk yet, waits for those that other processes make, and
    /// returns all. It does not matter which worker makes which run. `later` is the number of steps
    /// that are expected after these runs.
    pub fn make(&self, jobs: Vec<TaskJob<'_>>, later: usize) -> Result<Vec<Run>> {
        let (mut runs, mut missing) = (Vec::new(), Vec::new());
        for job in jobs {
            match self.complete.run(&job.job.path, &job.job.header) {
                Some(run) => runs.push(run),
                None => missing.push(job),
            }
        }
        let steps: usize = missing.iter().map(TaskJob::steps).sum();
        let counts = Runs {
            missing: missing.len(),
            from_checkpoint: missing.iter().filter(|job| job.has_checkpoint()).count(),
            complete: runs.len(),
        };
        self.observer.start(counts, steps + later);
        self.make_missing(&missing)?;
        let stopped = self.stop.load(Ordering::Relaxed);
        for job in missing {
            match self.complete.run(&job.job.path, &job.job.header) {
                Some(run) => runs.push(run),
                // a run that was stopped before its turn may have no record
                None if stopped => runs.extend(record::read(&part_of(&job.job.path)).ok()),
                None => runs.push(record::read(&job.job.path)?),
            }
        }
        Ok(runs)
    }

    fn make_missing(&self, jobs: &[TaskJob<'_>]) -> Result<()> {
        let queue = Queue { jobs: Mutex::new(jobs.iter().collect()), failed: Mutex::new(None) };
        let leases = Leases::new();
        std::thread::scope(|scope| {
            let asked = self.number.clamp(1, jobs.len().max(1));
            let start = |_| Builder::new().spawn_scoped(scope, || self.work(&queue, &leases)).ok();
            let started = (0..asked).map_while(start).count();
            if started < asked {
                // this thread works too, so that a system without a free thread is no error
                let text = "the system refuses more threads (`ulimit -u`)";
                let runs = counted(started + 1, "run", "runs");
                self.observer.message(&format!("{runs} at a time instead of {asked}: {text}"));
                self.work(&queue, &leases);
            }
        });
        queue
            .failed
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .map_or(Ok(()), Err)
    }

    /// One worker: takes the next run until there are none left.
    fn work(&self, queue: &Queue<'_, '_>, leases: &Leases) {
        let mut busy = 0; // since the last run that is complete
        while !self.stop.load(Ordering::Relaxed) {
            let Some(job) = locked(&queue.jobs).pop_front() else { return };
            match self.attempt(job, leases) {
                Ok(Ended::Here(end)) => {
                    busy = 0;
                    let left = job.steps().saturating_sub(end.step);
                    self.observer.run_ended(&job.name(), &end, left);
                }
                Ok(Ended::Elsewhere(end)) => {
                    busy = 0;
                    let name = format!("{} (by another process)", job.name());
                    self.observer.run_ended(&name, &end, job.steps());
                }
                Ok(Ended::Busy) => {
                    let waiting = {
                        let mut jobs = locked(&queue.jobs);
                        jobs.push_back(job);
                        jobs.len()
                    };
                    busy += 1;
                    if busy >= waiting {
                        self.observer.waiting(waiting);
                        self.pause();
                    }
                }
                Err(error) => {
                    locked(&queue.failed).get_or_insert(error);
                    locked(&queue.jobs).clear(); // the other workers stop after their run
                }
            }
        }
    }

    /// Makes a run, if no other process has made it or makes it now.
    fn attempt(&self, job: &TaskJob<'_>, leases: &Leases) -> Result<Ended> {
        let made = || self.complete.run(&job.job.path, &job.job.header).and_then(|run| run.end);
        if let Some(end) = made() {
            return Ok(Ended::Elsewhere(end));
        }
        let Attempt::Taken(lease) = leases.take(&job.job.path)? else { return Ok(Ended::Busy) };
        // the other process may have completed it in between
        if let Some(end) = made() {
            return Ok(Ended::Elsewhere(end));
        }
        match self.run(job, &lease) {
            Err(Error::LeaseLost { .. }) => Ok(Ended::Busy),
            ended => ended.map(Ended::Here),
        }
    }

    fn run(&self, job: &TaskJob<'_>, lease: &Lease) -> Result<RunEnd> {
        job.task.run(
            &job.job,
            Control {
                resumed: &mut |step| self.observer.resumed(step),
                step: &mut || self.observer.step(),
                point: &mut |_| {},
                stop: &|| self.stop.load(Ordering::Relaxed) || lease.is_lost(),
                check: &|| lease.check(),
                checkpoint_every: self.checkpoint_every,
            },
        )
    }

    fn pause(&self) {
        let slices = 10;
        for _ in 0..slices {
            if !self.stop.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK_AGAIN / slices);
            }
        }
    }
}

/// What happened to a run.
enum Ended {
    /// this process made it
    Here(RunEnd),
    /// another process made it
    Elsewhere(RunEnd),
    /// another process makes it now
    Busy,
}

/// The runs that no worker has taken.
struct Queue<'j, 'a> {
    jobs: Mutex<VecDeque<&'j TaskJob<'a>>>,
    /// the first error
    failed: Mutex<Option<Error>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
