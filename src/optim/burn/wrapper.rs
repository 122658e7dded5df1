//! How an optimizer of burn becomes a row of the table.

use burn::optim::ModuleOptimizer;
use burn::optim::decay::WeightDecayConfig;

use crate::docs::Docs;
use crate::optim::entry::{ConfiguredOptimizer, Decay, Method, OptimizerEntry};
use crate::spec::{SettingValue, Settings, SpecError};

/// The settings of an optimizer of burn. They have burn's names and defaults.
pub(super) trait BurnOptimizer: Settings {
    /// The name in specs.
    const NAME: &'static str;
    /// The default learning rate.
    const LR: f64;
    /// The source file, whose header is the documentation.
    const DOCS: &'static str;

    /// burn's optimizer with these settings.
    fn init(&self) -> ModuleOptimizer;
}

pub(super) const fn entry<S: BurnOptimizer>() -> OptimizerEntry {
    OptimizerEntry {
        name: S::NAME,
        docs: Docs(S::DOCS),
        lr: S::LR,
        settings: || S::SETTINGS.to_vec(),
        defaults: || S::default().values(),
        dialects: &[],
        memory: None,
        build: build::<S>,
    }
}

fn build<S: BurnOptimizer>(
    entry: &OptimizerEntry,
    settings: &[(&str, &str)],
    decay: Option<Decay>,
) -> Result<ConfiguredOptimizer, SpecError> {
    entry.no_decay(decay)?;
    let mut config = S::default();
    let lr = entry.read(&mut config, settings)?;
    check_in_f32(&config)?;
    let method = Method::PerTensor { optimizer: config.init(), rule: None };
    Ok(entry.configured(lr, config.spec(S::NAME), method))
}

/// burn stores numbers in f32, where a small one becomes 0 and one just below 1 becomes 1.
///
/// # Errors
/// If a setting is out of its range after rounding to f32.
fn check_in_f32<S: BurnOptimizer>(config: &S) -> Result<(), SpecError> {
    for (key, value) in config.values() {
        let Ok(number) = value.parse::<f64>() else { continue };
        let rounded = f64::from(number as f32).show();
        match S::default().set(S::NAME, key, &rounded) {
            Err(SpecError::Value { owner, key, expected, .. }) => {
                let expected = format!("{expected}, in f32");
                return Err(SpecError::Value { owner, key, found: value, expected });
            }
            other => other?,
        }
    }
    Ok(())
}

/// burn's L2 penalty; `None` for 0.
pub(super) fn l2(penalty: f64) -> Option<WeightDecayConfig> {
    (penalty > 0.0).then(|| WeightDecayConfig::new(penalty as f32))
}
