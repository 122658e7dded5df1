//! What the TOML of an experiment says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::claim::Expect;
use super::reduction::Reduction;
use crate::error::{Error, Result};
use crate::record::Header;
use crate::task::TaskSpec;

/// An experiment, as its TOML says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// as on the command line
    pub name: String,
    /// title of the page
    pub title: String,
    /// the source of figure and claims
    #[serde(default)]
    pub paper: String,
    /// where to read it
    #[serde(default)]
    pub url: String,
    /// what is done and why, in a few sentences
    #[serde(rename = "about", default)]
    pub description: String,
    /// the command that makes the runs, if it is not `downhill run NAME`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// the figure of the first screen, `curves`, `heat`, `learning-rates` or `paths`; by default the paths on a surface, or else
    /// the curves
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    /// spec of the learning-rate schedule of every series that has none of its own
    #[serde(default = "constant")]
    pub schedule: String,
    /// the measurement that is drawn and graded, and the one that selects the best setting
    #[serde(default)]
    pub metric: Metric,
    /// what is trained
    pub task: TaskSpec,
    /// how long and how often
    pub scale: BTreeMap<Scale, Extent>,
    /// the curves
    #[serde(default)]
    pub series: Vec<Series>,
    /// what the paper says, and how it is checked
    #[serde(default)]
    pub claim: Vec<Claim>,
    /// differences between this protocol and the paper's
    #[serde(default)]
    pub differs: Vec<Difference>,
    /// whether seeds were added until every claim was decided, so that verdicts allow for repeated
    /// looks; the folder of the results says so
    #[serde(skip)]
    pub until_decided: bool,
    /// the settings that `run --extend` added in the folder of the results
    #[serde(skip)]
    pub added: Vec<Added>,
    /// the text of the file; empty if a program describes the experiment
    #[serde(skip)]
    pub source: String,
    /// the file, for errors; empty if a program describes the experiment
    #[serde(skip)]
    pub file: String,
}

/// What can be the figure of the first screen.
pub const LEADS: [&str; 4] = ["curves", "heat", "learning-rates", "paths"];

fn constant() -> String {
    "constant".into()
}

/// What is drawn and graded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// name in the points of a record; lower is better
    pub name: String,
    /// label of the axis
    pub label: String,
    /// the measurement that selects the best setting of a grid, such as `validation_loss`; the graded
    /// one by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// the best setting of a grid has the lowest value at the end, or averaged over the epochs
    #[serde(default)]
    pub choose: Reduction,
    /// other measurements that get a chart
    #[serde(default)]
    pub also: Vec<String>,
}

impl Metric {
    /// The measurement that selects.
    pub fn selecting(&self) -> &str {
        self.select.as_ref().unwrap_or(&self.name)
    }
}

/// The amount of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Minutes at most.
    Quick,
    /// As long as in the paper.
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
    /// number of epochs, or of steps if the task says so
    #[serde(default = "one")]
    pub epochs: usize,
    /// graded runs of the best setting
    pub seeds: usize,
    /// runs of every setting that select the best; as many as `seeds` by default. They have the
    /// first seeds, and the graded runs have the seeds after those
    pub search: Option<usize>,
    /// number of settings of each series that has several: the size of its grid, or the points that
    /// are sampled from its ranges
    pub trials: Option<usize>,
    /// successive halving: of the settings, one in so many goes on to runs that are longer by this
    /// factor
    pub halving: Option<usize>,
    /// maximum number of training examples; all by default
    pub train: Option<usize>,
    /// maximum number of test examples; all by default
    pub test: Option<usize>,
    /// other data than the task's: a name or path, prepared as the task says
    pub data: Option<String>,
    /// one line
    #[serde(rename = "about", default)]
    pub description: String,
}

fn one() -> usize {
    1
}

impl Extent {
    /// How many seeds select the best setting.
    pub fn search(&self) -> usize {
        self.search.unwrap_or(self.seeds)
    }

    /// The rounds of short runs before those of all epochs; none without halving.
    pub fn rungs(&self) -> Vec<Rung> {
        let (Some(factor), Some(trials)) = (self.halving, self.trials) else { return Vec::new() };
        let rounds = trials.ilog(factor).min(self.epochs.ilog(factor));
        let rung = |round: u32| Rung {
            epochs: self.epochs / factor.pow(rounds - round),
            kept: trials.div_ceil(factor.pow(round + 1)).max(2),
        };
        (0..rounds).map(rung).collect()
    }
}

/// A round of short runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// the length of its runs
    pub epochs: usize,
    /// how many settings of a series go on; at least two, of which the last round selects one
    pub kept: usize,
}

/// A curve: an optimizer at the best setting of its grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// its legend
    pub label: String,
    /// pipeline spec: an optimizer with its gradient transformations; values in brackets are the
    /// grid, ranges are sampled
    pub optimizer: String,
    /// spec of its own schedule, if its pipeline spec has none
    pub schedule: Option<String>,
    /// pipeline spec at `--scale sweep`
    pub sweep: Option<String>,
    /// pipeline spec at `--scale paper`: what a smaller scale selected, if selecting at this one
    /// would take too long
    pub paper: Option<String>,
    /// its own task, if it is not the experiment's
    pub task: Option<TaskSpec>,
    /// a published curve to draw beside it: problem and optimizer in the bundled logs of DeepOBS,
    /// `fmnist_2c2d/AdamOptimizer`
    pub published: Option<String>,
}

impl Series {
    /// A series of one pipeline spec, with all else from the experiment.
    pub fn new(label: String, optimizer: String) -> Series {
        Series {
            label,
            optimizer,
            schedule: None,
            sweep: None,
            paper: None,
            task: None,
            published: None,
        }
    }

    /// The pipeline spec of a scale.
    pub fn optimizer_at(&self, scale: Scale) -> &str {
        let own = match scale {
            Scale::Quick => &None,
            Scale::Paper => &self.paper,
            Scale::Sweep => &self.sweep,
        };
        own.as_ref().unwrap_or(&self.optimizer)
    }

    /// The pipeline specs of all scales, each with its key.
    pub fn optimizers(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let own = |key, spec| Some((key, spec));
        let sweep = self.sweep.as_ref().and_then(|spec| own("sweep", spec));
        let paper = self.paper.as_ref().and_then(|spec| own("paper", spec));
        [own("optimizer", &self.optimizer), sweep, paper].into_iter().flatten()
    }
}

/// A setting that `run --extend` added to a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Added {
    /// label of the series
    pub series: String,
    /// the scale at which it was added
    pub scale: Scale,
    /// its pipeline spec
    pub optimizer: String,
}

/// A sentence of the paper, and how it is checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// the paper's words
    pub quote: String,
    /// section or figure of the quote
    #[serde(default)]
    pub source: String,
    /// the check
    pub expect: Expect,
    /// the scale that can decide it; every scale by default
    pub scale: Option<Scale>,
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

impl Experiment {
    /// The work of a scale.
    ///
    /// # Errors
    /// If there is no such scale.
    pub fn extent_of(&self, scale: Scale) -> Result<&Extent> {
        self.scale.get(&scale).ok_or_else(|| {
            let known: Vec<_> = self.scale.keys().map(|scale| scale.name()).collect();
            let expected = format!("a scale of {}: {}", self.name, known.join(", "));
            Error::value("scale", format!("`{}`", scale.name()), expected)
        })
    }

    /// The file of the experiment: as it was read, or from the fields if there was none.
    ///
    /// # Errors
    /// If a field has no form in TOML.
    pub fn toml(&self) -> Result<String> {
        if !self.source.is_empty() {
            return Ok(self.source.clone());
        }
        toml::to_string(self).map_err(Error::failed("write the experiment"))
    }

    /// Its file, or its name if a program describes it, for errors.
    pub fn place(&self) -> &str {
        if self.file.is_empty() { &self.name } else { &self.file }
    }

    /// A scale by its name.
    pub fn scale_named(&self, scale: &str) -> Option<Scale> {
        self.scale.keys().find(|known| known.name() == scale).copied()
    }

    /// The work of a scale, by its name.
    pub fn extent(&self, scale: &str) -> Option<&Extent> {
        self.scale.get(&self.scale_named(scale)?)
    }

    /// The task of a series.
    pub fn task_of<'a>(&'a self, series: &'a Series) -> &'a TaskSpec {
        series.task.as_ref().unwrap_or(&self.task)
    }

    /// The series of this label.
    pub fn series_named(&self, label: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.label == label)
    }

    /// Whether a run follows this protocol: the same length and task as its series has here.
    pub fn is_protocol_of(&self, header: &Header) -> bool {
        let same_length =
            self.extent(&header.scale).is_some_and(|extent| extent.epochs == header.epochs);
        let series = self.series_named(&header.series);
        same_length && series.is_some_and(|series| self.task_of(series).describes(&header.task))
    }

    /// The data that a scale is about, without their preparation; `None` for a task without data.
    pub fn data_name(&self, scale: Scale) -> Option<&str> {
        let own = self.task.data()?;
        let data = self.scale.get(&scale)?.data.as_deref().unwrap_or(own);
        data.split('|').next()
    }
}
