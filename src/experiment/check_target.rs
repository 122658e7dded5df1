//! Checking the target of a claim `reaches`.

use super::claim::{Expect, SECONDS};
use super::schema::{Experiment, Series};
use super::target::CostUnit;
use crate::chart::short;
use crate::error::{Error, Result};
use crate::optim::second_order::is_whole_model;

impl Experiment {
    /// A target is one that the measurement of a curve can reach.
    pub(super) fn check_target(&self, expect: &Expect) -> Result<()> {
        let Expect::Reaches { a, b, within, target, measure, unit } = expect else { return Ok(()) };
        if b.is_some() == within.is_some() {
            let found = if b.is_some() { "b and within" } else { "neither b nor within" };
            return Err(Error::value("expect", found, "one of them"));
        }
        let measure = measure.as_deref().unwrap_or(&self.metric.name);
        if measure == SECONDS {
            let expected = "a measurement of the task; `in = \"seconds\"` counts seconds";
            return Err(Error::value("expect.measure", format!("`{measure}`"), expected));
        }
        let target = target.value(measure)?;
        let series = [Some(a), b.as_ref()].into_iter().flatten();
        for series in series.filter_map(|label| self.series_named(label)) {
            if *unit == CostUnit::GradientEvaluations {
                check_counted(series)?;
            }
            let range = self.task_of(series).range(measure);
            if !range.contains(&target) {
                let [low, high] = [*range.start(), *range.end()].map(short);
                let expected = match high.as_str() {
                    "inf" => format!("at least {low}, which {measure} can reach"),
                    _ => format!("from {low} to {high}, the range of {measure}"),
                };
                return Err(Error::value("expect.target", short(target), expected));
            }
        }
        Ok(())
    }
}

/// The records of a series count its gradients.
fn check_counted(series: &Series) -> Result<()> {
    for (_, grid) in series.optimizers() {
        if is_whole_model(&grid.parse()?) {
            let found = format!("gradient_evaluations of {}, which are not recorded", series.label);
            return Err(Error::value("expect.in", found, "steps, epochs or seconds"));
        }
    }
    Ok(())
}
