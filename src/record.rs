//! A run on disk: one file of JSON lines. First the header, everything needed to repeat the run; then a line for each point of the curve,
//! written as it is reached; last, how the run ended.
//!
//! The same run makes the same bytes again, but for the numbers called `seconds`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::about::hex;
use crate::descent::Layer;
use crate::error::{Error, Result};
use crate::surface::SURFACES;

/// Version of this format.
pub const FORMAT: u32 = 1;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Header(Box<Header>),
    /// One for each point.
    Point(Point),
    /// The last.
    End(End),
}

/// Everything needed to repeat a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`]
    pub format: u32,
    /// version of this crate
    pub downhill: String,
    /// version of burn
    pub burn: String,
    /// name of the experiment; `train` for a single training
    pub experiment: String,
    /// its scale; empty for a single training
    pub scale: String,
    /// legend of the curve it belongs to
    pub series: String,
    /// the optimizer and what stands around it, with every setting
    pub optimizer: String,
    /// fingerprint of the source file of its formula
    pub formula: String,
    /// spec with every setting
    pub schedule: String,
    /// passes over the data
    pub epochs: usize,
    /// seed of weights and order
    pub seed: u64,
    /// `flex`, `ndarray` or `wgpu`
    pub device: String,
    /// architecture, and the vector instructions that choose between code paths and so the order of sums
    pub processor: String,
    /// what was descended
    pub task: Task,
}

/// What was descended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Task {
    /// A classifier trained on batches.
    Classify {
        /// spec with every setting
        model: String,
        /// numbers trained
        parameters: usize,
        /// name of the data
        data: String,
        /// fingerprint of all examples
        sha256: String,
        /// how many to train on
        train: usize,
        /// how many to test on
        test: usize,
        /// examples in a batch
        batch: usize,
        /// spec with every setting, or `none`
        penalty: String,
        /// what is done to the images of a batch
        #[serde(default = "none", skip_serializing_if = "is_none")]
        augment: String,
        /// examples split off the training part for validation
        #[serde(default, skip_serializing_if = "is_zero")]
        validation: usize,
        /// spec with every setting, or `none`
        #[serde(default = "none", skip_serializing_if = "is_none")]
        early_stopping: String,
        /// training examples that `train_loss` is measured on, where it is not all
        #[serde(default, skip_serializing_if = "is_zero")]
        measured: usize,
    },
    /// An autoencoder trained on batches.
    Autoencode {
        /// spec with every setting
        model: String,
        /// numbers trained
        parameters: usize,
        /// name of the data
        data: String,
        /// fingerprint of all examples
        sha256: String,
        /// how many to train on
        train: usize,
        /// how many to test on
        test: usize,
        /// examples in a batch
        batch: usize,
        /// spec with every setting, or `none`
        penalty: String,
    },
    /// A surface of two variables.
    Surface {
        /// its name, or the formula
        surface: String,
        /// of x and y
        formula: String,
        /// x from, x to, y from, y to
        window: [f64; 4],
        /// where the path begins
        start: [f64; 2],
        /// standard deviation of what is added to the gradient
        noise: f64,
    },
    /// Least squares for y = x1 + 2 x2.
    LeastSquares {
        /// how many
        examples: usize,
        /// examples of a step
        batch: usize,
        /// `cyclic`, `repeated` or `reshuffled`
        order: Order,
        /// `end`, `loss` or `gradient`
        until: Until,
    },
    /// DeepOBS quadratic_deep.
    Quadratic {
        /// examples of a step
        batch: usize,
        /// `repeated` or `reshuffled`
        order: Order,
    },
}

fn none() -> String {
    "none".into()
}

fn is_none(text: &str) -> bool {
    text == "none"
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// In which order examples come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// shuffled anew for each pass
    #[default]
    Reshuffled,
    /// one shuffled order, the same in each pass
    Repeated,
    /// as they were made, round and round
    Cyclic,
}

/// When a descent is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// after the last step
    #[default]
    End,
    /// when the loss over all examples is at most 1e-4
    Loss,
    /// when the norm of the gradient over all examples is below 1e-4
    Gradient,
}

impl Task {
    /// Name and size of the data.
    pub fn size(&self) -> String {
        match self {
            Task::Classify { data, train, test, validation, .. } => {
                let validation = if *validation > 0 { format!(", {validation} to validate on") } else { String::new() };
                format!("{data}: {train} to train on, {test} to test on{validation}")
            }
            Task::Autoencode { data, train, test, .. } => format!("{data}: {train} to train on, {test} to test on"),
            Task::Surface { formula, start: [x, y], noise, .. } => {
                let noise = if *noise > 0.0 { format!(", noise {noise} on the gradient") } else { String::new() };
                format!("f(x, y) = {formula}, from ({x}, {y}){noise}")
            }
            Task::LeastSquares { examples, .. } => format!("y = x1 + 2 x2 without noise, {examples} examples"),
            Task::Quadratic { .. } => "quadratic_deep of DeepOBS, 1000 examples to train on, 1000 to test on".into(),
        }
    }

    /// What it was, in a few words.
    pub fn title(&self) -> String {
        match self {
            Task::Classify { model, data, .. } | Task::Autoencode { model, data, .. } => format!("{model} on {data}"),
            Task::Surface { surface, .. } => format!("Paths on {surface}"),
            Task::LeastSquares { .. } => "Least squares".into(),
            Task::Quadratic { .. } => "quadratic_deep".into(),
        }
    }

    /// Name of the data, without what was done to them.
    pub fn data(&self) -> Option<&str> {
        let (Task::Classify { data, .. } | Task::Autoencode { data, .. }) = self else { return None };
        data.split('|').next()
    }

    /// Whether every seed makes the same run.
    pub fn is_certain(&self) -> bool {
        matches!(self, Task::Surface { noise, .. } if *noise == 0.0)
    }

    /// From where distances on a surface are measured.
    pub fn distance(&self) -> &'static str {
        match self {
            Task::Surface { surface, .. } if SURFACES.iter().any(|known| known.name == surface && !known.minima.is_empty()) => {
                "Distance to the nearest minimum"
            }
            _ => "Distance from the start",
        }
    }

    /// What the x axis counts.
    pub fn x_label(&self) -> &'static str {
        match self {
            Task::Classify { .. } | Task::Autoencode { .. } | Task::Quadratic { .. } => "passes over the training data",
            Task::Surface { .. } | Task::LeastSquares { .. } => "steps",
        }
    }

    /// What is measured, and the titles of its columns.
    pub fn measures(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Task::Classify { .. } => CLASSIFY,
            Task::Autoencode { .. } => AUTOENCODE,
            Task::Surface { .. } => SURFACE,
            Task::LeastSquares { .. } => LEAST_SQUARES,
            Task::Quadratic { .. } => QUADRATIC,
        }
    }

    /// The title of a measurement.
    pub fn title_of<'a>(&self, measure: &'a str) -> &'a str {
        let also = if matches!(self, Task::Classify { .. }) { [CLASSIFY_TOO, VALIDATION] } else { [&[][..]; 2] };
        self.measures().iter().chain(also.into_iter().flatten()).find(|(name, _)| *name == measure).map_or(measure, |(_, title)| title)
    }

    /// Everything, line by line.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        match self {
            Task::Classify { model, parameters, sha256, batch, penalty, .. }
            | Task::Autoencode { model, parameters, sha256, batch, penalty, .. } => {
                let mut lines = vec![
                    ("model", format!("{model}, {parameters} parameters")),
                    ("data", format!("{}; sha256 of all examples {sha256}", self.size())),
                    ("batch", format!("{batch} examples")),
                    ("penalty", penalty.clone()),
                ];
                if let Task::Classify { augment, early_stopping, measured, .. } = self {
                    let also = [("augmentation", augment), ("early stopping", early_stopping)];
                    lines.extend(also.into_iter().filter(|(_, text)| !is_none(text)).map(|(name, text)| (name, text.clone())));
                    if *measured > 0 {
                        lines.push(("train loss", format!("over {measured} training examples, drawn once")));
                    }
                }
                lines
            }
            Task::Surface { window: [left, right, low, high], .. } => {
                vec![("surface", self.size()), ("window", format!("x {left} to {right}, y {low} to {high}"))]
            }
            Task::LeastSquares { batch, order, until, .. } => {
                vec![
                    ("data", self.size()),
                    ("batch", format!("{batch} examples, {}", format!("{order:?}").to_lowercase())),
                    ("until", format!("{until:?}").to_lowercase()),
                ]
            }
            Task::Quadratic { batch, order } => {
                vec![("data", self.size()), ("batch", format!("{batch} examples, {}", format!("{order:?}").to_lowercase()))]
            }
        }
    }
}

/// What is measured of a classifier, as columns of a table.
pub const CLASSIFY: &[(&str, &str)] =
    &[("train_loss", "train loss"), ("objective", "train loss + penalty"), ("test_loss", "test loss"), ("test_accuracy", "test accuracy")];
/// What else is measured of a classifier: shares of examples told wrong, and by how much the test part fares worse.
pub const CLASSIFY_TOO: &[(&str, &str)] =
    &[("train_error", "train error"), ("test_error", "test error"), ("gap", "test loss - train loss")];
/// What is measured where part of the training data validates.
pub const VALIDATION: &[(&str, &str)] = &[(VALIDATION_LOSS, "validation loss"), ("validation_error", "validation error")];
/// What is measured of an autoencoder.
pub const AUTOENCODE: &[(&str, &str)] =
    &[("train_loss", "train loss (nats)"), ("objective", "train loss + penalty"), ("test_loss", "test loss (nats)")];
/// The loss that early stopping looks at.
pub const VALIDATION_LOSS: &str = "validation_loss";
/// The mean loss of an epoch's batches, penalty and masks included, each before its step; of NAG at the look-ahead point, where its gradients are.
pub const BATCH_LOSS: &str = "batch_loss";

/// What is measured on a surface.
pub const SURFACE: &[(&str, &str)] = &[("steps", "steps"), ("value", "f"), ("distance", "distance"), ("x", "x"), ("y", "y")];
/// What is measured of least squares.
pub const LEAST_SQUARES: &[(&str, &str)] = &[
    ("steps", "steps"),
    ("gradients", "gradients of an example"),
    ("loss", "loss"),
    ("gradient", "norm of the gradient"),
    ("error", "error of theta"),
];
/// What is measured of quadratic_deep.
pub const QUADRATIC: &[(&str, &str)] = &[("test_loss", "test loss"), ("train_loss", "train loss")];

/// A point of the curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// optimizer steps so far
    pub step: usize,
    /// passes over the data so far
    pub epoch: usize,
    /// mean loss of this epoch's batches, penalty included, each before its step; none before the first epoch
    pub batch_loss: Option<f64>,
    /// norm of the gradient of this epoch's last batch, before its step
    pub grad_norm: Option<f64>,
    /// what the last step of this epoch did to each parameter, where diagnostics were asked for
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// what the problem measures
    #[serde(flatten)]
    pub measures: BTreeMap<String, f64>,
    /// since the start of the run
    pub seconds: f64,
}

impl Point {
    /// A number by its name: what the problem measures, or `batch_loss`.
    pub fn value(&self, measure: &str) -> Option<f64> {
        if measure == BATCH_LOSS { self.batch_loss } else { self.measures.get(measure).copied() }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// which way
    pub outcome: Outcome,
    /// at which step
    pub step: usize,
    /// why it diverged, or stopped before its last pass
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// the pass whose model was handed out, where early stopping chose one
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kept: Option<usize>,
    /// since the start of the run
    pub seconds: f64,
}

/// The ways a run can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It took all its steps.
    Finished,
    /// The loss or a measurement was no finite number any more.
    Diverged,
    /// Ctrl-C.
    Interrupted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Finished => "finished",
            Outcome::Diverged => "diverged",
            Outcome::Interrupted => "interrupted",
        })
    }
}

/// A run as read from disk.
#[derive(Clone, Debug)]
pub struct Run {
    /// the first line
    pub header: Header,
    /// the curve
    pub points: Vec<Point>,
    /// the last line; nothing if the run was killed
    pub end: Option<End>,
}

impl Header {
    /// Twelve letters that tell this run from any other.
    pub fn key(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(json)[..6])
    }

    /// A file name that a person can read: legend, learning rate, seed, key.
    pub fn file_name(&self) -> String {
        let plain =
            |text: &str| -> String { text.chars().map(|c| if c.is_alphanumeric() || ".-".contains(c) { c } else { '_' }).collect() };
        // a file's name has room for 255 bytes; the key tells it from all others
        let name = format!("{}-lr{}", plain(&self.series).to_lowercase(), plain(self.lr()));
        let end = name.floor_char_boundary(200);
        format!("{}-seed{}-{}.jsonl", &name[..end], self.seed, self.key())
    }

    /// The learning rate, as written.
    pub fn lr(&self) -> &str {
        self.optimizer.split([':', ',', '|']).find_map(|setting| setting.strip_prefix("lr=")).unwrap_or("")
    }
}

impl Run {
    /// Whether it need not be run again: it finished, or it diverged.
    pub fn is_complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome != Outcome::Interrupted)
    }

    /// Which way it ended; nothing if it was killed.
    pub fn ended(&self) -> Option<Outcome> {
        self.end.as_ref().map(|end| end.outcome)
    }

    /// How it ended, in a few words.
    pub fn outcome(&self) -> String {
        match &self.end {
            None => "killed".into(),
            Some(end) => match end.outcome {
                Outcome::Finished => "finished".into(),
                Outcome::Interrupted => format!("interrupted at step {}", end.step),
                Outcome::Diverged => format!("diverged at step {}", end.step),
            },
        }
    }

    /// The point whose model was handed out: the last, but where early stopping chose an earlier one.
    pub fn kept(&self) -> Option<&Point> {
        let kept = self.end.as_ref().and_then(|end| end.kept);
        kept.and_then(|epoch| self.points.iter().find(|point| point.epoch == epoch)).or(self.points.last())
    }

    /// The last value of a measurement; infinite if the run diverged, nothing if it is incomplete.
    pub fn last(&self, measure: &str) -> Option<f64> {
        match self.end.as_ref()?.outcome {
            Outcome::Finished => self.kept()?.value(measure),
            Outcome::Diverged => Some(f64::INFINITY),
            Outcome::Interrupted => None,
        }
    }
}

/// Writes a run, a line at a time, each at once on its way to the disk.
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Writer {
    /// Starts a record; one that is already there is replaced.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Writer> {
        let file = File::create(path).map_err(Error::io("create", path))?;
        let mut writer = Writer { path: path.into(), file };
        writer.write(&Line::Header(Box::new(header.clone()))).inspect_err(|_| drop(fs::remove_file(path)))?; // not half of one line
        Ok(writer)
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If the disk is full, for example.
    pub fn write(&mut self, line: &Line) -> Result<()> {
        let mut json = serde_json::to_string(line).map_err(|error| Error::Asked(format!("cannot write a record: {error}")))?;
        json.push('\n');
        self.file.write_all(json.as_bytes()).map_err(Error::io("write", &self.path))
    }
}

/// Reads a run.
///
/// # Errors
/// If a line is cut or is no record. A file that ends between two lines is a run that was killed, which is no error.
pub fn read(path: &Path) -> Result<Run> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let text = String::from_utf8_lossy(&bytes);
    let (mut header, mut points, mut end) = (None, Vec::new(), None);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let place = || format!("{}, line {}", path.display(), number + 1);
        if !line.ends_with('\n') {
            let expected = "a whole record (the run was killed while writing; `downhill run` repeats it, or delete the file)";
            return Err(Error::content(place(), format!("a line cut after {} bytes", line.len()), expected));
        }
        let parsed = serde_json::from_str(line);
        match (number, parsed) {
            (0, Ok(Line::Header(first))) if first.format == FORMAT => header = Some(*first),
            (0, Ok(Line::Header(first))) => {
                return Err(Error::content(place(), format!("record format {}", first.format), format!("format {FORMAT}")));
            }
            (1.., Ok(Line::Point(point))) if end.is_none() => points.push(point),
            (1.., Ok(Line::End(last))) if end.is_none() => end = Some(last),
            (_, Ok(_)) => return Err(Error::content(place(), "a record out of place", "a header, then points, then one end")),
            (_, Err(error)) => return Err(Error::content(place(), format!("no record ({error})"), "a line of a downhill run")),
        }
    }
    let header = header.ok_or_else(|| Error::content(path, "an empty file", "a header"))?;
    Ok(Run { header, points, end })
}
