//! Optimizers for deep learning on [burn](https://burn.dev): the update rules of torch, Keras,
//! Optax and the papers, proven step by step, in one fused pass on the CPU; and a lab that compares
//! them and reproduces the figures of papers.
//!
//! # Swap
//!
//! Two lines of a training loop change. The optimizer is burn's own `ModuleOptimizer`, so the rest
//! of the loop, burn's `Learner`, parameter groups and records stay as they are.
//!
//! ```
//! // use burn::optim::AdamConfig;
//! use downhill::optim::Adam;
//!
//! // let mut optimizer = AdamConfig::new().init();
//! let mut optimizer = Adam::new().init();
//! // in the loop, as before: model = optimizer.step(1e-3, model, gradients);
//! ```
//!
//! **The defaults differ from burn's.** `Adam::new()` has eps 1e-8, as torch and the paper;
//! burn's `AdamConfig` has 1e-5. [`Adam::burn()`](optim::Adam::burn) has burn's formula and
//! defaults. Every optimizer's page lists such differences.
//!
//! # Dialects
//!
//! One name stands for several formulas. Each is a named set of settings: `Adam::torch()`,
//! `Adam::keras()`, `Adam::burn()` in a program, `adam@keras` in a spec. Where torch, Keras, Optax
//! and burn agree with each other against the paper, the plain name follows them, and
//! `@paper` is the paper's version: `AdamW::new()` multiplies its weight decay by the learning rate.
//!
//! # Pipeline
//!
//! A [`Pipeline`] is the whole optimizer step, read from one line: clipping, weight decay, parameter
//! groups, averages of the weights, schedule, checkpoints.
//!
//! ```
//! use downhill::Pipeline;
//!
//! let mut optimizer: Pipeline =
//!     "clip_global:max=1|adamw:lr=1e-3|ema:decay=0.999|cosine:warmup=100,steps=5000".parse()?;
//! // in the loop: model = optimizer.step(model, gradients)?;
//! # Ok::<(), downhill::Error>(())
//! ```
//!
//! # A rule of your own
//!
//! A [`Rule`](optim::Rule) is a formula over one element. It runs as one pass over the buffers on
//! the CPU and as tensor operations elsewhere.
//!
//! ```
//! use downhill::optim::{IntoOptimizer, Rule, StepContext, Value};
//!
//! #[derive(Clone)]
//! struct HeavyBall {
//!     mu: f64,
//! }
//!
//! impl Rule<1> for HeavyBall {
//!     const STATE: [&'static str; 1] = ["v"];
//!
//!     fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
//!         let v = v * self.mu + g * ctx.lr;
//!         (v.clone(), [v])
//!     }
//! }
//!
//! let optimizer = HeavyBall { mu: 0.9 }.init(); // burn's ModuleOptimizer
//! ```
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | (core) | always | [`optim`], [`schedule`], [`pipeline`], [`spec`] |
//! | `flex`, `ndarray`, `wgpu` | `flex` | burn's backends |
//! | `newton` | with `lab` | Newton's method with a full Hessian |
//! | `lab` | yes | data, models, training, experiments, reports |
//! | `cli` | yes | the command `downhill` |
//! | `fetch` | with `cli` | downloads of data sets |
//!
//! A library user takes the core: `default-features = false, features = ["flex"]`.
#![warn(missing_docs)]

/// The code in README.md and docs/ compiles.
#[cfg(all(doctest, feature = "flex"))]
mod pages {
    // a page that needs the lab: #[cfg(feature = "lab")] NAME FILE
    macro_rules! pages {
        ($($(#[$when:meta])? $name:ident $file:literal)*) => {
            $($(#[$when])? #[doc = include_str!($file)] struct $name;)*
        };
    }
    pages! {
        Readme "../README.md"
        UseWithBurn "../docs/use-with-burn.md"
        Pipeline "../docs/pipeline.md"
        OwnOptimizer "../docs/own-optimizer.md"
        SecondOrder "../docs/second-order.md"
        #[cfg(feature = "lab")] OwnModel "../docs/own-model.md"
        #[cfg(feature = "lab")] Compare "../docs/compare.md"
        #[cfg(feature = "lab")] Suites "../docs/suites.md"
    }
}

mod burn_internals;
#[doc(hidden)]
pub mod docs;
pub mod error;
pub mod optim;
pub mod pipeline;
pub mod schedule;
pub mod spec;
mod text;

#[cfg(feature = "lab")]
pub mod lab;

pub use error::{Error, Result};
pub use pipeline::Pipeline;
// the modules of the lab name each other as `crate::data`
#[cfg(feature = "lab")]
#[allow(unused_imports)]
pub(crate) use lab::{
    augment, card, chart, data, device, experiment, files, grade, memory, model, record,
    regularizer, report, runner, seed, study, surface, task, train, verify,
};
