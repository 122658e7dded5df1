//! Published curves beside ours.

use crate::chart::{BandPoint, Chart, PlotLine, Style};
use crate::experiment::published::{PublishedPoint, curve};

use super::curve_set::CurveSet;

/// A published curve.
pub struct PublishedCurve {
    /// label of the series that it is drawn beside
    series: String,
    /// its mean, with one standard deviation around it
    pub line: PlotLine,
}

/// The published curves that the experiment names.
pub fn curves(set: &CurveSet<'_>) -> Vec<PublishedCurve> {
    let mut published = Vec::new();
    for series in set.experiment.iter().flat_map(|experiment| &experiment.series) {
        let Some(name) = &series.published else { continue };
        let at = set.curves.iter().position(|curve| curve.label == series.label).unwrap_or(0);
        published.push(PublishedCurve {
            series: series.label.clone(),
            line: line(&series.label, set.styles[at], &curve(name, set.metric)),
        });
    }
    published
}

/// Dots, so that our line can be seen through them.
fn line(series: &str, style: Style, points: &[PublishedPoint]) -> PlotLine {
    let label = format!("{series}, published\nmean of 10 runs");
    let band = |point: &PublishedPoint| BandPoint {
        x: point.epoch,
        y: point.mean,
        low: point.mean - point.sd,
        high: point.mean + point.sd,
    };
    PlotLine {
        points: points.iter().map(band).collect(),
        marks: true,
        joined: false,
        ..PlotLine::new(&label, style, [])
    }
}

/// How far our lines are from the published ones.
pub fn difference_chart(
    set: &CurveSet<'_>,
    lines: &[PlotLine],
    published: &[PublishedCurve],
) -> Chart {
    let mut differences = Vec::new();
    for (line, curve) in lines.iter().zip(set.curves) {
        if let Some(published) = published.iter().find(|it| it.series == curve.label) {
            differences.push(difference(line, &published.line));
        }
    }
    Chart {
        lines: differences,
        caption: "Our mean minus the mean of the published runs; the band is ± one standard \
                  deviation of the published runs."
            .into(),
        ..Chart::new(
            "Our mean minus the published mean",
            set.x_label,
            &format!("difference in {}", set.y_label),
        )
    }
}

/// A line minus a published one, with the published band around zero.
fn difference(line: &PlotLine, published: &PlotLine) -> PlotLine {
    let mut points = Vec::new();
    for own in &line.points {
        if let Some(published) = published.points.iter().find(|point| point.x == own.x) {
            points.push(BandPoint {
                x: own.x,
                y: own.y - published.y,
                low: published.low - published.y,
                high: published.high - published.y,
            });
        }
    }
    PlotLine { points, ..line.clone() }
}
