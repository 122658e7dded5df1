//! The contours of a surface.

use contour::ContourBuilder;

use crate::error::{Error, Result};
use crate::surface::Surface;

use super::draw::{ContourBand, Grid, height_color};

/// Points of the grid along each axis.
const GRID: usize = 121;
/// Number of bands. The lowest ones have the smallest areas.
const BANDS: usize = 14;

/// The areas between contours. If some places have no finite height, a last band in white covers
/// them, and the second value is true.
pub fn contours(surface: &Surface) -> Result<(Vec<ContourBand>, bool)> {
    let grid = Grid::of(surface, GRID);
    let mut sorted: Vec<f64> =
        grid.heights.iter().copied().filter(|height| height.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(highest) = sorted.last().copied() else { return Ok((Vec::new(), true)) };
    let mut bands = bands(&grid, surface.window, &edges(&sorted), highest)?;
    let holes = holes(&grid);
    let has_holes = !holes.is_empty();
    if has_holes {
        let (from, to) = (f64::NAN, f64::NAN);
        bands.push(ContourBand { from, to, fill: (255, 255, 255), rings: holes });
    }
    Ok((bands, has_holes))
}

/// The heights of the contours, given all heights in ascending order.
fn edges(sorted: &[f64]) -> Vec<f64> {
    let edge = |band: usize| {
        let share = (band as f64 / BANDS as f64).powf(1.5);
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    };
    let mut edges: Vec<f64> = (0..=BANDS).map(edge).collect();
    // the lowest and the highest point lie inside a band, not on its edge
    edges[0] -= 1e-9 * (1.0 + edges[0].abs());
    edges[BANDS] += 1e-9 * (1.0 + edges[BANDS].abs());
    edges.dedup_by(|b, a| *b <= *a);
    edges
}

fn bands(
    grid: &Grid,
    [left, right, low, high]: [f64; 4],
    edges: &[f64],
    highest: f64,
) -> Result<Vec<ContourBand>> {
    let heights: Vec<f64> =
        grid.heights.iter().map(|f| if f.is_finite() { *f } else { highest }).collect();
    // the origin of the contour crate is the corner of a cell, ours is its middle
    let (x_step, y_step) = ((right - left) / (GRID - 1) as f64, (high - low) / (GRID - 1) as f64);
    let found = ContourBuilder::new(GRID, GRID, true)
        .x_origin(left - x_step / 2.0)
        .y_origin(low - y_step / 2.0)
        .x_step(x_step)
        .y_step(y_step)
        .isobands(&heights, edges)
        .map_err(Error::failed("find the contours"))?;
    let last = found.len().max(2) - 1;
    let clamp = |p: &contour::Pt| [p.x.clamp(left, right), p.y.clamp(low, high)];
    let mut bands = Vec::new();
    for (i, band) in found.into_iter().enumerate() {
        let (areas, from, to) = band.into_inner();
        let mut rings = Vec::new();
        for area in &areas.0 {
            let outlines = std::iter::once(area.exterior()).chain(area.interiors());
            rings.extend(outlines.map(|ring| ring.0.iter().map(clamp).collect()));
        }
        let fill = height_color(i as f64 / last as f64);
        bands.push(ContourBand { from, to, fill, rings });
    }
    Ok(bands)
}

/// The cells with a corner that has no finite height, as rectangles. Neighbours in a row share one.
fn holes(grid: &Grid) -> Vec<Vec<[f64; 2]>> {
    let is_hole =
        |column, row| grid.corners(column, row).iter().any(|[_, _, height]| !height.is_finite());
    let mut rings = Vec::new();
    for row in 0..GRID - 1 {
        let mut first = None;
        for column in 0..GRID {
            match (first, column + 1 < GRID && is_hole(column, row)) {
                (None, true) => first = Some(column),
                (Some(start), false) => {
                    rings.push(rectangle(grid, start, column, row));
                    first = None;
                }
                _ => {}
            }
        }
    }
    rings
}

/// The outline of a row of cells, from column `from` up to, but not including, `to`.
fn rectangle(grid: &Grid, from: usize, to: usize, row: usize) -> Vec<[f64; 2]> {
    let [x0, y0, _] = grid.corners(from, row)[0];
    let [x1, y1, _] = grid.corners(to - 1, row)[2];
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
}
