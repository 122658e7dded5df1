//! Heat maps: pale is low, and each cell shows its number.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, Area, FINE, GREY, drawing_error, font, pt};
use super::color::heat_color;
use crate::chart::{HeatMap, short};
use crate::error::Result;

/// Width and height of a cell, in points.
const CELL: (i32, i32) = (60, 30);
/// Height above the cells and below them, in points.
const TOP: i32 = 40;
const BELOW: i32 = 88;
/// Margin at the right, in points.
const MARGIN: i32 = 16;
/// Size of the colour bar, in points.
const BAR: (i32, i32) = (160, 10);
/// Steps of the colour bar.
const BAR_STEPS: i32 = 32;

/// Where the parts of a map are, in units.
struct Layout {
    left: i32,
    cell: (i32, i32),
    right: i32,
    bottom: i32,
}

/// The heat map as SVG.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn heat_map(map: &HeatMap) -> Result<String> {
    let (rows, columns) = (map.rows.len() as i32, map.columns.len().max(1) as i32);
    let labels = map.rows.iter().map(|label| label.chars().count()).max().unwrap_or(0) as i32;
    let label_width = (8 * labels + 16).clamp(60, 240);
    let least = (9 * map.title.chars().count() as i32 + 40).max(340);
    let width = (label_width + columns * CELL.0 + MARGIN).max(least);
    let layout = Layout {
        left: pt(label_width),
        cell: (pt(width - label_width - MARGIN) / columns, pt(CELL.1)),
        right: pt(width - MARGIN),
        bottom: pt(TOP + CELL.1 * rows),
    };
    canvas::svg((width as u32, (TOP + CELL.1 * rows + BELOW) as u32), |area| {
        let middle = (pt(width) / 2, pt(16));
        text(area, &map.title, middle, (15, &BLACK), HPos::Center)?;
        draw_cells(map, area, &layout)?;
        draw_columns(map, area, &layout)?;
        if map.colors.low.is_finite() { draw_bar(map, area, &layout) } else { Ok(()) }
    })
}

fn draw_cells(map: &HeatMap, area: &Area<'_>, layout: &Layout) -> Result<()> {
    let corner = |row: usize, column: usize| {
        (layout.left + layout.cell.0 * column as i32, pt(TOP) + layout.cell.1 * row as i32)
    };
    for (row, (label, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
        let middle = corner(row, 0).1 + layout.cell.1 / 2;
        text(area, label, (layout.left - pt(8), middle), (13, &GREY), HPos::Right)?;
        for (column, value) in cells.iter().enumerate() {
            let cell = Cell { value: *value, share: map.colors.share(*value) };
            cell.draw(area, corner(row, column), layout.cell)?;
        }
    }
    for (row, column) in &map.best {
        let (x, y) = corner(*row, *column);
        let (right, below) = (x + layout.cell.0 - pt(1), y + layout.cell.1 - pt(1));
        let outline = [(x, y), (right, y), (right, below), (x, below), (x, y), (right, y)];
        let outline = PathElement::new(outline, BLACK.stroke_width(2 * FINE));
        area.draw(&outline).map_err(drawing_error)?;
    }
    Ok(())
}

/// Draws what stands below the cells.
fn draw_columns(map: &HeatMap, area: &Area<'_>, layout: &Layout) -> Result<()> {
    for (j, label) in map.columns.iter().enumerate() {
        let x = layout.left + layout.cell.0 * j as i32 + layout.cell.0 / 2;
        text(area, label, (x, layout.bottom + pt(11)), (13, &GREY), HPos::Center)?;
    }
    let middle = (layout.left + layout.right) / 2;
    text(area, &map.x, (middle, layout.bottom + pt(31)), (14, &GREY), HPos::Center)
}

/// Draws the colours with their numbers, and what a cross is.
fn draw_bar(map: &HeatMap, area: &Area<'_>, layout: &Layout) -> Result<()> {
    let (top, step) = (layout.bottom + pt(50), pt(BAR.0) / BAR_STEPS);
    let left = layout.left;
    let right = left + step * BAR_STEPS;
    for i in 0..BAR_STEPS {
        // each step reaches to the end of the bar, so there are no gaps
        let corners = [(left + step * i, top), (right, top + pt(BAR.1))];
        let fill = heat_color(f64::from(i) / f64::from(BAR_STEPS - 1)).filled();
        area.draw(&Rectangle::new(corners, fill)).map_err(drawing_error)?;
    }
    let edge = Rectangle::new([(left, top), (right, top + pt(BAR.1))], GREY.stroke_width(FINE / 2));
    area.draw(&edge).map_err(drawing_error)?;
    let below = top + pt(BAR.1 + 11);
    let (low, high) = (short(map.colors.low), short(map.colors.high));
    let high = if map.colors.capped { format!("{high} and above") } else { high };
    text(area, &low, (left, below), (12, &GREY), HPos::Left)?;
    text(area, &high, (right, below), (12, &GREY), HPos::Right)?;
    if map.colors.logarithmic {
        text(area, "log", (right + pt(6), top + pt(BAR.1 / 2)), (12, &GREY), HPos::Left)?;
    }
    if map.cells.iter().flatten().flatten().any(|value| value.is_infinite()) {
        text(area, "× diverged", (layout.right, below), (12, &BLACK), HPos::Right)?;
    }
    Ok(())
}

struct Cell {
    value: Option<f64>,
    share: f64,
}

impl Cell {
    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32), size: (i32, i32)) -> Result<()> {
        let (fill, word) = match self.value {
            Some(v) if v.is_finite() => (heat_color(self.share), short(v)),
            Some(_) => (RGBColor(225, 225, 225), "×".into()),
            None => (WHITE, "-".into()),
        };
        let corners = [(x, y), (x + size.0 - pt(1), y + size.1 - pt(1))];
        area.draw(&Rectangle::new(corners, fill.filled())).map_err(drawing_error)?;
        let color = if self.share > 0.6 { &WHITE } else { &BLACK };
        let middle = (x + size.0 / 2, y + size.1 / 2);
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
