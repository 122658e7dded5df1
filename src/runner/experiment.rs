//! All runs of an experiment: first every setting with the seeds that select, then the best
//! settings with the other seeds.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::command::{self, COMMAND_FILE};
use super::folder::{claim_folder, lock};
use super::header::{RunName, header};
use super::observer::RunObserver;
use super::options::RunOptions;
use super::workers::{TaskJob, Workers};
use crate::error::Result;
use crate::experiment::{Experiment, Extent, Planned, Scale, Series};
use crate::files::{make_folder, place};
use crate::grade::{self, Selection};
use crate::optim::Optimizers;
use crate::record::{Header, Run};
use crate::task::{DynTask, Job, Subset, TaskContext};
use crate::train::Plan;

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

/// Makes the runs of an experiment that are not on the disk yet, and returns all.
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
    experiment.check(Path::new(&experiment.name), optimizers)?;
    let tasks = Tasks::prepare(&experiment, options, experiment.extent_of(options.scale)?)?;
    let folder = options.out.clone().unwrap_or_else(|| folder_of(&experiment, options, &tasks));
    make_folder(&folder.join("runs"))?;
    let _lock = lock(&folder)?;
    claim_folder(&folder, &experiment)?;
    let command = options.command.clone().unwrap_or_else(command::of_this_program);
    let command = experiment.command.get_or_insert(command);
    place(&folder.join(COMMAND_FILE), format!("{command}\n").as_bytes())?;
    let runs = make_runs(&experiment, optimizers, options, observer, &tasks, &folder)?;
    Ok(Results { experiment, folder, runs, interrupted: options.stop.load(Ordering::Relaxed) })
}

/// The runs of every setting, then those of the best settings.
fn make_runs(
    experiment: &Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
    tasks: &Tasks,
    folder: &Path,
) -> Result<Vec<Run>> {
    let extent = experiment.extent_of(options.scale)?;
    let stop = &*options.stop;
    let seeds = options.seeds.unwrap_or(extent.seeds);
    let search = extent.search().min(seeds);
    let planned = experiment.planned(options.scale, optimizers)?;
    let jobs = Jobs {
        folder: folder.join("runs"),
        settings: settings(experiment, options, optimizers, &planned, tasks)?,
    };
    let workers = Workers { number: options.workers(), fresh: options.fresh, observer, stop };
    let later = (0..experiment.series.len())
        .map(|at| tasks.of(at).steps() * extent.epochs * (seeds - search))
        .sum();
    let mut runs = workers.make(jobs.of(0..search, |_| true), later)?;
    let selection = Selection {
        search: Some(search as u64),
        ..Selection::of(experiment, options.scale.name())
    };
    let best = best_settings(&planned, &runs, &selection);
    if !stop.load(Ordering::Relaxed) {
        let is_best =
            |setting: &SeriesSetting<'_>| best.iter().any(|key| *key == setting.header.setting());
        runs.extend(workers.make(jobs.of(search..seeds, is_best), 0)?);
    }
    Ok(runs)
}

/// The default folder of the results, without data and device.
pub fn default_folder(experiment: &Experiment, scale: Scale) -> PathBuf {
    Path::new("out").join(&experiment.name).join(scale.name())
}

/// The default folder of the results: `out/NAME/SCALE-DATA-DEVICE`.
fn folder_of(experiment: &Experiment, options: &RunOptions, tasks: &Tasks) -> PathBuf {
    let folder = default_folder(experiment, options.scale);
    match tasks.common.record().data() {
        None => folder,
        Some(data) => {
            let data = data.replace(['|', ':', '=', ',', '/'], "-");
            folder.with_file_name(format!("{}-{data}-{}", options.scale.name(), options.device))
        }
    }
}

/// The prepared task of each series.
struct Tasks {
    common: Box<dyn DynTask>,
    /// of the series with a task of their own
    own: Vec<Option<Box<dyn DynTask>>>,
}

impl Tasks {
    fn prepare(experiment: &Experiment, options: &RunOptions, extent: &Extent) -> Result<Tasks> {
        let mut context = TaskContext::on(&options.device);
        context.data = options.data.clone();
        context.datasets = options.datasets.clone();
        context.scale_data = extent.data.clone();
        context.subset = Subset { train: extent.train, test: extent.test, ..Subset::default() };
        let common = experiment.task.prepare(&mut context)?;
        let mut own = |series: &Series| {
            series.task.as_ref().map(|task| task.prepare(&mut context)).transpose()
        };
        let own = experiment.series.iter().map(&mut own).collect::<Result<_>>()?;
        Ok(Tasks { common, own })
    }

    /// The task of the series at this index.
    fn of(&self, series: usize) -> &dyn DynTask {
        self.own[series].as_deref().unwrap_or(self.common.as_ref())
    }
}

/// A setting of a series: what is trained, and how.
struct SeriesSetting<'a> {
    task: &'a dyn DynTask,
    /// the header of its runs, except for the seed
    header: Header,
    /// as legends show it
    brief: String,
    plan: Plan,
}

/// Every setting of every series.
fn settings<'a>(
    experiment: &Experiment,
    options: &RunOptions,
    optimizers: &Optimizers,
    planned: &[Planned],
    tasks: &'a Tasks,
) -> Result<Vec<SeriesSetting<'a>>> {
    let epochs = experiment.extent_of(options.scale)?.epochs;
    let briefs = grade::Briefs::of(planned);
    let mut settings = Vec::new();
    for (at, series) in experiment.series.iter().enumerate() {
        let task = tasks.of(at);
        let name = RunName {
            experiment: &experiment.name,
            scale: options.scale.name(),
            series: &series.label,
            device: &options.device,
        };
        let early_stopping = experiment.task_of(series).early_stopping()?;
        let setting = |(pipeline, schedule)| {
            let early_stopping = early_stopping.clone();
            let plan = Plan { pipeline, schedule, epochs, diagnose: false, early_stopping };
            plan.fits(epochs * task.steps())?;
            let header = header(task.record(), &name, &plan, 0);
            let brief = briefs.of_run(&header);
            Ok(SeriesSetting { task, header, brief, plan })
        };
        let grid = experiment.grid(series, options.scale, optimizers)?;
        let made: Result<Vec<_>> = grid.into_par_iter().map(setting).collect();
        settings.extend(made?);
    }
    Ok(settings)
}

/// The best setting of each series (series, pipeline, schedule), by the runs of the seeds that
/// select.
fn best_settings(planned: &[Planned], runs: &[Run], selection: &Selection) -> Vec<[String; 3]> {
    let best = |curve: grade::Curve| {
        let setting = &curve.chosen()?.setting;
        Some([curve.label.clone(), setting.optimizer.clone(), setting.schedule.clone()])
    };
    grade::curves(planned, runs, selection).into_iter().filter_map(best).collect()
}

/// The list of runs.
struct Jobs<'a> {
    folder: PathBuf,
    settings: Vec<SeriesSetting<'a>>,
}

impl<'a> Jobs<'a> {
    /// The runs of some settings with these seeds.
    fn of(
        &self,
        seeds: Range<usize>,
        which: impl Fn(&SeriesSetting<'_>) -> bool,
    ) -> Vec<TaskJob<'a>> {
        let settings = self.settings.iter().filter(|setting| which(setting));
        settings
            .flat_map(|setting| seeds.clone().map(|seed| self.job(setting, seed as u64)))
            .collect()
    }

    fn job(&self, setting: &SeriesSetting<'a>, seed: u64) -> TaskJob<'a> {
        let header = Header { seed, ..setting.header.clone() };
        let path = self.folder.join(header.file_name());
        let job = Job { header, setting: setting.brief.clone(), path, plan: setting.plan.clone() };
        TaskJob { job, task: setting.task }
    }
}
