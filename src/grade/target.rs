//! The cost until a measurement first reaches a target.
//!
//! The measurement is known at the points of a record, one before the first epoch and one after
//! each. Between the last point above the target and the first at or below it, the cost is
//! interpolated linearly. A run that ends without reaching the target, also because it diverged, has
//! an infinite cost.

use std::collections::BTreeMap;

use super::judgement::{Judgement, Verdict};
use super::paired::{Margins, median, sorted};
use super::select::{Candidate, Curve};
use crate::chart::short;
use crate::experiment::CostUnit;
use crate::optim::second_order::is_whole_model;
use crate::record::{CurvePoint, Run};
use crate::spec::SpecLine;
use crate::text::counted;

/// A target of a measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal<'a> {
    /// the measurement
    pub measure: &'a str,
    /// reached at this value or below
    pub target: f64,
}

impl Goal<'_> {
    /// The cost of a run: infinite if it never reaches the target, `None` if it is not complete and
    /// has not reached it yet, and for gradients that the record does not count.
    pub fn cost(&self, run: &Run, unit: CostUnit) -> Option<f64> {
        let pipeline = run.header.optimizer.parse::<SpecLine>().ok()?;
        if unit == CostUnit::GradientEvaluations && is_whole_model(&pipeline) {
            return None;
        }
        let batches = batches_a_step(&pipeline);
        let at = |point: &CurvePoint| match unit {
            CostUnit::Steps => point.step as f64 / batches,
            CostUnit::GradientEvaluations => point.step as f64,
            CostUnit::Epochs => point.epoch as f64,
            CostUnit::Seconds => point.seconds,
        };
        let measured = run.points.iter().filter_map(|it| Some((at(it), it.value(self.measure)?)));
        let mut above: Option<(f64, f64)> = None;
        for (cost, value) in measured {
            if value > self.target {
                above = Some((cost, value));
            } else if value <= self.target {
                return Some(above.map_or(cost, |(before, higher)| {
                    before + (higher - self.target) / (higher - value) * (cost - before)
                }));
            }
        }
        run.is_complete().then_some(f64::INFINITY)
    }

    /// The cost of each graded seed of a setting.
    pub fn costs(&self, chosen: &Candidate, unit: CostUnit) -> BTreeMap<u64, f64> {
        let runs = chosen.runs.iter();
        runs.filter_map(|run| Some((run.header.seed, self.cost(run, unit)?))).collect()
    }
}

/// How many batches one optimizer step takes.
fn batches_a_step(pipeline: &SpecLine) -> f64 {
    let accumulate = pipeline.0.iter().find(|spec| spec.name == "accumulate");
    let settings = accumulate.map_or(&[][..], |spec| &spec.settings);
    let steps = settings.iter().find(|(key, _)| key == "steps").and_then(|(_, n)| n.first());
    steps.and_then(|n| n.parse().ok()).unwrap_or(1.0)
}

/// The median of costs: `120 steps`.
fn in_words(costs: &[f64], unit: CostUnit) -> String {
    match median(&sorted(costs)) {
        median if median.is_infinite() => "never".into(),
        median => format!("{} {}", short(median), unit.name()),
    }
}

/// The costs of the best setting of a series; or why there are none.
fn costs_of(
    curves: &[Curve],
    label: &str,
    goal: &Goal<'_>,
    unit: CostUnit,
) -> std::result::Result<BTreeMap<u64, f64>, String> {
    let curve = curves.iter().find(|curve| curve.label == label);
    let curve = curve.ok_or_else(|| format!("{label}: no runs"))?;
    let chosen = curve.chosen().ok_or_else(|| format!("{label}: {}", curve.why_none()))?;
    let costs = goal.costs(chosen, unit);
    if costs.is_empty() { Err(format!("{label}: no runs")) } else { Ok(costs) }
}

/// The margins of `a` reaching the target before `b`: what `b` costs more, for each seed that both
/// have. With them a text; or why there are none.
pub fn margins(
    curves: &[Curve],
    [a, b]: [&str; 2],
    goal: &Goal<'_>,
    unit: CostUnit,
) -> std::result::Result<(Margins, String), String> {
    let (of_a, of_b) = (costs_of(curves, a, goal, unit)?, costs_of(curves, b, goal, unit)?);
    let pairs = of_a.iter().filter_map(|(seed, own)| Some((*own, *of_b.get(seed)?)));
    let (own, other): (Vec<f64>, Vec<f64>) = pairs.unzip();
    // equal costs, also infinite ones, are no difference
    let margin = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { b - a };
    let margins = own.iter().zip(&other).map(margin).collect();
    let text = format!("{a} {}, {b} {}", in_words(&own, unit), in_words(&other, unit));
    Ok((Margins::Signs(margins), text))
}

/// Whether the median cost of a series is within a bound.
pub fn judge_within(
    curves: &[Curve],
    label: &str,
    goal: &Goal<'_>,
    unit: CostUnit,
    within: f64,
) -> Judgement {
    let costs: Vec<f64> = match costs_of(curves, label, goal, unit) {
        Ok(costs) => costs.into_values().collect(),
        Err(why) => return Judgement::undecided(why),
    };
    let never = costs.iter().filter(|cost| cost.is_infinite()).count();
    let never = if never > 0 { format!(", {never} never") } else { String::new() };
    let of = counted(costs.len(), "seed", "seeds");
    let found = format!("median {} of {of}{never}", in_words(&costs, unit));
    Judgement::new(Verdict::passed(median(&sorted(&costs)) <= within), found)
}
