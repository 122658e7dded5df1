//! Optimizers for deep learning on [burn](https://burn.dev), and the experiments that show what
//! they do.
//!
//! [`optim`] has the optimizers: `Adam::new().init()` stands where `AdamConfig::new().init()` of
//! burn stood. [`experiment`] and [`report`] make the figures.
#![warn(missing_docs)]

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod augment;
pub mod card;
pub mod chart;
pub mod data;
pub mod device;
pub mod docs;
pub mod error;
pub mod experiment;
pub mod files;
pub mod grade;
pub mod model;
pub mod optim;
pub mod pipeline;
pub mod record;
pub mod regularizer;
pub mod report;
pub mod runner;
pub mod schedule;
pub mod seed;
pub mod spec;
pub mod study;
pub mod surface;
pub mod task;
pub mod train;
pub mod verify;

mod text;

pub use error::{Error, Result};
pub use typetag;
