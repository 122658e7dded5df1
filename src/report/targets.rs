//! What it costs each series to reach the targets of the claims.

use crate::chart::{Table, short};
use crate::experiment::{CostUnit, Experiment};
use crate::grade::{Curve, Goal, median, sorted};
use crate::record::RecordedTask;

const UNITS: [CostUnit; 4] =
    [CostUnit::Steps, CostUnit::Epochs, CostUnit::GradientEvaluations, CostUnit::Seconds];

/// A table for each target.
pub fn tables(
    experiment: Option<&Experiment>,
    curves: &[Curve],
    task: &RecordedTask,
) -> Vec<Table> {
    let Some(experiment) = experiment else { return Vec::new() };
    let mut goals: Vec<Goal<'_>> = Vec::new();
    for claim in &experiment.claim {
        let target = claim.expect.target(&experiment.metric.name);
        let goal = target.map(|(measure, target, _)| Goal { measure, target });
        goals.extend(goal.filter(|goal| !goals.contains(goal)));
    }
    goals.iter().map(|goal| table(goal, curves, task)).collect()
}

fn table(goal: &Goal<'_>, curves: &[Curve], task: &RecordedTask) -> Table {
    let units = UNITS.iter().map(|unit| unit.name().to_string());
    let title = task.measure_title(goal.measure);
    Table {
        title: format!("Cost of a {title} of {}", short(goal.target)),
        head: ["series".to_string()].into_iter().chain(units).chain(["seeds".into()]).collect(),
        rows: curves.iter().map(|curve| row(goal, curve)).collect(),
        note: format!(
            "The median over the seeds until the {title} is first at or below {}, interpolated \
             linearly between two measurements. A run that never gets there counts as infinite. \
             The last column says how many seeds get there.",
            short(goal.target)
        ),
    }
}

fn row(goal: &Goal<'_>, curve: &Curve) -> Vec<String> {
    let Some(chosen) = curve.chosen() else {
        let none = std::iter::repeat_n("-".to_string(), UNITS.len() + 1);
        return std::iter::once(curve.label.clone()).chain(none).collect();
    };
    let costs = UNITS.map(|unit| goal.costs(chosen, unit).into_values().collect::<Vec<f64>>());
    let reached = costs[0].iter().filter(|cost| cost.is_finite()).count();
    let seeds = format!("{reached} of {}", costs[0].len());
    let cells = costs.iter().map(|costs| match median(&sorted(costs)) {
        _ if costs.is_empty() => "-".into(),
        median if median.is_finite() => short(median),
        _ => "never".into(),
    });
    std::iter::once(curve.label.clone()).chain(cells).chain([seeds]).collect()
}
