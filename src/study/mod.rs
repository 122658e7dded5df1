//! Experiments without a training loop: a statement of theory, computed on plain numbers with the rules themselves. Each is a file here
//! and a line in the table below; what is claimed of its numbers stands in the experiment's TOML.

use crate::chart::{Chart, Style, Table};
use crate::descent::Recipe;
use crate::error::Result;
use crate::optim::Optimizers;
use crate::spec::unknown;

mod amsgrad;
mod averages;
mod nesterov;
mod newton;
mod noise;
mod steps;
mod wilson;

/// What a study is given.
pub struct Ask<'a> {
    /// seeds 0 up to this number, where something is drawn
    pub seeds: usize,
    /// all optimizers
    pub optimizers: &'a Optimizers,
}

/// What it found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// named numbers, one for each seed or a single one; claims are about their mean
    pub values: Vec<(String, Vec<f64>)>,
    /// pictures, by the stem of their files
    pub charts: Vec<(&'static str, Chart)>,
    /// tables of the page
    pub tables: Vec<Table>,
}

/// A study in the table.
pub type Study = fn(&Ask<'_>) -> Result<Found>;

/// All studies.
pub const STUDIES: &[(&str, Study)] = &[
    ("averages", averages::study),
    ("noise", noise::study),
    ("steps", steps::study),
    ("amsgrad", amsgrad::study),
    ("wilson", wilson::study),
    ("nesterov", nesterov::study),
    ("newton", newton::study),
];

/// The study of that name.
///
/// # Errors
/// If there is none.
pub fn find(name: &str) -> Result<Study> {
    let found = STUDIES.iter().find(|(known, _)| *known == name).map(|(_, study)| *study);
    Ok(found.ok_or_else(|| unknown("study", name, STUDIES.iter().map(|(known, _)| *known)))?)
}

impl Ask<'_> {
    /// An optimizer from its line.
    fn recipe(&self, line: &str) -> Result<Recipe> {
        Recipe::read(&line.parse()?, self.optimizers)
    }

    /// How the lines of an optimizer look.
    fn style(&self, name: &str) -> Style {
        Style::nth(self.optimizers.place(name).unwrap_or(0))
    }
}

impl Found {
    /// Adds a number.
    fn value(&mut self, name: &str, value: f64) {
        self.values.push((name.into(), vec![value]));
    }

    /// Adds one number a seed, and gives their mean.
    fn of_seeds(&mut self, name: &str, values: Vec<f64>) -> f64 {
        let mean = mean(&values);
        self.values.push((name.into(), values));
        mean
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The power of x that y follows: the slope of the straight line, by least squares, through log y against log x.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().map(|(x, y)| (x.ln(), y.ln())).unzip();
    let (middle, height) = (mean(&x), mean(&y));
    let products = x.iter().zip(&y).map(|(x, y)| (x - middle) * (y - height)).sum::<f64>();
    products / x.iter().map(|x| (x - middle).powi(2)).sum::<f64>()
}

/// Whether step `t` is drawn where the axis is logarithmic: about 33 for each power of ten, 1 among them. `next` begins with 1.
fn drawn(t: usize, next: &mut f64) -> bool {
    let due = t as f64 >= *next;
    if due {
        *next = (t as f64 + 1.0).max(*next * 1.07);
    }
    due
}
