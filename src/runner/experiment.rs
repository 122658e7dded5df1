//! All runs of an experiment: first every setting with the seeds that select, then the best
//! settings with the seeds that are graded. Or one run of it, by its key.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::command::{self, COMMAND_FILE};
use super::complete::{Complete, Fresh};
use super::folder::claim_folder;
use super::jobs::{Jobs, Tasks};
use super::memory;
use super::observer::RunObserver;
use super::options::RunOptions;
use super::outdated;
use super::workers::{TaskJob, Workers};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::files::{make_folder, place};
use crate::optim::Optimizers;
use crate::record::Run;

/// The results of an experiment.
pub struct Results {
    /// the experiment, with the command that makes the runs again
    pub experiment: Experiment,
    /// folder of records and page
    pub folder: PathBuf,
    /// all runs, including those that were there before
    pub runs: Vec<Run>,
    /// whether it was stopped before all runs were made
    pub interrupted: bool,
}

/// Makes the runs of an experiment that are not on the disk yet, and returns all. Several
/// processes, also of several hosts, may do so in one folder at the same time: each run is made
/// once, and all of them return all runs.
///
/// # Errors
/// On an experiment that does not [check](Experiment::check), unknown names, damaged data, or a
/// disk that cannot be written.
pub fn run(
    mut experiment: Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
) -> Result<Results> {
    experiment.check(Path::new(experiment.place()), optimizers)?;
    let tasks = Tasks::prepare(&experiment, options)?;
    let folder = tasks.folder(&experiment, options);
    let jobs = Jobs::list(&experiment, optimizers, options, &tasks, &folder)?;
    let number = memory::workers(jobs.sizes(), options, observer)?;
    prepare_folder(&mut experiment, options, &folder)?;
    let fresh = Fresh::at(folder.join("runs").join(".fresh"));
    let all = jobs.all();
    outdated::remark(all.iter().map(|job| &job.job)).iter().for_each(|text| observer.message(text));
    let records = all.into_iter().map(|job| job.job.path);
    let since = fresh.begin(options.fresh, records)?;
    let workers = workers(number, options, observer, Complete { since, ..complete(options) });
    let has_choice = jobs.has_choice();
    if has_choice {
        observer.message("stage 1 of 2: every setting, with the seeds that only select the best one");
    }
    let mut runs = workers.make(jobs.first(), jobs.remaining_steps())?;
    if !options.stop.load(Ordering::Relaxed) {
        if has_choice {
            observer.message("stage 2 of 2: the best setting of each series, with the seeds that are graded");
        }
        runs.extend(workers.make(jobs.remaining(&runs), 0)?);
    }
    let interrupted = options.stop.load(Ordering::Relaxed);
    if !interrupted {
        fresh.end()?;
    }
    Ok(Results { experiment, folder, runs, interrupted })
}

/// Makes one run of an experiment, if it is not on the disk yet. `key` is one that
/// [`plan`](super::plan) lists.
///
/// # Errors
/// As [`run`], and if there is no run of this key now.
pub fn run_one(
    mut experiment: Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
    key: &str,
) -> Result<Results> {
    experiment.check(Path::new(experiment.place()), optimizers)?;
    let tasks = Tasks::prepare(&experiment, options)?;
    let folder = tasks.folder(&experiment, options);
    let jobs = Jobs::list(&experiment, optimizers, options, &tasks, &folder)?;
    let job = find(&jobs, key, &complete(options))?;
    let number = memory::workers(jobs.sizes(), options, observer)?;
    prepare_folder(&mut experiment, options, &folder)?;
    let path = job.job.path.clone();
    let fresh = Fresh::at(path.with_extension("fresh"));
    let since = fresh.begin(options.fresh, std::iter::once(path))?;
    let workers = workers(number, options, observer, Complete { since, ..complete(options) });
    let runs = workers.make(vec![job], 0)?;
    let interrupted = options.stop.load(Ordering::Relaxed);
    if !interrupted {
        fresh.end()?;
    }
    Ok(Results { experiment, folder, runs, interrupted })
}

fn complete(options: &RunOptions) -> Complete {
    Complete { since: None, any_processor: options.mix_processors }
}

fn workers<'a, O>(
    number: usize,
    options: &'a RunOptions,
    observer: &'a O,
    complete: Complete,
) -> Workers<'a, O> {
    Workers {
        number,
        complete,
        checkpoint_every: options.checkpoint_every,
        observer,
        stop: &options.stop,
    }
}

/// Writes the experiment and its command into the folder.
fn prepare_folder(experiment: &mut Experiment, options: &RunOptions, folder: &Path) -> Result<()> {
    claim_folder(folder, experiment)?;
    make_folder(&folder.join("runs"))?;
    let command = options.command.clone().unwrap_or_else(command::of_this_program);
    let command = experiment.command.get_or_insert(command);
    place(&folder.join(COMMAND_FILE), format!("{command}\n").as_bytes())
}

/// The run of this key.
fn find<'a>(jobs: &Jobs<'a>, key: &str, complete: &Complete) -> Result<TaskJob<'a>> {
    let unknown = |found: String, expected: &str| Err(Error::value("--only", found, expected));
    let first = jobs.first();
    let runs: Option<Vec<Run>> =
        first.iter().map(|job| complete.run(&job.job.path, &job.job.header)).collect();
    if let Some(job) = first.into_iter().find(|job| job.key == key) {
        return Ok(job);
    }
    if !jobs.all().iter().any(|job| job.key == key) {
        let expected = "the key of a run of this experiment, with the same options and on the same \
                        kind of processor, as `downhill plan` lists them";
        return unknown(key.into(), expected);
    }
    let Some(runs) = runs else {
        let found = format!("{key}, a run of a setting that is not selected yet");
        return unknown(
            found,
            "a key that `downhill plan` lists now: every setting has to run first",
        );
    };
    match jobs.remaining(&runs).into_iter().find(|job| job.key == key) {
        Some(job) => Ok(job),
        None => unknown(
            format!("{key}, a run of a setting that was not selected"),
            "a run of the best setting of a series",
        ),
    }
}
