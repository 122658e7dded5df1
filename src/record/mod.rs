//! A run on disk: one file of JSON lines. The first line is the header, which contains everything
//! that is needed to repeat the run. A line for each point of the curve follows, written as soon as
//! it is known. The last line says how the run ended.
//!
//! The same run writes the same bytes again, except for the values called `seconds`.

mod curve;
mod file;
mod header;
mod run;
mod task;

pub use curve::{BATCH_LOSS, CurvePoint, Outcome, RunEnd, VALIDATION_LOSS};
pub use file::{RecordLine, Writer, read};
pub use header::{FORMAT, Header};
pub use run::Run;
pub(crate) use task::on_data;
pub use task::{
    Axis, ChartRequest, Landscape, Measure, OnData, RecordedTask, TaskRecord, TrainingCommand,
};
