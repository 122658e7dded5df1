//! Paths on a contour map, as elements of an SVG. Written as text, so that the animation can draw
//! them over the same background at each step.

use std::fmt::Write;

use super::canvas::{FINE, pt};
use super::clip::clip;
use super::scene_data::{Scene, ScenePath};
use super::stroke::MANY_POINTS;

/// Where the window of a surface is on a picture.
pub struct Projection {
    /// x from, x to, y from, y to, in coordinates of the surface
    pub window: [f64; 4],
    /// the same window in units of the picture: left, top, right, bottom
    pub frame: [f64; 4],
}

impl Projection {
    /// A point of the surface in units of the picture.
    pub fn pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let [left, right, low, high] = self.window;
        let [x0, y0, x1, y1] = self.frame;
        (x0 + (x1 - x0) * (x - left) / (right - left), y1 + (y0 - y1) * (y - low) / (high - low))
    }
}

/// The paths up to a step; marks lie above all lines.
pub fn paths(scene: &Scene, projection: &Projection, step: usize) -> String {
    let (mut lines, mut marks) = (String::new(), String::new());
    for path in scene.painting_order() {
        let points = &path.points[..path.points.len().min(step + 1)];
        let (outline, last_visible) = outline(points, projection);
        lines += &line_svg(path, &outline);

        let head = points.last().map(|[x, y, _]| [*x, *y]).filter(|[x, y]| scene.contains(*x, *y));
        if path.diverged.is_some() && step + 1 >= path.points.len() {
            if let Some(at) = head.or(last_visible) {
                marks += &cross_svg(path, at, projection);
            }
        } else if let Some(at) = head {
            marks += &head_svg(path, at, projection);
        }
    }
    let [x, y] = scene.surface.start;
    lines + &marks + &start_svg(projection.pixel(x, y))
}

/// The visible part of a path as SVG path data, and the point where it ends if the last line is
/// visible.
fn outline(points: &[[f64; 3]], projection: &Projection) -> (String, Option<[f64; 2]>) {
    let mut data = String::new();
    let mut last = None;
    let is_long = points.len() > MANY_POINTS;
    let mut last_pixel = (f64::NAN, f64::NAN);
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]].map(|[x, y, _]| [x, y]);
        let Some((from, to)) = clip(projection.window, a, b) else {
            last = None;
            continue;
        };
        if last != Some(from) {
            let (x, y) = projection.pixel(from[0], from[1]);
            let _ = write!(data, "M{x:.0} {y:.0}");
        }
        let (x, y) = projection.pixel(to[0], to[1]);
        let pixel = (x.round(), y.round());
        // thousands of points of a long path are on the same pixel
        if !is_long || pixel != last_pixel {
            let _ = write!(data, "L{x:.0} {y:.0}");
        }
        (last, last_pixel) = (Some(to), pixel);
    }
    (data, last)
}

fn line_svg(path: &ScenePath, outline: &str) -> String {
    let dashes: Vec<String> =
        path.style.dashes().iter().map(|dash| (dash * FINE).to_string()).collect();
    let pattern = if dashes.is_empty() { "none".into() } else { dashes.join(" ") };
    format!(
        "<path fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\" \
         stroke-dasharray=\"{pattern}\" d=\"{outline}\"/>",
        path.style.hex(),
        2 * FINE
    )
}

/// The cross of a path that diverged.
fn cross_svg(path: &ScenePath, [x, y]: [f64; 2], projection: &Projection) -> String {
    let ((x, y), arm) = (projection.pixel(x, y), f64::from(pt(5)));
    let (x0, x1, y0, y1) = (x - arm, x + arm, y - arm, y + arm);
    format!(
        "<path stroke=\"{}\" stroke-width=\"{}\" \
         d=\"M{x0:.0} {y0:.0}L{x1:.0} {y1:.0}M{x0:.0} {y1:.0}L{x1:.0} {y0:.0}\"/>",
        path.style.hex(),
        3 * FINE
    )
}

/// The dot at the current end of a path; hollow if the line is dashed.
fn head_svg(path: &ScenePath, [x, y]: [f64; 2], projection: &Projection) -> String {
    let (x, y) = projection.pixel(x, y);
    let color = path.style.hex();
    let (fill, edge, width) = if path.style.dash > 0 {
        ("#ffffff", color.as_str(), 2)
    } else {
        (color.as_str(), "#ffffff", 1)
    };
    circle_svg((x, y), 4, [fill, edge], width * FINE)
}

/// The circle where all paths start.
fn start_svg(center: (f64, f64)) -> String {
    circle_svg(center, 3, ["#ffffff", "#1a1a1a"], FINE)
}

/// A circle: radius in points, colours of area and edge, width of the edge in units.
fn circle_svg((x, y): (f64, f64), radius: i32, [fill, edge]: [&str; 2], width: u32) -> String {
    format!(
        "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{}\" fill=\"{fill}\" stroke=\"{edge}\" \
         stroke-width=\"{width}\"/>",
        pt(radius)
    )
}
