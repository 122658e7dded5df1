//! The mean of several runs as a line with a band.

use std::collections::BTreeMap;

use crate::chart::BandPoint;
use crate::grade::Candidate;
use crate::record::{CurvePoint, Outcome, Run};

/// The mean over the seeds.
pub struct MeanLine {
    /// mean at each epoch; the band is one standard deviation wide on each side, as in the table
    pub points: Vec<BandPoint>,
    /// x of the first divergence, where the line ends
    pub diverged: Option<f64>,
}

/// The values of all runs at one epoch.
struct Epoch {
    x: f64,
    values: Vec<f64>,
}

/// The mean line of a setting: a measurement over the epochs, or over another measurement. A run
/// that ended early stays at the value of the model that it returned.
pub fn mean_line(candidate: &Candidate, x_measure: Option<&str>, measure: &str) -> MeanLine {
    let runs = candidate.drawn();
    let mut epochs = measured_epochs(runs, x_measure, measure);
    if x_measure.is_none() && runs.iter().any(stopped_early) {
        add_kept_models(runs, measure, &mut epochs);
    }
    let first_divergence = runs
        .iter()
        .filter(|run| run.ended() == Some(Outcome::Diverged))
        .map(|run| run.points.last().map_or(0, |point| point.epoch))
        .min();
    let mut diverged = None;
    if let Some(last) = first_divergence {
        epochs.retain(|epoch, _| *epoch <= last);
        diverged = epochs.get(&last).map(|epoch| epoch.x);
    }
    let points =
        epochs.into_values().map(|epoch| BandPoint::of_values(epoch.x, &epoch.values)).collect();
    MeanLine { points, diverged }
}

/// The epochs of the longest run, with the values of all runs.
fn measured_epochs(runs: &[Run], x_measure: Option<&str>, measure: &str) -> BTreeMap<usize, Epoch> {
    let x = |point: &CurvePoint| match x_measure {
        Some(x_measure) => point.measures.get(x_measure),
        None => Some(point.epoch as f64),
    };
    let mut epochs: BTreeMap<usize, Epoch> = BTreeMap::new();
    for run in runs {
        let returned = run.kept().filter(|_| run.ended() == Some(Outcome::Finished));
        for point in longest(runs) {
            let own = run.points.get(point.epoch).or(returned);
            if let (Some(value), Some(x)) = (own.and_then(|own| own.value(measure)), x(point)) {
                let epoch = epochs.entry(point.epoch).or_insert(Epoch { x, values: Vec::new() });
                epoch.values.push(value);
            }
        }
    }
    epochs
}

/// After early stopping, the line continues to the last planned epoch at the value of the model
/// that was returned.
fn add_kept_models(runs: &[Run], measure: &str, epochs: &mut BTreeMap<usize, Epoch>) {
    let values: Vec<f64> =
        runs.iter().filter_map(|run| run.kept().and_then(|point| point.value(measure))).collect();
    let planned = runs.iter().map(|run| run.header.epochs).max().unwrap_or(0);
    for epoch in longest(runs).len()..=planned {
        epochs.insert(epoch, Epoch { x: epoch as f64, values: values.clone() });
    }
}

fn longest(runs: &[Run]) -> &[CurvePoint] {
    runs.iter().max_by_key(|run| run.points.len()).map_or(&[], |run| run.points.as_slice())
}

fn stopped_early(run: &Run) -> bool {
    run.end.as_ref().is_some_and(|end| end.kept.is_some())
}
