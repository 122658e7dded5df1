//! `points.csv`, and what other CSV files share with it.

use std::collections::BTreeSet;

use csv::Writer;

use crate::chart::Chart;
use crate::error::{Error, Result};
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

/// Every point of every run.
pub fn of_runs(runs: &[Run]) -> Result<Vec<u8>> {
    let measures: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.points.iter())
        .flat_map(|point| point.measures.keys().map(String::as_str))
        .collect();
    let header = FIRST_COLUMNS.into_iter().chain(measures.iter().copied()).chain([LAST_COLUMN]);
    let head = std::iter::once(header.map(String::from).collect());
    let points = runs.iter().flat_map(|run| run.points.iter().map(move |point| (run, point)));
    write(head.chain(points.map(|(run, point)| row(run, point, &measures))))
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
    row.extend(measures.iter().map(|measure| number(point.measures.get(*measure).copied())));
    row.push(point.seconds.to_string());
    row
}

/// Every point of every line of charts.
pub fn of_charts(charts: &[(String, Chart)]) -> Result<Vec<u8>> {
    let mut rows: Vec<Vec<String>> = vec![["chart", "line", "x", "y"].map(String::from).to_vec()];
    for (name, chart) in charts {
        for line in &chart.lines {
            let label = text_cell(&line.label.replace('\n', ", "));
            rows.extend(line.points.iter().map(|point| {
                vec![name.clone(), label.clone(), point.x.to_string(), point.y.to_string()]
            }));
        }
    }
    write(rows.into_iter())
}

/// A text as a cell. Spreadsheets would read these beginnings as a formula; behind an apostrophe
/// they are text.
pub fn text_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.into() }
}

/// Takes the rows one by one, because those of all points need several times the memory of the file.
pub fn write(rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let doing = "make a CSV file";
    let mut csv = Writer::from_writer(Vec::new());
    for row in rows {
        csv.write_record(row).map_err(Error::failed(doing))?;
    }
    csv.into_inner().map_err(Error::failed(doing))
}
