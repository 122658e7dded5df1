//! Marks on lines. Where lines cover each other, each one shows by its marks.

use plotters::prelude::*;

use super::canvas::{Area, FINE, drawing_error, pt};
use super::color::line_color;
use super::stroke::Pixel;
use crate::chart::Style;
use crate::error::Result;

/// Marks on a line that is as wide as the chart.
const ON_LINE: usize = 6;
/// From the middle of a mark to its edge, in units.
const RADIUS: i32 = pt(4);

/// Where the marks of a line are: at equal distances along x. Those of the n-th of several lines are
/// shifted, so that lines with equal values do not cover each other's marks.
pub fn along(pixels: &[Pixel], (n, lines): (usize, usize)) -> Vec<Pixel> {
    let (Some(first), Some(last)) = (pixels.first(), pixels.last()) else { return Vec::new() };
    let shift = (n as f64 + 0.5) / lines.max(1) as f64;
    let place = |mark: usize| {
        let share = (mark as f64 + shift) / ON_LINE as f64;
        at(pixels, f64::from(first.0) + share * f64::from(last.0 - first.0))
    };
    (0..ON_LINE).filter_map(place).collect()
}

/// The point of a line at this x.
fn at(pixels: &[Pixel], x: f64) -> Option<Pixel> {
    let next = pixels.partition_point(|pixel| f64::from(pixel.0) < x).max(1);
    let (a, b) = (pixels.get(next - 1)?, pixels.get(next)?);
    let width = f64::from(b.0 - a.0);
    let share = if width > 0.0 { (x - f64::from(a.0)) / width } else { 0.0 };
    Some((x.round() as i32, a.1 + (share * f64::from(b.1 - a.1)).round() as i32))
}

/// Draws the mark of a style with a thin white edge.
pub fn draw_mark(area: &Area<'_>, (x, y): Pixel, style: Style) -> Result<()> {
    let (fill, edge) = (line_color(style).filled(), WHITE.stroke_width(FINE));
    let r = RADIUS;
    let corners = match style.mark() {
        0 => {
            area.draw(&Circle::new((x, y), r, fill)).map_err(drawing_error)?;
            return area.draw(&Circle::new((x, y), r, edge)).map_err(drawing_error);
        }
        1 => vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
        2 => vec![(x, y - r - r / 4), (x + r + r / 4, y + r), (x - r - r / 4, y + r)],
        3 => vec![(x, y - r - r / 3), (x + r + r / 3, y), (x, y + r + r / 3), (x - r - r / 3, y)],
        _ => vec![(x - r - r / 4, y - r), (x + r + r / 4, y - r), (x, y + r + r / 4)],
    };
    let outline: Vec<Pixel> = corners.iter().copied().chain([corners[0]]).collect();
    area.draw(&Polygon::new(corners, fill)).map_err(drawing_error)?;
    area.draw(&PathElement::new(outline, edge)).map_err(drawing_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_equal_lines_are_at_different_places_of_the_line() {
        let line = [(0, 0), (600, 1200), (1200, 0)];
        let marks: Vec<Vec<Pixel>> = (0..3).map(|n| along(&line, (n, 3))).collect();
        let all: std::collections::BTreeSet<Pixel> = marks.iter().flatten().copied().collect();
        assert_eq!(all.len(), 3 * ON_LINE);
        for (x, y) in all {
            assert!((y - if x < 600 { 2 * x } else { 2400 - 2 * x }).abs() <= 1, "{x} {y}");
        }
        assert!(along(&[], (0, 1)).is_empty());
    }
}
