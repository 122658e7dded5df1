//! The standard charts: the metric over the epochs, linear and logarithmic.

use crate::chart::{BandPoint, Chart, PlotLine};
use crate::grade::Curve;

use super::curve_set::CurveSet;
use super::published;

/// In longer charts, published curves show a dot every five epochs only.
const DENSE_EPOCHS: f64 = 20.0;

/// The charts by the stem of their files.
pub fn charts(set: &CurveSet<'_>) -> Vec<(&'static str, Chart)> {
    let lines = set.metric_lines();
    let published = published::curves(set);
    let last = last_epoch(&lines);
    let mut shown = lines.clone();
    shown.extend(published.iter().map(|curve| thinned(&curve.line, last)));

    let shown: Vec<PlotLine> = shown.iter().map(|line| without_start(line, last)).collect();
    let mut caption = set.caption();
    if !published.is_empty() {
        caption += " Dots: the published mean ± one standard deviation.";
    }
    let chart = |title: &str| Chart {
        lines: shown.clone(),
        caption: caption.clone(),
        ..Chart::new(title, set.x_label, &set.y_label)
    };

    let linear =
        Chart { y_max: highest_end(&lines).filter(|_| last >= 2.0), ..chart(&linear_title(set)) };
    let log_title = set.titled("The same with a logarithmic axis");
    let mut charts =
        vec![("figure", linear), ("figure-log", Chart { log_y: true, ..chart(&log_title) })];
    if !published.is_empty() {
        charts.push(("published", published::difference_chart(set, &lines, &published)));
    }
    charts
}

fn linear_title(set: &CurveSet<'_>) -> String {
    if set.curves.iter().any(Curve::has_choice) {
        "Each series at its chosen setting".into()
    } else if let Some(setting) = set.common_setting() {
        format!("Each series with {setting}")
    } else {
        "Each series at its given setting".into()
    }
}

/// The last epoch of all lines.
pub fn last_epoch(lines: &[PlotLine]) -> f64 {
    lines.iter().flat_map(|line| &line.points).map(|point| point.x).fold(0.0, f64::max)
}

/// The line without the value before training, which would squeeze all others into the lowest
/// tenth of the chart. With a single epoch it stays, because a line needs two points.
pub fn without_start(line: &PlotLine, last: f64) -> PlotLine {
    let mut line = line.clone();
    line.points.retain(|point| point.x >= 1.0 || last < 2.0);
    line
}

/// A published curve up to our last epoch, with few enough dots for our line to be seen.
fn thinned(line: &PlotLine, last: f64) -> PlotLine {
    let every = if last > DENSE_EPOCHS { 5.0 } else { 1.0 };
    let shown = |point: &&BandPoint| point.x % every == 0.0 && point.x <= last;
    PlotLine { points: line.points.iter().filter(shown).copied().collect(), ..line.clone() }
}

/// The upper end of a linear chart: the highest upper band edge after the first epoch or after the
/// last one. Higher values in between, and those before a divergence, are cut off.
fn highest_end(lines: &[PlotLine]) -> Option<f64> {
    let highest = |line: &PlotLine| {
        let first = line.points.iter().find(|point| point.x >= 1.0);
        let last = line.points.last().filter(|p| p.x >= 1.0 && line.diverged.is_empty());
        first.into_iter().chain(last).map(|point| point.high).reduce(f64::max)
    };
    lines.iter().filter_map(highest).reduce(f64::max)
}
