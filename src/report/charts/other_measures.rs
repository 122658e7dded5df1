//! A chart for each other measurement.

use crate::chart::Chart;
use crate::record::RecordedTask;

use super::curve_set::CurveSet;
use super::epochs::{last_epoch, without_start};

/// The charts of the measurements that the experiment names; without an experiment, of those on
/// the test set.
pub fn charts(set: &CurveSet<'_>, task: &RecordedTask) -> Vec<(String, Chart)> {
    let named: Vec<&str> = match set.experiment {
        Some(experiment) => experiment.metric.also.iter().map(String::as_str).collect(),
        None => task
            .columns()
            .into_iter()
            .map(|measure| measure.name)
            .filter(|name| name.starts_with("test_"))
            .collect(),
    };
    let chart = |measure: &str| {
        let title = task.measure_title(measure);
        let lines = set.lines(None, measure);
        let last = last_epoch(&lines);
        Chart {
            lines: lines.iter().map(|line| without_start(line, last)).collect(),
            caption: set.caption(),
            ..Chart::new(&set.titled(&format!("The same runs: {title}")), set.x_label, &title)
        }
    };
    named
        .into_iter()
        .filter(|measure| *measure != set.metric)
        .map(|measure| (measure.replace('_', "-"), chart(measure)))
        .collect()
}
