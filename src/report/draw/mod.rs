//! Pictures as SVG, PNG and GIF: one file for each kind of picture. Only files of this folder use
//! the plotting crate, and only `pixels.rs` uses the crate that turns SVG into pixels.

mod animation;
mod canvas;
mod clip;
mod color;
mod contour_map;
mod grid;
mod heat_map;
mod legend;
mod line_chart;
mod marks;
mod path_svg;
mod pixels;
mod relief;
mod scene_data;
mod stroke;

pub use animation::animation;
pub use canvas::described;
pub use color::height_color;
pub use contour_map::contour_map;
pub use grid::Grid;
pub use heat_map::heat_map;
pub use line_chart::line_chart;
pub use pixels::png;
pub use relief::relief;
pub use scene_data::{ContourBand, Divergence, Scene, ScenePath};
