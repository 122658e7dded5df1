//! A report card: short diagnostic tasks on a few numbers, each with a pass mark. The marks were
//! derived before anything was measured, and the derivation is part of [`TASKS`].
//!
//! A card is a diagnosis on toy problems, not a ranking. It shows *what* an optimizer does: whether
//! it leaves a saddle, crosses a plateau, adapts after large gradients. It does not show which
//! optimizer trains a network best, and the number of passed tasks is no score.
//!
//! An optimizer is judged at its best learning rate of [`RATES`], chosen for each task by the
//! median of the seeds. That is an advantage which real training does not give: nobody tunes the
//! learning rate for each difficulty separately. So each result shows its learning rate, and a spec
//! that gives `lr` is judged at that one.
//!
//! ```
//! use downhill::card::cards;
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
