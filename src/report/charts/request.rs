//! A chart that a kind of task asks for in place of the standard ones.

use crate::chart::{Chart, PlotLine};
use crate::record::{Axis, ChartRequest};

use super::curve_set::CurveSet;

/// The chart.
pub fn chart(request: &ChartRequest, set: &CurveSet<'_>) -> Chart {
    let (measure, y_label) = match &request.y {
        Some(y) => (y.name, y.title),
        None => (set.metric, set.y_label.as_str()),
    };
    let lines = set.lines(request.x.map(|x| x.name), measure);
    let is_log = |axis: Axis| match axis {
        Axis::Linear => false,
        Axis::Log => true,
        Axis::LogIfWide => is_wide(&lines),
    };
    let (log_x, log_y) = (is_log(request.x_axis), is_log(request.y_axis));
    let x_label = request.x.map_or(set.x_label, |x| x.title);
    let caption = set.caption();
    Chart {
        log_x,
        log_y,
        lines,
        caption,
        ..Chart::new(&set.titled(request.title), x_label, y_label)
    }
}

/// Whether all values are above zero and span more than two decades.
fn is_wide(lines: &[PlotLine]) -> bool {
    let values = || lines.iter().flat_map(|line| &line.points).map(|point| point.y);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    low > 0.0 && high > 1e2 * low
}
