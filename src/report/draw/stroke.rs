//! Solid and dashed lines.

use plotters::prelude::*;

use super::canvas::{Area, FINE, drawing_error};
use super::color::line_color;
use crate::chart::Style;
use crate::error::Result;

/// A point of a picture, in units.
pub type Pixel = (i32, i32);

/// Draws a line through pixels, `width` points wide. The plotting crate itself has dashes of a
/// single length only.
pub fn stroke(area: &Area<'_>, pixels: &[Pixel], style: Style, width: u32) -> Result<()> {
    dashed_stroke(area, pixels, style, width * FINE, 1.0)
}

/// As [`stroke`], with the width in units and the dashes scaled.
pub fn dashed_stroke(
    area: &Area<'_>,
    pixels: &[Pixel],
    style: Style,
    width: u32,
    scale: f64,
) -> Result<()> {
    let pixels = thinned(pixels);
    let pieces = match style.dashes() {
        [] => vec![pixels],
        pattern => dashed(&pixels, pattern, scale),
    };
    let color = line_color(style).stroke_width(width);
    for piece in pieces.into_iter().filter(|piece| piece.len() > 1) {
        area.draw(&PathElement::new(piece, color)).map_err(drawing_error)?;
    }
    Ok(())
}

/// A line with more points is thinned.
pub const MANY_POINTS: usize = 10_000;

/// The same line with fewer points, where it has very many: of those in a row with the same x, the
/// first, the lowest, the highest and the last cover all pixels.
fn thinned(pixels: &[Pixel]) -> Vec<Pixel> {
    if pixels.len() <= MANY_POINTS {
        return pixels.to_vec();
    }
    let mut thin = Vec::new();
    for column in pixels.chunk_by(|a, b| a.0 == b.0) {
        let place = |best: Option<(usize, &Pixel)>| best.map_or(0, |(place, _)| place);
        let rows = || column.iter().enumerate();
        let (lowest, highest) = (
            place(rows().min_by_key(|(_, pixel)| pixel.1)),
            place(rows().max_by_key(|(_, pixel)| pixel.1)),
        );
        let mut places = vec![0, lowest, highest, column.len() - 1];
        places.sort_unstable();
        places.dedup();
        thin.extend(places.into_iter().map(|place| column[place]));
    }
    thin
}

/// The dashes of a line through pixels. The pattern is in points and starts with a dash.
fn dashed(pixels: &[Pixel], pattern: &[u32], scale: f64) -> Vec<Vec<Pixel>> {
    let Some(first) = pixels.first() else { return Vec::new() };
    // even parts are dashes, odd ones are gaps
    let length = |part: usize| f64::from(pattern[part % pattern.len()] * FINE) * scale;
    let (mut dashes, mut dash, mut part) = (Vec::new(), vec![*first], 0);
    let mut left_of_part = length(0);
    for pair in pixels.windows(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let (dx, dy) = (f64::from(to_x - x), f64::from(to_y - y));
        let (segment, mut done) = (dx.hypot(dy), 0.0);
        while segment - done > left_of_part {
            done += left_of_part;
            let pixel = (x + (dx * done / segment) as i32, y + (dy * done / segment) as i32);
            if part % 2 == 0 {
                dash.push(pixel);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![pixel];
            }
            part += 1;
            left_of_part = length(part);
        }
        left_of_part -= segment - done;
        if part % 2 == 0 {
            dash.push((to_x, to_y));
        }
    }
    dashes.push(dash);
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_continue_around_a_corner() {
        let unit = FINE as i32;
        let corner = [(0, 0), (5 * unit, 0), (5 * unit, 5 * unit)];
        let dashes = dashed(&corner, &[4, 2], 1.0);
        assert_eq!(
            dashes,
            [vec![(0, 0), (4 * unit, 0)], vec![(5 * unit, unit), (5 * unit, 5 * unit)]]
        );
    }

    #[test]
    fn a_long_line_is_thinned_to_the_extent_of_each_column() {
        let wave = |i: i32| (i / 1000, (i * 37) % 501);
        let long: Vec<Pixel> = (0..50_000).map(wave).collect();
        let thin = thinned(&long);
        assert!(thin.len() <= 4 * 50, "{}", thin.len());
        assert_eq!((thin.first(), thin.last()), (long.first(), long.last()));
        for x in 0..50 {
            let rows = |line: &[Pixel]| {
                let rows = line.iter().filter(|pixel| pixel.0 == x).map(|pixel| pixel.1);
                (rows.clone().min(), rows.max())
            };
            assert_eq!(rows(&thin), rows(&long), "column {x}");
        }
        assert_eq!(thinned(&long[..10_000]), &long[..10_000]);
    }
}
