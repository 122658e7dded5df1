//! Contour maps with the paths of optimizers.

use std::fmt::Write;

use plotters::prelude::*;

use super::canvas::{
    self, Area, FINE, GREY, LEGEND_WIDTH, SCENE_SIZE, TITLE_HEIGHT, drawing_error, font,
    linear_tick, pt,
};
use super::legend::{LegendEntry, LegendMark, legend};
use super::path_svg::{Projection, paths};
use super::scene_data::{ContourBand, Scene};
use crate::error::Result;
use crate::surface::Surface;

/// A longer title is cut, in characters.
const TITLE_LENGTH: usize = 62;

/// The contour map with the whole paths, as SVG.
///
/// # Errors
/// If the plotting crate cannot draw it.
pub fn contour_map(scene: &Scene) -> Result<String> {
    let (mut svg, projection) = background(scene)?;
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    svg.insert_str(end, &paths(scene, &projection, scene.steps()));
    Ok(svg)
}

/// The contour map without paths, and where the surface is on it.
pub fn background(scene: &Scene) -> Result<(String, Projection)> {
    let mut frame = [0.0; 4];
    let mut svg = canvas::svg(SCENE_SIZE, |area| {
        let (left, right) = area.split_horizontally(SCENE_SIZE.0 * FINE - LEGEND_WIDTH);
        legend(&legend_entries(scene), &right)?;
        canvas::title(&left, &title(&scene.surface))?;
        frame = draw_axes(scene, &left)?;
        Ok(())
    })?;
    let projection = Projection { window: scene.surface.window, frame };
    // The plotting crate cannot fill an area that has holes. So the bands are inserted as text,
    // between the white ground and the axes.
    let above_ground = svg.find("/>").map_or(svg.len(), |at| at + 2);
    let mut inserted: String = scene.bands.iter().map(|band| band_svg(band, &projection)).collect();
    for [x, y] in &scene.surface.minima {
        if scene.contains(*x, *y) {
            inserted += &minimum_svg(projection.pixel(*x, *y));
        }
    }
    svg.insert_str(above_ground, &inserted);
    Ok((svg, projection))
}

/// Draws the axes and returns the frame between them in units: left, top, right, bottom.
fn draw_axes(scene: &Scene, area: &Area<'_>) -> Result<[f64; 4]> {
    let [left, right, low, high] = scene.surface.window;
    let mut plane = ChartBuilder::on(area)
        .margin(pt(12))
        .margin_top(TITLE_HEIGHT)
        .x_label_area_size(pt(44))
        .y_label_area_size(pt(60))
        .build_cartesian_2d(left..right, low..high)
        .map_err(drawing_error)?;
    plane
        .configure_mesh()
        .disable_mesh()
        .x_desc(scene.axes[0])
        .y_desc(scene.axes[1])
        .axis_desc_style(font(pt(14), &GREY))
        .label_style(font(pt(13), &GREY))
        .axis_style(GREY.stroke_width(FINE))
        .set_all_tick_mark_size(pt(4))
        .x_label_formatter(&|value| linear_tick(*value))
        .y_label_formatter(&|value| linear_tick(*value))
        .draw()
        .map_err(drawing_error)?;
    let (x0, y1) = plane.backend_coord(&(left, low));
    let (x1, y0) = plane.backend_coord(&(right, high));
    Ok([x0, y0, x1, y1].map(f64::from))
}

fn band_svg(band: &ContourBand, projection: &Projection) -> String {
    let (r, g, b) = band.fill;
    let mut outline = String::new();
    for ring in &band.rings {
        for (i, [x, y]) in ring.iter().enumerate() {
            let (x, y) = projection.pixel(*x, *y);
            let _ = write!(outline, "{}{x:.0} {y:.0}", if i == 0 { "M" } else { "L" });
        }
        outline.push('Z');
    }
    format!(
        "<path fill=\"#{r:02x}{g:02x}{b:02x}\" stroke=\"#ffffff\" stroke-width=\"{}\" \
         fill-rule=\"evenodd\" d=\"{outline}\"/>",
        FINE / 2
    )
}

/// A small cross.
fn minimum_svg((x, y): (f64, f64)) -> String {
    let arm = f64::from(pt(6));
    let (x0, x1, y0, y1) = (x - arm, x + arm, y - arm, y + arm);
    format!(
        "<path stroke=\"#1a1a1a\" stroke-width=\"{FINE}\" \
         d=\"M{x0:.0} {y:.0}L{x1:.0} {y:.0}M{x:.0} {y0:.0}L{x:.0} {y1:.0}\"/>"
    )
}

fn title(surface: &Surface) -> String {
    let Surface { name, formula, .. } = surface;
    let text = if name == formula || name.contains(' ') {
        name.clone()
    } else {
        format!("{name}: {formula}")
    };
    if text.chars().count() > TITLE_LENGTH {
        name.chars().take(TITLE_LENGTH).collect()
    } else {
        text
    }
}

/// The legend of a picture of a surface.
pub fn legend_entries(scene: &Scene) -> Vec<LegendEntry> {
    let mut entries: Vec<LegendEntry> = scene
        .paths
        .iter()
        .map(|path| LegendEntry {
            mark: LegendMark::Line(path.style),
            text: format!("{}\n{}", path.label, path.setting),
        })
        .collect();
    if scene.holes {
        entries.push(LegendEntry {
            mark: LegendMark::Square,
            text: "undefined or above 1e100".into(),
        });
    }
    if scene.paths.iter().any(|path| path.diverged.is_some()) {
        entries.push(LegendEntry::text("× diverged"));
    }
    if !scene.surface.minima.is_empty() {
        entries.push(LegendEntry::text("+ minimum"));
    }
    entries
}
