//! The rows of the table.

use serde::Serialize;

use crate::chart::{short, with_spread};
use crate::grade::{Candidate, Curve, Selection, mean, standard_deviation};
use crate::record::{Measure, Outcome, Run};

/// A series in the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// label of the series
    pub series: String,
    /// the chosen setting, or why there is none
    pub chosen: String,
    /// what its task has in place of the experiment's, or `-`
    pub task: String,
    /// the value that selected it, if the runs are complete
    pub score: String,
    /// mean and standard deviation over the seeds of each final measurement
    pub finals: Vec<String>,
    /// each final measurement of each seed
    #[serde(skip)]
    pub exact: Vec<Vec<f64>>,
    /// mean duration of a run in seconds
    pub seconds: String,
    /// how many runs there are, and how many diverged
    pub runs: String,
}

/// The row of a series. `task` is what its task has in place of the experiment's.
pub fn row(curve: &Curve, task: String, measures: &[Measure], selection: &Selection) -> Row {
    let task = if task.is_empty() { "-".into() } else { task };
    match curve.chosen() {
        Some(chosen) => Row {
            series: curve.label.clone(),
            chosen: curve.brief(),
            task,
            score: own_score(curve, chosen, selection).map_or("-".into(), short),
            finals: measures.iter().map(|measure| final_value(chosen, measure.name)).collect(),
            exact: measures.iter().map(|measure| final_values(chosen, measure.name)).collect(),
            seconds: mean_seconds(chosen),
            runs: run_counts(curve),
        },
        None => Row {
            series: curve.label.clone(),
            chosen: curve.why_none(),
            task,
            score: "-".into(),
            finals: vec!["-".into(); measures.len()],
            exact: vec![Vec::new(); measures.len()],
            seconds: "-".into(),
            runs: run_counts(curve),
        },
    }
}

/// The value that selected a setting among several.
fn own_score(curve: &Curve, chosen: &Candidate, selection: &Selection) -> Option<f64> {
    if curve.has_choice() { chosen.score(selection) } else { None }
}

/// The last value of a measurement of each seed.
fn final_values(chosen: &Candidate, measure: &str) -> Vec<f64> {
    chosen.runs.iter().filter_map(|run| run.last(measure)).collect()
}

/// Mean and standard deviation of the last values of a measurement.
fn final_value(chosen: &Candidate, measure: &str) -> String {
    let values = final_values(chosen, measure);
    let diverged = values.iter().filter(|value| value.is_infinite()).count();
    match standard_deviation(&values) {
        _ if values.is_empty() => "-".into(),
        _ if diverged > 0 => format!("{diverged} of {} diverged", values.len()),
        Some(sd) => with_spread(mean(&values), sd),
        None => short(mean(&values)),
    }
}

fn mean_seconds(chosen: &Candidate) -> String {
    let seconds: Vec<f64> =
        chosen.runs.iter().filter_map(|run| Some(run.end.as_ref()?.seconds)).collect();
    match mean(&seconds) {
        long @ 10.0.. => format!("{long:.0}"),
        short @ 0.1.. => format!("{short:.2}"),
        shortest => format!("{shortest:.3}"),
    }
}

/// The number of runs of the whole grid, and how many of them did not finish: `12, 1 diverged`.
fn run_counts(curve: &Curve) -> String {
    let runs: Vec<&Run> = curve.candidates.iter().flat_map(Candidate::all_runs).collect();
    let mut text = runs.len().to_string();
    for (outcome, name) in [
        (Some(Outcome::Diverged), "diverged"),
        (Some(Outcome::Interrupted), "interrupted"),
        (None, "not complete"),
    ] {
        let count = runs.iter().filter(|run| run.ended() == outcome).count();
        if count > 0 {
            text += &format!(", {count} {name}");
        }
    }
    text
}
