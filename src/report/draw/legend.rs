//! The legend at the right of a picture.

use plotters::prelude::*;

use super::canvas::{Area, FINE, GREY, LEGEND_WIDTH, drawing_error, font, pt};
use super::color::line_color;
use super::marks;
use super::stroke::stroke;
use crate::chart::Style;
use crate::error::Result;

/// An entry of a legend.
pub struct LegendEntry {
    /// the mark before the text
    pub mark: LegendMark,
    /// what follows a line break is smaller
    pub text: String,
}

/// The mark before an entry of a legend.
#[derive(Clone, Copy)]
pub enum LegendMark {
    /// a short line
    Line(Style),
    /// a short line with the mark of its style
    MarkedLine(Style),
    /// a dot
    Dot(Style),
    /// an empty square
    Square,
    /// nothing
    Blank,
}

impl LegendEntry {
    /// A text without a mark.
    pub fn text(text: &str) -> LegendEntry {
        LegendEntry { mark: LegendMark::Blank, text: text.into() }
    }
}

/// Height of a line of text, in units.
const LINE_HEIGHT: i32 = pt(17);

/// Draws the entries from the top.
pub fn legend(entries: &[LegendEntry], area: &Area<'_>) -> Result<()> {
    let lines: i32 = entries.iter().map(|entry| entry.text.split('\n').count() as i32).sum();
    // the gaps shrink where there are many entries
    let free_height = area.dim_in_pixel().1 as i32 - pt(52) - lines * LINE_HEIGHT;
    let gap = (free_height / entries.len().max(1) as i32).clamp(0, pt(10));
    let mut y = pt(44);
    for entry in entries {
        draw_mark(entry.mark, y, area)?;
        y = draw_text(&entry.text, y, area)? + gap;
    }
    Ok(())
}

fn draw_mark(mark: LegendMark, y: i32, area: &Area<'_>) -> Result<()> {
    match mark {
        LegendMark::Line(style) => {
            return stroke(area, &[(pt(6), y + pt(7)), (pt(30), y + pt(7))], style, 3);
        }
        LegendMark::MarkedLine(style) => {
            stroke(area, &[(pt(6), y + pt(7)), (pt(30), y + pt(7))], style, 3)?;
            return marks::draw_mark(area, (pt(18), y + pt(7)), style);
        }
        LegendMark::Dot(style) => {
            area.draw(&Circle::new((pt(18), y + pt(7)), pt(3), line_color(style).filled()))
        }
        LegendMark::Square => {
            let corners = [(pt(12), y + pt(1)), (pt(24), y + pt(13))];
            area.draw(&Rectangle::new(corners, GREY.stroke_width(FINE)))
        }
        LegendMark::Blank => Ok(()),
    }
    .map_err(drawing_error)
}

/// Draws a text with its top at `y` and returns where the next one can start. A line that is too
/// long is drawn in smaller letters.
fn draw_text(text: &str, mut y: i32, area: &Area<'_>) -> Result<i32> {
    let max_width = LEGEND_WIDTH as i32 - pt(40);
    for (i, line) in text.split('\n').enumerate() {
        let (size, color) = if i == 0 { (pt(14), &BLACK) } else { (pt(12), &GREY) };
        let (width, _) =
            area.estimate_text_size(line, &font(size, color)).map_err(drawing_error)?;
        let width = width as i32;
        let size = if width > max_width { size * max_width / width } else { size };
        area.draw(&Text::new(line, (pt(36), y), font(size, color))).map_err(drawing_error)?;
        y += LINE_HEIGHT;
    }
    Ok(y)
}
