//! From records to a page: charts, a table and the verdicts, as HTML, SVG, PNG, CSV and Markdown.

mod build;
mod charts;
mod command;
mod compare;
mod contours;
mod csv;
mod draw;
mod heat_maps;
mod page;
mod player;
mod read;
mod remarks;
mod rows;
mod runs;
mod scene;
mod styles;

pub use build::Report;
pub use read::read;
pub use rows::Row;
