//! The optimizers, and how burn runs them.
//!
//! | | |
//! |---|---|
//! | [`Rule`] | what an optimizer is: a formula over [`Value`] |
//! | [`Fused`] | a rule as burn's `Optimizer`: one pass on a CPU, tensor operations elsewhere |
//! | [`JointRule`] | a rule whose step depends on sums over all parameters |
//! | [`Optimizers`] | all optimizers by name; specs like `adam:lr=1e-3` are read with it |
//!
//! The folders:
//!
//! | | |
//! |---|---|
//! | [`rules`] | one file per update rule; [`lazy_adam`] works by rows, [`adafactor`] by matrices |
//! | [`second_order`] | Newton's methods and L-BFGS, which move the whole model at once |
//! | [`burn`] | burn's own optimizers, for comparison |
//!
//! To add an optimizer, write a file in `rules` and list it in `rules/mod.rs`.

mod cautious;
mod cost;
mod dyn_rule;
mod entry;
mod evaluation;
mod fused;
mod fused_state;
mod joint;
mod joint_rule;
mod joint_state;
mod load_record;
mod param_state;
mod pass;
mod registry;
mod reshape;
mod rule;
mod value;

pub mod burn;
pub mod decay;
pub mod rules;
pub mod second_order;

pub use cautious::{Cautious, Scale};
pub use cost::{Cost, cost, cost_measured};
pub use decay::Decayed;
pub use dyn_rule::{DynRule, VectorState};
pub use entry::{ConfiguredOptimizer, Decay, Dialect, Method, NamedRule, OptimizerEntry, PAPER};
pub use evaluation::evaluation_model;
pub use fused::{Fused, IntoOptimizer};
pub use fused_state::FusedState;
pub use joint::JointOptimizer;
pub use joint_rule::{Estimate, JointContext, JointRule};
pub use load_record::load_record;
pub use param_state::{ParamState, optimizer_state};
pub use registry::Optimizers;
pub use rule::{BurnRecord, EpsPlace, LrPlace, Rule, Signal, StepContext};
pub use rules::*;
/// The same under the name of its best known method.
pub use second_order as newton;
pub use value::{Lane, Value};

pub(crate) use entry::dialects;
pub(crate) use reshape::reshaped;
