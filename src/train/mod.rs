//! The training loop. There is no other: it trains any [`Problem`] by a [`Plan`].

mod plan;
mod problem;
mod state;
mod training;
mod weights;

pub use plan::{Moment, Plan, TrainObserver};
pub use problem::{Problem, Stop};
pub use training::{train, train_from};
