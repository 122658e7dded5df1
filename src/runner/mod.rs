//! Running an experiment: which runs are missing, the workers that make them, and the folder of the
//! results. A single training, which is not an experiment, is in [`single`].

pub mod cluster;
mod command;
mod experiment;
mod folder;
mod header;
mod observer;
mod options;
pub mod single;
mod workers;

pub use command::COMMAND_FILE;
pub use experiment::{Results, default_folder, run};
pub use folder::claim_folder;
pub use header::BURN;
pub use observer::{PrintRuns, Quiet, RunObserver};
pub use options::RunOptions;
pub use single::{SingleTraining, TrainedModel};
