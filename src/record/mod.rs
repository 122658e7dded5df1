//! A run on disk: one file of JSON lines. The first line is the header, which contains everything
//! that is needed to repeat the run. A line for each point of the curve follows, written as soon as
//! it is known. The last line says how the run ended.
//!
//! While a run lasts, its record is `NAME.part`, with `NAME.checkpoint` beside it; both become
//! `NAME.jsonl` when it is complete.
//!
//! The same run writes the same bytes again, except for the values called `seconds` and, after other
//! changes to the code, the commit in the last line.

mod checkpoint;
mod curve;
mod file;
mod header;
mod measures;
mod run;
mod task;
mod writer;

pub use checkpoint::{Checkpoint, RunIdentity, checkpoint_of};
pub use curve::{
    BATCH_LOSS, COMMIT, CurvePoint, Outcome, PENALIZED_LOSS, PENALIZED_TITLE, RunEnd,
    VALIDATION_LOSS, rename_measure,
};
pub use file::{RecordLine, read};
pub use header::{FORMAT, Header};
pub use measures::Measures;
pub use run::Run;
pub use task::{
    Axis, ChartRequest, Landscape, Measure, OnData, RecordedTask, TaskRecord, TrainingCommand,
};
pub(crate) use task::{is_zero, on_data};
pub use writer::{Writer, part_of};
