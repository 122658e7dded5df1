//! What can be descended: each a [`Problem`](crate::train::Problem) for the training loop.

pub mod autoencode;
pub mod classify;
pub mod least_squares;
pub mod quadratic;
pub mod slope;

pub use autoencode::Autoencode;
pub use classify::Classify;
pub use least_squares::LeastSquares;
pub use quadratic::Quadratic;
pub use slope::Slope;
