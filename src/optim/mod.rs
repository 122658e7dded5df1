//! The optimizers, and how burn runs them.
//!
//! | | |
//! |---|---|
//! | [`Rule`] | what an optimizer is: a formula over [`Value`] |
//! | [`Fused`] | a rule as burn's `Optimizer`: one pass over the buffers on a CPU, tensor operations elsewhere |
//! | [`Optimizers`] | the table of all optimizers by name, from which specs like `adam:lr=1e-3` are made |
//!
//! A new optimizer is a new file, and a line in the table below. Three kinds are no rules for single elements, and have a mechanism of
//! their own: [`lazy_adam`] works by rows, [`whole`] moves whole models, and [`of_burn`] hands on to burn's own.

mod buffer;
pub mod decay;
mod fused;
mod pass;
mod rule;
mod table;
mod value;

pub mod lazy_adam;
pub mod newton;
pub mod of_burn;
pub mod whole;

pub use decay::Decayed;
pub(crate) use fused::reshaped;
pub use fused::{Fused, Insight, Memory, PlainState, Remembered, handed_out, remembered};
pub use lazy_adam::LazyAdam;
pub use rule::{At, EpsPlace, LrPlace, Rule, Signal};
pub use table::{Built, Decay, Dialect, Entry, Method, Named, Optimizers, PAPER};
pub use value::{Lane, Value};

use table::dialects;

table::optimizers! {
    sgd::Sgd,
    momentum::Momentum,
    nag::Nag,
    adagrad::Adagrad,
    rmsprop::Rmsprop,
    adadelta::Adadelta,
    adam::Adam,
    amsgrad::Amsgrad,
    adamw::Adamw,
    nadam::Nadam,
    radam::Radam,
    adamax::Adamax,
    adabelief::Adabelief,
    lion::Lion,
    rprop::Rprop,
    delta_bar_delta::DeltaBarDelta;
    lazy_adam::ENTRY, whole::ENTRIES, of_burn::ENTRIES,
}
