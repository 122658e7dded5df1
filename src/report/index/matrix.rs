//! Each optimizer across the experiments.

use serde::Serialize;

use super::entry::{Count, Entry, SeriesResult};
use crate::optim::Optimizers;

/// An optimizer with a cell for each experiment that has series.
#[derive(Serialize)]
pub struct OptimizerRow {
    optimizer: String,
    cells: Vec<Option<Cell>>,
}

/// The best series of an optimizer in an experiment.
#[derive(Serialize)]
struct Cell {
    label: String,
    value: String,
    rank: Option<usize>,
    of: usize,
    counts: Vec<Count>,
}

/// The rows in the order of the table of optimizers; rules of a user's own come last.
pub fn rows(entries: &[Entry], optimizers: &Optimizers) -> Vec<OptimizerRow> {
    let all = entries.iter().flat_map(|entry| &entry.series);
    let mut names: Vec<&str> = all.map(|series| series.optimizer.as_str()).collect();
    names.sort_by_key(|name| (optimizers.place(name).unwrap_or(usize::MAX), *name));
    names.dedup();
    let row = |name: &str| OptimizerRow {
        optimizer: name.into(),
        cells: entries.iter().filter(|it| !it.series.is_empty()).map(|it| cell(it, name)).collect(),
    };
    names.into_iter().map(row).collect()
}

fn cell(entry: &Entry, optimizer: &str) -> Option<Cell> {
    let own = entry.series.iter().filter(|series| series.optimizer == optimizer);
    let key = |series: &&SeriesResult| series.mean.unwrap_or(f64::INFINITY);
    let best = own.min_by(|a, b| key(a).total_cmp(&key(b)))?;
    Some(Cell {
        label: best.label.clone(),
        value: best.value.clone(),
        rank: best.rank,
        of: entry.series.iter().filter(|series| series.mean.is_some()).count(),
        counts: best.counts.clone(),
    })
}
