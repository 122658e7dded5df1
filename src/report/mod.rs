//! From records to a page: charts, a table and the verdicts, as HTML, SVG, PNG, CSV and Markdown.

mod build;
mod charts;
mod command;
mod compare;
mod contours;
mod csv;
mod curves;
mod draw;
mod heat_maps;
mod page;
mod player;
mod program;
mod read;
mod remarks;
mod results;
mod rows;
mod runs;
mod scene;
mod styles;
mod task_settings;

pub use build::Report;
pub use program::{Finished, main, run};
pub use read::read;
pub use results::{Column, ResultsTable};
pub use rows::Row;
