//! Paths over a surface: the contour picture, the relief, the animation, and what the page's player is given.

use std::collections::BTreeMap;

use contour::ContourBuilder;
use serde_json::{Value, json};

use super::plot;
use crate::chart::Style;
use crate::error::{Error, Result};
use crate::experiment::grade::Curve;
use crate::record::{Outcome, Task};
use crate::surface::Surface;

/// Points of the grid on which contours are found, along each axis.
const GRID: usize = 121;
/// Bands of equal area between contours, narrower towards the lowest.
const BANDS: usize = 14;
/// Pictures of the animation.
const FRAMES: usize = 60;

/// A surface, and what went down on it.
pub struct Scene {
    /// where they went
    pub surface: Surface,
    /// what its height is, in words or as a formula
    pub height: String,
    /// names of its coordinates
    pub axes: [&'static str; 2],
    /// from the lowest up; at the end, where there is no height, what is left white
    pub bands: Vec<Band>,
    /// whether the surface is not defined everywhere
    pub holes: bool,
    /// one a series
    pub paths: Vec<Path>,
}

/// What lies between two heights.
pub struct Band {
    /// lower edge
    pub from: f64,
    /// upper edge
    pub to: f64,
    /// pale where it is low
    pub fill: (u8, u8, u8),
    /// outlines of its areas, holes too, in coordinates of the surface
    pub rings: Vec<Vec<[f64; 2]>>,
}

/// The way of one optimizer.
pub struct Path {
    /// legend
    pub label: String,
    /// optimizer and learning rate
    pub brief: String,
    /// how it looks
    pub style: Style,
    /// x, y and height after each step, the start first
    pub points: Vec<[f64; 3]>,
    /// the step at which it diverged, and why
    pub diverged: Option<(usize, String)>,
}

impl Scene {
    /// The scene of runs that went over two numbers; nothing for others. Each series is shown by its first seed.
    pub fn of(task: &Task, curves: &[Curve], style: &dyn Fn(usize) -> Style) -> Result<Option<Scene>> {
        let surface = match task {
            Task::Surface { surface, formula, window, start, .. } => {
                let named = Surface::read(surface, Some(*window), Some(*start)).ok().filter(|named| named.formula == *formula);
                match named {
                    Some(named) => named,
                    None => Surface::read(formula, Some(*window), Some(*start))?,
                }
            }
            // the mean over all examples: E x1^2 = E x2^2 = 40.27, E x1 x2 = 33.06
            Task::LeastSquares { .. } => {
                let bowl = "20.135*(x-1)^2+33.0625*(x-1)*(y-2)+20.135*(y-2)^2";
                let mut surface = Surface::read(bowl, Some([-0.5, 2.5, -0.5, 2.5]), Some([0.0, 0.0]))?;
                (surface.name, surface.minima) = ("the loss over all examples".into(), vec![[1.0, 2.0]]);
                surface
            }
            _ => return Ok(None),
        };
        let (height, axes) = match task {
            Task::Surface { .. } => ("value", ["x", "y"]),
            _ => ("loss", ["theta 1", "theta 2"]),
        };
        let words = match task {
            Task::Surface { .. } => surface.formula.clone(),
            _ => "mean over all draws: 20.1 a² + 33.1 a b + 20.1 b² for a = theta 1 − 1, b = theta 2 − 2".into(),
        };
        let path = |(at, curve): (usize, &Curve)| {
            // a series that diverged at every setting is shown by its first one: diverging is what there is to see
            let candidate = curve.chosen().or_else(|| curve.candidates.iter().find(|candidate| !candidate.runs.is_empty()))?;
            let run = candidate.runs.first()?;
            let of = |measures: &BTreeMap<String, f64>| Some([*measures.get("x")?, *measures.get("y")?, *measures.get(height)?]);
            let end = run.end.as_ref().filter(|end| end.outcome == Outcome::Diverged);
            Some(Path {
                label: curve.label.clone(),
                brief: candidate.brief(&curve.swept()),
                style: style(at),
                points: run.points.iter().filter_map(|point| of(&point.measures)).collect(),
                diverged: end.map(|end| (end.step, end.reason.clone().unwrap_or_default())),
            })
        };
        let paths: Vec<Path> = curves.iter().enumerate().filter_map(path).filter(|path| !path.points.is_empty()).collect();
        if paths.is_empty() {
            return Ok(None);
        }
        let (bands, holes) = bands(&surface)?;
        Ok(Some(Scene { surface, height: words, axes, bands, holes, paths }))
    }

    /// The paths in the order they are painted: short ones above long ones, which show where those end, and dashed ones above whole ones.
    pub fn upwards(&self) -> Vec<&Path> {
        let visible = |point: &&[f64; 3]| self.surface.outside(point[0], point[1]) == 0.0;
        let length = |path: &Path| {
            let points: Vec<&[f64; 3]> = path.points.iter().filter(visible).collect();
            points.windows(2).map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1])).sum::<f64>()
        };
        let mut paths: Vec<(f64, &Path)> = self.paths.iter().map(|path| (length(path), path)).collect();
        paths.sort_by(|(a, first), (b, second)| first.style.dash.cmp(&second.style.dash).then(b.total_cmp(a)));
        paths.into_iter().map(|(_, path)| path).collect()
    }

    /// Steps of the longest path.
    pub fn steps(&self) -> usize {
        self.paths.iter().map(|path| path.points.len() - 1).max().unwrap_or(0)
    }

    /// Contour and relief: stem of the file, title, SVG.
    pub fn pictures(&self) -> Result<[(&'static str, &'static str, String); 2]> {
        Ok([("contour", "Paths on the contours", plot::contour(self)?), ("relief", "Paths on the surface", plot::relief(self)?)])
    }

    /// The contour picture step by step, as GIF.
    pub fn animation(&self) -> Result<Vec<u8>> {
        let steps = self.steps();
        let frames = FRAMES.min(steps + 1);
        // where most have arrived long before the last one, the beginning is what there is to see
        let mut lengths: Vec<usize> = self.paths.iter().map(|path| path.points.len()).collect();
        lengths.sort_unstable();
        let power = if lengths[lengths.len() / 2] * 3 < steps { 2.0 } else { 1.0 };
        let at = |frame: usize| ((frame as f64 / (frames - 1).max(1) as f64).powf(power) * steps as f64).round() as usize;
        plot::gif(self, &(0..frames).map(at).collect::<Vec<_>>())
    }

    /// The fragment of the page that plays it.
    pub fn player(&self) -> String {
        let finite = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
        let path = |path: &Path| {
            json!({
                "label": path.label.replace(',', ""),
                "line": path.brief,
                "color": path.style.hex(),
                "dash": path.style.dashes(),
                "points": path.points.iter().map(|[x, y, f]| json!([rounded(*x), rounded(*y), finite(*f)])).collect::<Vec<_>>(),
                "ended": if path.diverged.is_some() { "diverged" } else { "finished" },
                "ended_step": path.diverged.as_ref().map(|(step, _)| step),
                "reason": path.diverged.as_ref().map(|(_, reason)| reason),
            })
        };
        let band = |band: &Band| {
            let (r, g, b) = band.fill;
            let round = |point: &[f64; 2]| json!([rounded(point[0]), rounded(point[1])]);
            let rings: Vec<Vec<Value>> = band.rings.iter().map(|ring| ring.iter().map(round).collect()).collect();
            json!({ "from": finite(band.from), "to": finite(band.to), "fill": format!("#{r:02x}{g:02x}{b:02x}"), "rings": rings })
        };
        let surface = &self.surface;
        let data = json!({
            "axes": self.axes,
            "surface": { "name": surface.name, "formula": self.height, "window": surface.window, "minima": surface.minima },
            "bands": self.bands.iter().map(band).collect::<Vec<_>>(),
            "upwards": self.upwards().iter().map(|path| self.paths.iter().position(|other| other.label == path.label)).collect::<Vec<_>>(),
            "paths": self.paths.iter().map(path).collect::<Vec<_>>(),
        });
        // so that no text of a user's can end the script
        include_str!("player.html").replacen("{{ player_data }}", &data.to_string().replace("</", "<\\/"), 1)
    }
}

/// As many digits as can be seen.
fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// Bands of nearly equal area; and whether a last one, in white, covers cells with heights that are not finite.
fn bands(surface: &Surface) -> Result<(Vec<Band>, bool)> {
    let [left, right, low, high] = surface.window;
    let along = |from: f64, to: f64, i: usize| from + (to - from) * i as f64 / (GRID - 1) as f64;
    let (xs, ys): (Vec<f64>, Vec<f64>) = (0..GRID * GRID).map(|at| (along(left, right, at % GRID), along(low, high, at / GRID))).unzip();
    let heights = surface.grid(&xs, &ys);
    let mut sorted: Vec<f64> = heights.iter().copied().filter(|height| height.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(lowest), Some(highest)) = (sorted.first().copied(), sorted.last().copied()) else { return Ok((Vec::new(), true)) };
    let edge = |band: usize| {
        let share = (band as f64 / BANDS as f64).powf(1.5);
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    };
    let mut edges: Vec<f64> = (0..=BANDS).map(edge).collect();
    edges[0] = lowest - 1e-9 * (1.0 + lowest.abs());
    edges[BANDS] = highest + 1e-9 * (1.0 + highest.abs());
    edges.dedup_by(|b, a| *b <= *a);
    let holes = holes(&heights, &xs, &ys);
    let finite: Vec<f64> = heights.into_iter().map(|height| if height.is_finite() { height } else { highest }).collect();
    // the crate counts from the corner of a cell whose middle has the height
    let (x_step, y_step) = ((right - left) / (GRID - 1) as f64, (high - low) / (GRID - 1) as f64);
    let builder =
        ContourBuilder::new(GRID, GRID, true).x_origin(left - x_step / 2.0).y_origin(low - y_step / 2.0).x_step(x_step).y_step(y_step);
    let made = builder.isobands(&finite, &edges).map_err(|error| Error::Asked(format!("cannot find the contours: {error}")))?;
    let last = made.len().max(2) - 1;
    let band = |(at, made): (usize, contour::Band)| {
        let (areas, from, to) = made.into_inner();
        let inside = |p: &contour::Pt| [p.x.clamp(left, right), p.y.clamp(low, high)];
        let rings = areas.0.iter().flat_map(|area| std::iter::once(area.exterior()).chain(area.interiors()));
        let rings = rings.map(|ring| ring.0.iter().map(inside).collect()).collect();
        Band { from, to, fill: shade(at as f64 / last as f64), rings }
    };
    let mut bands: Vec<Band> = made.into_iter().enumerate().map(band).collect();
    let some = !holes.is_empty();
    if some {
        bands.push(Band { from: f64::NAN, to: f64::NAN, fill: (255, 255, 255), rings: holes });
    }
    Ok((bands, some))
}

/// Cells of the grid with a corner that has no height, neighbours in a row as one rectangle.
fn holes(heights: &[f64], xs: &[f64], ys: &[f64]) -> Vec<Vec<[f64; 2]>> {
    let mut rings = Vec::new();
    for row in 0..GRID - 1 {
        let low = row * GRID;
        let hole = |i: usize| [low + i, low + i + 1, low + GRID + i, low + GRID + i + 1].iter().any(|at| !heights[*at].is_finite());
        let mut from = None;
        for i in 0..GRID {
            match (from, i + 1 < GRID && hole(i)) {
                (None, true) => from = Some(i),
                (Some(start), false) => {
                    let (x, to, y, up) = (xs[low + start], xs[low + i], ys[low], ys[low + GRID]);
                    rings.push(vec![[x, y], [to, y], [to, up], [x, up], [x, y]]);
                    from = None;
                }
                _ => {}
            }
        }
    }
    rings
}

/// From nearly white at the bottom to a blue grey at the top, pale enough for every line to stand out.
pub fn shade(share: f64) -> (u8, u8, u8) {
    let mix = |low: f64, high: f64| (low + (high - low) * share).round() as u8;
    (mix(250.0, 186.0), mix(252.0, 202.0), mix(253.0, 219.0))
}
