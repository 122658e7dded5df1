//! The rows of the table of optimizers.

use super::lbfgs::Lbfgs;
#[cfg(feature = "newton")]
use super::newton::Newton;
use super::newton_cg::NewtonCg;
use super::whole_model::WholeModel;
use crate::docs::Docs;
use crate::optim::entry::{ConfiguredOptimizer, Decay, Method, OptimizerEntry};
use crate::spec::{Settings, SpecError};

/// In table order.
pub(crate) const ENTRIES: &[OptimizerEntry] = &[
    #[cfg(feature = "newton")]
    entry::<Newton>("newton", include_str!("newton.rs")),
    entry::<NewtonCg>("newton_cg", include_str!("newton_cg.rs")),
    entry::<Lbfgs>("lbfgs", include_str!("lbfgs.rs")),
];

/// Whether a method of a pipeline evaluates the loss itself, as often as it needs.
#[cfg(feature = "lab")]
pub(crate) fn is_whole_model(pipeline: &crate::spec::SpecLine) -> bool {
    pipeline.0.iter().any(|spec| ENTRIES.iter().any(|entry| entry.name == spec.name))
}

/// The settings of a method for whole models.
trait Configure: Settings {
    /// The defaults in a training loop.
    fn in_training() -> Self;

    fn whole_model(&self) -> WholeModel;
}

/// In a training loop, a batch gets one Newton step, unless the spec has more.
#[cfg(feature = "newton")]
impl Configure for Newton {
    fn in_training() -> Self {
        Newton::new().with_steps(1)
    }

    fn whole_model(&self) -> WholeModel {
        WholeModel::Newton(self.clone())
    }
}

impl Configure for NewtonCg {
    fn in_training() -> Self {
        NewtonCg::new().with_steps(1)
    }

    fn whole_model(&self) -> WholeModel {
        WholeModel::NewtonCg(self.clone())
    }
}

impl Configure for Lbfgs {
    fn in_training() -> Self {
        Lbfgs::new()
    }

    fn whole_model(&self) -> WholeModel {
        WholeModel::Lbfgs(Box::new(self.init()))
    }
}

const fn entry<S: Configure>(name: &'static str, docs: &'static str) -> OptimizerEntry {
    OptimizerEntry {
        name,
        docs: Docs(docs),
        lr: 1.0,
        settings: || S::SETTINGS.to_vec(),
        defaults: || S::in_training().values(),
        dialects: &[],
        memory: None,
        build: build::<S>,
    }
}

fn build<S: Configure>(
    entry: &OptimizerEntry,
    settings: &[(&str, &str)],
    decay: Option<Decay>,
) -> Result<ConfiguredOptimizer, SpecError> {
    entry.no_decay(decay)?;
    let mut method = S::in_training();
    let lr = entry.read(&mut method, settings)?;
    let spec = method.spec(entry.name);
    Ok(entry.configured(lr, spec, Method::WholeModel(method.whole_model())))
}
