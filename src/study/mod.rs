//! Experiments without a training loop: a statement of theory, computed on plain numbers with the rules themselves. Each is a file here
//! and a line in the table below; what is claimed of its numbers stands in the experiment's TOML.

use crate::chart::{Chart, Style, Table};
use crate::descent::Recipe;
use crate::error::Result;
use crate::optim::Optimizers;
use crate::spec::unknown;

mod averages;

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
pub const STUDIES: &[(&str, Study)] = &[("averages", averages::study)];

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
}
