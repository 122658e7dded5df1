//! Running an experiment: which runs are missing, the workers that make them, and the folder of the
//! results. A single training, which is not an experiment, is in [`single`].

mod experiment;
mod folder;
mod header;
pub mod single;
mod workers;

pub use experiment::{Results, RunOptions, default_folder, run};
pub use folder::claim_folder;
pub use header::BURN;
pub use single::{SingleTraining, TrainedModel};
pub use workers::RunObserver;
