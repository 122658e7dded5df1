//! From records to a page: charts, a table and the verdicts, as HTML, SVG, PNG, CSV and Markdown.

mod build;
mod charts;
mod command;
mod compare;
mod contours;
mod csv;
mod curves;
mod draw;
mod export;
mod heat_maps;
mod index;
mod page;
mod paper;
mod player;
mod program;
mod read;
mod remarks;
mod results;
mod rows;
mod runs;
mod scene;
mod styles;
mod targets;
mod task_settings;
mod today;
mod watch;

pub use build::Report;
pub use export::{Record, records, write_csv, write_tensorboard};
pub use index::{Index, write_index};
pub use paper::{Figure, Width};
pub use program::{Finished, main, run};
pub use read::read;
pub use results::{Column, ResultsTable};
pub use rows::Row;
pub use watch::Watch;
