//! Colours of lines, heights and cells.

use plotters::style::RGBColor;

use crate::chart::{PALETTE, Style};

/// The colour of a line.
pub fn line_color(style: Style) -> RGBColor {
    let (r, g, b) = PALETTE[style.color];
    RGBColor(r, g, b)
}

/// The colour of a height between the lowest (0) and the highest (1): from nearly white to a blue
/// grey that is pale enough for every line to stand out.
pub fn height_color(share: f64) -> (u8, u8, u8) {
    let mix = |low: f64, high: f64| (low + (high - low) * share).round() as u8;
    (mix(250.0, 186.0), mix(252.0, 202.0), mix(253.0, 219.0))
}

/// The colour of a cell of a heat map between the lowest value (0) and the highest (1): from pale
/// yellow over orange to dark red. The brightness falls all the way, so the map can be read
/// without colours.
pub fn heat_color(share: f64) -> RGBColor {
    const STOPS: [(f64, f64, f64); 4] =
        [(255.0, 247.0, 219.0), (253.0, 190.0, 116.0), (222.0, 92.0, 48.0), (110.0, 16.0, 32.0)];
    let position = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let stop = (position as usize).min(STOPS.len() - 2);
    let (a, b, share) = (STOPS[stop], STOPS[stop + 1], position - stop as f64);
    let mix = |a: f64, b: f64| (a + (b - a) * share).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
