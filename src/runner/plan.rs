//! The runs that are missing, without making them.

use std::path::{Path, PathBuf};

use super::complete::Complete;
use super::jobs::{Jobs, Tasks};
use super::lease::Leases;
use super::options::RunOptions;
use super::workers::TaskJob;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::optim::Optimizers;
use crate::record::Run;

/// The missing runs of an experiment.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// folder of records and page
    pub folder: PathBuf,
    /// which part of the experiment comes next
    pub stage: Stage,
    /// the missing runs of that stage
    pub runs: Vec<PlannedRun>,
    /// how many runs of that stage are complete
    pub complete: usize,
    /// how many runs the stages after it have
    pub later: usize,
}

/// A part of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// every setting with the seeds that select, and the graded runs of series with one setting
    Settings,
    /// the graded runs of the best settings
    Seeds,
}

impl Stage {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Settings => "settings",
            Stage::Seeds => "seeds",
        }
    }
}

/// A run that is missing.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// what `downhill run --only` expects
    pub key: String,
    /// the number of steps; a run may end earlier
    pub steps: usize,
    /// series, setting and seed
    pub name: String,
    /// the process that makes it now
    pub holder: Option<String>,
}

/// The runs of an experiment that are missing now. Nothing is written.
///
/// # Errors
/// As [`run`](super::run).
pub fn plan(
    experiment: &Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
) -> Result<RunPlan> {
    experiment.check(Path::new(experiment.place()), optimizers)?;
    let tasks = Tasks::prepare(experiment, options)?;
    let folder = tasks.folder(experiment, options);
    let jobs = Jobs::list(experiment, optimizers, options, &tasks, &folder)?;
    let complete = Complete { since: None, any_processor: options.mix_processors };
    let (runs, missing) = divided(jobs.first(), &complete);
    if !missing.is_empty() {
        let (stage, later) = (Stage::Settings, jobs.remaining_count());
        let complete = runs.len();
        return Ok(RunPlan { folder, stage, runs: planned(&missing)?, complete, later });
    }
    let (runs, missing) = divided(jobs.remaining(&runs), &complete);
    let runs_left = planned(&missing)?;
    Ok(RunPlan { folder, stage: Stage::Seeds, runs: runs_left, complete: runs.len(), later: 0 })
}

/// The runs that are complete, and the jobs that are not.
fn divided<'a>(jobs: Vec<TaskJob<'a>>, complete: &Complete) -> (Vec<Run>, Vec<TaskJob<'a>>) {
    let (mut runs, mut missing) = (Vec::new(), Vec::new());
    for job in jobs {
        match complete.run(&job.job.path, &job.job.header) {
            Some(run) => runs.push(run),
            None => missing.push(job),
        }
    }
    (runs, missing)
}

fn planned(missing: &[TaskJob<'_>]) -> Result<Vec<PlannedRun>> {
    let planned = |job: &TaskJob<'_>| {
        let holder = Leases::holder(&job.job.path)?.map(|holder| holder.0);
        Ok(PlannedRun { key: job.key.clone(), steps: job.steps(), name: job.name(), holder })
    };
    missing.iter().map(planned).collect()
}
