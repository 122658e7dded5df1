//! A comparison of optimizers in one call. It is an
//! [`Experiment`](crate::experiment::Experiment) with defaults: the same number of trials for every
//! optimizer, seeds that select and other seeds that are graded, and a claim about each pair with
//! the first optimizer.
//!
//! ```no_run
//! use downhill::lab::compare;
//!
//! let finding = compare(["adam", "sgd", "momentum:mu=0.9"])
//!     .on("fashion-mnist", "mlp")
//!     .budget(12)
//!     .seeds(5)
//!     .run()?;
//! println!("{finding}");
//! # Ok::<(), downhill::Error>(())
//! ```

mod call;
mod subject;
mod tuning;

pub use call::{Comparison, compare};
pub use subject::{Data, Model, own};
