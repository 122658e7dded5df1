//! What a study gets and what it returns.

use super::fit::mean;
use crate::chart::{Chart, Style, Table};
use crate::error::Result;
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;

/// What a study gets.
pub struct StudyInput<'a> {
    /// seeds 0 up to this number, for studies with random numbers
    pub seeds: usize,
    /// all optimizers
    pub optimizers: &'a Optimizers,
}

/// What a study returns.
#[derive(Clone, Debug, Default)]
pub struct StudyResult {
    /// named results, with one number for each seed or a single number; claims use the mean
    pub values: Vec<(String, Vec<f64>)>,
    /// charts with the names of their files, without extension
    pub charts: Vec<(&'static str, Chart)>,
    /// tables of the page
    pub tables: Vec<Table>,
}

impl StudyInput<'_> {
    /// The pipeline of a spec.
    pub(super) fn config(&self, spec: &str) -> Result<PipelineConfig> {
        PipelineConfig::read(&spec.parse()?, self.optimizers)
    }

    /// The style of an optimizer's lines.
    pub(super) fn style(&self, name: &str) -> Style {
        Style::nth(self.optimizers.place(name).unwrap_or(0))
    }
}

impl StudyResult {
    /// Adds a number.
    pub(super) fn value(&mut self, name: &str, value: f64) {
        self.values.push((name.into(), vec![value]));
    }

    /// Adds one number for each seed, and returns their mean.
    pub(super) fn seed_values(&mut self, name: &str, values: Vec<f64>) -> f64 {
        let mean = mean(&values);
        self.values.push((name.into(), values));
        mean
    }
}
