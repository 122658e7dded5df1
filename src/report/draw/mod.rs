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
mod pdf;
mod pixels;
mod print;
mod print_chart;
mod print_heat;
mod relief;
mod scene_data;
mod stroke;

pub use animation::animation;
pub use canvas::described;
pub use color::{heat_color, height_color};
pub use contour_map::contour_map;
pub use grid::Grid;
pub use heat_map::heat_map;
pub use line_chart::{finite_points, line_chart, ranges};
pub use pdf::pdf;
pub use pixels::png;
pub use print_chart::print_chart;
pub use print_heat::print_heat;
pub use relief::relief;
pub use scene_data::{ContourBand, Divergence, Scene, ScenePath};
