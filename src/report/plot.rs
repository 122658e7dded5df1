//! Charts. The one file that knows the plotting crate: data in, SVG out; and SVG in, PNG out.

use std::fmt::Write;
use std::sync::{Arc, LazyLock, Once};

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use rayon::prelude::*;
use resvg::{tiny_skia, usvg};

use super::scene::Scene;
use crate::chart::{Banded, Chart, EXPLODED, Heat, Line, PALETTE, Style, short};
use crate::error::{Error, Result};
use crate::surface::Surface;

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
    fonts();
    let drawable = |v: &f64, log: bool| v.is_finite() && v.abs() < HUGE && (!log || *v > 0.0);
    let points = || chart.lines.iter().flat_map(|line| &line.points);
    let crosses = chart.lines.iter().flat_map(|line| line.diverged.clone());
    let xs: Vec<f64> = points().map(|p| p.0).chain(crosses).filter(|x| drawable(x, chart.log_x)).collect();
    let ys: Vec<f64> = points().flat_map(|p| [p.1, p.2, p.3]).filter(|y| drawable(y, chart.log_y)).collect();
    let Some((x_low, x_high)) = ends(&xs) else { return Ok(None) };
    let (y_low, y_high) = ends(&ys).unwrap_or((0.1, 1.0)); // only crosses: any axis will do
    let y_high = chart.y_max.filter(|max| *max > y_low && *max < y_high).unwrap_or(y_high);
    let (x_low, x_high) = if chart.log_x { (x_low / 1.3, x_high * 1.3) } else { (x_low, x_high) };
    // nobody reads further down than rounding reaches
    let y_low = if chart.log_y { y_low.max(y_high * 1e-24) } else { y_low };
    let (y_low, y_high) = if chart.log_y { (y_low / 1.05, y_high * 1.1) } else { padded(y_low, y_high) };

    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        let drawn = root.fill(&WHITE).map_err(|error| error.to_string()).and_then(|()| {
            let (left, right) = root.split_horizontally(WIDTH - LEGEND);
            let items: Vec<_> = chart.lines.iter().map(|line| (line.label.as_str(), Key::Line(line.style, line.joined))).collect();
            legend(items, chart.lines.iter().any(|line| !line.diverged.is_empty()), &right)?;
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
    Ok(Some(sized(&text, SIZE)))
}

/// Makes the font known to the plotting crate.
fn fonts() {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // the one way this fails is a broken font, which a test would notice
        let _ = register_font(FAMILY, FontStyle::Normal, FONT);
    });
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
    let every = (decades / 10.0).ceil().max(1.0) as usize;
    let ticks = (low..=high).step_by(every).flat_map(|power| within.iter().map(move |m| m * 10f64.powi(power)));
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
    caption(area, &chart.title)?;
    let mut built = ChartBuilder::on(area);
    let mut plane = built
        .margin(pt(12))
        .margin_top(CAPTION)
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
        .x_label_formatter(&|value| short(if !chart.log_x && value.abs() < 1e-12 { 0.0 } else { *value }))
        // of ticks added up, what should be 0 may be a rounding error
        .y_label_formatter(&|value| short(if !chart.log_y && value.abs() < 1e-12 { 0.0 } else { *value }))
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
        let visible: Vec<_> = points.iter().filter(|p| p.1 <= top && p.1 >= y_range.start).map(|p| (p.0, p.1)).collect();
        let pixels: Vec<_> = visible.iter().map(|point| plane.backend_coord(point)).collect();
        if line.joined {
            stroke(area, &pixels, line.style, 2)?;
        }
        if line.marks {
            plane.draw_series(visible.iter().map(|p| Circle::new(*p, pt(3), color.filled()))).map_err(said)?;
        }
        plane.draw_series(line.diverged.iter().map(|x| Cross::new((*x, top), pt(5), color.stroke_width(2 * FINE)))).map_err(said)?;
    }
    Ok(())
}

/// Room above a chart for its title.
const CAPTION: i32 = pt(40);

/// The title over the middle of a chart. The plotting crate's own touches the frame, since its distance is in units of the fine grid.
fn caption(area: &Area<'_>, title: &str) -> std::result::Result<(), String> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    let style = (FAMILY, pt(16)).into_font().color(&BLACK).pos(Pos::new(HPos::Center, VPos::Top));
    let middle = area.dim_in_pixel().0 as i32 / 2 + pt(24);
    area.draw(&Text::new(title, (middle, pt(12)), style)).map_err(|error| error.to_string())
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

/// What stands before an entry of a legend.
#[derive(Clone, Copy)]
enum Key {
    /// a line; or a dot where its points are not joined
    Line(Style, bool),
    /// an empty square
    Hole,
    /// nothing
    Text,
}

fn legend(mut items: Vec<(&str, Key)>, diverged: bool, area: &Area<'_>) -> std::result::Result<(), String> {
    items.extend(diverged.then_some(("× diverged", Key::Text)));
    let text: i32 = items.iter().map(|(label, _)| label.split('\n').count() as i32 * pt(17)).sum();
    // as loose as there is room for
    let room = area.dim_in_pixel().1 as i32 - pt(52) - text;
    let gap = (room / items.len().max(1) as i32).clamp(0, pt(10));
    let mut y = pt(44);
    for (label, key) in items {
        let said = |error: DrawingAreaErrorKind<_>| error.to_string();
        match key {
            Key::Line(style, true) => stroke(area, &[(pt(6), y + pt(7)), (pt(30), y + pt(7))], style, 3)?,
            Key::Line(style, false) => area.draw(&Circle::new((pt(18), y + pt(7)), pt(3), rgb(style).filled())).map_err(said)?,
            Key::Hole => {
                let corners = [(pt(12), y + pt(1)), (pt(24), y + pt(13))];
                area.draw(&Rectangle::new(corners, GREY.stroke_width(FINE))).map_err(said)?;
            }
            Key::Text => {}
        }
        for (i, part) in label.split('\n').enumerate() {
            let (size, color) = if i == 0 { (14, BLACK) } else { (12, GREY) };
            // long names in smaller letters, rather than cut off
            let style = |units: i32| TextStyle::from((FAMILY, units).into_font()).color(&color);
            let (room, wide) = (LEGEND as i32 - pt(40), area.estimate_text_size(part, &style(pt(size))).map_err(said)?.0 as i32);
            let style = style(if wide > room { pt(size) * room / wide } else { pt(size) });
            area.draw(&Text::new(part, (pt(36), y), style)).map_err(said)?;
            y += pt(17);
        }
        y += gap;
    }
    Ok(())
}

/// Width of the labels of a heat map's rows, and the height of a cell, in points.
const ROWS: i32 = 170;
const CELL: i32 = 40;

/// A heat map as SVG: pale is low, and every number stands in its cell.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn heat(heat: &Heat) -> Result<String> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    fonts();
    let (rows, columns) = (heat.rows.len() as i32, heat.columns.len().max(1) as i32);
    let size = (SIZE.0, (110 + CELL * rows) as u32);
    let width = (pt(SIZE.0 as i32 - ROWS - 24)) / columns;
    let left = pt(ROWS);
    let finite = || heat.cells.iter().flatten().flatten().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    // a number that exploded would make all others pale
    let shown = finite().filter(|v| low <= 0.0 || *v <= EXPLODED * low);
    let high = shown.fold(f64::NEG_INFINITY, f64::max);
    // what spans much is told apart by its logarithm
    let scale = |v: f64| if low > 0.0 && high > 3.0 * low { v.ln() } else { v };
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (size.0 * FINE, size.1 * FINE)).into_drawing_area();
        let said = |error: DrawingAreaErrorKind<_>| error.to_string();
        let at = |points: i32, color: &RGBColor, h: HPos| (FAMILY, pt(points)).into_font().color(color).pos(Pos::new(h, VPos::Center));
        let drawn = root.fill(&WHITE).map_err(|error| error.to_string()).and_then(|()| {
            caption(&root, &heat.title)?;
            for (i, (label, cells)) in heat.rows.iter().zip(&heat.cells).enumerate() {
                let y = pt(44 + CELL * i as i32);
                let middle = y + pt(CELL / 2);
                root.draw(&Text::new(label.clone(), (left - pt(8), middle), at(13, &GREY, HPos::Right))).map_err(said)?;
                for (j, cell) in cells.iter().enumerate() {
                    let x = left + width * j as i32;
                    let share = cell
                        .filter(|v| v.is_finite() && high > low)
                        .map_or(0.0, |v| ((scale(v) - scale(low)) / (scale(high) - scale(low))).min(1.0));
                    let (r, g, b) = warm(share);
                    let (fill, word) = match cell {
                        Some(v) if v.is_finite() => (RGBColor(r, g, b), short(*v)),
                        Some(_) => (RGBColor(225, 225, 225), "\u{d7}".into()),
                        None => (WHITE, "-".into()),
                    };
                    let color = if share > 0.6 { WHITE } else { BLACK };
                    root.draw(&Rectangle::new([(x, y), (x + width - pt(1), y + pt(CELL - 1))], fill.filled())).map_err(said)?;
                    root.draw(&Text::new(word, (x + width / 2, middle), at(13, &color, HPos::Center))).map_err(said)?;
                }
            }
            let below = pt(44 + CELL * rows);
            for (j, label) in heat.columns.iter().enumerate() {
                let x = left + width * j as i32 + width / 2;
                root.draw(&Text::new(label.clone(), (x, below + pt(12)), at(13, &GREY, HPos::Center))).map_err(said)?;
            }
            root.draw(&Text::new(heat.x.clone(), (left + width * columns / 2, below + pt(36)), at(14, &GREY, HPos::Center)))
                .map_err(said)?;
            if heat.cells.iter().flatten().flatten().any(|v| v.is_infinite()) {
                let place = (pt(SIZE.0 as i32 - 24), below + pt(36));
                root.draw(&Text::new("\u{d7} diverged", place, at(13, &BLACK, HPos::Right))).map_err(said)?;
            }
            Ok(())
        });
        drawn.and_then(|()| root.present().map_err(|error| error.to_string())).map_err(Error::Asked)?;
    }
    Ok(sized(&text, size))
}

/// From a pale yellow over orange to a dark red, darker step by step, so that it can be read without colours.
fn warm(share: f64) -> (u8, u8, u8) {
    const STOPS: [(f64, f64, f64); 4] = [(255.0, 247.0, 219.0), (253.0, 190.0, 116.0), (222.0, 92.0, 48.0), (110.0, 16.0, 32.0)];
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let from = (place as usize).min(STOPS.len() - 2);
    let (a, b, share) = (STOPS[from], STOPS[from + 1], place - from as f64);
    let mix = |a: f64, b: f64| (a + (b - a) * share).round() as u8;
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Size of a picture of a scene.
const SCENE: (u32, u32) = (800, 600);

/// The contours with axes and legend, and the square on it that the window fills, in units of the grid: left, top, right, bottom.
fn ground(scene: &Scene) -> Result<(String, [f64; 4])> {
    let [left, right, low, high] = scene.surface.window;
    fonts();
    let (mut text, mut frame) = (String::new(), [0.0; 4]);
    {
        let root = SVGBackend::with_string(&mut text, (SCENE.0 * FINE, SCENE.1 * FINE)).into_drawing_area();
        let drawn = root.fill(&WHITE).map_err(|error| error.to_string()).and_then(|()| {
            let (area, side) = root.split_horizontally(SCENE.0 * FINE - LEGEND);
            legend_of(scene, &side)?;
            let said = |error: DrawingAreaErrorKind<_>| error.to_string();
            caption(&area, &title(scene))?;
            let mut plane = ChartBuilder::on(&area)
                .margin(pt(12))
                .margin_top(CAPTION)
                .x_label_area_size(pt(44))
                .y_label_area_size(pt(60))
                .build_cartesian_2d(left..right, low..high)
                .map_err(said)?;
            plane
                .configure_mesh()
                .disable_mesh()
                .x_desc(scene.axes[0])
                .y_desc(scene.axes[1])
                .axis_desc_style((FAMILY, pt(14)).into_font().color(&GREY))
                .label_style((FAMILY, pt(13)).into_font().color(&GREY))
                .axis_style(GREY.stroke_width(FINE))
                .set_all_tick_mark_size(pt(4))
                .x_label_formatter(&|value| short(if value.abs() < 1e-12 { 0.0 } else { *value }))
                .y_label_formatter(&|value| short(if value.abs() < 1e-12 { 0.0 } else { *value }))
                .draw()
                .map_err(said)?;
            let ((x0, y1), (x1, y0)) = (plane.backend_coord(&(left, low)), plane.backend_coord(&(right, high)));
            frame = [x0, y0, x1, y1].map(f64::from);
            Ok(())
        });
        drawn.and_then(|()| root.present().map_err(|error| error.to_string())).map_err(Error::Asked)?;
    }
    // the plotting crate fills no areas with holes; the bands go between the white ground and the axes
    let behind = text.find("/>").map_or(text.len(), |at| at + 2);
    let to = to_pixel(scene, frame);
    let mut bands = String::new();
    for band in &scene.bands {
        let (r, g, b) = band.fill;
        let _ = write!(
            bands,
            "<path fill=\"#{r:02x}{g:02x}{b:02x}\" stroke=\"#ffffff\" stroke-width=\"{}\" fill-rule=\"evenodd\" d=\"",
            FINE / 2
        );
        for ring in &band.rings {
            for (i, [x, y]) in ring.iter().enumerate() {
                let (x, y) = to(*x, *y);
                let _ = write!(bands, "{}{x:.0} {y:.0}", if i == 0 { "M" } else { "L" });
            }
            bands.push('Z');
        }
        bands.push_str("\"/>");
    }
    for [x, y] in scene.surface.minima.iter().filter(|minimum| inside(scene, minimum[0], minimum[1])) {
        let ((x, y), arm) = (to(*x, *y), f64::from(pt(6)));
        let (x0, x1, y0, y1) = (x - arm, x + arm, y - arm, y + arm);
        let _ = write!(
            bands,
            "<path stroke=\"#1a1a1a\" stroke-width=\"{FINE}\" d=\"M{x0:.0} {y:.0}L{x1:.0} {y:.0}M{x:.0} {y0:.0}L{x:.0} {y1:.0}\"/>"
        );
    }
    text.insert_str(behind, &bands);
    Ok((text, frame))
}

fn title(scene: &Scene) -> String {
    let Surface { name, formula, .. } = &scene.surface;
    let text = if name == formula || name.contains(' ') { name.clone() } else { format!("{name}: {formula}") };
    if text.chars().count() > 62 { name.chars().take(62).collect() } else { text }
}

fn legend_of(scene: &Scene, area: &Area<'_>) -> std::result::Result<(), String> {
    let labels: Vec<String> = scene.paths.iter().map(|path| format!("{}\n{}", path.label, path.brief)).collect();
    let mut items: Vec<_> = labels.iter().zip(&scene.paths).map(|(label, path)| (label.as_str(), Key::Line(path.style, true))).collect();
    if scene.holes {
        items.push(("not defined here", Key::Hole));
    }
    if scene.paths.iter().any(|path| path.diverged.is_some()) {
        items.push(("× left, or diverged", Key::Text));
    }
    if !scene.surface.minima.is_empty() {
        items.push(("+ minimum", Key::Text));
    }
    legend(items, false, area)
}

fn inside(scene: &Scene, x: f64, y: f64) -> bool {
    scene.surface.outside(x, y) == 0.0
}

fn to_pixel(scene: &Scene, [x0, y0, x1, y1]: [f64; 4]) -> impl Fn(f64, f64) -> (f64, f64) {
    let [left, right, low, high] = scene.surface.window;
    move |x, y| (x0 + (x1 - x0) * (x - left) / (right - left), y1 + (y0 - y1) * (y - low) / (high - low))
}

/// The paths up to a step, as elements of an SVG.
fn paths(scene: &Scene, frame: [f64; 4], step: usize) -> String {
    let (mut svg, to) = (String::new(), to_pixel(scene, frame));
    let mut heads = String::new();
    for path in scene.upwards() {
        let points = &path.points[..path.points.len().min(step + 1)];
        let (color, dashes) =
            (path.style.hex(), path.style.dashes().iter().map(|dash| (dash * FINE).to_string()).collect::<Vec<_>>().join(" "));
        let mut d = String::new();
        let mut last = None;
        for pair in points.windows(2) {
            let Some((from, end)) = clipped(scene.surface.window, pair[0], pair[1]) else {
                last = None;
                continue;
            };
            let ((x, y), (to_x, to_y)) = (to(from[0], from[1]), to(end[0], end[1]));
            let _ = if last == Some(from) { write!(d, "L{to_x:.0} {to_y:.0}") } else { write!(d, "M{x:.0} {y:.0}L{to_x:.0} {to_y:.0}") };
            last = Some(end);
        }
        let _ = write!(
            svg,
            "<path fill=\"none\" stroke=\"{color}\" stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-dasharray=\"{}\" d=\"{d}\"/>",
            2 * FINE,
            if dashes.is_empty() { "none" } else { &dashes }
        );
        let ended = step + 1 >= path.points.len();
        let head = points.last().filter(|point| inside(scene, point[0], point[1])).map(|point| [point[0], point[1]]);
        let _ = match (head.or(last), &path.diverged) {
            (Some([x, y]), Some(_)) if ended => {
                let ((x, y), arm) = (to(x, y), f64::from(pt(5)));
                let (x0, x1, y0, y1) = (x - arm, x + arm, y - arm, y + arm);
                write!(
                    heads,
                    "<path stroke=\"{color}\" stroke-width=\"{}\" d=\"M{x0:.0} {y0:.0}L{x1:.0} {y1:.0}M{x0:.0} {y1:.0}L{x1:.0} {y0:.0}\"/>",
                    3 * FINE
                )
            }
            (Some([x, y]), _) if head.is_some() => {
                let (x, y) = to(x, y);
                // a dashed line has a hollow end
                let (fill, edge, width) = if path.style.dash > 0 { ("#ffffff", color.as_str(), 2) } else { (color.as_str(), "#ffffff", 1) };
                write!(
                    heads,
                    "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{}\" fill=\"{fill}\" stroke=\"{edge}\" stroke-width=\"{}\"/>",
                    pt(4),
                    width * FINE
                )
            }
            _ => Ok(()),
        };
    }
    let (x, y) = to(scene.surface.start[0], scene.surface.start[1]);
    let _ =
        write!(heads, "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{}\" fill=\"#ffffff\" stroke=\"#1a1a1a\" stroke-width=\"{FINE}\"/>", pt(3));
    svg + &heads
}

/// What of a line is within a window, after Liang and Barsky.
fn clipped([left, right, low, high]: [f64; 4], a: [f64; 3], b: [f64; 3]) -> Option<([f64; 2], [f64; 2])> {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let (mut enters, mut leaves) = (0.0f64, 1.0f64);
    for (way, room) in [(-dx, a[0] - left), (dx, right - a[0]), (-dy, a[1] - low), (dy, high - a[1])] {
        match way {
            0.0 if room < 0.0 => return None,
            0.0 => {}
            way if way < 0.0 => enters = enters.max(room / way),
            way => leaves = leaves.min(room / way),
        }
    }
    let at = |share: f64| [a[0] + share * dx, a[1] + share * dy];
    let whole = |share: f64, own: [f64; 2]| if share == 0.0 || share == 1.0 { own } else { at(share) };
    // not `enters > leaves`, which NaN would pass
    (enters <= leaves).then(|| (whole(enters, [a[0], a[1]]), whole(leaves, [b[0], b[1]])))
}

/// Paths on the contours.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn contour(scene: &Scene) -> Result<String> {
    let (mut svg, frame) = ground(scene)?;
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    svg.insert_str(end, &paths(scene, frame, scene.steps()));
    Ok(sized(&svg, SCENE))
}

/// The elements grow with the picture: drawn on the fine grid, shown at its size.
fn sized(svg: &str, size: (u32, u32)) -> String {
    let fine = format!("width=\"{}\" height=\"{}\"", size.0 * FINE, size.1 * FINE);
    svg.replacen(&fine, &format!("width=\"{}\" height=\"{}\"", size.0, size.1), 1)
}

/// Cells of the relief along each axis.
const CELLS: usize = 44;

/// Paths on the surface, seen from above and the side. Heights that span much are logarithms, as the axis says.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn relief(scene: &Scene) -> Result<String> {
    let [left, right, low, high] = scene.surface.window;
    let along = |from: f64, to: f64, i: usize| from + (to - from) * i as f64 / CELLS as f64;
    let side = CELLS + 1;
    let (xs, ys): (Vec<f64>, Vec<f64>) = (0..side * side).map(|at| (along(left, right, at % side), along(low, high, at / side))).unzip();
    let heights = scene.surface.grid(&xs, &ys);
    let mut sorted: Vec<f64> = heights.iter().copied().filter(|height| height.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(lowest), Some(highest)) = (sorted.first().copied(), sorted.last().copied()) else { return Ok(String::new()) };
    let steep = highest - lowest > 30.0 * (sorted[sorted.len() / 2] - lowest);
    let drawn = |height: f64| if steep { (1.0 + (height - lowest).max(0.0)).log10() } else { height };
    let (bottom, top) = padded(drawn(lowest), drawn(highest).max(drawn(lowest) + 1e-9));
    fonts();
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (SCENE.0 * FINE, SCENE.1 * FINE)).into_drawing_area();
        let done = root.fill(&WHITE).map_err(|error| error.to_string()).and_then(|()| {
            let (area, key) = root.split_horizontally(SCENE.0 * FINE - LEGEND);
            legend_of(scene, &key)?;
            let said = |error: DrawingAreaErrorKind<_>| error.to_string();
            let height = if steep { "height: log10(1 + f - lowest f)" } else { "height: f" };
            caption(&area, &format!("{}, {height}", scene.surface.name))?;
            let mut space = ChartBuilder::on(&area)
                .margin(pt(12))
                .margin_top(CAPTION)
                .build_cartesian_3d(left..right, bottom..top, low..high)
                .map_err(said)?;
            space.with_projection(|mut projection| {
                (projection.yaw, projection.pitch, projection.scale) = (0.6, 0.5, 0.72);
                projection.into_matrix()
            });
            space
                .configure_axes()
                .x_formatter(&|value| named(scene.axes[0], *value, right))
                .y_formatter(&|value| short(*value))
                .z_formatter(&|value| named(scene.axes[1], *value, high))
                .label_style((FAMILY, pt(12)).into_font().color(&GREY))
                .light_grid_style(WHITE.mix(0.0))
                .bold_grid_style(RGBColor(225, 225, 225).stroke_width(FINE))
                .axis_panel_style(WHITE.filled())
                .max_light_lines(1)
                .draw()
                .map_err(said)?;
            let corner = |i: usize, j: usize| {
                let at = j * side + i;
                (xs[at], drawn(heights[at]), ys[at])
            };
            // from the back to the front, as seen
            let mut cells: Vec<(usize, usize)> = (0..CELLS * CELLS).map(|at| (at % CELLS, at / CELLS)).collect();
            cells.sort_by(|a, b| f64::total_cmp(&depth(*b), &depth(*a)));
            let hole = |(i, j): &(usize, usize)| {
                [(0, 0), (1, 0), (0, 1), (1, 1)].iter().any(|(a, b)| !heights[(j + b) * side + i + a].is_finite())
            };
            for (i, j) in cells.into_iter().filter(|cell| !hole(cell)) {
                let corners = vec![corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)];
                let share = (corners.iter().map(|corner| corner.1).sum::<f64>() / 4.0 - bottom) / (top - bottom);
                let (r, g, b) = super::scene::shade(share.clamp(0.0, 1.0));
                let outline = corners.iter().copied().chain([corners[0]]).collect::<Vec<_>>();
                space.draw_series([Polygon::new(corners, RGBColor(r, g, b).filled())]).map_err(said)?;
                space.draw_series([PathElement::new(outline, RGBColor(150, 165, 185).stroke_width(FINE / 2))]).map_err(said)?;
            }
            for path in scene.upwards() {
                let pixel = |[x, y, f]: &[f64; 3]| space.plotting_area().map_coordinate(&(*x, drawn(*f).clamp(bottom, top), *y));
                let visible = |[x, y, f]: &[f64; 3]| inside(scene, *x, *y) && f.is_finite();
                for piece in path.points.split(|point| !visible(point)) {
                    stroke(&area, &piece.iter().map(pixel).collect::<Vec<_>>(), path.style, 2)?;
                }
                let color = rgb(path.style);
                // from the last point within the window to its edge
                let inner = path.points.iter().rposition(visible);
                let out = inner.and_then(|at| Some((path.points[at], *path.points.get(at + 1)?)));
                let edge = out.and_then(|(a, b)| clipped(scene.surface.window, a, b)).map(|(_, [x, y])| [x, y, scene.surface.at(x, y)]);
                if let (Some((a, _)), Some(edge)) = (out, edge.filter(|edge| edge[2].is_finite())) {
                    stroke(&area, &[pixel(&a), pixel(&edge)], path.style, 2)?;
                }
                match (inner.map(|at| path.points[at]), edge) {
                    (_, Some(end)) | (Some(end), None) if path.diverged.is_some() => {
                        area.draw(&Cross::new(pixel(&end), pt(5), color.stroke_width(3 * FINE))).map_err(said)?;
                    }
                    (Some(end), None) => area.draw(&Circle::new(pixel(&end), pt(4), color.filled())).map_err(said)?,
                    _ => {}
                }
            }
            Ok(())
        });
        done.and_then(|()| root.present().map_err(|error| error.to_string())).map_err(Error::Asked)?;
    }
    Ok(sized(&text, SCENE))
}

/// A label of the relief's axes; those of both would meet in the corner where the two end.
fn named(axis: &str, value: f64, end: f64) -> String {
    if value >= end { String::new() } else { format!("{axis} = {}", short(value)) }
}

/// How far back a cell is, at the angle of the relief.
fn depth((i, j): (usize, usize)) -> f64 {
    j as f64 * 0.6f64.cos() - i as f64 * 0.6f64.sin()
}

/// Width of the animation, as a share of the picture.
const SMALL: f32 = 0.8;
/// Hundredths of a second for a picture, and for the last.
const PAUSE: (u16, u16) = (8, 250);

/// The contour picture at these steps, one after another, again and again.
///
/// # Errors
/// If it cannot be drawn.
pub fn gif(scene: &Scene, steps: &[usize]) -> Result<Vec<u8>> {
    let (background, frame) = ground(scene)?;
    let wrong = |error: String| Error::Asked(format!("cannot make the animation: {error}"));
    let still = pixels(&sized(&background, SCENE), SMALL, None)?;
    let (width, height) = (still.width() as u16, still.height() as u16);
    let rgba = |step: usize| -> Result<Vec<u8>> {
        let (w, h) = (SCENE.0 * FINE, SCENE.1 * FINE);
        let over = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {w} {h}\">{}\
             <text x=\"{}\" y=\"{}\" font-family=\"{FAMILY}\" font-size=\"{}\" fill=\"#5a5a5a\">step {step}</text></svg>",
            SCENE.0,
            SCENE.1,
            paths(scene, frame, step),
            w - LEGEND + pt(6) as u32,
            h - pt(20) as u32,
            pt(14),
        );
        Ok(pixels(&over, SMALL, Some(&still))?.take())
    };
    // one palette for all pictures, or lines would change their colours; those of the lines have a place of their own in it
    let lines = scene.paths.iter().flat_map(|path| [&rgb(path.style)].map(|color| [color.0, color.1, color.2, 255]));
    let lines: Vec<[u8; 4]> = lines.collect();
    let learnt = color_quant::NeuQuant::new(1, 256 - lines.len().min(128), &rgba(scene.steps())?);
    let palette: Vec<u8> = lines.iter().flat_map(|color| color[..3].to_vec()).chain(learnt.color_map_rgb()).collect();
    let index = |color: &[u8]| {
        let own = lines.iter().position(|line| line[..3] == color[..3]);
        own.unwrap_or_else(|| lines.len() + learnt.index_of(color)) as u8
    };
    let picture = |step: &usize| -> Result<gif::Frame<'static>> {
        let indices: Vec<u8> = rgba(*step)?.chunks_exact(4).map(index).collect();
        let delay = if steps.last() == Some(step) { PAUSE.1 } else { PAUSE.0 };
        Ok(gif::Frame { width, height, delay, buffer: indices.into(), ..gif::Frame::default() })
    };
    let pictures: Vec<gif::Frame<'static>> = steps.par_iter().map(picture).collect::<Result<_>>()?;
    let mut bytes = Vec::new();
    {
        let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).map_err(|error| wrong(error.to_string()))?;
        encoder.set_repeat(gif::Repeat::Infinite).map_err(|error| wrong(error.to_string()))?;
        for picture in &pictures {
            encoder.write_frame(picture).map_err(|error| wrong(error.to_string()))?;
        }
    }
    Ok(bytes)
}

/// The picture as PNG, at twice the size.
///
/// # Errors
/// If the text is no SVG.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    pixels(svg, 2.0, None)?.encode_png().map_err(|error| Error::Asked(format!("cannot make a PNG: {error}")))
}

/// An SVG as pixels, over others if there are some.
fn pixels(svg: &str, scale: f32, over: Option<&tiny_skia::Pixmap>) -> Result<tiny_skia::Pixmap> {
    static KNOWN: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        Arc::new(fonts)
    });
    let options = usvg::Options { fontdb: KNOWN.clone(), font_family: FAMILY.into(), ..Default::default() };
    let wrong = |error: String| Error::Asked(format!("cannot make pixels of a picture: {error}"));
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| wrong(error.to_string()))?;
    let size = tree.size();
    let mut pixels = match over {
        Some(pixels) => pixels.clone(),
        None => tiny_skia::Pixmap::new((size.width() * scale) as u32, (size.height() * scale) as u32)
            .ok_or_else(|| wrong("no memory".into()))?,
    };
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}
