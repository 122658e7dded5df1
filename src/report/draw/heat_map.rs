//! Heat maps: pale is low, and each cell shows its number.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, Area, CHART_SIZE, GREY, drawing_error, font, pt};
use super::color::heat_color;
use crate::chart::{EXPLODED, HeatMap, short};
use crate::error::Result;

/// Width of the labels of the rows, in points.
const LABEL_WIDTH: i32 = 170;
/// Height of a cell in points.
const CELL_HEIGHT: i32 = 40;
/// Margin at the right, in points.
const MARGIN: i32 = 24;
/// Where the cells start, in units.
const LEFT: i32 = pt(LABEL_WIDTH);
const TOP: i32 = pt(44);

/// The heat map as SVG.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn heat_map(map: &HeatMap) -> Result<String> {
    let rows = map.rows.len() as i32;
    let size = (CHART_SIZE.0, (110 + CELL_HEIGHT * rows) as u32);
    let columns = map.columns.len().max(1) as i32;
    let cell_width = pt(CHART_SIZE.0 as i32 - LABEL_WIDTH - MARGIN) / columns;
    let scale = ColorScale::of(map);
    canvas::svg(size, |area| {
        canvas::title(area, &map.title)?;
        for (i, (label, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
            let y = TOP + pt(CELL_HEIGHT * i as i32);
            let middle = y + pt(CELL_HEIGHT / 2);
            text(area, label, (LEFT - pt(8), middle), (13, &GREY), HPos::Right)?;
            for (j, value) in cells.iter().enumerate() {
                let x = LEFT + cell_width * j as i32;
                let cell = Cell { value: *value, share: scale.share(*value) };
                cell.draw(area, (x, y), cell_width)?;
            }
        }
        let bottom = TOP + pt(CELL_HEIGHT * rows);
        draw_columns(map, area, cell_width, bottom)
    })
}

/// Draws what stands below the cells.
fn draw_columns(map: &HeatMap, area: &Area<'_>, cell_width: i32, bottom: i32) -> Result<()> {
    for (j, label) in map.columns.iter().enumerate() {
        let x = LEFT + cell_width * j as i32 + cell_width / 2;
        text(area, label, (x, bottom + pt(12)), (13, &GREY), HPos::Center)?;
    }
    let columns = map.columns.len().max(1) as i32;
    let middle = LEFT + cell_width * columns / 2;
    text(area, &map.x, (middle, bottom + pt(36)), (14, &GREY), HPos::Center)?;
    if map.cells.iter().flatten().flatten().any(|value| value.is_infinite()) {
        let right = pt(CHART_SIZE.0 as i32 - MARGIN);
        text(area, "× diverged", (right, bottom + pt(36)), (13, &BLACK), HPos::Right)?;
    }
    Ok(())
}

/// How numbers become colours.
pub struct ColorScale {
    /// the lowest number
    pub low: f64,
    /// the highest number that has not exploded
    pub high: f64,
    /// numbers that differ by more than a factor of 3 are shown by their logarithms
    logarithmic: bool,
}

impl ColorScale {
    /// The scale of the numbers of a map.
    pub fn of(map: &HeatMap) -> ColorScale {
        let finite = || map.cells.iter().flatten().flatten().copied().filter(|v| v.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        // an exploded number would make all others pale
        let high = finite()
            .filter(|v| low <= 0.0 || *v <= EXPLODED * low)
            .fold(f64::NEG_INFINITY, f64::max);
        ColorScale { low, high, logarithmic: low > 0.0 && high > 3.0 * low }
    }

    /// Where a number is between the lowest (0) and the highest (1).
    pub fn share(&self, value: Option<f64>) -> f64 {
        let Some(value) = value.filter(|v| v.is_finite() && self.high > self.low) else {
            return 0.0;
        };
        let position = |v: f64| if self.logarithmic { v.ln() } else { v };
        let (low, high) = (position(self.low), position(self.high));
        ((position(value) - low) / (high - low)).min(1.0)
    }
}

struct Cell {
    value: Option<f64>,
    share: f64,
}

impl Cell {
    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32), width: i32) -> Result<()> {
        let (fill, word) = match self.value {
            Some(v) if v.is_finite() => (heat_color(self.share), short(v)),
            Some(_) => (RGBColor(225, 225, 225), "×".into()),
            None => (WHITE, "-".into()),
        };
        let corners = [(x, y), (x + width - pt(1), y + pt(CELL_HEIGHT - 1))];
        area.draw(&Rectangle::new(corners, fill.filled())).map_err(drawing_error)?;
        let color = if self.share > 0.6 { &WHITE } else { &BLACK };
        let middle = (x + width / 2, y + pt(CELL_HEIGHT / 2));
        text(area, &word, middle, (13, color), HPos::Center)
    }
}

/// Draws a text, vertically centred, in a size in points.
fn text(
    area: &Area<'_>,
    text: &str,
    position: (i32, i32),
    (size, color): (i32, &RGBColor),
    align: HPos,
) -> Result<()> {
    let style = font(pt(size), color).pos(Pos::new(align, VPos::Center));
    area.draw(&Text::new(text, position, style)).map_err(drawing_error)
}
