//! The runs that an experiment plans: each series with the settings of its grid.

use std::collections::BTreeSet;

use super::schema::{Experiment, Scale, Series};
use super::setting::{GridSetting, swept};
use crate::error::Result;
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::schedule::{SCHEDULES, Schedule};
use crate::spec::{Spec, SpecLine};

/// The settings that an experiment plans for one legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// legend
    pub label: String,
    /// label of the series in the records
    pub series: String,
    /// its grid
    pub settings: Vec<GridSetting>,
}

impl Planned {
    /// Whether there are several settings, of which one is selected.
    pub fn has_choice(&self) -> bool {
        self.settings.len() > 1
    }

    /// What its runs have as [`Header::setting`](crate::record::Header::setting).
    pub fn keys(&self) -> impl Iterator<Item = [&str; 3]> {
        let own = self.series.as_str();
        self.settings.iter().map(move |it| [own, it.optimizer.as_str(), it.schedule.as_str()])
    }
}

impl Experiment {
    /// The grid of a series at a scale: each pipeline with its schedule. The schedule is that of
    /// the pipeline spec, or else of the series, or else of the experiment.
    ///
    /// # Errors
    /// On an unknown name or setting, or a value that is not allowed.
    pub fn grid(
        &self,
        series: &Series,
        scale: Scale,
        optimizers: &Optimizers,
    ) -> Result<Vec<(PipelineConfig, Schedule)>> {
        let common = self.schedule_of(series)?;
        let grid = series.optimizer_at(scale).parse::<SpecLine>()?.expand();
        let configured = |spec: SpecLine| {
            let config = PipelineConfig::read(&spec, optimizers)?;
            let schedule = config.schedule.clone().unwrap_or_else(|| common.clone());
            Ok((config, schedule))
        };
        grid.into_iter().map(configured).collect()
    }

    /// The schedule of a series, or else of the experiment.
    pub(super) fn schedule_of(&self, series: &Series) -> Result<Schedule> {
        Schedule::read(&series.schedule.as_ref().unwrap_or(&self.schedule).parse()?)
    }

    /// The settings of each series.
    ///
    /// # Errors
    /// As [`grid`](Experiment::grid).
    pub fn planned(&self, scale: Scale, optimizers: &Optimizers) -> Result<Vec<Planned>> {
        self.series.iter().map(|series| self.planned_of(series, scale, optimizers)).collect()
    }

    fn planned_of(
        &self,
        series: &Series,
        scale: Scale,
        optimizers: &Optimizers,
    ) -> Result<Planned> {
        let grid = self.grid(series, scale, optimizers)?.into_iter();
        let mut written: SpecLine = series.optimizer_at(scale).parse()?;
        let is_schedule = |spec: &Spec| SCHEDULES.iter().any(|known| known.name == spec.name);
        // the schedule of the experiment distinguishes no series
        if let Some(own) = series.schedule.as_ref().filter(|_| !written.0.iter().any(is_schedule)) {
            written.0.push(own.parse()?);
        }
        let setting = |(config, schedule): (PipelineConfig, Schedule)| {
            GridSetting::new(config.spec.to_string(), schedule.spec()).named_as_in(&written)
        };
        Ok(Planned {
            label: series.label.clone(),
            series: series.label.clone(),
            settings: grid.map(setting).collect(),
        })
    }

    /// The settings that differ within the grid of a series, at any scale.
    pub(super) fn swept(
        &self,
        series: &Series,
        optimizers: &Optimizers,
    ) -> Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for scale in self.scale.keys() {
            let planned = self.planned_of(series, *scale, optimizers)?;
            all.extend(swept(&planned.settings.iter().collect::<Vec<_>>()));
        }
        Ok(all)
    }

    /// The measurements that can be drawn and graded of all these series. Empty for a study, which
    /// has no series.
    pub(super) fn measures(&self, which: impl Fn(&Series) -> bool) -> Vec<&'static str> {
        let series = self.series.iter().filter(|series| which(series));
        let tasks: Vec<Vec<&str>> = series.map(|series| self.task_of(series).measures()).collect();
        let all = tasks.first().cloned().unwrap_or_else(|| self.task.measures());
        all.into_iter().filter(|name| tasks.iter().all(|task| task.contains(name))).collect()
    }
}
