//! The training loop. There is no other: it trains any [`Problem`] by a [`Plan`].

mod plan;
mod problem;
mod training;

pub use plan::{Plan, TrainObserver};
pub use problem::{Problem, Stop};
pub use training::train;
