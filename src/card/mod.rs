//! A report card: short diagnostic tasks with a few parameters, each with a pass mark. The pass
//! marks were derived before anything was measured. The derivations are part of [`TASKS`].
//!
//! A card is a diagnosis on toy problems, not a ranking. It shows *what* an optimizer does: whether
//! it leaves a saddle, crosses a plateau, adapts after large gradients. It does not show which
//! optimizer trains a network best, and the number of passed tasks is not a score.
//!
//! Each task uses the best learning rate of [`RATES`], chosen by the median of the seeds. This is
//! optimistic, because real training does not tune the learning rate for each difficulty
//! separately. Therefore each result shows its learning rate. If the spec sets `lr`, all tasks use
//! that learning rate.
//!
//! ```
//! use downhill::lab::card::cards;
//! use downhill::optim::Optimizers;
//!
//! let cards = cards(&["sgd:lr=0.01".parse()?], &Optimizers::default(), &|| ())?;
//! println!("{}: {} passed", cards[0].line, cards[0].passed());
//! # Ok::<(), downhill::Error>(())
//! ```

mod bowl;
mod cards;
mod landscape;
mod noisy;
mod run;
mod score;
mod task;
mod tasks;
mod tuner;
mod vectors;

pub use cards::{Card, cards, ticks};
pub use score::{Measured, Score};
pub use task::{CardTask, ENOUGH};
pub use tasks::TASKS;
pub use tuner::{RATES, SEEDS};
