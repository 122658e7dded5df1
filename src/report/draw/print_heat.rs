//! Heat maps for print: no title, all text in 8 pt. A cell shows its number where all of them fit.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, drawing_error};
use super::color::heat_color;
use super::print::{LINE, number, svg, text, text_width, units};
use crate::chart::HeatMap;
use crate::error::Result;

/// Height of a cell and gaps, in points.
const CELL: f64 = 14.0;
const GAP: f64 = 3.0;
const EDGE: f64 = 1.0;
/// Size of the colour bar in points, and its steps.
const BAR: (f64, f64) = (80.0, 6.0);
const BAR_STEPS: usize = 32;

/// Where the parts are, in points.
struct Layout {
    left: f64,
    cell_width: f64,
    bottom: f64,
    width: f64,
}

/// The heat map as SVG, `width` points wide.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn print_heat(map: &HeatMap, width: f64) -> Result<String> {
    let bottom = EDGE + CELL * map.rows.len() as f64;
    let height = bottom + 3.0 * LINE + 4.0 * GAP;
    svg((width, height.ceil()), |area| {
        let labels = map.rows.iter().map(|row| text_width(area, row));
        let label_width = labels.collect::<Result<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
        let left = (EDGE + label_width + GAP).min(width / 2.0);
        let cell_width = (width - EDGE - left) / map.columns.len().max(1) as f64;
        let layout = Layout { left, cell_width, bottom, width };
        draw_cells(map, area, &layout)?;
        draw_columns(map, area, &layout)?;
        draw_bar(map, area, &layout)
    })
}

/// The text of a cell, in two digits.
fn cell_text(value: Option<f64>) -> String {
    match value {
        Some(v) if v.is_finite() => number(format!("{v:.1e}").parse().unwrap_or(v)),
        Some(_) => "×".into(),
        None => String::new(),
    }
}

fn draw_cells(map: &HeatMap, area: &Area<'_>, layout: &Layout) -> Result<()> {
    let scale = map.colors;
    let widths = map.cells.iter().flatten().map(|value| text_width(area, &cell_text(*value)));
    let widest = widths.collect::<Result<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
    let fits = widest + 2.0 < layout.cell_width;
    for (i, (label, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
        let (top, middle) = (EDGE + CELL * i as f64, EDGE + CELL * (i as f64 + 0.5));
        let before = (layout.left - GAP, middle);
        text(area, label, before, &BLACK, (HPos::Right, VPos::Center))?;
        for (j, value) in cells.iter().enumerate() {
            let x = layout.left + layout.cell_width * j as f64;
            let share = scale.share(*value);
            let fill = match value {
                Some(v) if v.is_finite() => heat_color(share),
                Some(_) => RGBColor(225, 225, 225),
                None => WHITE,
            };
            let size = (layout.cell_width - 0.5, CELL - 0.5);
            rectangle(area, (x, top), size, fill)?;
            let color = if share > 0.6 { &WHITE } else { &BLACK };
            let word = cell_text(*value);
            if fits || word == "×" {
                let center = (x + layout.cell_width / 2.0, middle);
                text(area, &word, center, color, (HPos::Center, VPos::Center))?;
            }
        }
    }
    Ok(())
}

/// The labels of the columns. Where they would touch, every second or third is left out.
fn draw_columns(map: &HeatMap, area: &Area<'_>, layout: &Layout) -> Result<()> {
    let labels: Vec<String> = map.columns.iter().map(|label| column_label(label)).collect();
    let widths = labels.iter().map(|label| text_width(area, label));
    let widest = widths.collect::<Result<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
    let every = ((widest + 4.0) / layout.cell_width).ceil().max(1.0) as usize;
    for (j, label) in labels.iter().enumerate().step_by(every) {
        let x = layout.left + layout.cell_width * (j as f64 + 0.5);
        text(area, label, (x, layout.bottom + GAP), &BLACK, (HPos::Center, VPos::Top))?;
    }
    let middle = (layout.left + layout.width - EDGE) / 2.0;
    let below = (middle, layout.bottom + 2.0 * GAP + LINE);
    text(area, &map.x, below, &BLACK, (HPos::Center, VPos::Top))
}

/// A number with a real exponent; another text as it is.
fn column_label(label: &str) -> String {
    label.parse().map_or_else(|_| label.into(), number)
}

/// The colour bar between the lowest and the highest number.
fn draw_bar(map: &HeatMap, area: &Area<'_>, layout: &Layout) -> Result<()> {
    let scale = map.colors;
    // of no finite number, the lowest is infinite
    if scale.low >= scale.high {
        return Ok(());
    }
    let (top, middle) = (layout.bottom + 3.0 * GAP + 2.0 * LINE, LINE / 2.0);
    let center = (layout.left + layout.width - EDGE) / 2.0;
    let step = BAR.0 / BAR_STEPS as f64;
    for i in 0..BAR_STEPS {
        let x = center - BAR.0 / 2.0 + step * i as f64;
        let color = heat_color((i as f64 + 0.5) / BAR_STEPS as f64);
        rectangle(area, (x, top + middle - BAR.1 / 2.0), (step + 0.25, BAR.1), color)?;
    }
    let (low, high) = (cell_text(Some(scale.low)), cell_text(Some(scale.high)));
    let before = (center - BAR.0 / 2.0 - GAP, top + middle);
    text(area, &low, before, &BLACK, (HPos::Right, VPos::Center))?;
    let after = (center + BAR.0 / 2.0 + GAP, top + middle);
    text(area, &high, after, &BLACK, (HPos::Left, VPos::Center))?;
    if map.cells.iter().flatten().flatten().any(|value| value.is_infinite()) {
        let right = (layout.width - EDGE, top + middle);
        text(area, "× diverged", right, &BLACK, (HPos::Right, VPos::Center))?;
    }
    Ok(())
}

fn rectangle(
    area: &Area<'_>,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
    fill: RGBColor,
) -> Result<()> {
    let corners = [(units(x), units(y)), (units(x + width), units(y + height))];
    area.draw(&Rectangle::new(corners, fill.filled())).map_err(drawing_error)
}
