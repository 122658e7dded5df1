//! Running an experiment: which runs are missing, the workers that make them, and the folder of the
//! results. A single training, which is not an experiment, is in [`single`].
//!
//! A run is three files until it is complete: `NAME.part`, the record so far; `NAME.checkpoint`,
//! from which it continues; and `NAME.lease`, which says which process makes it. Then it is one,
//! `NAME.jsonl`.

pub mod cluster;
mod command;
mod complete;
mod experiment;
mod extend;
mod folder;
mod header;
mod jobs;
mod lease;
mod memory;
mod observer;
mod options;
mod outdated;
mod plan;
mod process;
mod seed_counts;
pub mod single;
mod until_decided;
mod workers;

pub use command::COMMAND_FILE;
pub use experiment::{Results, run, run_one};
pub use folder::{claim_folder, default_folder};
pub use header::BURN;
pub use observer::{PrintRuns, Quiet, RunObserver, Runs};
pub use options::{CHECKPOINT_EVERY, RunOptions};
pub use plan::{PlannedRun, RunPlan, Stage, plan};
pub use single::{SingleTraining, Trained, TrainingObserver};
pub use until_decided::UNTIL_DECIDED_FILE;
