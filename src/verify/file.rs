//! A file of trajectories: its format, and the checks of its content.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::files::read_text;

/// The largest file of trajectories.
const MAX_TRAJECTORIES: u64 = 256 << 20;

/// A file of trajectories.
#[derive(Clone, Debug, Deserialize)]
pub struct Trajectories {
    pub(super) lr: String,
    pub(super) theta0: Vec<f64>,
    pub(super) grads: Vec<Vec<f64>>,
    /// the dense cases
    pub cases: Vec<Case>,
    pub(super) sparse: Option<SparseCase>,
}

/// A framework's optimizer on the recorded gradients.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// `torch`, `keras`, `optax`, or a package
    pub framework: String,
    /// the name of the class or function in the framework
    #[serde(default)]
    pub call: String,
    /// its name in downhill
    pub optimizer: String,
    /// the dialect, if it has another name than the framework
    pub dialect: Option<String>,
    /// the framework's arguments
    pub settings: Map<String, Value>,
    pub(super) theta: Vec<Vec<f64>>,
    /// the parameters to evaluate, if they are not those in training
    pub(super) evaluation: Option<Vec<Vec<f64>>>,
}

impl Case {
    /// The dialect of the optimizer that replays the case.
    pub fn dialect(&self) -> &str {
        self.dialect.as_deref().unwrap_or(&self.framework)
    }
}

/// A table whose gradients contain only some of its rows.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SparseCase {
    pub theta0: Vec<Vec<f64>>,
    pub steps: Vec<SparseStep>,
    pub settings: Map<String, Value>,
    /// the recorded trajectories, by name
    #[serde(flatten)]
    pub trajectories: Map<String, Value>,
}

/// The rows of a gradient.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SparseStep {
    pub rows: Vec<usize>,
    pub grad: Vec<Vec<f64>>,
}

/// Reads a file of trajectories.
///
/// # Errors
/// If it does not have this format. The error names the place, what was found, and what was
/// expected.
pub fn read(path: &Path) -> Result<Trajectories> {
    let text = read_text(path, MAX_TRAJECTORIES)?;
    let file: Trajectories = serde_json::from_str(&text).map_err(|error| {
        let expected = "a file of recorded trajectories, as tests/golden/generate.py writes it";
        Error::content(path, format!("no recorded trajectories ({error})"), expected)
    })?;
    file.divisors(path)?;
    if (file.cases.is_empty() && file.sparse.is_none()) || file.theta0.is_empty() {
        let found =
            format!("{} cases and {} numbers in theta0", file.cases.len(), file.theta0.len());
        let expected = "at least one of each";
        return Err(Error::content(path, found, expected));
    }
    check_rows(path, "grads", &file.grads, file.grads.len(), file.theta0.len())?;
    for (i, case) in file.cases.iter().enumerate() {
        let place = format!("case {}, theta", i + 1);
        check_rows(path, &place, &case.theta, file.grads.len(), file.theta0.len())?;
        if let Some(evaluation) = &case.evaluation {
            let place = format!("case {}, evaluation", i + 1);
            check_rows(path, &place, evaluation, file.grads.len(), file.theta0.len())?;
        }
    }
    if let Some(sparse) = &file.sparse {
        sparse.check(path, file.grads.len())?;
    }
    Ok(file)
}

fn wrong(path: &Path, place: &str, found: String, expected: String) -> Error {
    Error::content(format!("{}, {place}", path.display()), found, expected)
}

/// Checks that there are `count` rows of `width` numbers each.
fn check_rows(
    path: &Path,
    place: &str,
    rows: &[Vec<f64>],
    count: usize,
    width: usize,
) -> Result<()> {
    if rows.len() != count {
        return Err(wrong(path, place, format!("{} rows", rows.len()), count.to_string()));
    }
    for (i, row) in rows.iter().enumerate() {
        if row.len() != width {
            let place = format!("{place}, row {}", i + 1);
            let found = format!("{} numbers", row.len());
            return Err(wrong(path, &place, found, width.to_string()));
        }
    }
    Ok(())
}

impl SparseCase {
    fn check(&self, path: &Path, steps: usize) -> Result<()> {
        let (height, width) = (self.theta0.len(), self.theta0.first().map_or(0, Vec::len));
        check_rows(path, "sparse.theta0", &self.theta0, height, width)?;
        for (i, step) in self.steps.iter().enumerate() {
            let place = format!("sparse.steps {}, grad", i + 1);
            check_rows(path, &place, &step.grad, step.rows.len(), width)?;
            if let Some(row) = step.rows.iter().find(|row| **row >= height) {
                let place = format!("sparse.steps {}, rows", i + 1);
                return Err(wrong(path, &place, row.to_string(), format!("below {height}")));
            }
        }
        if self.steps.len() != steps {
            let found = format!("{} steps", self.steps.len());
            return Err(wrong(path, "sparse.steps", found, format!("{steps}, as in grads")));
        }
        Ok(())
    }
}

/// A range of steps in which lr is divided by the same number.
struct Span {
    first: usize,
    last: usize,
    divisor: f64,
}

impl Span {
    /// Reads `lr/10 for steps 21-40`. `None` if it has another form.
    fn read(text: &str) -> Option<Span> {
        let (rate, steps) = text.trim().split_once(" for steps ")?;
        let divisor = match rate.strip_prefix("lr")? {
            "" => 1.0,
            rest => rest.strip_prefix('/')?.trim().parse::<f64>().ok()?,
        };
        let (first, last) = steps.split_once('-')?;
        let first: usize = first.trim().parse().ok()?;
        let last: usize = last.trim().parse().ok()?;
        (divisor.is_finite() && divisor > 0.0).then_some(Span { first, last, divisor })
    }
}

impl Trajectories {
    /// The learning rate of each step, if that of the case is `lr`.
    pub(super) fn lrs(&self, path: &Path, lr: f64) -> Result<Vec<f64>> {
        Ok(self.divisors(path)?.into_iter().map(|divisor| lr / divisor).collect())
    }

    /// The divisor of a case's learning rate at each step.
    ///
    /// # Errors
    /// If the text does not have this form.
    pub fn divisors(&self, path: &Path) -> Result<Vec<f64>> {
        let wrong = || {
            let expected = "`lr for steps 1-20, lr/10 for steps 21-40`, all steps in order";
            wrong(path, "lr", format!("`{}`", self.lr), expected.into())
        };
        let mut divisors = Vec::new();
        for span in self.lr.split(',') {
            let Span { first, last, divisor } = Span::read(span).ok_or_else(wrong)?;
            // checked before memory is allocated: the numbers in the file may be huge
            if first != divisors.len() + 1 || last < first || last > self.grads.len() {
                return Err(wrong());
            }
            divisors.resize(last, divisor);
        }
        if divisors.len() == self.grads.len() { Ok(divisors) } else { Err(wrong()) }
    }
}
