//! Makes the runs that are missing, with as many workers as asked.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::observer::RunObserver;
use crate::error::{Error, Result};
use crate::record::{self, Header, Run, RunEnd};
use crate::task::{DynTask, Job};

/// A run with its task.
pub(super) struct TaskJob<'a> {
    pub job: Job,
    pub task: &'a dyn DynTask,
}

impl TaskJob<'_> {
    /// Steps of the whole run.
    fn steps(&self) -> usize {
        self.job.header.epochs * self.task.steps()
    }
}

/// How runs are made.
pub(super) struct Workers<'a, O> {
    /// runs at the same time
    pub number: usize,
    /// repeats runs that are there already
    pub fresh: bool,
    pub observer: &'a O,
    pub stop: &'a AtomicBool,
}

impl<O: RunObserver> Workers<'_, O> {
    /// Makes the runs that are not on the disk yet, and returns all. It does not matter which
    /// worker makes which run. `later` is the number of steps that are expected after these runs.
    pub fn make(&self, jobs: Vec<TaskJob<'_>>, later: usize) -> Result<Vec<Run>> {
        let (mut runs, mut missing) = (Vec::new(), Vec::new());
        for job in jobs {
            match finished_run(&job.job.path, &job.job.header, self.fresh) {
                Some(run) => runs.push(run),
                None => missing.push(job),
            }
        }
        let steps: usize = missing.iter().map(TaskJob::steps).sum();
        self.observer.start(missing.len(), steps + later, runs.len());
        self.make_missing(&missing)?;
        // a run that was stopped before its turn may have no record, or the broken record of an
        // earlier time
        let stopped = self.stop.load(Ordering::Relaxed);
        for job in missing {
            match record::read(&job.job.path) {
                Err(_) if stopped => {}
                read => runs.push(read?),
            }
        }
        Ok(runs)
    }

    fn make_missing(&self, jobs: &[TaskJob<'_>]) -> Result<()> {
        let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..self.number.clamp(1, jobs.len().max(1)) {
                scope.spawn(|| self.work(jobs, &next, &failed));
            }
        });
        failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).map_or(Ok(()), Err)
    }

    /// One worker: takes the next run until there are none left.
    fn work(&self, jobs: &[TaskJob<'_>], next: &AtomicUsize, failed: &Mutex<Option<Error>>) {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            match job.task.run(&job.job, &mut || self.observer.step(), self.stop) {
                Ok(end) => self.report(job, &end),
                Err(error) => {
                    let mut first = failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    first.get_or_insert(error);
                    next.store(jobs.len(), Ordering::Relaxed); // the other workers stop after their run
                }
            }
        }
    }

    fn report(&self, job: &TaskJob<'_>, end: &RunEnd) {
        let Header { series, seed, .. } = &job.job.header;
        let name = format!("{series}, {}, seed {seed}", job.job.setting);
        self.observer.run_ended(&name, end, job.steps().saturating_sub(end.step));
    }
}

/// The run of this header, if it is on the disk and complete. A record that is incomplete or cannot
/// be read is made again.
pub(super) fn finished_run(path: &Path, header: &Header, fresh: bool) -> Option<Run> {
    if fresh {
        return None;
    }
    record::read(path).ok().filter(|run| run.is_complete() && run.header == *header)
}
