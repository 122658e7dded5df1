//! The training step: gradient transformations, optimizer, weight averages and schedule, described
//! by one spec.
//!
//! ```
//! use downhill::pipeline::PipelineConfig;
//! use downhill::optim::Optimizers;
//!
//! let spec = "clip_global:max=1|l2:lambda=1e-4|adam@torch|ema:decay=0.99|cosine:warmup=100".parse()?;
//! let mut pipeline = PipelineConfig::read(&spec, &Optimizers::default())?.begin();
//! // in the loop: model = pipeline.step(lr, model, gradients)?;
//! // to evaluate and save: pipeline.evaluation_model(&model)?
//! # Ok::<(), downhill::Error>(())
//! ```

mod config;
mod diagnose;
mod fingerprint;
mod gradients;
mod optimizer_state;
mod paths;
mod state;
mod step;
mod transforms;
mod vector;
mod weights;

pub use config::PipelineConfig;
pub use diagnose::LayerDiagnostics;
pub use step::Pipeline;
pub use transforms::{
    Accumulate, Bound, Clip, Decoupled, Ema, L2, Lookahead, Nonfinite, Policy, Stage, TRANSFORMS,
    TransformEntry,
};
pub use vector::{GradientFn, ParamVector, VectorPipeline};
