//! The line charts of a report.

mod bands;
mod curve_set;
mod epochs;
mod learning_rates;
mod other_measures;
mod published;
mod request;

pub use bands::mean_line;
pub use curve_set::{CurveSet, drawn_setting};
pub use published::curves as published_curves;

use crate::chart::Chart;
use crate::record::RecordedTask;

/// All line charts, by the stem of their files.
pub fn charts(set: &CurveSet<'_>, task: &RecordedTask) -> Vec<(String, Chart)> {
    let requests = task.charts();
    let mut charts = if requests.is_empty() {
        epochs::charts(set)
    } else {
        requests.iter().map(|request| (request.name, request::chart(request, set))).collect()
    };
    charts.extend(learning_rates::chart(set).map(|chart| ("learning-rates", chart)));
    let mut charts: Vec<(String, Chart)> =
        charts.into_iter().map(|(name, chart)| (name.to_string(), chart)).collect();
    charts.extend(other_measures::charts(set, task));
    charts
}
