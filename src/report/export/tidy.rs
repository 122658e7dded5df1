//! One tidy CSV: a row for each value.

use std::path::Path;

use super::Record;
use crate::error::Result;
use crate::record::{BATCH_LOSS, CurvePoint, Run};
use crate::report::csv::{text_cell, write};
use crate::spec::SpecLine;

/// The columns.
const COLUMNS: [&str; 10] = [
    "experiment",
    "series",
    "optimizer",
    "setting",
    "seed",
    "epoch",
    "step",
    "seconds",
    "measurement",
    "value",
];

/// Writes every measurement of every point of these records. `optimizer` is the names of the pipeline,
/// `setting` is the pipeline and its schedule with every setting.
///
/// # Errors
/// If the disk refuses.
pub fn write_csv(records: &[Record], path: &Path) -> Result<()> {
    let head = std::iter::once(COLUMNS.map(String::from).to_vec());
    write(head.chain(records.iter().flat_map(|record| rows(&record.run))), path)
}

fn rows(run: &Run) -> impl Iterator<Item = Vec<String>> {
    let header = &run.header;
    let names = header.optimizer.parse::<SpecLine>().map_or(String::new(), |line| line.names());
    let setting = format!("{}|{}", header.optimizer, header.schedule);
    let own = [&header.experiment, &header.series, &names, &setting].map(|text| text_cell(text));
    run.points.iter().flat_map(move |point| {
        let own = own.clone();
        values(point).map(move |(measurement, value)| {
            let mut row = own.to_vec();
            row.extend([
                header.seed.to_string(),
                point.epoch.to_string(),
                point.step.to_string(),
                point.seconds.to_string(),
                text_cell(measurement),
                value.to_string(),
            ]);
            row
        })
    })
}

/// The measurements of a point with their names.
pub fn values(point: &CurvePoint) -> impl Iterator<Item = (&str, f64)> {
    let batch = point.batch_loss.map(|value| (BATCH_LOSS, value));
    let norm = point.grad_norm.map(|value| ("grad_norm", value));
    batch.into_iter().chain(norm).chain(point.measures.iter())
}
