//! Learning-rate schedules. A new one is a new file, its `mod` line below, and a row in `table.rs`.
//!
//! A [`Schedule`] is read from a spec and never changes. A [`Scheduler`] is a schedule with its
//! state, and returns the learning rate at any [`Progress`] of a run. An [`LrSchedule`] also counts
//! the batches, and implements burn's `LrScheduler`. No schedule raises the
//! learning rate above the optimizer's own, and each keeps its last value after its end.

mod lr_schedule;
mod scheduler;
mod table;
mod time;

pub mod constant;
pub mod cosine;
pub mod cosine_restarts;
pub mod exponential;
pub mod inverse_sqrt;
pub mod linear;
pub mod milestones;
pub mod one_cycle;
pub mod plateau;
pub mod polynomial;
pub mod step;

pub use lr_schedule::LrSchedule;
pub use scheduler::Scheduler;
pub use table::*;
pub use time::{Per, Progress};
