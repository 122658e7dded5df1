//! Recorded trajectories of other frameworks, replayed with the optimizers here.
//!
//! A file is JSON, as `tests/golden/generate.py` writes it:
//!
//! ```text
//! lr       "lr for steps 1-20, lr/10 for steps 21-40"; the steps must follow one another from 1
//! theta0   the parameter before the first step, a list of numbers
//! grads    for each step the gradient, recorded once and fed to every optimizer
//! cases    a list of { framework: torch | keras | optax, call, optimizer, settings: the framework's own arguments and lr,
//!          theta: for each step the parameter after it }
//! sparse   not needed; { theta0: rows, steps: [{ rows, grad }], settings, torch_SparseAdam, torch_Adam_dense: for each step all rows }
//! ```

use std::path::Path;

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::descent::{Point, Recipe};
use crate::error::{Error, Result};
use crate::optim::{LazyAdam, Optimizers};
use crate::spec::{Line, Settings};

mod mapping;

/// A file of trajectories.
#[derive(Clone, Debug, Deserialize)]
pub struct Trajectories {
    lr: String,
    theta0: Vec<f64>,
    grads: Vec<Vec<f64>>,
    /// the dense cases
    pub cases: Vec<Case>,
    sparse: Option<Sparse>,
}

/// A framework's optimizer on the recorded gradients.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// `torch`, `keras` or `optax`
    pub framework: String,
    /// the name of the class or function there
    #[serde(default)]
    pub call: String,
    /// its name here
    pub optimizer: String,
    /// the framework's arguments
    pub settings: Map<String, Value>,
    theta: Vec<Vec<f64>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Sparse {
    theta0: Vec<Vec<f64>>,
    steps: Vec<SparseStep>,
    settings: Map<String, Value>,
    #[serde(flatten)]
    trajectories: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct SparseStep {
    rows: Vec<usize>,
    grad: Vec<Vec<f64>>,
}

/// How a replay went.
#[derive(Clone, Debug)]
pub struct Replay {
    /// framework, its call, and its arguments
    pub case: String,
    /// what replayed it
    pub line: String,
    /// in f64
    pub double: Apart,
    /// in f32
    pub single: Apart,
    /// whether it is one of the sparse cases
    pub sparse: bool,
}

/// How far a replay was from the record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// the largest relative error
    pub largest: f64,
    /// the first step that left the tolerance
    pub left_at: Option<usize>,
}

/// What is still called agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// relative, in f64
    pub double: f64,
    /// relative, in f32
    pub single: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Tolerance { double: 1e-10, single: 1e-5 }
    }
}

impl Replay {
    /// Whether it stayed within the tolerance in f64. In f32 numbers may not even fit, so that is shown and not judged.
    pub fn agrees(&self) -> bool {
        self.double.left_at.is_none()
    }
}

/// Reads a file of trajectories.
///
/// # Errors
/// If it is not of this format: the place, what stands there, and what was expected.
pub fn read(path: &Path) -> Result<Trajectories> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    let file: Trajectories = serde_json::from_str(&text).map_err(|error| {
        Error::Asked(format!(
            "{}: {error}; expected the format that the README describes and tests/golden/generate.py writes",
            path.display()
        ))
    })?;
    let wrong = |place: String, found: String, expected: String| Error::content(format!("{}, {place}", path.display()), found, expected);
    file.divisors(path)?;
    if (file.cases.is_empty() && file.sparse.is_none()) || file.theta0.is_empty() {
        let found = format!("{} cases and {} numbers in theta0", file.cases.len(), file.theta0.len());
        return Err(Error::content(path, found, "at least one of each; without, nothing is proven"));
    }
    let n = file.theta0.len();
    let rows = |place: &str, rows: &[Vec<f64>], count: usize, width: usize| {
        if rows.len() != count {
            return Err(wrong(place.into(), format!("{} rows", rows.len()), count.to_string()));
        }
        match rows.iter().position(|row| row.len() != width) {
            Some(at) => Err(wrong(format!("{place}, row {}", at + 1), format!("{} numbers", rows[at].len()), width.to_string())),
            None => Ok(()),
        }
    };
    rows("grads", &file.grads, file.grads.len(), n)?;
    for (i, case) in file.cases.iter().enumerate() {
        rows(&format!("case {}, theta", i + 1), &case.theta, file.grads.len(), n)?;
    }
    if let Some(sparse) = &file.sparse {
        let (height, width) = (sparse.theta0.len(), sparse.theta0.first().map_or(0, Vec::len));
        rows("sparse.theta0", &sparse.theta0, height, width)?;
        for (i, step) in sparse.steps.iter().enumerate() {
            rows(&format!("sparse.steps {}, grad", i + 1), &step.grad, step.rows.len(), width)?;
            if let Some(row) = step.rows.iter().find(|row| **row >= height) {
                return Err(wrong(format!("sparse.steps {}, rows", i + 1), row.to_string(), format!("below {height}")));
            }
        }
        if sparse.steps.len() != file.grads.len() {
            let (found, expected) = (format!("{} steps", sparse.steps.len()), format!("{}, as in grads", file.grads.len()));
            return Err(wrong("sparse.steps".into(), found, expected));
        }
    }
    Ok(file)
}

impl Trajectories {
    /// What the learning rate of a case is divided by at each step.
    fn divisors(&self, path: &Path) -> Result<Vec<f64>> {
        let expected = "`lr for steps 1-20, lr/10 for steps 21-40`, all steps in order";
        let wrong = || Error::content(format!("{}, lr", path.display()), format!("`{}`", self.lr), expected);
        let mut divisors = Vec::new();
        for span in self.lr.split(',') {
            let (rate, steps) = span.trim().split_once(" for steps ").ok_or_else(wrong)?;
            let divisor = match rate.strip_prefix("lr").ok_or_else(wrong)? {
                "" => 1.0,
                rest => rest.strip_prefix('/').and_then(|divisor| divisor.trim().parse::<f64>().ok()).ok_or_else(wrong)?,
            };
            let (from, to) = steps.split_once('-').ok_or_else(wrong)?;
            let (from, to): (usize, usize) = (from.trim().parse().map_err(|_| wrong())?, to.trim().parse().map_err(|_| wrong())?);
            // a file that promises more steps than it has is caught here, before they take any memory
            if from != divisors.len() + 1 || to < from || to > self.grads.len() || !(divisor.is_finite() && divisor > 0.0) {
                return Err(wrong());
            }
            divisors.resize(to, divisor);
        }
        if divisors.len() == self.grads.len() { Ok(divisors) } else { Err(wrong()) }
    }

    fn rates(&self, path: &Path, lr: f64) -> Result<Vec<f64>> {
        Ok(self.divisors(path)?.into_iter().map(|divisor| lr / divisor).collect())
    }

    /// Replays every case, the sparse ones last.
    ///
    /// # Errors
    /// If a case names a framework, optimizer or argument that is not known here.
    pub fn replay(&self, path: &Path, optimizers: &Optimizers, tolerance: Tolerance) -> Result<Vec<Replay>> {
        let cases = (0..self.cases.len()).map(|i| self.replay_as(path, i, &self.cases[i].framework, optimizers, tolerance));
        cases.chain(self.replay_sparse(path, optimizers, tolerance)).collect()
    }

    /// Replays one case with the formula of `dialect`, which for an honest replay is that of its framework.
    ///
    /// # Errors
    /// As [`replay`](Trajectories::replay).
    pub fn replay_as(&self, path: &Path, case: usize, dialect: &str, optimizers: &Optimizers, tolerance: Tolerance) -> Result<Replay> {
        let Case { framework, call, optimizer, settings, theta } = &self.cases[case];
        let place = format!("{}, case {} ({framework} {optimizer})", path.display(), case + 1);
        let within = |error: Error| within(&place, error);
        let mapped = mapping::line(&place, framework, optimizer, dialect, settings).map_err(within)?;
        let recipe = mapped.line.parse::<Line>().map_err(Error::from).and_then(|line| Recipe::read(&line, optimizers)).map_err(within)?;
        let rates = self.rates(path, mapped.lr)?;
        let run = |dtype| descend(&recipe, &self.theta0, &self.grads, &rates, dtype);
        let (double, single) = compare(&self.theta0, theta, tolerance, run)?;
        Ok(Replay { case: title(framework, call, settings), line: mapped.line, double, single, sparse: false })
    }

    fn replay_sparse(&self, path: &Path, optimizers: &Optimizers, tolerance: Tolerance) -> Vec<Result<Replay>> {
        let Some(sparse) = &self.sparse else { return Vec::new() };
        let replay = |(name, theta): (&String, &Value)| -> Result<Replay> {
            let place = format!("{}, sparse.{name}", path.display());
            let wrong = |found: String, expected: &str| Error::content(&place, found, expected);
            let optimizer = match name.as_str() {
                "torch_SparseAdam" => "lazy_adam",
                "torch_Adam_dense" => "adam",
                _ => return Err(wrong(format!("`{name}`"), "torch_SparseAdam or torch_Adam_dense")),
            };
            let mapped = mapping::line(&place, "torch", optimizer, "torch", &sparse.settings).map_err(|error| within(&place, error))?;
            let theta: Vec<Vec<Vec<f64>>> = serde_json::from_value(theta.clone())
                .map_err(|error| wrong(format!("no trajectory ({error})"), "for each step all rows, each a list of numbers"))?;
            let theta: Vec<Vec<f64>> = theta.into_iter().map(|rows| rows.concat()).collect();
            let start = sparse.theta0.concat();
            if theta.len() != sparse.steps.len() || theta.iter().any(|numbers| numbers.len() != start.len()) {
                return Err(wrong(format!("{} steps", theta.len()), "as many rows for as many steps as in sparse.steps"));
            }
            let rates = self.rates(path, mapped.lr)?;
            let recipe = Recipe::read(&mapped.line.parse()?, optimizers).map_err(|error| within(&place, error))?;
            let run = |dtype| match optimizer {
                "adam" => descend(&recipe, &start, &sparse.dense(), &rates, dtype),
                _ => sparse.descend(&recipe, &rates, dtype),
            };
            let (double, single) = compare(&start, &theta, tolerance, run)?;
            let case = title("torch", name.trim_start_matches("torch_"), &sparse.settings);
            Ok(Replay { case, line: mapped.line, double, single, sparse: true })
        };
        sparse.trajectories.iter().map(replay).collect()
    }
}

impl Sparse {
    /// The gradients with a row of zeros for every row that is absent.
    fn dense(&self) -> Vec<Vec<f64>> {
        let width = self.theta0.first().map_or(0, Vec::len);
        let dense = |step: &SparseStep| {
            let mut all = vec![0.0; self.theta0.len() * width];
            for (row, grad) in step.rows.iter().zip(&step.grad) {
                all[row * width..(row + 1) * width].iter_mut().zip(grad).for_each(|(sum, g)| *sum += g);
            }
            all
        };
        self.steps.iter().map(dense).collect()
    }

    /// The table after each step, the rows given one by one.
    fn descend(&self, recipe: &Recipe, rates: &[f64], dtype: DType) -> Result<Vec<Vec<f64>>> {
        let mut lazy = LazyAdam::default();
        for (key, value) in recipe.built.spec.single()?.into_iter().filter(|(key, _)| *key != "lr") {
            lazy.set("lazy_adam", key, value)?;
        }
        let device = Device::default();
        let width = self.theta0.first().map_or(0, Vec::len);
        let tensor = |rows: &[Vec<f64>]| Tensor::<2>::from_data(TensorData::new(rows.concat(), [rows.len(), width]), (&device, dtype));
        let (mut x, mut state, mut all) = (tensor(&self.theta0), None, Vec::new());
        for (step, lr) in self.steps.iter().zip(rates) {
            let (moved, remembered) = lazy.step_rows(*lr, x, &step.rows, tensor(&step.grad), state);
            (x, state) = (moved, Some(remembered));
            all.push(x.to_data().iter::<f64>().collect());
        }
        Ok(all)
    }
}

/// The parameter after each step.
fn descend(recipe: &Recipe, start: &[f64], gradients: &[Vec<f64>], rates: &[f64], dtype: DType) -> Result<Vec<Vec<f64>>> {
    let mut point = Point::at(start, dtype);
    let mut descent = recipe.begin();
    let mut all = Vec::new();
    for (gradient, lr) in gradients.iter().zip(rates) {
        let gradients = point.gradients(gradient, dtype);
        point = descent.step(*lr, point, gradients)?;
        all.push(point.numbers());
    }
    Ok(all)
}

/// An error about an optimizer or a setting, with the place of the case.
fn within(place: &str, error: Error) -> Error {
    match error {
        Error::Spec(error) => Error::Asked(format!("{place}: {error}")),
        other => other,
    }
}

fn title(framework: &str, call: &str, settings: &Map<String, Value>) -> String {
    let settings: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{framework} {call} {}", settings.join(" "))
}

/// The record against ours in f64 and in f32.
fn compare(
    start: &[f64],
    theirs: &[Vec<f64>],
    tolerance: Tolerance,
    run: impl Fn(DType) -> Result<Vec<Vec<f64>>>,
) -> Result<(Apart, Apart)> {
    Ok((double(start, &run(DType::F64)?, theirs, tolerance.double), single(start, &run(DType::F32)?, theirs, tolerance.single)))
}

/// In f64 an error counts relative to the parameter and, as far as rounding lets that be seen, relative to the way it has come: a
/// coordinate of -2 that moves by 1e-8 would hide any formula behind its first digits.
fn double(start: &[f64], ours: &[Vec<f64>], theirs: &[Vec<f64>], tolerance: f64) -> Apart {
    let mut rounding = vec![0.0f64; start.len()];
    // what both sides have rounded at some step stays in the sum, however small the parameter is now
    let mut scale: Vec<f64> = start.iter().map(|x| x.abs()).collect();
    let steps = ours.iter().zip(theirs).map(|(ours, theirs)| {
        let mut largest: f64 = 0.0;
        for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
            // both sides round once a step
            scale[i] = scale[i].max(b.abs());
            rounding[i] += f64::EPSILON * scale[i];
            let beyond = positive((a - b).abs() - rounding[i]);
            let way = (b - start[i]).abs();
            largest = [ratio(beyond, b.abs()), ratio(beyond, way)].into_iter().fold(largest, nan_max);
        }
        largest
    });
    Apart::of(steps, tolerance)
}

/// In f32 it counts relative to the largest the parameter has been.
fn single(start: &[f64], ours: &[Vec<f64>], theirs: &[Vec<f64>], tolerance: f64) -> Apart {
    let mut scale: Vec<f64> = start.iter().map(|x| x.abs()).collect();
    let steps = ours.iter().zip(theirs).map(|(ours, theirs)| {
        let mut largest: f64 = 0.0;
        for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
            scale[i] = scale[i].max(b.abs());
            largest = nan_max(largest, ratio((a - b).abs(), scale[i]));
        }
        largest
    });
    Apart::of(steps, tolerance)
}

/// Not `max(0.0)`, which would make 0 of NaN.
fn positive(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

fn ratio(apart: f64, of: f64) -> f64 {
    if apart == 0.0 { 0.0 } else { apart / of }
}

/// NaN is the largest: it is no agreement.
fn nan_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

impl Apart {
    fn of(steps: impl Iterator<Item = f64>, tolerance: f64) -> Apart {
        let steps: Vec<f64> = steps.collect();
        // not `>`: NaN has left any tolerance
        let left_at = steps
            .iter()
            .position(|error| !matches!(error.partial_cmp(&tolerance), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)));
        Apart { largest: steps.into_iter().fold(0.0, nan_max), left_at: left_at.map(|at| at + 1) }
    }
}
