//! `points.csv`, and what other CSV files share with it. The rows are written one by one, because
//! those of all points may need more memory than the runs.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use csv::Writer;

use crate::chart::Chart;
use crate::error::Result;
use crate::files::place_written;
use crate::record::{CurvePoint, Run};

/// The columns before and behind the measurements of the task.
const FIRST_COLUMNS: [&str; 9] = [
    "series",
    "optimizer",
    "schedule",
    "seed",
    "outcome",
    "step",
    "epoch",
    "batch_loss",
    "grad_norm",
];
const LAST_COLUMN: &str = "seconds";

/// Writes every point of every run.
pub fn of_runs(runs: &[Run], path: &Path) -> Result<()> {
    let measures: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.points.iter())
        .flat_map(|point| point.measures.iter().map(|(name, _)| name))
        .collect();
    let header = FIRST_COLUMNS.into_iter().chain(measures.iter().copied()).chain([LAST_COLUMN]);
    let head = std::iter::once(header.map(String::from).collect());
    let points = runs.iter().flat_map(|run| run.points.iter().map(move |point| (run, point)));
    write(head.chain(points.map(|(run, point)| row(run, point, &measures))), path)
}

fn row(run: &Run, point: &CurvePoint, measures: &BTreeSet<&str>) -> Vec<String> {
    let number = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
    let mut row = vec![
        text_cell(&run.header.series),
        text_cell(&run.header.optimizer),
        text_cell(&run.header.schedule),
        run.header.seed.to_string(),
        run.outcome(),
        point.step.to_string(),
        point.epoch.to_string(),
        number(point.batch_loss),
        number(point.grad_norm),
    ];
    row.extend(measures.iter().map(|measure| number(point.measures.get(measure))));
    row.push(point.seconds.to_string());
    row
}

/// Writes every point of every line of charts.
pub fn of_charts(charts: &[(String, Chart)], path: &Path) -> Result<()> {
    let mut rows: Vec<Vec<String>> = vec![["chart", "line", "x", "y"].map(String::from).to_vec()];
    for (name, chart) in charts {
        for line in &chart.lines {
            let label = text_cell(&line.label.replace('\n', ", "));
            rows.extend(line.points.iter().map(|point| {
                vec![name.clone(), label.clone(), point.x.to_string(), point.y.to_string()]
            }));
        }
    }
    write(rows.into_iter(), path)
}

/// A text as a cell. Spreadsheets would read these beginnings as a formula; behind an apostrophe
/// they are text.
pub fn text_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.into() }
}

/// Writes a CSV file.
pub fn write(rows: impl Iterator<Item = Vec<String>>, path: &Path) -> Result<()> {
    place_written(path, |file| {
        let mut csv = Writer::from_writer(file);
        for row in rows {
            csv.write_record(row).map_err(io::Error::from)?;
        }
        csv.flush()
    })
}
