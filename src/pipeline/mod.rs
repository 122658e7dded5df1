//! The training step: gradient transformations, optimizer, weight averages and schedule, described
//! by one spec.
//!
//! ```
//! use downhill::Pipeline;
//!
//! let mut optimizer: Pipeline =
//!     "clip_global:max=1|adamw:lr=1e-3|ema:decay=0.999|cosine:warmup=100,steps=5000".parse()?;
//! // in the loop: model = optimizer.step(model, gradients)?;
//! // to evaluate and save: optimizer.evaluation_model(&model)?
//! # Ok::<(), downhill::Error>(())
//! ```
//!
//! | | |
//! |---|---|
//! | [`Pipeline`] | a spec with its state, schedule and counters |
//! | [`PipelineConfig`], [`Stepper`] | the same for a loop that has the learning rates itself |
//! | [`clip_by_global_norm`], [`vectors`], [`EmaWeights`], [`LookaheadWeights`] | parts for a loop with burn's own `ModuleOptimizer` |

mod averages;
mod config;
mod diagnose;
mod filters;
#[cfg(feature = "lab")]
mod fingerprint;
mod gradients;
mod groups;
mod optimizer_state;
mod params;
mod paths;
mod scheduled;
mod sharpness;
mod state;
mod step;
mod transforms;
mod vector;
mod weights;

pub use averages::{EmaWeights, LookaheadWeights};
pub use config::PipelineConfig;
pub use diagnose::LayerDiagnostics;
pub use filters::{GrokfastEma, GrokfastMa, Mars};
pub use gradients::{Bound, clip_by_global_norm};
pub use groups::vectors;
pub use params::Params;
pub use scheduled::Pipeline;
pub use sharpness::Sam;
pub use step::Stepper;
pub use transforms::{
    Accumulate, Caution, Clip, Decoupled, Ema, Group, L2, Lookahead, Nonfinite, ORDER, Policy,
    Stage, TRANSFORMS, TransformEntry,
};
pub use vector::{GradientFn, ParamVector, VectorPipeline};
