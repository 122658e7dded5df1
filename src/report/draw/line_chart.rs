//! Line charts: lines, bands around them, and crosses where something diverged.

use std::ops::Range;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::canvas::{
    self, Area, CHART_SIZE, FINE, GREY, LEGEND_WIDTH, TITLE_HEIGHT, drawing_error, font,
    linear_tick, padded, pt,
};
use super::color::line_color;
use super::legend::{LegendEntry, LegendMark, legend};
use super::marks;
use super::stroke::{Pixel, stroke};
use crate::chart::{BandPoint, Chart, LARGEST, PlotLine, short};
use crate::error::Result;

/// A logarithmic axis ends at this share of its upper end: what is lower is rounding error.
const LOG_DEPTH: f64 = 1e-24;

/// A logarithmic axis shows a band down to the lowest value of a line, divided by this.
const BAND_DEPTH: f64 = 2.0;
/// Labels of a logarithmic x axis are at least this share of the axis apart.
const TICK_DISTANCE: f64 = 0.07;

/// An axis of the plotting crate.
trait Axis: Ranged<ValueType = f64> + ValueFormatter<f64> {}

impl<A: Ranged<ValueType = f64> + ValueFormatter<f64>> Axis for A {}

/// The part of a picture between the axes.
type Plane<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;

/// The chart as SVG; `None` if there is nothing to draw.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn line_chart(chart: &Chart) -> Result<Option<String>> {
    let Some((x, y)) = ranges(chart) else { return Ok(None) };
    let svg = canvas::svg(CHART_SIZE, |area| {
        let (left, right) = area.split_horizontally(CHART_SIZE.0 * FINE - LEGEND_WIDTH);
        legend(&legend_entries(chart), &right)?;
        let ticks = &chart.x_ticks;
        match (chart.log_x, chart.log_y) {
            (false, false) => draw(chart, &left, x, y),
            (false, true) => draw(chart, &left, x, log_axis(y, &[])),
            (true, false) => draw(chart, &left, log_axis(x, ticks), y),
            (true, true) => draw(chart, &left, log_axis(x, ticks), log_axis(y, &[])),
        }
    })?;
    Ok(Some(svg))
}

fn legend_entries(chart: &Chart) -> Vec<LegendEntry> {
    let mark = |line: &PlotLine| match (line.joined, line.marks || has_marks(chart)) {
        (true, true) => LegendMark::MarkedLine(line.style),
        (true, false) => LegendMark::Line(line.style),
        (false, _) => LegendMark::Dot(line.style),
    };
    let mut entries: Vec<LegendEntry> = chart
        .lines
        .iter()
        .map(|line| LegendEntry { mark: mark(line), text: line.label.clone() })
        .collect();
    if chart.lines.iter().any(|line| !line.diverged.is_empty()) {
        entries.push(LegendEntry::text("× diverged"));
    }
    entries
}

/// Whether lines get marks: where there are several.
fn has_marks(chart: &Chart) -> bool {
    chart.lines.iter().filter(|line| line.joined).count() > 1
}

/// The ranges of both axes; `None` if no point and no cross can be drawn.
pub fn ranges(chart: &Chart) -> Option<(Range<f64>, Range<f64>)> {
    let points = || chart.lines.iter().flat_map(|line| &line.points);
    let crosses = chart.lines.iter().flat_map(|line| line.diverged.iter().copied());
    let (x_low, x_high) = ends(points().map(|p| p.x).chain(crosses), chart.log_x)?;
    let x = if chart.log_x { x_low / 1.3..x_high * 1.3 } else { x_low..x_high };

    // on a logarithmic axis, a band that almost reaches zero would squeeze everything else
    let lowest = points().map(|p| p.y).filter(|y| *y > 0.0).fold(f64::INFINITY, f64::min);
    let low = |p: &BandPoint| if chart.log_y { p.low.max(lowest / BAND_DEPTH) } else { p.low };
    // with crosses alone any range will do
    let (y_low, y_high) =
        ends(points().flat_map(|p| [p.y, low(p), p.high]), chart.log_y).unwrap_or((0.1, 1.0));
    let y_high = chart.y_max.filter(|max| *max > y_low && *max < y_high).unwrap_or(y_high);
    let (y_low, y_high) = if chart.log_y {
        (y_low.max(y_high * LOG_DEPTH) / 1.05, y_high * 1.1)
    } else {
        padded(y_low, y_high)
    };
    Some((x, y_low..y_high))
}

/// The lowest and the highest number that can be drawn, a little apart if they are equal.
fn ends(values: impl Iterator<Item = f64>, log: bool) -> Option<(f64, f64)> {
    let drawable = |v: f64| v.is_finite() && v.abs() < LARGEST && (!log || v > 0.0);
    let ends = values
        .filter(|v| drawable(*v))
        .map(|v| (v, v))
        .reduce(|(low, high), (v, _)| (low.min(v), high.max(v)));
    ends.map(|(low, high)| {
        if low < high {
            (low, high)
        } else {
            (low - 0.5 * low.abs().max(1e-3), high + 0.5 * high.abs().max(1e-3))
        }
    })
}

/// The largest number of ticks on the x axis. If all points are at whole numbers, such as epochs, and
/// these are few, there is one tick for each.
fn most_ticks(chart: &Chart) -> usize {
    const MOST: usize = 11;
    let xs: Vec<f64> =
        chart.lines.iter().flat_map(|line| &line.points).map(|point| point.x).collect();
    match ends(xs.iter().copied(), chart.log_x) {
        Some((low, high)) if xs.iter().all(|x| x.fract() == 0.0) && high - low < MOST as f64 => {
            (high - low) as usize + 1
        }
        _ => MOST,
    }
}

/// A logarithmic axis with these ticks. If there are none, it has ticks at powers of ten, and at 2
/// and 5 where those alone would be too few.
fn log_axis(
    range: Range<f64>,
    ticks: &[f64],
) -> impl AsRangedCoord<Value = f64, CoordDescType: Axis> + use<> {
    let ticks = if ticks.is_empty() { round_ticks(&range) } else { apart(ticks, &range) };
    range.log_scale().with_key_points(ticks)
}

/// The ticks whose labels do not touch.
fn apart(ticks: &[f64], range: &Range<f64>) -> Vec<f64> {
    let distance = TICK_DISTANCE * (range.end / range.start).ln();
    let mut kept: Vec<f64> = Vec::new();
    for tick in ticks {
        if kept.last().is_none_or(|last| (tick / last).ln() >= distance) {
            kept.push(*tick);
        }
    }
    kept
}

fn round_ticks(range: &Range<f64>) -> Vec<f64> {
    let (first, last) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let decades = range.end.log10() - range.start.log10();
    let in_decade: &[f64] = match decades {
        ..1.2 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        ..3.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let every = (decades / 10.0).ceil().max(1.0) as usize;
    let mut ticks = Vec::new();
    for power in (first..=last).step_by(every) {
        ticks.extend(in_decade.iter().map(|m| m * 10f64.powi(power)));
    }
    ticks.retain(|tick| range.contains(tick));
    ticks
}

fn draw<X, Y>(chart: &Chart, area: &Area<'_>, x: X, y: Y) -> Result<()>
where
    X: AsRangedCoord<Value = f64, CoordDescType: Axis>,
    Y: AsRangedCoord<Value = f64, CoordDescType: Axis>,
{
    canvas::title(area, &chart.title)?;
    let mut plane = ChartBuilder::on(area)
        .margin(pt(12))
        .margin_top(TITLE_HEIGHT)
        .x_label_area_size(pt(44))
        .y_label_area_size(pt(68))
        .build_cartesian_2d(x, y)
        .map_err(drawing_error)?;
    draw_axes(chart, &mut plane)?;
    for line in &chart.lines {
        draw_band(line, &mut plane)?;
    }
    // lines lie above all bands
    let marked = if has_marks(chart) { chart.lines.len() } else { 0 };
    for (n, line) in chart.lines.iter().enumerate() {
        draw_line(line, area, &mut plane, (n, marked))?;
    }
    Ok(())
}

fn draw_axes<X: Axis, Y: Axis>(chart: &Chart, plane: &mut Plane<'_, '_, X, Y>) -> Result<()> {
    let tick = |value: f64, log: bool| if log { short(value) } else { linear_tick(value) };
    plane
        .configure_mesh()
        .x_labels(most_ticks(chart))
        .x_desc(&chart.x)
        .y_desc(&chart.y)
        .axis_desc_style(font(pt(14), &GREY))
        .label_style(font(pt(13), &GREY))
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(RGBColor(225, 225, 225).stroke_width(FINE))
        .axis_style(GREY.stroke_width(FINE))
        .set_all_tick_mark_size(pt(4))
        .x_label_formatter(&|value| tick(*value, chart.log_x))
        .y_label_formatter(&|value| tick(*value, chart.log_y))
        .draw()
        .map_err(drawing_error)
}

/// The points that can be drawn.
pub fn finite_points(line: &PlotLine) -> impl DoubleEndedIterator<Item = &BandPoint> + Clone {
    line.points.iter().filter(|point| point.x.is_finite() && point.y.is_finite())
}

fn draw_band<X: Axis, Y: Axis>(line: &PlotLine, plane: &mut Plane<'_, '_, X, Y>) -> Result<()> {
    let points = finite_points(line);
    if !points.clone().any(|point| point.low < point.high) {
        return Ok(());
    }
    let range = plane.plotting_area().get_y_range();
    let visible = |y: f64| y.clamp(range.start, range.end);
    let upper = points.clone().map(|point| (point.x, visible(point.high)));
    let lower = points.rev().map(|point| (point.x, visible(point.low)));
    let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
    let color = line_color(line.style).mix(0.22);
    plane.draw_series([Polygon::new(outline, color)]).map_err(drawing_error)?;
    Ok(())
}

/// Draws the n-th of several lines that get marks, or one that gets none.
fn draw_line<X: Axis, Y: Axis>(
    line: &PlotLine,
    area: &Area<'_>,
    plane: &mut Plane<'_, '_, X, Y>,
    (n, marked): (usize, usize),
) -> Result<()> {
    let range = plane.plotting_area().get_y_range();
    let color = line_color(line.style);
    // a line that leaves the chart at the top ends there; clamping would bend it along the edge
    let visible: Vec<(f64, f64)> = finite_points(line)
        .filter(|point| point.y <= range.end && point.y >= range.start)
        .map(|point| (point.x, point.y))
        .collect();
    let pixels: Vec<Pixel> = visible.iter().map(|point| plane.backend_coord(point)).collect();
    if line.joined {
        stroke(area, &pixels, line.style, 2)?;
        let marks = match (line.marks, marked) {
            (true, _) => pixels,
            (false, 0) => Vec::new(),
            (false, lines) => marks::along(&pixels, (n, lines)),
        };
        marks.into_iter().try_for_each(|at| marks::draw_mark(area, at, line.style))?;
    } else if line.marks {
        let marks = visible.iter().map(|point| Circle::new(*point, pt(3), color.filled()));
        plane.draw_series(marks).map_err(drawing_error)?;
    }
    let crosses = line
        .diverged
        .iter()
        .map(|x| Cross::new((*x, range.end), pt(5), color.stroke_width(2 * FINE)));
    plane.draw_series(crosses).map_err(drawing_error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Style;

    #[test]
    fn ticks_at_few_epochs_are_whole_numbers() {
        for epochs in [1, 2, 3, 5, 8, 10] {
            let points = (0..=epochs).map(|epoch| (f64::from(epoch), 0.5 + f64::from(epoch)));
            let mut chart = Chart::new("", "epochs", "loss");
            chart.lines.push(PlotLine::new("a", Style::nth(0), points));
            let axis = plotters::coord::types::RangedCoordf64::from(0.0..f64::from(epochs));
            let ticks = axis.key_points(most_ticks(&chart));
            assert!(ticks.iter().all(|tick| tick.fract() == 0.0), "{epochs}: {ticks:?}");
            assert!(ticks.len() >= 2, "{epochs}: {ticks:?}");
        }
    }
}
