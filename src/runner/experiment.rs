//! All runs of an experiment: first every setting with the seeds that select, then the best
//! settings with the seeds that are graded. Or one run of it, by its key.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::command::{self, COMMAND_FILE};
use super::complete::{Complete, Fresh};
use super::extend::MOST_EXTENSIONS;
use super::folder::claim_folder;
use super::jobs::{Jobs, Tasks};
use super::memory;
use super::observer::RunObserver;
use super::options::RunOptions;
use super::outdated;
use super::seed_counts::SeedCounts;
use super::until_decided::{self, add_seeds};
use super::workers::{TaskJob, Workers};
use crate::error::{Error, Result};
use crate::experiment::{Added, Experiment};
use crate::files::{make_folder, place};
use crate::optim::Optimizers;
use crate::record::{Run, checkpoint_of};

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
    /// the number of runs that continue from a checkpoint when it is started again
    pub from_checkpoint: usize,
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
    refuse_extended_halving(&experiment, options)?;
    let tasks = Tasks::prepare(&experiment, options)?;
    let folder = tasks.folder(&experiment, options);
    let counts = SeedCounts::of(experiment.extent_of(options.scale)?, options)?;
    experiment.read_added(&folder, optimizers)?;
    let mut jobs = Jobs::list(&experiment, optimizers, options, &tasks, &folder)?;
    let number = memory::workers(jobs.sizes(), options, observer)?;
    prepare_folder(&mut experiment, options, &folder)?;
    let fresh = Fresh::of_folder(&folder);
    let all = every_job(&mut jobs, &counts);
    outdated::remark(all.iter().map(|job| &job.job)).iter().for_each(|text| observer.message(text));
    let records = all.into_iter().map(|job| job.job.path);
    let since = fresh.begin(options.fresh, records)?;
    let workers = workers(number, options, observer, Complete { since, ..complete(options) });
    let has_choice = jobs.has_choice();
    if has_choice {
        observer
            .message("stage 1 of 2: every setting, with the seeds that only select the best one");
    }
    let short_runs = make_short(&mut jobs, &workers)?;
    let mut runs = match options.stop.load(Ordering::Relaxed) && !short_runs.is_empty() {
        true => Vec::new(),
        false => workers.make(jobs.first(), jobs.remaining_steps())?,
    };
    for _ in 0..if options.extend { MOST_EXTENSIONS } else { 0 } {
        let added = jobs.beyond_edges(&experiment, optimizers, options, &runs)?;
        if added.is_empty() || options.stop.load(Ordering::Relaxed) {
            break;
        }
        record_added(&mut experiment, added, &folder, observer)?;
        jobs = Jobs::list(&experiment, optimizers, options, &tasks, &folder)?;
        runs = workers.make(jobs.first(), jobs.remaining_steps())?;
    }
    if !options.stop.load(Ordering::Relaxed) {
        if has_choice {
            observer.message(
                "stage 2 of 2: the best setting of each series, with the seeds that are graded",
            );
        }
        runs.extend(workers.make(jobs.remaining(&runs), 0)?);
    }
    if options.until_decided && !options.stop.load(Ordering::Relaxed) {
        runs = add_seeds(&experiment, &mut jobs, runs, &counts, &workers)?;
    }
    let interrupted = options.stop.load(Ordering::Relaxed);
    if !interrupted {
        fresh.end()?;
    }
    if !runs.is_empty() {
        runs.extend(short_runs); // which belong to whole runs in a report
    }
    let from_checkpoint = jobs.all().iter().filter(|job| job.has_checkpoint()).count();
    Ok(Results { experiment, folder, runs, interrupted, from_checkpoint })
}

/// Every run that can be made, with the largest number of seeds.
fn every_job<'a>(jobs: &mut Jobs<'a>, counts: &SeedCounts) -> Vec<TaskJob<'a>> {
    jobs.set_seeds(counts.most());
    let all = jobs.all();
    jobs.set_seeds(counts.first());
    all
}

/// The rounds of successive halving, after which only the settings that go on are left.
fn make_short(jobs: &mut Jobs<'_>, workers: &Workers<'_, impl RunObserver>) -> Result<Vec<Run>> {
    let mut all = Vec::new();
    while let Some(short) = jobs.short().filter(|_| !workers.stop.load(Ordering::Relaxed)) {
        workers.observer.message("short runs of successive halving, with the seeds that select");
        let runs = workers.make(short, jobs.remaining_steps())?;
        jobs.narrow(&runs);
        all.extend(runs);
    }
    Ok(all)
}

/// A setting that is added has no short runs to be compared by.
fn refuse_extended_halving(experiment: &Experiment, options: &RunOptions) -> Result<()> {
    match experiment.extent_of(options.scale)?.halving {
        Some(factor) if options.extend => {
            let found = format!("scale.{}.halving = {factor}", options.scale.name());
            Err(Error::value("--extend", found, "a scale without successive halving"))
        }
        _ => Ok(()),
    }
}

/// Adds settings to the experiment, and writes which into the folder.
fn record_added(
    experiment: &mut Experiment,
    added: Vec<Added>,
    folder: &Path,
    observer: &impl RunObserver,
) -> Result<()> {
    for Added { series, optimizer, .. } in &added {
        observer.message(&format!("{series}: added {optimizer}, beyond the edge of the grid"));
    }
    experiment.added.extend(added);
    experiment.write_added(folder)
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
    until_decided::refuse(options)?;
    experiment.check(Path::new(experiment.place()), optimizers)?;
    let tasks = Tasks::prepare(&experiment, options)?;
    let folder = tasks.folder(&experiment, options);
    experiment.read_added(&folder, optimizers)?;
    let mut jobs = Jobs::list(&experiment, optimizers, options, &tasks, &folder)?;
    let of_all = Fresh::of_folder(&folder).since();
    let job = find(&mut jobs, key, &Complete { since: of_all, ..complete(options) })?;
    let number = memory::workers(jobs.sizes(), options, observer)?;
    prepare_folder(&mut experiment, options, &folder)?;
    let path = job.job.path.clone();
    let checkpoint = checkpoint_of(&path);
    let fresh = Fresh::at(path.with_extension("fresh"));
    let since = fresh.begin(options.fresh, std::iter::once(path))?.max(of_all);
    let workers = workers(number, options, observer, Complete { since, ..complete(options) });
    let runs = workers.make(vec![job], 0)?;
    let interrupted = options.stop.load(Ordering::Relaxed);
    if !interrupted {
        fresh.end()?;
    }
    let from_checkpoint = usize::from(checkpoint.is_file());
    Ok(Results { experiment, folder, runs, interrupted, from_checkpoint })
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
    until_decided::mark(experiment, options, folder)?;
    make_folder(&folder.join("runs"))?;
    let mut command = options.command.clone().unwrap_or_else(command::of_this_program);
    // without it, an empty folder would not get the settings that were added
    let extends = options.extend || !experiment.added.is_empty();
    if extends && !command.split(' ').any(|word| word == "--extend") {
        command += " --extend";
    }
    let command = experiment.command.get_or_insert(command);
    place(&folder.join(COMMAND_FILE), format!("{command}\n").as_bytes())
}

/// The run of this key.
fn find<'a>(jobs: &mut Jobs<'a>, key: &str, complete: &Complete) -> Result<TaskJob<'a>> {
    let unknown = |found: String, expected: &str| Err(Error::value("--only", found, expected));
    let made = |jobs: &[TaskJob<'_>]| -> Option<Vec<Run>> {
        jobs.iter().map(|job| complete.run(&job.job.path, &job.job.header)).collect()
    };
    let is_known = jobs.all().iter().any(|job| job.key == key);
    while let Some(short) = jobs.short() {
        let runs = made(&short);
        if let Some(job) = short.into_iter().find(|job| job.key == key) {
            return Ok(job);
        }
        let Some(runs) = runs else { break };
        jobs.narrow(&runs);
    }
    let first = if jobs.short().is_none() { jobs.first() } else { Vec::new() };
    let runs = made(&first).filter(|_| jobs.short().is_none());
    if let Some(job) = first.into_iter().find(|job| job.key == key) {
        return Ok(job);
    }
    if !is_known {
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
