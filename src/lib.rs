//! Optimizers for deep learning on [burn](https://burn.dev), and the experiments that show what they do.
#![warn(missing_docs)]

pub mod about;
pub mod optim;
pub mod spec;
