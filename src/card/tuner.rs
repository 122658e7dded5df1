//! The choice of the learning rate for a task.

use std::sync::OnceLock;

use super::run::TaskRun;
use super::score::{Measured, Score};
use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::seed::Seed;
use crate::spec::{Setting, SettingValue, SpecLine};

/// The learning rates that are tried, two for each power of ten.
pub const RATES: [f64; 11] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

/// Seeds of each task: 0 up to this number.
pub const SEEDS: usize = 5;

/// An optimizer at each learning rate that is tried.
pub(super) struct Tuner<'a> {
    configs: Vec<PipelineConfig>,
    /// the best learning rate on the noisy bowl, which two tasks need; the first one sets it
    best_on_noise: &'a OnceLock<TunedRate>,
}

/// The best learning rate by some measure.
#[derive(Clone)]
pub(super) struct TunedRate {
    /// its index among the learning rates that are tried
    pub place: usize,
    pub lr: f64,
    /// the measurement of each seed
    pub seeds: Vec<Measured>,
}

impl TunedRate {
    /// The score of a task that measures what the learning rate was chosen by.
    pub fn score(self) -> Score {
        Score { rates: vec![self.lr], seeds: self.seeds }
    }
}

impl<'a> Tuner<'a> {
    /// An optimizer at the learning rate that its spec sets, or else at each of [`RATES`].
    pub fn new(
        line: &SpecLine,
        optimizers: &Optimizers,
        best_on_noise: &'a OnceLock<TunedRate>,
    ) -> Result<Tuner<'a>> {
        let own = PipelineConfig::read(line, optimizers)?;
        let name = own.optimizer.spec.name.clone();
        let configs = match gives_lr(line, &name) {
            true => vec![own],
            false => RATES
                .iter()
                .map(|lr| PipelineConfig::read(&with_lr(line, &name, *lr), optimizers))
                .collect::<Result<_>>()?,
        };
        Ok(Tuner { configs, best_on_noise })
    }

    /// Every seed at one learning rate.
    pub fn seeds(
        &self,
        place: usize,
        measure: impl Fn(&TaskRun<'_>) -> Result<Measured>,
    ) -> Result<Vec<Measured>> {
        (0..SEEDS as u64)
            .map(|seed| measure(&TaskRun { config: &self.configs[place], seed: Seed(seed) }))
            .collect()
    }

    /// The learning rate with the best median. If several are equal, the smallest of them.
    pub fn best(&self, measure: impl Fn(&TaskRun<'_>) -> Result<Measured>) -> Result<TunedRate> {
        let mut best: Option<(Measured, TunedRate)> = None;
        for (place, config) in self.configs.iter().enumerate() {
            let before = best.as_ref().map(|(median, _)| median);
            let Some(seeds) = better(config, before, &measure)? else { continue };
            let lr = config.optimizer.lr;
            let score = Score { rates: vec![lr], seeds };
            best = Some((score.median().clone(), TunedRate { place, lr, seeds: score.seeds }));
        }
        best.map(|(_, best)| best)
            .ok_or_else(|| Error::value("lr", "no learning rate to try", "at least one"))
    }

    /// The best learning rate on the noisy bowl, computed once.
    pub fn best_on_noise(
        &self,
        measure: impl Fn(&TaskRun<'_>) -> Result<Measured>,
    ) -> Result<TunedRate> {
        if let Some(known) = self.best_on_noise.get() {
            return Ok(known.clone());
        }
        // if two threads compute it at the same time, the results are equal
        let best = self.best(measure)?;
        Ok(self.best_on_noise.get_or_init(|| best).clone())
    }

    /// The score of a task at the learning rate that is best for it.
    pub fn score(&self, measure: impl Fn(&TaskRun<'_>) -> Result<Measured>) -> Result<Score> {
        Ok(self.best(measure)?.score())
    }
}

/// The seeds at a learning rate, or `None` as soon as their median cannot be better than `before`.
fn better(
    config: &PipelineConfig,
    before: Option<&Measured>,
    measure: impl Fn(&TaskRun<'_>) -> Result<Measured>,
) -> Result<Option<Vec<Measured>>> {
    let mut seeds = Vec::new();
    for seed in 0..SEEDS as u64 {
        seeds.push(measure(&TaskRun { config, seed: Seed(seed) })?);
        let behind =
            seeds.iter().filter(|seed| before.is_some_and(|before| *seed >= before)).count();
        if behind > SEEDS / 2 {
            return Ok(None);
        }
    }
    Ok(Some(seeds))
}

/// Whether a pipeline spec sets the learning rate of its optimizer.
pub(super) fn gives_lr(line: &SpecLine, optimizer: &str) -> bool {
    line.0.iter().any(|spec| {
        spec.name == optimizer && spec.settings.iter().any(|(key, _)| key == Setting::LR.name)
    })
}

/// The spec with this learning rate. The spec has to be read again, because some settings depend
/// on the learning rate.
fn with_lr(line: &SpecLine, optimizer: &str, lr: f64) -> SpecLine {
    let mut line = line.clone();
    if let Some(spec) = line.0.iter_mut().find(|spec| spec.name == optimizer) {
        spec.settings.push((Setting::LR.name.into(), vec![lr.show()]));
    }
    line
}
