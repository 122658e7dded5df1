//! Line charts for print: the legend above the axes, no title, all text in 8 pt.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, FINE, drawing_error};
use super::color::line_color;
use super::line_chart::{finite_points, ranges};
use super::print::{
    AXIS, LINE, linear_ticks, log_ticks, number, svg, text, text_width, units, upward_text,
};
use super::stroke::{Pixel, dashed_stroke};
use crate::chart::{Chart, PlotLine};
use crate::error::Result;

/// Height of the plane, as a share of the width of the figure.
const HEIGHT: f64 = 0.55;
/// Length of the line before an entry of the legend, in points.
const SAMPLE: f64 = 16.0;
/// Gaps in points: between an entry and the next, around text, to the edges of the figure.
const BETWEEN: f64 = 9.0;
const GAP: f64 = 3.0;
const EDGE: f64 = 1.0;
/// Length of a tick and width of a line, in points.
const TICK: f64 = 2.5;
const LINE_WIDTH: f64 = 1.0;
/// Dashes are this much shorter than on a page.
const DASH: f64 = 0.45;

/// An axis: values to places in points.
struct Axis {
    values: Range<f64>,
    places: (f64, f64),
    log: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    fn new(values: Range<f64>, log: bool, most: usize, whole: bool) -> Axis {
        let ticks = match log {
            true => log_ticks(&values, most),
            false => linear_ticks(&values, most, whole),
        };
        let ticks = ticks.into_iter().map(|tick| (tick, number(tick))).collect();
        Axis { values, places: (0.0, 0.0), log, ticks }
    }

    fn at(&self, value: f64) -> f64 {
        let scaled = |v: f64| if self.log { v.ln() } else { v };
        let (low, high) = (scaled(self.values.start), scaled(self.values.end));
        let share = (scaled(value) - low) / (high - low);
        self.places.0 + share * (self.places.1 - self.places.0)
    }
}

/// The plane between the axes.
struct Plane<'a, 'b> {
    area: &'a Area<'b>,
    x: Axis,
    y: Axis,
}

/// The chart as SVG, `width` points wide; `None` if there is nothing to draw.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn print_chart(chart: &Chart, width: f64) -> Result<Option<String>> {
    let Some((x, y)) = ranges(chart) else { return Ok(None) };
    let whole = chart.lines.iter().flat_map(|line| &line.points).all(|p| p.x.fract() == 0.0);
    let x = Axis::new(x, chart.log_x, (width / 40.0) as usize, whole);
    let y = Axis::new(y, chart.log_y, (width / 40.0) as usize, false);
    let entries = entries(chart);
    let mut rows = 0;
    // measured on a picture that is not used, since the height depends on it
    svg((width, width), |area| {
        rows = layout(area, &entries, width)?.last().map_or(0, |entry| entry.row + 1);
        Ok(())
    })?;
    let top = EDGE + LINE * rows as f64 + 2.0 * GAP;
    let bottom = top + HEIGHT * width;
    let height = bottom + TICK + 2.0 * GAP + 2.0 * LINE + EDGE;
    let picture = svg((width, height.ceil()), |area| {
        for entry in layout(area, &entries, width)? {
            draw_entry(area, &entry)?;
        }
        let widths = y.ticks.iter().map(|(_, label)| text_width(area, label));
        let label_width = widths.collect::<Result<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
        let left = EDGE + LINE + GAP + label_width + GAP + TICK;
        let x = Axis { places: (left, width - 8.0), ..x };
        let y = Axis { places: (bottom, top), ..y };
        let plane = Plane { area, x, y };
        plane.draw(chart)
    })?;
    Ok(Some(picture))
}

/// A line with its text in the legend.
type LabelledLine<'a> = (&'a PlotLine, String);

/// The lines with the first lines of their labels; the whole labels where these are equal.
fn entries(chart: &Chart) -> Vec<LabelledLine<'_>> {
    let first = |line: &PlotLine| line.label.lines().next().unwrap_or_default().to_string();
    let is_unique =
        |line: &PlotLine| chart.lines.iter().filter(|o| first(o) == first(line)).count() == 1;
    let text = |line: &PlotLine| match is_unique(line) {
        true => first(line),
        false => line.label.replace('\n', ", "),
    };
    chart.lines.iter().map(|line| (line, text(line))).collect()
}

/// An entry of the legend at its place.
struct Entry<'a> {
    line: &'a PlotLine,
    text: &'a str,
    x: f64,
    row: usize,
}

/// Sets the entries of the legend in rows.
fn layout<'a>(
    area: &Area<'_>,
    entries: &'a [LabelledLine<'_>],
    width: f64,
) -> Result<Vec<Entry<'a>>> {
    let (mut placed, mut x, mut row) = (Vec::new(), EDGE, 0);
    for (line, text) in entries {
        let own = SAMPLE + GAP + text_width(area, text)?;
        if x > EDGE && x + own > width - EDGE {
            (x, row) = (EDGE, row + 1);
        }
        placed.push(Entry { line, text, x, row });
        x += own + BETWEEN;
    }
    Ok(placed)
}

fn draw_entry(area: &Area<'_>, entry: &Entry<'_>) -> Result<()> {
    let middle = EDGE + LINE * (entry.row as f64 + 0.5);
    let (from, to) = (entry.x, entry.x + SAMPLE);
    if entry.line.joined {
        stroke_line(area, &[(from, middle), (to, middle)], entry.line)?;
    } else {
        draw_dot(area, ((from + to) / 2.0, middle), entry.line)?;
    }
    text(area, entry.text, (to + GAP, middle), &BLACK, (HPos::Left, VPos::Center))
}

fn stroke_line(area: &Area<'_>, points: &[(f64, f64)], line: &PlotLine) -> Result<()> {
    let pixels: Vec<Pixel> = points.iter().map(|(x, y)| (units(*x), units(*y))).collect();
    dashed_stroke(area, &pixels, line.style, units(LINE_WIDTH) as u32, DASH)
}

fn draw_dot(area: &Area<'_>, (x, y): (f64, f64), line: &PlotLine) -> Result<()> {
    let color = line_color(line.style).filled();
    let dot = Circle::new((units(x), units(y)), units(1.5), color);
    area.draw(&dot).map_err(drawing_error)
}

impl Plane<'_, '_> {
    fn draw(&self, chart: &Chart) -> Result<()> {
        for line in &chart.lines {
            self.draw_band(line)?;
        }
        self.draw_axes(chart)?;
        for line in &chart.lines {
            self.draw_line(line)?;
        }
        Ok(())
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    fn draw_axes(&self, chart: &Chart) -> Result<()> {
        let ((left, right), (bottom, top)) = (self.x.places, self.y.places);
        self.path(&[(left, top), (left, bottom), (right, bottom)])?;
        for (value, label) in &self.x.ticks {
            let x = self.x.at(*value);
            self.path(&[(x, bottom), (x, bottom + TICK)])?;
            let below = (x, bottom + TICK + GAP);
            text(self.area, label, below, &BLACK, (HPos::Center, VPos::Top))?;
        }
        for (value, label) in &self.y.ticks {
            let y = self.y.at(*value);
            self.path(&[(left - TICK, y), (left, y)])?;
            let before = (left - TICK - GAP, y);
            text(self.area, label, before, &BLACK, (HPos::Right, VPos::Center))?;
        }
        let below = ((left + right) / 2.0, bottom + TICK + 2.0 * GAP + LINE);
        text(self.area, &chart.x, below, &BLACK, (HPos::Center, VPos::Top))?;
        upward_text(self.area, &chart.y, (EDGE, (top + bottom) / 2.0))
    }

    fn path(&self, points: &[(f64, f64)]) -> Result<()> {
        let pixels: Vec<Pixel> = points.iter().map(|(x, y)| (units(*x), units(*y))).collect();
        let line = PathElement::new(pixels, AXIS.stroke_width(FINE / 2));
        self.area.draw(&line).map_err(drawing_error)
    }

    fn draw_band(&self, line: &PlotLine) -> Result<()> {
        let points = finite_points(line);
        if !points.clone().any(|point| point.low < point.high) {
            return Ok(());
        }
        let visible = |y: f64| y.clamp(self.y.values.start, self.y.values.end);
        let upper = points.clone().map(|point| (point.x, visible(point.high)));
        let lower = points.rev().map(|point| (point.x, visible(point.low)));
        let outline = upper.chain(lower).map(|(x, y)| self.place(x, y));
        let outline: Vec<Pixel> = outline.map(|(x, y)| (units(x), units(y))).collect();
        let band = Polygon::new(outline, line_color(line.style).mix(0.2));
        self.area.draw(&band).map_err(drawing_error)
    }

    /// A line that leaves the plane ends there.
    fn draw_line(&self, line: &PlotLine) -> Result<()> {
        let visible = finite_points(line).filter(|point| {
            let inside = |axis: &Axis, v: f64| v >= axis.values.start && v <= axis.values.end;
            inside(&self.x, point.x) && inside(&self.y, point.y)
        });
        let points: Vec<(f64, f64)> = visible.map(|point| self.place(point.x, point.y)).collect();
        if line.joined {
            stroke_line(self.area, &points, line)?;
        }
        for point in points.iter().filter(|_| line.marks) {
            draw_dot(self.area, *point, line)?;
        }
        for x in &line.diverged {
            let at = (units(self.x.at(*x)), units(self.y.places.1));
            let cross = Cross::new(at, units(2.5), line_color(line.style).stroke_width(FINE));
            self.area.draw(&cross).map_err(drawing_error)?;
        }
        Ok(())
    }
}
