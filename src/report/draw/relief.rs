//! The surface from above and the side, with the paths of optimizers.

use plotters::coord::cartesian::Cartesian3d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::canvas::{
    self, Area, FINE, GREY, LEGEND_WIDTH, SCENE_SIZE, TITLE_HEIGHT, drawing_error, font, padded, pt,
};
use super::clip::clip;
use super::color::{height_color, line_color};
use super::contour_map::legend_entries;
use super::grid::Grid;
use super::legend::legend;
use super::scene_data::{Scene, ScenePath};
use super::stroke::{Pixel, stroke};
use crate::chart::short;
use crate::error::Result;
use crate::surface::Surface;

/// Cells along each axis.
const CELLS: usize = 44;
/// Angle of the view around the vertical axis.
const YAW: f64 = 0.6;
/// Edges of the cells.
const EDGE: RGBColor = RGBColor(150, 165, 185);

/// The plotting crate's axes: x, height, y.
type Space<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian3d<RangedCoordf64, RangedCoordf64, RangedCoordf64>>;

/// The relief as SVG; empty if the surface has no finite height.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn relief(scene: &Scene) -> Result<String> {
    let grid = Grid::of(&scene.surface, CELLS + 1);
    let Some(scale) = HeightScale::of(&grid.heights) else { return Ok(String::new()) };
    canvas::svg(SCENE_SIZE, |area| {
        let (left, right) = area.split_horizontally(SCENE_SIZE.0 * FINE - LEGEND_WIDTH);
        legend(&legend_entries(scene), &right)?;
        let height = if scale.logarithmic { "log10(1 + f - lowest f)" } else { "f" };
        canvas::title(&left, &format!("{}, height: {height}", scene.surface.name))?;
        let mut space = draw_axes(scene, &left, &scale)?;
        for (column, row) in cells_from_the_back() {
            draw_cell(&grid.corners(column, row), &scale, &mut space)?;
        }
        for path in scene.painting_order() {
            draw_path(path, scene, &left, &View { space: &space, scale: &scale })?;
        }
        Ok(())
    })
}

/// Column and row of each cell, the farthest first.
fn cells_from_the_back() -> Vec<(usize, usize)> {
    let distance = |(i, j): (usize, usize)| j as f64 * YAW.cos() - i as f64 * YAW.sin();
    let mut cells: Vec<(usize, usize)> =
        (0..CELLS * CELLS).map(|at| (at % CELLS, at / CELLS)).collect();
    cells.sort_by(|a, b| distance(*b).total_cmp(&distance(*a)));
    cells
}

/// How heights are drawn. On a surface that is steep at its edges, a logarithm shows the valley.
struct HeightScale {
    lowest: f64,
    logarithmic: bool,
    /// range of the axis
    bottom: f64,
    top: f64,
}

impl HeightScale {
    /// `None` if no height is finite.
    fn of(heights: &[f64]) -> Option<HeightScale> {
        let mut sorted: Vec<f64> = heights.iter().copied().filter(|f| f.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (lowest, highest) = (*sorted.first()?, *sorted.last()?);
        let logarithmic = highest - lowest > 30.0 * (sorted[sorted.len() / 2] - lowest);
        let mut scale = HeightScale { lowest, logarithmic, bottom: 0.0, top: 0.0 };
        let (low, high) = (scale.position(lowest), scale.position(highest));
        // an axis needs a length that its numbers can resolve
        (scale.bottom, scale.top) = padded(low, high.max(low + 1e-9 * low.abs().max(1.0)));
        Some(scale)
    }

    /// Where a height is on the axis.
    fn position(&self, height: f64) -> f64 {
        if self.logarithmic { (1.0 + (height - self.lowest).max(0.0)).log10() } else { height }
    }
}

fn draw_axes<'a, 'b>(
    scene: &Scene,
    area: &'a Area<'b>,
    scale: &HeightScale,
) -> Result<Space<'a, 'b>> {
    let [left, right, low, high] = scene.surface.window;
    let mut space = ChartBuilder::on(area)
        .margin(pt(12))
        .margin_top(TITLE_HEIGHT)
        .build_cartesian_3d(left..right, scale.bottom..scale.top, low..high)
        .map_err(drawing_error)?;
    space.with_projection(|mut projection| {
        (projection.yaw, projection.pitch, projection.scale) = (YAW, 0.5, 0.72);
        projection.into_matrix()
    });
    space
        .configure_axes()
        .x_formatter(&|value| tick(scene.axes[0], *value, right))
        .y_formatter(&|value| short(*value))
        .z_formatter(&|value| tick(scene.axes[1], *value, high))
        .label_style(font(pt(12), &GREY))
        .light_grid_style(WHITE.mix(0.0))
        .bold_grid_style(RGBColor(225, 225, 225).stroke_width(FINE))
        .axis_panel_style(WHITE.filled())
        .max_light_lines(1)
        .draw()
        .map_err(drawing_error)?;
    Ok(space)
}

/// The label of a tick. The last ticks of both axes would meet in a corner, so they have none.
fn tick(axis: &str, value: f64, end: f64) -> String {
    if value >= end { String::new() } else { format!("{axis} = {}", short(value)) }
}

/// Draws a cell, unless a corner has no height.
fn draw_cell(
    corners: &[[f64; 3]; 4],
    scale: &HeightScale,
    space: &mut Space<'_, '_>,
) -> Result<()> {
    if corners.iter().any(|[_, _, height]| !height.is_finite()) {
        return Ok(());
    }
    let corners = corners.map(|[x, y, height]| (x, scale.position(height), y));
    let mean = corners.iter().map(|corner| corner.1).sum::<f64>() / 4.0;
    let share = (mean - scale.bottom) / (scale.top - scale.bottom);
    let (r, g, b) = height_color(share.clamp(0.0, 1.0));
    let outline: Vec<_> = corners.iter().copied().chain([corners[0]]).collect();
    let area = Polygon::new(corners.to_vec(), RGBColor(r, g, b).filled());
    space.draw_series([area]).map_err(drawing_error)?;
    let edge = PathElement::new(outline, EDGE.stroke_width(FINE / 2));
    space.draw_series([edge]).map_err(drawing_error)?;
    Ok(())
}

/// From points of the surface to pixels.
struct View<'s, 'a, 'b> {
    space: &'s Space<'a, 'b>,
    scale: &'s HeightScale,
}

impl View<'_, '_, '_> {
    fn pixel(&self, [x, y, height]: [f64; 3]) -> Pixel {
        let HeightScale { bottom, top, .. } = self.scale;
        let height = self.scale.position(height).clamp(*bottom, *top);
        self.space.plotting_area().map_coordinate(&(x, height, y))
    }
}

fn draw_path(
    path: &ScenePath,
    scene: &Scene,
    area: &Area<'_>,
    view: &View<'_, '_, '_>,
) -> Result<()> {
    let visible = |[x, y, f]: &[f64; 3]| scene.contains(*x, *y) && f.is_finite();
    for piece in path.points.split(|point| !visible(point)) {
        let pixels: Vec<Pixel> = piece.iter().map(|point| view.pixel(*point)).collect();
        stroke(area, &pixels, path.style, 2)?;
    }
    let Some(last) = path.points.iter().rposition(visible) else { return Ok(()) };
    let end = path.points[last];
    let exit = path.points.get(last + 1).and_then(|next| exit(&scene.surface, end, *next));
    if let Some(exit) = exit {
        stroke(area, &[view.pixel(end), view.pixel(exit)], path.style, 2)?;
    }
    let color = line_color(path.style);
    let at = view.pixel(exit.unwrap_or(end));
    if path.diverged.is_some() {
        area.draw(&Cross::new(at, pt(5), color.stroke_width(3 * FINE))).map_err(drawing_error)
    } else if exit.is_none() {
        area.draw(&Circle::new(at, pt(4), color.filled())).map_err(drawing_error)
    } else {
        Ok(())
    }
}

/// Where a path leaves the window between two points; `None` if the height there is not finite.
fn exit(surface: &Surface, a: [f64; 3], b: [f64; 3]) -> Option<[f64; 3]> {
    let (_, [x, y]) = clip(surface.window, [a[0], a[1]], [b[0], b[1]])?;
    let height = surface.at(x, y);
    height.is_finite().then_some([x, y, height])
}
