//! All runs that an experiment can have.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::folder::default_folder;
use super::header::{RunName, header};
use super::options::RunOptions;
use super::workers::TaskJob;
use crate::error::Result;
use crate::experiment::{Experiment, Extent, Planned, Series};
use crate::grade::{self, Selection};
use crate::optim::Optimizers;
use crate::record::{Header, Run};
use crate::task::memory::RunSize;
use crate::task::{DynTask, Job, Subset, TaskContext};
use crate::train::Plan;

/// The prepared task of each series.
pub(super) struct Tasks {
    common: Box<dyn DynTask>,
    /// of the series with a task of their own
    own: Vec<Option<Box<dyn DynTask>>>,
}

impl Tasks {
    pub fn prepare(experiment: &Experiment, options: &RunOptions) -> Result<Tasks> {
        let extent = experiment.extent_of(options.scale)?;
        let mut context = TaskContext::on(&options.device);
        context.data = options.data.clone();
        context.datasets = options.datasets.clone();
        context.scale_data = extent.data.clone();
        context.subset = Subset { train: extent.train, test: extent.test, ..Subset::default() };
        let place = experiment.place();
        let common = experiment.task.prepare(&mut context);
        let common = common.map_err(|error| match &options.data {
            None if !experiment.file.is_empty() => error.within(place),
            _ => error, // about `--data`, or about the program
        })?;
        let mut own = |series: &Series| {
            let task = series.task.as_ref().map(|task| task.prepare(&mut context));
            task.transpose().map_err(|error| error.within(at_series(experiment, series)))
        };
        let own = experiment.series.iter().map(&mut own).collect::<Result<_>>()?;
        Ok(Tasks { common, own })
    }

    /// The task of the series at this index.
    fn of(&self, series: usize) -> &dyn DynTask {
        self.own[series].as_deref().unwrap_or(self.common.as_ref())
    }

    /// The default folder of the results: `out/NAME/SCALE-DATA-DEVICE`.
    pub fn folder(&self, experiment: &Experiment, options: &RunOptions) -> PathBuf {
        if let Some(folder) = &options.out {
            return folder.clone();
        }
        let folder = default_folder(experiment, options.scale);
        match self.common.record().data() {
            None => folder,
            Some(data) => {
                let data = data.replace(['|', ':', '=', ',', '/'], "-");
                folder.with_file_name(format!("{}-{data}-{}", options.scale.name(), options.device))
            }
        }
    }
}

/// The runs of an experiment. Where a series has several settings, all of them run with the first
/// seeds, which select; then the best one runs with the seeds after those, which are graded. A
/// series with one setting runs with the graded seeds only. If no series has several settings, the
/// graded seeds begin at 0.
pub(super) struct Jobs<'a> {
    folder: PathBuf,
    settings: Vec<SeriesSetting<'a>>,
    planned: Vec<Planned>,
    selection: Selection,
    /// the seeds that select; none if there is nothing to select
    search: Range<usize>,
    /// the seeds that are graded
    graded: Range<usize>,
    any_processor: bool,
}

/// A setting of a series: what is trained, and how.
struct SeriesSetting<'a> {
    task: &'a dyn DynTask,
    /// the header of its runs, except for the seed
    header: Header,
    /// as legends show it
    brief: String,
    plan: Plan,
    /// whether its series has other settings
    has_rivals: bool,
}

impl<'a> Jobs<'a> {
    pub fn list(
        experiment: &Experiment,
        optimizers: &Optimizers,
        options: &RunOptions,
        tasks: &'a Tasks,
        folder: &Path,
    ) -> Result<Jobs<'a>> {
        let extent: &Extent = experiment.extent_of(options.scale)?;
        let seeds = options.seeds.unwrap_or(extent.seeds);
        let planned = experiment.planned(options.scale, optimizers)?;
        let selection = Selection::of(experiment, options.scale.name(), &planned);
        let search = selection.search.unwrap_or(0) as usize;
        Ok(Jobs {
            folder: folder.join("runs"),
            settings: settings(experiment, options, optimizers, &planned, tasks)?,
            planned,
            selection,
            search: 0..search,
            graded: search..search + seeds,
            any_processor: options.mix_processors,
        })
    }

    /// What each setting needs in memory.
    pub fn sizes(&self) -> impl Iterator<Item = (RunSize, &Plan)> {
        self.settings.iter().map(|setting| (setting.task.size(), &setting.plan))
    }

    /// The runs that need no selection: those of every setting with the seeds that select, and the
    /// graded runs of series with one setting.
    pub fn first(&self) -> Vec<TaskJob<'a>> {
        let mut jobs = self.of(self.search.clone(), |setting| setting.has_rivals);
        jobs.extend(self.of(self.graded.clone(), |setting| !setting.has_rivals));
        jobs
    }

    /// The graded runs of the best settings. `runs` are those of [`first`](Jobs::first).
    pub fn remaining(&self, runs: &[Run]) -> Vec<TaskJob<'a>> {
        let best = |curve: grade::Curve| {
            let setting = &curve.chosen()?.setting;
            Some([curve.label.clone(), setting.optimizer.clone(), setting.schedule.clone()])
        };
        let curves = grade::curves(&self.planned, runs, &self.selection);
        let best: Vec<[String; 3]> = curves.into_iter().filter_map(best).collect();
        self.of(self.graded.clone(), |setting| {
            setting.has_rivals && best.iter().any(|key| *key == setting.header.setting())
        })
    }

    /// Every run that can be made, with any outcome of the selection.
    pub fn all(&self) -> Vec<TaskJob<'a>> {
        let mut jobs = self.first();
        jobs.extend(self.of(self.graded.clone(), |setting| setting.has_rivals));
        jobs
    }

    /// Whether a series has several settings.
    pub fn has_choice(&self) -> bool {
        !self.search.is_empty()
    }

    /// How many runs follow the selection.
    pub fn remaining_count(&self) -> usize {
        self.planned.iter().filter(|series| series.has_choice()).count() * self.graded.len()
    }

    /// The number of steps of the runs that follow the selection, as far as it is known before.
    pub fn remaining_steps(&self) -> usize {
        let mut steps = Vec::new();
        for setting in self.settings.iter().filter(|setting| setting.has_rivals) {
            steps.push((&setting.header.series, setting.header.epochs * setting.task.steps()));
        }
        steps.dedup_by_key(|(series, _)| *series);
        steps.iter().map(|(_, steps)| steps * self.graded.len()).sum()
    }

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
        // the same file on every host
        let named = match self.any_processor {
            true => Header { processor: "any".into(), ..header.clone() },
            false => header.clone(),
        };
        let path = self.folder.join(named.file_name());
        let job = Job { header, setting: setting.brief.clone(), path, plan: setting.plan.clone() };
        TaskJob { key: named.key(), job, task: setting.task }
    }
}

/// The place of a series in its file.
fn at_series(experiment: &Experiment, series: &Series) -> String {
    format!("{}, series `{}`", experiment.place(), series.label)
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
            let fits = plan.fits(epochs * task.steps());
            fits.map_err(|error| error.within(at_series(experiment, series)))?;
            let header = header(task.record(), &name, &plan, 0);
            let brief = briefs.of_run(&header);
            Ok(SeriesSetting { task, header, brief, plan, has_rivals: planned[at].has_choice() })
        };
        let grid = experiment.grid(series, options.scale, optimizers)?;
        let made: Result<Vec<_>> = grid.into_par_iter().map(setting).collect();
        settings.extend(made?);
    }
    Ok(settings)
}
