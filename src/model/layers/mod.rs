//! The parts of models: layers with their initial weights, activations, pooling.

mod activation;
mod init;
mod max_pool;
mod pool;
mod stochastic_pool;
mod windows;

pub use activation::Activation;
pub use init::{Init, LayerInit, linear_parameters};
pub use pool::{Pool, PoolKind};
