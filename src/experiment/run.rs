//! Running an experiment: a list of runs, of which only those that are missing are made, by as many workers as asked.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

use super::grade::{self, Choose};
use super::ready::{Job, Loaded, World, classifier, ready};
use super::{Classification, Experiment, Scale};
use crate::about::hex;
use crate::descent::Recipe;
use crate::error::{Error, Result};
use crate::files::{Lock, make_folder, place};
use crate::model::Net;
use crate::model::saved::Told;
use crate::optim::Optimizers;
use crate::problem::classify::Share;
use crate::record::{self, End, FORMAT, Header, Run};
use crate::schedule::Schedule;
use crate::spec::Line;
use crate::train::{Plan, Problem};

/// burn's version, for records.
pub const BURN: &str = "0.22.1";

/// Architecture, and the vector instructions that burn and the pass choose between.
fn processor() -> String {
    #[allow(unused_mut)]
    let mut name = std::env::consts::ARCH.to_string();
    #[cfg(target_arch = "x86_64")]
    for (feature, there) in [("avx2", is_x86_feature_detected!("avx2")), ("avx512f", is_x86_feature_detected!("avx512f"))] {
        if there {
            name += &format!(" {feature}");
        }
    }
    name
}

/// Keeps a second process out of a folder of records, for as long as it is held.
fn lock(folder: &Path) -> Result<Lock> {
    let alone = || Error::content(folder, "another downhill that is writing here", "to be alone; wait for it, or give another --out");
    Lock::take(&folder.join(".lock"))?.ok_or_else(alone)
}

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// how much work
    pub scale: Scale,
    /// name or folder of other data
    pub data: Option<String>,
    /// `flex`, `ndarray` or `wgpu`
    pub device: String,
    /// another number of seeds
    pub seeds: Option<usize>,
    /// folder of the results; one below `out/` by default
    pub out: Option<PathBuf>,
    /// runs at the same time
    pub jobs: usize,
    /// makes runs again that are there already
    pub fresh: bool,
}

/// Who is told how the work goes. Called from several threads.
pub trait Progress: Sync {
    /// Before runs are made: how many, how many steps are left altogether, and how many runs were there already.
    fn start(&self, runs: usize, steps: usize, done_before: usize);
    /// After each step.
    fn step(&self);
    /// After each run: its series with its settings and seed, how it ended, and the steps that it did not take.
    fn run_ended(&self, run: &str, end: &End, steps_left: usize);
}

/// The results of an experiment.
pub struct Results {
    /// folder of records and page
    pub folder: PathBuf,
    /// all runs, those made before included
    pub runs: Vec<Run>,
    /// whether Ctrl-C ended it
    pub interrupted: bool,
}

/// The header of a run, from what differs between runs.
fn header(task: &record::Task, [experiment, scale, series, device]: [&str; 4], plan: &Plan, seed: u64) -> Header {
    Header {
        format: FORMAT,
        downhill: env!("CARGO_PKG_VERSION").into(),
        burn: BURN.into(),
        experiment: experiment.into(),
        scale: scale.into(),
        series: series.into(),
        optimizer: plan.recipe.spec.to_string(),
        formula: plan.recipe.built.formula.clone(),
        schedule: plan.schedule.spec(),
        epochs: plan.epochs,
        seed,
        device: device.into(),
        processor: processor(),
        task: task.clone(),
    }
}

/// Makes the runs of an experiment that are not on the disk yet, and returns all.
///
/// # Errors
/// On unknown names, damaged data, or a disk that cannot be written.
pub fn run(
    experiment: &Experiment,
    toml: &str,
    optimizers: &Optimizers,
    choice: &Choice,
    progress: &impl Progress,
    stop: &AtomicBool,
) -> Result<Results> {
    let extent = experiment.extent_of(choice.scale)?;
    let mut loaded = Loaded::default();
    let common = ready(&experiment.task, choice, extent, &mut loaded)?;
    let mut own = Vec::new();
    for series in &experiment.series {
        own.push(series.task.as_ref().map(|task| ready(task, choice, extent, &mut loaded)).transpose()?);
    }
    drop(loaded);
    let world = |series: usize| own[series].as_deref().unwrap_or(common.as_ref());
    let folder = choice.out.clone().unwrap_or_else(|| {
        let data = match common.task() {
            record::Task::Classify { data, .. } | record::Task::Autoencode { data, .. } => {
                format!("-{}-{}", data.replace(['|', ':', '=', ',', '/'], "-"), choice.device)
            }
            _ => String::new(),
        };
        folder_of(experiment, choice.scale).with_file_name(format!("{}{data}", choice.scale.name()))
    });
    let runs_folder = folder.join("runs");
    make_folder(&runs_folder)?;
    let _lock = lock(&folder)?;
    claim_folder(&folder, experiment, toml)?;

    // first the seeds that choose, for every setting; then the others, for the best
    let seeds = choice.seeds.unwrap_or(extent.seeds);
    let search = extent.search().min(seeds);
    let mut settings = Vec::new();
    let epochs = extent.epochs;
    for (at, series) in experiment.series.iter().enumerate() {
        for (recipe, schedule) in experiment.grid(series, choice.scale, optimizers)? {
            let early_stopping = experiment.task_of(series).early_stopping()?;
            let plan = Plan { recipe, schedule, epochs, diagnose: false, early_stopping };
            plan.fits(epochs * world(at).steps())?;
            settings.push((series.label.as_str(), world(at), plan));
        }
    }
    let choose = Choose { search: Some(search as u64), ..Choose::of(experiment, choice.scale.name()) };
    let planned = experiment.planned(choice.scale, optimizers)?;
    let plans = grade::curves(&planned, &[], &choose);
    let jobs = |of: &dyn Fn(&str, &Plan) -> bool, seeds: std::ops::Range<usize>| -> Vec<(Job, &dyn World)> {
        let chosen = settings.iter().filter(|(label, _, plan)| of(label, plan));
        let jobs = chosen.flat_map(|(label, world, plan)| {
            seeds.clone().map(|seed| {
                let names = [experiment.name.as_str(), choice.scale.name(), label, &choice.device];
                let header = header(world.task(), names, plan, seed as u64);
                let path = runs_folder.join(header.file_name());
                let setting = grade::setting(&plans, &header);
                (Job { header, setting, path, plan: plan.clone() }, *world)
            })
        });
        jobs.collect()
    };
    let how = (choice.jobs, choice.fresh);
    let later = (0..experiment.series.len()).map(|at| world(at).steps() * epochs * (seeds - search)).sum();
    let mut runs = work(jobs(&|_, _| true, 0..search), how, later, progress, stop)?;
    let best: Vec<_> = grade::curves(&planned, &runs, &choose)
        .into_iter()
        .filter_map(|curve| curve.chosen().map(|chosen| (curve.label.clone(), chosen.optimizer.clone(), chosen.schedule.clone())))
        .collect();
    let is_best = |label: &str, plan: &Plan| best.contains(&(label.to_string(), plan.recipe.spec.to_string(), plan.schedule.spec()));
    if !stop.load(Ordering::Relaxed) {
        runs.extend(work(jobs(&is_best, search..seeds), how, 0, progress, stop)?);
    }
    Ok(Results { folder, runs, interrupted: stop.load(Ordering::Relaxed) })
}

/// Puts the experiment's file into a folder. One that is there already with another text, which someone may have written there, stays
/// beside it as `experiment-HASH.toml`.
///
/// # Errors
/// If another experiment's is there, or a file that is none, or the folder cannot be written.
pub fn claim_folder(folder: &Path, experiment: &Experiment, toml: &str) -> Result<()> {
    make_folder(folder)?;
    let copy = folder.join("experiment.toml");
    let before = match fs::read_to_string(&copy) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        read => {
            let text = read.map_err(Error::io("read", &copy))?;
            Some(toml::from_str::<Experiment>(&text).ok().map(|before| (before.name, text)))
        }
    };
    match before {
        None => {}
        Some(None) => return Err(Error::content(copy, "no experiment", format!("that of {}, or a new folder", experiment.name))),
        Some(Some((name, _))) if name != experiment.name => {
            return Err(Error::content(folder, format!("the results of {name}"), format!("those of {}, or a new folder", experiment.name)));
        }
        Some(Some((_, text))) if text == toml => return Ok(()),
        Some(Some((_, text))) => place(&folder.join(format!("experiment-{}.toml", &hex(&Sha256::digest(&text))[..8])), text.as_bytes())?,
    }
    place(&copy, toml.as_bytes())
}

/// Where results go by default.
pub fn folder_of(experiment: &Experiment, scale: Scale) -> PathBuf {
    Path::new("out").join(&experiment.name).join(scale.name())
}

/// Makes the runs that are not on the disk yet, and returns all. Which worker makes which run changes nothing in the run.
fn work(
    jobs: Vec<(Job, &dyn World)>,
    (workers, fresh): (usize, bool),
    later: usize,
    progress: &impl Progress,
    stop: &AtomicBool,
) -> Result<Vec<Run>> {
    let (mut runs, mut missing) = (Vec::new(), Vec::new());
    for (job, world) in jobs {
        match made_before(&job.path, &job.header, fresh) {
            Some(run) => runs.push(run),
            None => missing.push((job, world)),
        }
    }
    let steps = missing.iter().map(|(job, world)| job.header.epochs * world.steps()).sum::<usize>();
    progress.start(missing.len(), steps + later, runs.len());
    make_all(&missing, workers, progress, stop)?;
    // stopped before its turn, a run may have no record, or still the broken one of an earlier time
    let stopped = stop.load(Ordering::Relaxed);
    for run in missing.iter().map(|(job, _)| record::read(&job.path)).filter(|run| !(stopped && run.is_err())) {
        runs.push(run?);
    }
    Ok(runs)
}

/// The run of this header, if it is on the disk and complete. A record that is incomplete or cannot be read is made again.
fn made_before(path: &Path, header: &Header, fresh: bool) -> Option<Run> {
    record::read(path).ok().filter(|run| !fresh && run.is_complete() && run.header == *header)
}

fn make_all(jobs: &[(Job, &dyn World)], workers: usize, progress: &impl Progress, stop: &AtomicBool) -> Result<()> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(None));
    let worker = || {
        while let Some((job, world)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            match world.run(job, &mut || progress.step(), stop) {
                Ok(end) => {
                    let all = job.header.epochs * world.steps();
                    let Header { series, seed, .. } = &job.header;
                    progress.run_ended(&format!("{series}, {}, seed {seed}", job.setting), &end, all.saturating_sub(end.step));
                }
                Err(error) => {
                    failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(error);
                    next.store(jobs.len(), Ordering::Relaxed); // the other workers stop after their run
                }
            }
        }
    };
    std::thread::scope(|scope| {
        (0..workers.clamp(1, jobs.len().max(1))).for_each(|_| drop(scope.spawn(worker)));
    });
    failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).map_or(Ok(()), Err)
}

/// A single training, as `downhill train` asks for it.
pub struct Single<'a> {
    /// the classifier
    pub task: Classification,
    /// an optimizer, with what stands around it
    pub optimizer: &'a str,
    /// spec, where the line of the optimizer has no schedule
    pub schedule: Option<&'a str>,
    /// `flex`, `ndarray` or `wgpu`
    pub device: &'a str,
    /// passes over the data
    pub epochs: usize,
    /// of weights and order
    pub seed: u64,
    /// trains again what is there already
    pub fresh: bool,
    /// records what the last step of each epoch did to every parameter
    pub diagnose: bool,
}

impl Single<'_> {
    /// Trains, writing the record below `folder`. Returns the run, the model to hand out, and the record's path. What was trained to the
    /// end before is not trained again: then there is no model.
    ///
    /// # Errors
    /// On unknown names, values out of range, damaged data, or a disk that cannot be written.
    pub fn train(
        &self,
        folder: &Path,
        optimizers: &Optimizers,
        started: impl FnOnce(usize),
        mut step: impl FnMut(),
        stop: &AtomicBool,
    ) -> Result<(Run, Option<Trained>, PathBuf)> {
        let recipe = Recipe::read(&self.optimizer.parse::<Line>()?, optimizers)?;
        let schedule = match (&recipe.schedule, self.schedule) {
            (Some(own), Some(other)) => {
                return Err(Error::Asked(format!(
                    "two schedules, {} in the optimizer's line and {other} beside it; expected one",
                    own.spec()
                )));
            }
            (Some(own), None) => own.clone(),
            (None, other) => Schedule::read(&other.unwrap_or("constant").parse()?)?,
        };
        let series = recipe.spec.names();
        self.task.check()?;
        let early_stopping = self.task.stopping()?;
        let plan = Plan { recipe, schedule, epochs: self.epochs, diagnose: self.diagnose, early_stopping };
        let (ready, told) = classifier(&self.task, Share::default(), self.device, &mut Loaded::default())?;
        let header = header(&ready.task, ["train", "", &series, self.device], &plan, self.seed);
        let steps = self.epochs * ready.problem.steps();
        make_folder(folder)?;
        let _lock = lock(folder)?;
        let path = folder.join(header.file_name());
        // a record without diagnostics does not answer who asks for them
        let answers = |run: &Run| !self.diagnose || run.points.iter().any(|point| !point.layers.is_empty());
        if let Some(run) = made_before(&path, &header, self.fresh).filter(answers) {
            return Ok((run, None, path));
        }
        plan.fits(steps)?;
        started(steps);
        let job = Job { header, setting: String::new(), path: path.clone(), plan };
        let (model, _) = ready.make(&job, &mut step, stop)?;
        Ok((record::read(&path)?, Some(Trained { model, told }), path))
    }
}

/// A model after training.
pub struct Trained {
    /// the model to hand out
    pub model: Net,
    /// what its file is to tell of it
    pub told: Told,
}
