//! The models. A new classifier is a new file with its `pub mod` line, and a row in `table.rs`.

pub mod _2c2d;
pub mod _3c3d;
mod build;
pub mod cnn;
pub mod convnet;
pub mod convolution;
pub mod dropconnect;
pub mod gpt;
pub mod layers;
pub mod lenet;
pub mod logistic;
pub mod mlp;
pub mod mode;
pub mod saved;
mod table;
pub mod vae;

pub use build::{Build, Misfit, Shapes};
pub use mode::{Mode, dropout};
pub use table::{MODELS, ModelEntry, Net, build, canonical, find, parameters, units};
