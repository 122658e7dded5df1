//! The kinds of tasks, one file each. A file says what the TOML may contain ([`Task`]), what is
//! recorded and how a report shows it ([`TaskRecord`](crate::record::TaskRecord)), and contains the
//! [`Problem`](crate::train::Problem) for the training loop.
//!
//! A new kind is a new file and a line here. A user's program can define a kind too: implement both
//! traits under `#[typetag::serde(name = "...")]`, with `use downhill::lab::typetag;`.

mod batches;
mod dyn_task;
mod evaluate;
pub mod memory;
mod order;
mod prepare;
mod saved;
mod spec;
mod splits;

pub mod autoencode;
pub mod classify;
pub mod language;
pub mod least_squares;
pub mod own;
pub mod quadratic;
pub mod regress;
pub mod study;
pub mod surface;

pub use autoencode::{Autoencode, AutoencodeProblem};
pub use classify::{Classification, ClassifyProblem};
pub use dyn_task::{Control, DynTask, Job, PreparedTask};
pub use evaluate::{Evaluation, MAX_CONFUSION, evaluate};
pub use language::{Language, LanguageProblem};
pub use least_squares::{LeastSquares, LeastSquaresProblem, StopRule};
pub use order::ExampleOrder;
pub use own::{OwnBatch, OwnTask};
pub use prepare::TaskContext;
pub use quadratic::{Quadratic, QuadraticProblem};
pub use regress::{RegressProblem, Regression};
pub use saved::{SaveModel, SavedTask};
pub use spec::{Task, TaskSpec};
pub use splits::{Splits, Subset};
pub use study::StudyTask;
pub use surface::{SurfaceProblem, SurfaceTask};
