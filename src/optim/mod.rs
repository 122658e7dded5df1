//! The optimizers, and how burn runs them.
//!
//! | | |
//! |---|---|
//! | [`Rule`] | what an optimizer is: a formula over [`Value`] |
//! | [`Fused`] | a rule as burn's `Optimizer`: one pass over the buffers on a CPU, tensor operations elsewhere |
//! | [`Optimizers`] | the table of all optimizers by name, from which specs like `adam:lr=1e-3` are made |
//!
//! A new optimizer is a new file, and a line in the table below.

mod buffer;
mod fused;
mod pass;
mod rule;
mod table;
mod value;

pub use fused::{Fused, HandOut, Memory, handed_out};
pub use rule::{At, EpsPlace, Rule};
pub use table::{Built, Dialect, Entry, Named, Optimizers};
pub use value::{Lane, Value};

table::optimizers! {
    sgd::Sgd,
    momentum::Momentum,
    nag::Nag,
    adagrad::Adagrad,
    rmsprop::Rmsprop,
    adadelta::Adadelta,
    adam::Adam,
    nadam::Nadam,
}
