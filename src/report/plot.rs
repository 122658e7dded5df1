//! Charts. The one file that knows the plotting crate: data in, SVG out; and SVG in, PNG out.

use std::sync::{Arc, Once};

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use resvg::{tiny_skia, usvg};

use crate::chart::{Banded, Chart, Line, PALETTE, Style, short};
use crate::error::{Error, Result};

/// A subset of DejaVu Sans, so that a picture looks the same on a machine without fonts.
const FONT: &[u8] = include_bytes!("font/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

/// Size of the picture.
const SIZE: (u32, u32) = (800, 440);
/// The plotting crate rounds to whole units, so it draws on a finer grid than the picture's.
const FINE: u32 = 8;
const WIDTH: u32 = SIZE.0 * FINE;
const HEIGHT: u32 = SIZE.1 * FINE;
const LEGEND: u32 = 190 * FINE;

/// Points of the picture in units of the grid.
const fn pt(points: i32) -> i32 {
    points * FINE as i32
}
const GREY: RGBColor = RGBColor(90, 90, 90);

/// The chart as SVG; nothing if there is nothing to draw.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn svg(chart: &Chart) -> Result<Option<String>> {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // the one way this fails is a broken font, which a test would notice
        let _ = register_font(FAMILY, FontStyle::Normal, FONT);
    });
    let drawable = |v: &f64, log: bool| v.is_finite() && v.abs() < HUGE && (!log || *v > 0.0);
    let points = || chart.lines.iter().flat_map(|line| &line.points);
    let crosses = chart.lines.iter().flat_map(|line| line.diverged.clone());
    let xs: Vec<f64> = points().map(|p| p.0).chain(crosses).filter(|x| drawable(x, chart.log_x)).collect();
    let ys: Vec<f64> = points().flat_map(|p| [p.1, p.2, p.3]).filter(|y| drawable(y, chart.log_y)).collect();
    let Some((x_low, x_high)) = ends(&xs) else { return Ok(None) };
    let (y_low, y_high) = ends(&ys).unwrap_or((0.1, 1.0)); // only crosses: any axis will do
    let y_high = chart.y_max.filter(|max| *max > y_low && *max < y_high).unwrap_or(y_high);
    let (x_low, x_high) = if chart.log_x { (x_low / 1.3, x_high * 1.3) } else { (x_low, x_high) };
    let (y_low, y_high) = if chart.log_y { (y_low / 1.05, y_high * 1.1) } else { padded(y_low, y_high) };

    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        let drawn = root.fill(&WHITE).map_err(|error| error.to_string()).and_then(|()| {
            let (left, right) = root.split_horizontally(WIDTH - LEGEND);
            legend(chart, &right)?;
            let (x, y) = (x_low..x_high, y_low..y_high);
            match (chart.log_x, chart.log_y) {
                (false, false) => draw(chart, &left, x, y),
                (false, true) => draw(chart, &left, x, log(y)),
                (true, false) => draw(chart, &left, log(x), y),
                (true, true) => draw(chart, &left, log(x), log(y)),
            }
        });
        drawn.and_then(|()| root.present().map_err(|error| error.to_string())).map_err(Error::Asked)?;
    }
    let (fine, picture) = (format!("width=\"{WIDTH}\" height=\"{HEIGHT}\""), format!("width=\"{}\" height=\"{}\"", SIZE.0, SIZE.1));
    Ok(Some(text.replacen(&fine, &picture, 1)))
}

/// Beyond this a number is not drawn: an axis to there would show nothing else.
const HUGE: f64 = 1e100;

fn ends(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    Some(if low < high { (low, high) } else { (low - 0.5 * low.abs().max(1e-3), high + 0.5 * high.abs().max(1e-3)) })
}

/// A logarithmic axis with ticks at 1, 2 and 5 where powers of ten alone would be too few to read it.
fn log(range: std::ops::Range<f64>) -> impl AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>> {
    let (low, high) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let decades = range.end.log10() - range.start.log10();
    let within: &[f64] = match decades {
        ..1.2 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        ..3.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let ticks = (low..=high).flat_map(|power| within.iter().map(move |m| m * 10f64.powi(power)));
    let ticks = ticks.filter(|tick| range.contains(tick)).collect();
    range.log_scale().with_key_points(ticks)
}

fn padded(low: f64, high: f64) -> (f64, f64) {
    let margin = 0.04 * (high - low);
    (low - margin, high + margin)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw<X, Y>(chart: &Chart, area: &Area<'_>, x: X, y: Y) -> std::result::Result<(), String>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
    Y::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
{
    let said = |error: DrawingAreaErrorKind<_>| error.to_string();
    let mut built = ChartBuilder::on(area);
    let mut plane = built
        .caption(&chart.title, (FAMILY, pt(16)))
        .margin(pt(12))
        .x_label_area_size(pt(44))
        .y_label_area_size(pt(68))
        .build_cartesian_2d(x, y)
        .map_err(said)?;
    plane
        .configure_mesh()
        .x_desc(&chart.x)
        .y_desc(&chart.y)
        .axis_desc_style((FAMILY, pt(14)).into_font().color(&GREY))
        .label_style((FAMILY, pt(13)).into_font().color(&GREY))
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(RGBColor(225, 225, 225).stroke_width(FINE))
        .axis_style(GREY.stroke_width(FINE))
        .set_all_tick_mark_size(pt(4))
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .draw()
        .map_err(said)?;
    let y_range = plane.plotting_area().get_y_range();
    let top = y_range.end;
    let inside = |v: f64| v.clamp(y_range.start, y_range.end);
    let color = |line: &Line| rgb(line.style);
    let finite = |line: &Line| line.points.iter().filter(|p| p.1.is_finite()).copied().collect::<Vec<Banded>>();
    for line in &chart.lines {
        let points = finite(line);
        if points.iter().any(|p| p.2 < p.3) {
            let band = points.iter().map(|p| (p.0, inside(p.3))).chain(points.iter().rev().map(|p| (p.0, inside(p.2))));
            plane.draw_series([Polygon::new(band.collect::<Vec<_>>(), color(line).mix(0.22))]).map_err(said)?;
        }
    }
    // lines above all bands
    for line in &chart.lines {
        let (color, points) = (color(line), finite(line));
        // a line that leaves the chart at the top is cut there, not bent along the edge
        let visible: Vec<_> = points.iter().filter(|p| p.1 <= top).map(|p| (p.0, p.1)).collect();
        let pixels: Vec<_> = visible.iter().map(|point| plane.backend_coord(point)).collect();
        stroke(area, &pixels, line.style, 2)?;
        if line.marks {
            plane.draw_series(visible.iter().map(|p| Circle::new(*p, pt(3), color.filled()))).map_err(said)?;
        }
        plane.draw_series(line.diverged.iter().map(|x| Cross::new((*x, top), pt(5), color.stroke_width(2 * FINE)))).map_err(said)?;
    }
    Ok(())
}

fn rgb(style: Style) -> RGBColor {
    let (r, g, b) = PALETTE[style.color];
    RGBColor(r, g, b)
}

/// A line through pixels, dashed where its style is. The plotting crate has dashes of one length only.
fn stroke(area: &Area<'_>, pixels: &[(i32, i32)], style: Style, width: u32) -> std::result::Result<(), String> {
    let of = |pixels: Vec<(i32, i32)>| PathElement::new(pixels, rgb(style).stroke_width(width * FINE));
    let pieces = match style.dashes() {
        [] => vec![pixels.to_vec()],
        pattern => dashes(pixels, pattern),
    };
    pieces.into_iter().filter(|piece| piece.len() > 1).try_for_each(|piece| area.draw(&of(piece))).map_err(|error| error.to_string())
}

/// What of a line through pixels is drawn, the pattern in points beginning with a dash.
fn dashes(pixels: &[(i32, i32)], pattern: &[u32]) -> Vec<Vec<(i32, i32)>> {
    let Some(first) = pixels.first() else { return Vec::new() };
    let (mut pieces, mut piece, mut part) = (Vec::new(), vec![*first], 0);
    let length = |part: usize| f64::from(pattern[part % pattern.len()] * FINE);
    let mut left = length(0);
    for pair in pixels.windows(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let (dx, dy) = (f64::from(to_x - x), f64::from(to_y - y));
        let (whole, mut gone) = (dx.hypot(dy), 0.0);
        while whole - gone > left {
            gone += left;
            let at = (x + (dx * gone / whole) as i32, y + (dy * gone / whole) as i32);
            if part % 2 == 0 {
                piece.push(at);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![at];
            }
            part += 1;
            left = length(part);
        }
        left -= whole - gone;
        if part % 2 == 0 {
            piece.push((to_x, to_y));
        }
    }
    pieces.push(piece);
    pieces
}

fn legend(chart: &Chart, area: &Area<'_>) -> std::result::Result<(), String> {
    let mut y = pt(56);
    let lines = chart.lines.iter().map(|line| (line.label.as_str(), Some(line.style)));
    let diverged = chart.lines.iter().any(|line| !line.diverged.is_empty()).then_some(("× diverged", None));
    for (label, style) in lines.chain(diverged) {
        let said = |error: DrawingAreaErrorKind<_>| error.to_string();
        if let Some(style) = style {
            stroke(area, &[(pt(6), y + pt(7)), (pt(30), y + pt(7))], style, 3)?;
        }
        for (i, part) in label.split('\n').enumerate() {
            let (size, color) = if i == 0 { (14, BLACK) } else { (12, GREY) };
            area.draw(&Text::new(part, (pt(36), y), (FAMILY, pt(size)).into_font().color(&color))).map_err(said)?;
            y += pt(17);
        }
        y += pt(10);
    }
    Ok(())
}

/// The picture as PNG, at twice the size.
///
/// # Errors
/// If the text is no SVG.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    let options = usvg::Options { fontdb: Arc::new(fonts), font_family: FAMILY.into(), ..Default::default() };
    let wrong = |error: String| Error::Asked(format!("cannot make a PNG: {error}"));
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| wrong(error.to_string()))?;
    let mut pixels = tiny_skia::Pixmap::new(2 * SIZE.0, 2 * SIZE.1).ok_or_else(|| wrong("no memory".into()))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(2.0, 2.0), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| wrong(error.to_string()))
}
