//! An experiment: one TOML file. A new one is a new file here, and a line in the table below.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::augment::Augment;
use crate::chart::short;
use crate::data;
use crate::descent::Recipe;
use crate::error::{Error, Result};
use crate::model::{self, vae};
use crate::optim::Optimizers;
use crate::problem::Quadratic;
use crate::problem::classify::Share;
use crate::record::{
    self, AUTOENCODE, BATCH_LOSS, CLASSIFY, CLASSIFY_TOO, Header, LEAST_SQUARES, Order, QUADRATIC, SURFACE, Until, VALIDATION,
};
use crate::regularizer::{EarlyStopping, Penalty, early_stopping};
use crate::schedule::Schedule;
use crate::spec::{Line, Settings, Spec, unknown};
use crate::study;
use crate::surface::Surface;

pub mod grade;
pub mod published;
mod ready;
pub mod run;

use grade::{Choose, Curve, Planned};

macro_rules! experiments {
    ($($name:literal),* $(,)?) => {
        /// The experiments that come with the program: their names, and their files.
        pub const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!($name, ".toml")))),*];
    };
}

experiments! {
    "adam-fig1-mnist",
    "s2-adam-against-gd",
    "s2-batches",
    "s2-noise",
    "s3-contour",
    "s3-saddle",
    "long-valley",
    "deepobs-quadratic",
    "s0-averages",
    "amsgrad-counterexample",
    "wilson-synthetic",
    "nesterov-acceleration",
    "newton-digits",
    "step-sizes",
    "adam-fig1-imdb",
    "adam-fig2-mlp",
    "adam-fig3-cifar",
    "adam-fig4-vae",
    "adadelta-tables",
    "dropout-table9",
    "dropconnect-table2",
    "adamw-heatmap",
    "regularizers",
    "deepobs-fmnist-2c2d",
}

/// What the file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// as on the command line
    pub name: String,
    /// of the page
    pub title: String,
    /// the source of figure and claims
    pub paper: String,
    /// where to read it
    pub url: String,
    /// what is done and why, in a few sentences
    pub about: String,
    /// what is descended
    pub task: Task,
    /// spec of the learning-rate schedule, where a series has none of its own
    #[serde(default = "constant")]
    pub schedule: String,
    /// the measurement that is drawn, that chooses the best setting, and that is graded
    #[serde(default)]
    pub metric: Metric,
    /// how long and how often
    pub scale: BTreeMap<Scale, Extent>,
    /// the curves
    #[serde(default)]
    pub series: Vec<Series>,
    /// what the paper says, and how it is checked
    #[serde(default)]
    pub claim: Vec<Claim>,
    /// where this protocol is not the paper's
    #[serde(default)]
    pub differs: Vec<Difference>,
}

fn constant() -> String {
    "constant".into()
}

/// What is descended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Task {
    /// A classifier, trained on batches.
    Classify(Classification),
    /// A variational autoencoder, trained on batches of examples without their classes.
    Autoencode {
        /// spec
        model: String,
        /// name or path of the data, where none is given
        data: String,
        /// examples in a batch
        batch: usize,
        /// spec, or `none`
        #[serde(default = "none")]
        penalty: String,
    },
    /// A surface of two variables; an epoch is a step.
    Surface {
        /// its name, or an expression of x and y
        surface: String,
        /// x from, x to, y from, y to; the surface's own by default
        window: Option<[f64; 4]>,
        /// where paths begin; the surface's own by default
        start: Option<[f64; 2]>,
        /// standard deviation of what is added to the gradient
        #[serde(default)]
        noise: f64,
    },
    /// Least squares for y = x1 + 2 x2; an epoch is a step.
    LeastSquares {
        /// how many
        examples: usize,
        /// examples of a step; all by default
        batch: Option<usize>,
        /// in which order they come
        #[serde(default)]
        order: Order,
        /// when it is over
        #[serde(default)]
        until: Until,
    },
    /// DeepOBS quadratic_deep.
    Quadratic {
        /// examples of a step
        batch: usize,
        /// in which order they come
        #[serde(default)]
        order: Order,
    },
    /// A statement of theory, computed without a training loop.
    Study {
        /// its name
        study: String,
    },
}

/// A classifier, and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// spec
    pub model: String,
    /// name or path of the data, where none is given, and how they are prepared: `cifar10|gcn|zca`
    pub data: String,
    /// examples in a batch
    pub batch: usize,
    /// spec, or `none`
    #[serde(default = "none")]
    pub penalty: String,
    /// what is done to the images of a batch: specs, or `none`
    #[serde(default = "none")]
    pub augment: String,
    /// share of the training part that validates
    #[serde(default)]
    pub validation: f64,
    /// spec, or `none`
    #[serde(default = "none")]
    pub early_stopping: String,
    /// on how many of its examples the training part is measured; all by default
    pub measured: Option<usize>,
}

impl Classification {
    /// Whether it can be done, as far as that is known without the data.
    fn check(&self) -> Result<()> {
        let wrong = |key: &str, found: String, expected: &str| Err(Error::Asked(format!("task.{key}: found {found}, expected {expected}")));
        self.canonical()?;
        for (key, n) in [("batch", self.batch), ("measured", self.measured.unwrap_or(1))] {
            if n == 0 {
                return wrong(key, "0".into(), "at least 1 example");
            }
        }
        if !(0.0..1.0).contains(&self.validation) {
            return wrong("validation", self.validation.to_string(), "a share from 0 up to, but not including, 1");
        }
        if self.stopping()?.is_some() && self.validation == 0.0 {
            return wrong("early_stopping", self.early_stopping.clone(), "a share of the training part as `validation` beside it");
        }
        Ok(())
    }

    /// On how many of so many training examples the training part is measured, where it is not on all.
    pub(crate) fn measured_of(&self, train: usize) -> Option<usize> {
        self.measured.filter(|n| *n < train)
    }

    /// When to stop before the last pass.
    ///
    /// # Errors
    /// On an unknown name or setting, or a value that is not allowed.
    pub fn stopping(&self) -> Result<Option<EarlyStopping>> {
        let spec: Spec = self.early_stopping.parse()?;
        match spec.name.as_str() {
            "none" => Ok(None),
            early_stopping::NAME => Ok(Some(spec.read()?)),
            other => Err(unknown("way to stop", other, ["none", early_stopping::NAME]).into()),
        }
    }

    /// Every spec with every setting spelled out.
    ///
    /// # Errors
    /// As [`parse`] finds them.
    pub fn canonical(&self) -> Result<Classification> {
        Ok(Classification {
            model: model::canonical(&self.model.parse()?)?.to_string(),
            penalty: Penalty::read(&self.penalty.parse()?)?.spec(),
            augment: Augment::read(&self.augment.parse()?)?.spec(),
            early_stopping: self.stopping()?.map_or_else(none, |rule| rule.spec(early_stopping::NAME).to_string()),
            ..self.clone()
        })
    }
}

fn one() -> usize {
    1
}

fn none() -> String {
    "none".into()
}

/// What is drawn and graded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// name in the record's points; lower is better
    pub name: String,
    /// of the axis
    pub label: String,
    /// the best setting of a grid has the lowest number at the end, or on average over the epochs
    #[serde(default)]
    pub choose: At,
    /// other measurements that get a chart
    #[serde(default)]
    pub also: Vec<String>,
}

/// How much work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Minutes at most.
    Quick,
    /// As long as the paper's.
    Paper,
    /// Every learning rate of a wide grid.
    Sweep,
}

impl Scale {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Quick => "quick",
            Scale::Paper => "paper",
            Scale::Sweep => "sweep",
        }
    }
}

/// The work of a scale.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// passes over the data, or steps where the task says so
    #[serde(default = "one")]
    pub epochs: usize,
    /// runs of the best setting
    pub seeds: usize,
    /// runs of every setting, with the first seeds, from which the best is chosen; all by default
    pub search: Option<usize>,
    /// at most so many training examples; all by default
    pub train: Option<usize>,
    /// at most so many test examples; all by default
    pub test: Option<usize>,
    /// other data than the task's: a name or path, prepared as the task says
    pub data: Option<String>,
    /// one line
    pub about: String,
}

/// A curve: an optimizer at the best setting of its grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// its legend
    pub label: String,
    /// an optimizer, with what stands around it; values in brackets are the grid
    pub optimizer: String,
    /// spec of its own schedule, where the line of the optimizer has none
    pub schedule: Option<String>,
    /// the line of `--scale sweep`
    pub sweep: Option<String>,
    /// the line of `--scale paper`: what a smaller scale chose, where choosing at this one would take too long
    pub paper: Option<String>,
    /// its own task, where it is not the experiment's
    pub task: Option<Task>,
    /// a published curve to draw beside it: problem and optimizer in the bundled logs of DeepOBS, `fmnist_2c2d/AdamOptimizer`
    pub published: Option<String>,
}

/// A sentence of the paper, and how it is checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// the paper's words
    pub quote: String,
    /// where they stand
    pub source: String,
    /// the check
    pub expect: Expect,
    /// the scale that can decide it; every one by default
    pub scale: Option<Scale>,
}

/// A check. Each makes one number a seed, its margin, which is above zero where the claim holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// `a` is lower than `b`: the margin is b − a.
    Ahead {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
        /// what is compared, where it is not the metric
        measure: Option<String>,
        /// at the end, or on average over the run
        #[serde(default)]
        at: At,
    },
    /// `a` and `b` differ by less than a share of their distance to a third: the margin is share · |c − (a + b) / 2| − |a − b|.
    Similar {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
        /// label of the series that the distance is measured to
        against: String,
        /// the share
        within: f64,
        /// at the end, or on average over the run
        #[serde(default)]
        at: At,
    },
    /// The mean over the seeds is a number, but for a tolerance: PASS or FAIL.
    Value {
        /// label of a series, or a number that the study names
        of: String,
        /// what is compared, where it is not the metric
        measure: Option<String>,
        /// the number
        is: f64,
        /// the tolerance
        within: f64,
    },
    /// The highest less the lowest number of a grid, each the mean over the seeds that choose, keeps a bound: PASS or FAIL.
    Spread {
        /// label of a series
        of: String,
        /// what is compared, where it is not the metric
        measure: Option<String>,
        /// not less
        at_least: Option<f64>,
        /// not more
        at_most: Option<f64>,
    },
    /// The setting `y` that is best at each value of the setting `x`: the slope of its logarithm along that of `x` keeps a bound, 0 where the
    /// two can be tuned one by one, -1 where only their product counts: PASS or FAIL.
    Slope {
        /// label of a series
        of: String,
        /// a setting of its grid
        x: String,
        /// another
        y: String,
        /// what is compared, where it is not the metric
        measure: Option<String>,
        /// not less
        at_least: Option<f64>,
        /// not more
        at_most: Option<f64>,
    },
    /// In the share `at_least` of the settings that the grids of `a` and `b` have in common, `a` is not above `b`: PASS or FAIL.
    Cells {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
        /// what is compared, where it is not the metric
        measure: Option<String>,
        /// differences up to this share of `b` are ties, which count for `a`
        tie: f64,
        /// the share
        at_least: f64,
    },
    /// Of the settings that the grids of `a` and `b` have in common, fewer of `a` diverge or end above where they began: PASS or FAIL.
    Steadier {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
    },
    /// The mean over the seeds keeps a bound: PASS or FAIL.
    Bound {
        /// label of a series, or a number that the study names
        of: String,
        /// what is compared, where it is not the metric
        measure: Option<String>,
        /// not less
        at_least: Option<f64>,
        /// not more
        at_most: Option<f64>,
    },
}

/// Which number of a run is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// that of the last epoch
    #[default]
    End,
    /// the mean over all epochs: how fast it got there
    Mean,
}

/// A difference between the paper's protocol and this one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// what the paper does or says
    pub paper: String,
    /// what is done here
    pub here: String,
    /// the reason
    pub why: String,
}

/// Settings of one grid.
const GRID_AT_MOST: usize = 10_000;
/// Epochs or seeds.
const COUNT_AT_MOST: usize = 1_000_000;

/// A built-in experiment by name, or one from a file that ends in `.toml`.
///
/// # Errors
/// If there is none of that name, or the file is no experiment.
pub fn load(name_or_file: &str, optimizers: &Optimizers) -> Result<(Experiment, String)> {
    if name_or_file.ends_with(".toml") {
        let text = std::fs::read_to_string(name_or_file).map_err(Error::io("read", name_or_file))?;
        return Ok((parse(Path::new(name_or_file), &text, optimizers)?, text));
    }
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == name_or_file);
    if built_in.is_none() && Path::new(name_or_file).is_dir() {
        return Err(Error::content(name_or_file, "a folder", "the name of an experiment, or a FILE.toml"));
    }
    let (name, text) = built_in.ok_or_else(|| unknown("experiment", name_or_file, BUILT_IN.iter().map(|(name, _)| *name)))?;
    Ok((parse(Path::new(&format!("{name}.toml")), text, optimizers)?, text.to_string()))
}

/// Reads an experiment and checks it as far as that is possible without running; `path` is for errors only.
///
/// # Errors
/// Names the line or key, what stands there, and what was expected.
pub fn parse(path: &Path, text: &str, optimizers: &Optimizers) -> Result<Experiment> {
    let experiment: Experiment = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        let whole = "`downhill show adam-fig1-mnist --toml` prints a whole file";
        Error::Asked(format!("{}, line {line}: {message}; {whole}", path.display()))
    })?;
    let wrong = |key: &str, found: String, expected: &str| Error::content(format!("{}, {key}", path.display()), found, expected);
    let within = |key: String| move |error: Error| Error::Asked(format!("{}, {key}: {error}", path.display()));

    if !experiment.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || experiment.name.trim_matches('.').is_empty() {
        return Err(wrong("name", format!("`{}`", experiment.name), "letters, digits, `-` and `_`, since a folder gets that name"));
    }
    let spec = |text: &str| text.parse::<Spec>().map_err(Error::from);
    experiment.task.check().map_err(|error| Error::Asked(format!("{}, {error}", path.display())))?;
    for (scale, extent) in &experiment.scale {
        let counts = [extent.epochs, extent.seeds, extent.search()];
        if counts.iter().any(|n| !(1..=COUNT_AT_MOST).contains(n)) {
            let found = format!("epochs, seeds and search {counts:?}");
            return Err(wrong(&format!("scale.{}", scale.name()), found, &format!("each from 1 to {COUNT_AT_MOST}")));
        }
        if let Some(data) = &extent.data
            && !matches!(experiment.task, Task::Classify(_) | Task::Autoencode { .. })
        {
            return Err(wrong(&format!("scale.{}.data", scale.name()), format!("`{data}`"), "none, since the task has no data to choose"));
        }
        if extent.search() > extent.seeds {
            let found = format!("search {} of {} seeds", extent.search(), extent.seeds);
            return Err(wrong(&format!("scale.{}", scale.name()), found, "no more seeds that choose than there are"));
        }
    }
    let study = matches!(experiment.task, Task::Study { .. });
    if (experiment.series.is_empty() && !study) || experiment.scale.is_empty() {
        return Err(wrong("series and scale", "nothing".into(), "at least one of each"));
    }
    if study && !experiment.series.is_empty() {
        return Err(wrong("series", format!("{} series", experiment.series.len()), "none in a study"));
    }
    for series in &experiment.series {
        let key = format!("series `{}`", series.label);
        if experiment.series.iter().filter(|other| other.label == series.label).count() > 1 {
            return Err(wrong(&key, "the same label twice".into(), "a label of its own for each series"));
        }
        if series.label.trim().is_empty() || series.label.chars().any(char::is_control) {
            return Err(wrong("series.label", format!("{:?}", series.label), "text that can be printed"));
        }
        if let Some(task) = &series.task {
            task.check().map_err(within(key.clone()))?;
            if std::mem::discriminant(task) != std::mem::discriminant(&experiment.task) {
                return Err(wrong(&key, "a task of another kind".into(), "the experiment's kind, since both stand in one figure"));
            }
            if let (Some(own), Some(common)) = (task.data(), experiment.task.data())
                && own != common
            {
                let expected = format!("the experiment's `{common}`, since both stand in one figure");
                return Err(wrong(&format!("{key}, task.data"), format!("`{own}`"), &expected));
            }
        }
        let lines = [Some(&series.optimizer), series.sweep.as_ref(), series.paper.as_ref()];
        for line in lines.into_iter().flatten() {
            check_grid(series, line, optimizers).map_err(within(key.clone()))?;
        }
        if let Some(published) = &series.published
            && published::curve(published, &experiment.metric.name).is_empty()
        {
            let expected =
                "a problem and an optimizer in datasets/deepobs-*/best_curves.csv that has the metric, such as fmnist_2c2d/AdamOptimizer";
            return Err(wrong(&format!("{key}, published"), format!("`{published}`"), expected));
        }
        let schedule = series.schedule.as_ref().unwrap_or(&experiment.schedule);
        spec(schedule).and_then(|spec| Schedule::read(&spec)).map_err(within(format!("schedule of {key}")))?;
    }
    let measured = experiment.measured(|_| true);
    if !study && !measured.contains(&experiment.metric.name.as_str()) {
        return Err(wrong("metric.name", format!("`{}`", experiment.metric.name), &format!("one of {}", measured.join(", "))));
    }
    let drawn: BTreeSet<&str> = experiment.series.iter().flat_map(|series| experiment.task_of(series).measured()).collect();
    if let Some(other) = experiment.metric.also.iter().find(|also| !drawn.contains(also.as_str()) && *also != "test_accuracy") {
        let drawn: Vec<&str> = drawn.into_iter().collect();
        return Err(wrong("metric.also", format!("`{other}`"), &format!("some of {}", drawn.join(", "))));
    }
    for claim in &experiment.claim {
        let place = |error| Error::Asked(format!("{}, claim \"{}\", {error}", path.display(), claim.quote));
        experiment.check_claim(claim, optimizers).map_err(place)?;
    }
    Ok(experiment)
}

/// Whether every setting of a grid can be made, and stands there once.
fn check_grid(series: &Series, line: &str, optimizers: &Optimizers) -> Result<()> {
    let grid: Line = line.parse()?;
    if grid.size().is_none_or(|size| size > GRID_AT_MOST) {
        return Err(Error::Asked(format!("a grid of more than {GRID_AT_MOST} settings")));
    }
    let mut made: Vec<String> = Vec::new();
    for candidate in grid.expand() {
        let recipe = Recipe::read(&candidate, optimizers)?;
        if let (Some(own), Some(other)) = (&recipe.schedule, &series.schedule) {
            return Err(Error::Asked(format!("found the schedules {} and {other}, expected one", own.spec())));
        }
        let schedule = recipe.schedule.map_or(String::new(), |schedule| schedule.spec());
        let canonical = format!("{}|{schedule}", recipe.spec);
        if made.contains(&canonical) {
            let twice = canonical.trim_end_matches('|');
            return Err(Error::Asked(format!("found {twice} twice, expected each setting of a grid once")));
        }
        made.push(canonical);
    }
    Ok(())
}

/// What every run measures besides: how long it took.
pub const SECONDS: &str = "seconds";

impl Task {
    /// Its data and what is done to them, if it has any.
    fn data(&self) -> Option<&str> {
        let (Task::Classify(Classification { data, .. }) | Task::Autoencode { data, .. }) = self else { return None };
        Some(data)
    }

    /// Whether it can be done, as far as that is known without the data.
    fn check(&self) -> Result<()> {
        let batch = |batch: usize| match batch {
            0 => Err(Error::Asked("task.batch: found 0, expected at least 1 example".into())),
            _ => Ok(()),
        };
        match self {
            Task::Classify(classification) => classification.check(),
            Task::Autoencode { model, batch: size, penalty, .. } => {
                vae::read(&model.parse()?)?;
                Penalty::read(&penalty.parse()?)?;
                batch(*size)
            }
            Task::Surface { surface, window, start, noise } => {
                if !(noise.is_finite() && *noise >= 0.0) {
                    return Err(Error::Asked(format!("task.noise: found {noise}, expected 0 or a finite number above")));
                }
                Surface::read(surface, *window, *start).map(|_| ())
            }
            Task::LeastSquares { examples, batch: size, .. } => {
                if !(1..=10_000_000).contains(examples) {
                    return Err(Error::Asked(format!("task.examples: found {examples}, expected 1 to 10000000")));
                }
                batch(size.unwrap_or(1))
            }
            Task::Quadratic { batch: size, .. } => {
                batch(*size)?;
                Quadratic::fits(*size)
            }
            Task::Study { study } => study::find(study).map(|_| ()),
        }
    }

    /// When a run stops before its last pass.
    ///
    /// # Errors
    /// As [`Classification::stopping`].
    pub fn early_stopping(&self) -> Result<Option<EarlyStopping>> {
        if let Task::Classify(classification) = self { classification.stopping() } else { Ok(None) }
    }

    /// What can be drawn and graded, lower being better.
    fn measured(&self) -> Vec<&'static str> {
        let all = match self {
            Task::Classify(own) if own.validation == 0.0 => [CLASSIFY, CLASSIFY_TOO].concat(),
            Task::Classify(_) => [CLASSIFY, CLASSIFY_TOO, VALIDATION].concat(),
            Task::Autoencode { .. } => AUTOENCODE.to_vec(),
            Task::Surface { .. } => SURFACE.to_vec(),
            Task::LeastSquares { .. } => LEAST_SQUARES.to_vec(),
            Task::Quadratic { .. } => QUADRATIC.to_vec(),
            Task::Study { .. } => return Vec::new(),
        };
        all.into_iter().map(|(name, _)| name).filter(|name| !name.contains("accuracy")).chain([BATCH_LOSS]).collect()
    }

    /// Whether a run was of this task, whatever the data.
    fn is_of(&self, run: &record::Task) -> bool {
        match (self, run) {
            (
                Task::Classify(own),
                record::Task::Classify { model, batch, penalty, augment, early_stopping, train, validation, measured, .. },
            ) => {
                let run = (model, batch, penalty, augment, early_stopping);
                let share = Share { validation: own.validation, ..Share::default() };
                let validates = share.validating(train + validation) == *validation;
                validates
                    && own.measured_of(*train).unwrap_or(0) == *measured
                    && own.canonical().is_ok_and(|own| (&own.model, &own.batch, &own.penalty, &own.augment, &own.early_stopping) == run)
            }
            (
                Task::Autoencode { model, batch, penalty, .. },
                record::Task::Autoencode { model: run_model, batch: run_batch, penalty: run_penalty, .. },
            ) => {
                let model = model.parse().map_err(Error::from).and_then(|spec| vae::read(&spec));
                let penalty = penalty.parse().map_err(Error::from).and_then(|line| Penalty::read(&line));
                model.is_ok_and(|model| model.spec(vae::NAME).to_string() == *run_model)
                    && penalty.is_ok_and(|penalty| penalty.spec() == *run_penalty)
                    && batch == run_batch
            }
            (
                Task::Surface { surface, window, start, noise },
                record::Task::Surface { formula, window: run_window, start: run_start, noise: run_noise, .. },
            ) => Surface::read(surface, *window, *start).is_ok_and(|surface| {
                surface.formula == *formula && surface.window == *run_window && surface.start == *run_start && noise == run_noise
            }),
            (
                Task::LeastSquares { examples, batch, order, until },
                record::Task::LeastSquares { examples: run_examples, batch: run_batch, order: run_order, until: run_until },
            ) => {
                let batch = batch.map_or(*examples, |batch| batch.min(*examples));
                examples == run_examples && batch == *run_batch && order == run_order && until == run_until
            }
            (Task::Quadratic { batch, order }, record::Task::Quadratic { batch: run_batch, order: run_order }) => {
                batch == run_batch && order == run_order
            }
            _ => false,
        }
    }
}

impl Series {
    /// The line of a scale.
    pub fn line(&self, scale: Scale) -> &str {
        let own = match scale {
            Scale::Quick => &None,
            Scale::Paper => &self.paper,
            Scale::Sweep => &self.sweep,
        };
        own.as_ref().unwrap_or(&self.optimizer)
    }
}

impl Extent {
    /// How many seeds choose.
    pub fn search(&self) -> usize {
        self.search.unwrap_or(self.seeds)
    }

    /// The data of a task at this scale, where the user gave others or none. What is done to them is the task's, unless the user says.
    fn data(&self, task: &str, given: Option<&str>) -> String {
        given.or(self.data.as_deref()).map_or_else(|| task.into(), |given| data::like(given, task))
    }
}

impl Experiment {
    /// The work of a scale.
    ///
    /// # Errors
    /// If it has no such scale.
    pub fn extent_of(&self, scale: Scale) -> Result<&Extent> {
        self.scale.get(&scale).ok_or_else(|| {
            let known: Vec<_> = self.scale.keys().map(|scale| scale.name()).collect();
            Error::Asked(format!("{} has no scale {}; it has {}", self.name, scale.name(), known.join(", ")))
        })
    }

    /// The task of a series.
    pub fn task_of<'a>(&'a self, series: &'a Series) -> &'a Task {
        series.task.as_ref().unwrap_or(&self.task)
    }

    /// What can be drawn and graded of all these series; of a study, which has none, nothing.
    fn measured(&self, which: impl Fn(&Series) -> bool) -> Vec<&'static str> {
        let tasks: Vec<Vec<&str>> =
            self.series.iter().filter(|series| which(series)).map(|series| self.task_of(series).measured()).collect();
        let all = tasks.first().cloned().unwrap_or_else(|| self.task.measured());
        all.into_iter().filter(|name| tasks.iter().all(|measured| measured.contains(name))).collect()
    }

    /// Whether a run is of this protocol: the same length and task as its series has here.
    pub fn is_protocol_of(&self, header: &Header) -> bool {
        let series = self.series.iter().find(|series| series.label == header.series);
        self.extent(&header.scale).is_some_and(|extent| extent.epochs == header.epochs)
            && series.is_some_and(|series| self.task_of(series).is_of(&header.task))
    }

    /// A scale by its name.
    pub fn scale_named(&self, scale: &str) -> Option<Scale> {
        self.scale.keys().find(|known| known.name() == scale).copied()
    }

    /// The work of a scale, by its name.
    pub fn extent(&self, scale: &str) -> Option<&Extent> {
        self.scale.iter().find(|(known, _)| known.name() == scale).map(|(_, extent)| extent)
    }

    /// The data that a scale is about, without what is done to them; nothing for a task that has none.
    pub fn data(&self, scale: Scale) -> Option<String> {
        let data = self.scale.get(&scale)?.data(self.task.data()?, None);
        Some(data.split('|').next().unwrap_or_default().into())
    }

    /// The grid of a series at a scale: each optimizer with its schedule, which is that of its own line, or the series', or the experiment's.
    ///
    /// # Errors
    /// As [`parse`] finds them.
    pub fn grid(&self, series: &Series, scale: Scale, optimizers: &Optimizers) -> Result<Vec<(Recipe, Schedule)>> {
        let common = Schedule::read(&series.schedule.as_ref().unwrap_or(&self.schedule).parse()?)?;
        let candidate = |line: Line| {
            let recipe = Recipe::read(&line, optimizers)?;
            let schedule = recipe.schedule.clone().unwrap_or_else(|| common.clone());
            Ok((recipe, schedule))
        };
        series.line(scale).parse::<Line>()?.expand().into_iter().map(candidate).collect()
    }

    /// Whether a claim can be graded, as far as that is known without runs.
    fn check_claim(&self, claim: &Claim, optimizers: &Optimizers) -> Result<()> {
        let wrong = |key: &str, found: String, expected: &str| Err(Error::Asked(format!("{key}: found {found}, expected {expected}")));
        let expect = &claim.expect;
        if let Some(scale) = claim.scale.filter(|scale| !self.scale.contains_key(scale)) {
            let known: Vec<&str> = self.scale.keys().map(|scale| scale.name()).collect();
            return wrong("scale", scale.name().into(), &format!("a scale of this experiment: {}", known.join(", ")));
        }
        let measured = self.measured(|series| expect.labels().contains(&series.label.as_str()));
        if let Some(measure) = expect.measure()
            && !measured.contains(&measure)
            && measure != SECONDS
        {
            return wrong("expect.measure", format!("`{measure}`"), &format!("one of {}, {SECONDS}", measured.join(", ")));
        }
        match expect {
            Expect::Similar { within, .. } if !(within.is_finite() && *within > 0.0) => {
                return wrong("expect.within", within.to_string(), "a finite number above 0");
            }
            Expect::Value { is, within, .. } if !(is.is_finite() && within.is_finite() && *within >= 0.0) => {
                return wrong("expect", format!("{is} within {within}"), "finite numbers, the tolerance 0 or above");
            }
            Expect::Cells { tie, at_least, .. } if !(tie.is_finite() && *tie >= 0.0 && (0.0..=1.0).contains(at_least)) => {
                return wrong("expect", format!("tie {tie}, at_least {at_least}"), "a tie of 0 or above, and a share from 0 to 1");
            }
            Expect::Spread { at_least, at_most, .. }
            | Expect::Slope { at_least, at_most, .. }
            | Expect::Bound { at_least, at_most, .. } => {
                let bounds: Vec<f64> = at_least.iter().chain(at_most).copied().collect();
                if bounds.is_empty() || !bounds.is_sorted() || bounds.iter().any(|bound| !bound.is_finite()) {
                    return wrong("expect", between(*at_least, *at_most), "at_least or at_most, or both in this order, finite numbers");
                }
            }
            _ => {}
        }
        if matches!(self.task, Task::Study { .. }) {
            return match expect {
                Expect::Value { .. } | Expect::Bound { .. } if claim.scale.is_none() => Ok(()),
                _ => wrong("expect", expect.sentence(""), "kind value or bound, at every scale, since a study has no runs"),
            };
        }
        for label in expect.labels() {
            if !self.series.iter().any(|series| series.label == label) {
                let known: Vec<_> = self.series.iter().map(|series| format!("`{}`", series.label)).collect();
                return wrong("expect", format!("`{label}`"), &format!("the label of a series: {}", known.join(", ")));
            }
        }
        if let Expect::Slope { of, x, y, .. } = expect {
            let swept = self.swept(of, optimizers)?;
            if let Some(other) = [x, y].into_iter().find(|key| !swept.contains(*key)) {
                let swept = swept.into_iter().collect::<Vec<_>>().join(", ");
                return wrong("expect", format!("`{other}`"), &format!("a setting of the grid of {of}: {swept}"));
            }
        }
        Ok(())
    }

    /// The settings that differ within the grid of a series, at any scale.
    fn swept(&self, label: &str, optimizers: &Optimizers) -> Result<BTreeSet<String>> {
        let mut swept = BTreeSet::new();
        for series in self.series.iter().filter(|series| series.label == label) {
            for scale in self.scale.keys() {
                let planned = [self.planned_of(series, *scale, optimizers)?];
                swept.extend(grade::curves(&planned, &[], &Choose::of(self, scale.name())).iter().flat_map(Curve::swept));
            }
        }
        Ok(swept)
    }

    /// What each series plans.
    ///
    /// # Errors
    /// As [`parse`] finds them.
    pub fn planned(&self, scale: Scale, optimizers: &Optimizers) -> Result<Vec<Planned>> {
        self.series.iter().map(|series| self.planned_of(series, scale, optimizers)).collect()
    }

    fn planned_of(&self, series: &Series, scale: Scale, optimizers: &Optimizers) -> Result<Planned> {
        let settings =
            self.grid(series, scale, optimizers)?.into_iter().map(|(recipe, schedule)| (recipe.spec.to_string(), schedule.spec()));
        Ok(Planned { label: series.label.clone(), series: series.label.clone(), settings: settings.collect() })
    }
}

impl Expect {
    /// Which number of a run it compares.
    pub fn at(&self) -> At {
        match self {
            Expect::Ahead { at, .. } | Expect::Similar { at, .. } => *at,
            _ => At::End,
        }
    }

    /// The margin of one seed, from the number of each series; nothing if one is missing.
    pub fn margin(&self, of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Expect::Ahead { a, b, .. } => Some(of(b)? - of(a)?),
            Expect::Similar { a, b, against, within, .. } => {
                let (a, b, c) = (of(a)?, of(b)?, of(against)?);
                Some(within * (c - (a + b) / 2.0).abs() - (a - b).abs())
            }
            _ => None,
        }
    }

    /// The series it compares.
    pub fn labels(&self) -> Vec<&str> {
        match self {
            Expect::Ahead { a, b, .. } | Expect::Cells { a, b, .. } | Expect::Steadier { a, b } => vec![a, b],
            Expect::Similar { a, b, against, .. } => vec![a, b, against],
            Expect::Value { of, .. } | Expect::Bound { of, .. } | Expect::Spread { of, .. } | Expect::Slope { of, .. } => vec![of],
        }
    }

    /// What it compares, where that is not the metric.
    pub fn measure(&self) -> Option<&str> {
        match self {
            Expect::Ahead { measure, .. }
            | Expect::Value { measure, .. }
            | Expect::Bound { measure, .. }
            | Expect::Spread { measure, .. }
            | Expect::Slope { measure, .. }
            | Expect::Cells { measure, .. } => measure.as_deref(),
            Expect::Similar { .. } | Expect::Steadier { .. } => None,
        }
    }

    /// Whether a mean is what it says; nothing for a check that compares series.
    pub fn holds(&self, mean: f64) -> Option<bool> {
        match self {
            Expect::Value { is, within, .. } => Some((mean - is).abs() <= *within),
            // not `<` turned round: NaN keeps no bound
            Expect::Bound { at_least, at_most, .. }
            | Expect::Spread { at_least, at_most, .. }
            | Expect::Slope { at_least, at_most, .. } => {
                Some(at_least.is_none_or(|least| mean >= least) && at_most.is_none_or(|most| mean <= most))
            }
            Expect::Cells { at_least, .. } => Some(mean >= *at_least),
            Expect::Ahead { .. } | Expect::Similar { .. } | Expect::Steadier { .. } => None,
        }
    }

    /// The check in words.
    pub fn sentence(&self, metric: &str) -> String {
        let when = |at: &At| match at {
            At::End => format!("final {metric}"),
            At::Mean => format!("{metric} averaged over the epochs"),
        };
        let of = |of: &str| if metric.is_empty() { of.to_string() } else { format!("final {metric} of {of}") };
        match self {
            Expect::Ahead { a, b, at, .. } => format!("{} of {a} below that of {b}", when(at)),
            Expect::Value { of: name, is, within, .. } => format!("{} = {} ± {}", of(name), short(*is), short(*within)),
            Expect::Bound { of: name, at_least, at_most, .. } => format!("{} is {}", of(name), between(*at_least, *at_most)),
            Expect::Spread { of: name, at_least, at_most, .. } => {
                format!("{}, the highest of the grid less the lowest, is {}", of(name), between(*at_least, *at_most))
            }
            Expect::Steadier { a, b } => {
                format!("fewer settings of {a} than of {b} diverge or end with a {metric} above that before training")
            }
            Expect::Slope { of, x, y, at_least, at_most, .. } => {
                let bound = between(*at_least, *at_most);
                format!("of {of}, the slope of the best log {y} along log {x}, by the final {metric}, is {bound}")
            }
            Expect::Cells { a, b, tie, at_least, .. } => {
                format!(
                    "final {metric} of {a} not above that of {b} by more than {tie} of it, in at least {at_least} of the common settings"
                )
            }
            Expect::Similar { a, b, against, within, at } => {
                format!("{} of {a} and {b} apart by less than {within} of their distance to {against}", when(at))
            }
        }
    }
}

/// `at least 1 and at most 2`
fn between(at_least: Option<f64>, at_most: Option<f64>) -> String {
    let from = at_least.map(|least| format!("at least {}", short(least)));
    let to = at_most.map(|most| format!("at most {}", short(most)));
    from.into_iter().chain(to).collect::<Vec<_>>().join(" and ")
}
