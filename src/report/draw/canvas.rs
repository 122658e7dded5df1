//! What all pictures share: sizes, the font, the title, and the SVG around the drawing.

use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use crate::chart::short;
use crate::error::{Error, Result};

/// A subset of DejaVu Sans. With it a picture looks the same on a machine without fonts.
pub const FONT: &[u8] = include_bytes!("font/DejaVuSans.ttf");
/// Name of the font.
pub const FAMILY: &str = "DejaVu Sans";

/// Width and height of a line chart, in points.
pub const CHART_SIZE: (u32, u32) = (800, 440);
/// Width and height of a picture of a surface, in points.
pub const SCENE_SIZE: (u32, u32) = (800, 600);
/// Units in a point. The plotting crate rounds to whole units, so it draws on a grid that is finer
/// than points.
pub const FINE: u32 = 8;
/// Width of the legend in units.
pub const LEGEND_WIDTH: u32 = 190 * FINE;
/// Height above a chart for its title, in units.
pub const TITLE_HEIGHT: i32 = pt(40);

/// Axes, labels and everything that is less important.
pub const GREY: RGBColor = RGBColor(90, 90, 90);

/// An area to draw on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Points in units.
pub const fn pt(points: i32) -> i32 {
    points * FINE as i32
}

/// A picture of this size in points, as SVG.
pub fn svg(size: (u32, u32), paint: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    register_fonts();
    let mut svg = String::new();
    {
        let units = (size.0 * FINE, size.1 * FINE);
        let area = SVGBackend::with_string(&mut svg, units).into_drawing_area();
        area.fill(&WHITE).map_err(drawing_error)?;
        paint(&area)?;
        area.present().map_err(drawing_error)?;
    }
    Ok(in_points(&svg, size))
}

/// Gives an SVG its size in points, and its text other fonts where ours is not installed. Its
/// elements stay in units, because the view box does.
fn in_points(svg: &str, size: (u32, u32)) -> String {
    let units = format!("width=\"{}\" height=\"{}\"", size.0 * FINE, size.1 * FINE);
    let svg = svg.replacen(&units, &format!("width=\"{}\" height=\"{}\"", size.0, size.1), 1);
    let fonts = format!("font-family=\"{FAMILY}, Verdana, Arial, sans-serif\"");
    svg.replace(&format!("font-family=\"{FAMILY}\""), &fonts)
}

/// An SVG that says what it shows, for readers who do not see it. `name` makes its ids unique.
pub fn described(svg: &str, name: &str, title: &str, description: &str) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let start = format!("<svg role=\"img\" aria-labelledby=\"{name}-title {name}-about\" ");
    let Some(rest) = svg.split_once("<svg ").map(|(_, rest)| rest) else { return svg.into() };
    let Some((attributes, content)) = rest.split_once('>') else { return svg.into() };
    format!(
        "{start}{attributes}>\n<title id=\"{name}-title\">{}</title>\n\
         <desc id=\"{name}-about\">{}</desc>{content}",
        escaped(title),
        escaped(description)
    )
}

/// Makes the font known to the plotting crate.
fn register_fonts() {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // this fails only if the font is damaged, and then a test fails
        let _ = register_font(FAMILY, FontStyle::Normal, FONT);
    });
}

/// An error of the plotting crate as ours.
pub fn drawing_error<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> Error {
    Error::failed("draw a chart")(error)
}

/// Text of this size in units.
pub fn font(size: i32, color: &RGBColor) -> TextStyle<'static> {
    (FAMILY, size).into_font().color(color)
}

/// Draws the title above a chart, centred. The title of the plotting crate touches the frame,
/// because the distance it keeps is a fixed number of units.
pub fn title(area: &Area<'_>, text: &str) -> Result<()> {
    let style = font(pt(16), &BLACK).pos(Pos::new(HPos::Center, VPos::Top));
    let middle = area.dim_in_pixel().0 as i32 / 2 + pt(24);
    area.draw(&Text::new(text, (middle, pt(12)), style)).map_err(drawing_error)
}

/// The label of a tick on a linear axis. The plotting crate adds up distances between ticks, so a
/// number close to zero is a rounding error.
pub fn linear_tick(value: f64) -> String {
    short(if value.abs() < 1e-12 { 0.0 } else { value })
}

/// A range with a margin at both ends.
pub fn padded(low: f64, high: f64) -> (f64, f64) {
    let margin = 0.04 * (high - low);
    (low - margin, high + margin)
}
