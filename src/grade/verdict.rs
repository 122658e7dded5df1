//! The verdict on each claim. This is where a claim is decided.

use std::collections::BTreeMap;

use super::grids::judge_grids;
use super::judgement::{Evidence, GradedClaim, Judgement, Verdict, signed};
use super::paired::{ALPHA, Margins, Tested};
use super::select::{Candidate, Curve, value};
use super::stats::{mean, standard_deviation};
use crate::chart::{short, with_spread};
use crate::experiment::{Claim, Expect, Experiment, SECONDS};
use crate::study::StudyResult;

/// Grades every claim that this scale can decide.
pub fn verdicts(experiment: &Experiment, scale: &str, curves: &[Curve]) -> Vec<GradedClaim> {
    let graded = |claim: &Claim| {
        let metric = claim.expect.measure().unwrap_or(&experiment.metric.name);
        let title = title(metric, curves);
        let judgement = match claim.scale.filter(|decides| decides.name() != scale) {
            Some(decides) => Judgement::undecided(format!("decided at --scale {}", decides.name())),
            None => judge_grids(&claim.expect, curves, metric)
                .unwrap_or_else(|| judge(&claim.expect, curves, metric)),
        };
        judgement.of(claim, &title)
    };
    experiment.claim.iter().map(graded).collect()
}

/// The title of a measurement, from the task of the runs.
fn title(measure: &str, curves: &[Curve]) -> String {
    let mut runs = curves.iter().flat_map(|curve| &curve.candidates).flat_map(Candidate::all_runs);
    runs.next().map_or(measure.into(), |run| run.header.task.measure_title(measure))
}

/// Grades every claim about the numbers of a study.
pub fn study_verdicts(experiment: &Experiment, result: &StudyResult) -> Vec<GradedClaim> {
    let graded = |claim: &Claim| {
        let label = claim.expect.labels()[0];
        let judgement = match result.values.iter().find(|(name, _)| name == label) {
            Some((_, values)) => judge_mean(&claim.expect, values),
            None => {
                let known: Vec<&str> =
                    result.values.iter().map(|(name, _)| name.as_str()).collect();
                Judgement::undecided(format!(
                    "the study has no `{label}`; it has {}",
                    known.join(", ")
                ))
            }
        };
        judgement.of(claim, "")
    };
    experiment.claim.iter().map(graded).collect()
}

/// Compares the mean over the seeds with what was stated.
fn judge_mean(expect: &Expect, values: &[f64]) -> Judgement {
    let center = mean(values);
    let found = match standard_deviation(values) {
        Some(sd) => format!("{} over {} seeds", with_spread(center, sd), values.len()),
        None => short(center),
    };
    match expect.holds(center) {
        _ if values.is_empty() => Judgement::undecided("no runs"),
        Some(holds) => Judgement::new(Verdict::passed(holds), found),
        None => Judgement::undecided("this check compares series, and a study has none"),
    }
}

/// Judges a check of best settings.
fn judge(expect: &Expect, curves: &[Curve], metric: &str) -> Judgement {
    let values = match values_by_series(expect, curves, metric) {
        Ok(values) => values,
        Err(judgement) => return judgement,
    };
    let is_about_one_mean = expect.holds(0.0).is_some();
    if is_about_one_mean {
        let own = expect.labels().first().and_then(|label| values.get(label));
        return judge_mean(expect, &own.map_or(Vec::new(), |own| own.values().copied().collect()));
    }
    let margins = margins(expect, &values);
    match margins.pairs() {
        0 => Judgement::undecided("no seed whose runs all finished"),
        _ if is_deterministic(curves) => judge_deterministic(&margins),
        _ => judge_margins(&margins),
    }
}

/// The value of each seed, by series.
type Values<'a> = BTreeMap<&'a str, BTreeMap<u64, f64>>;

/// The values of the best settings; or the judgement, if a series has none or diverged. A diverged
/// run is infinitely bad for a stated value or bound, and has no margin.
fn values_by_series<'a>(
    expect: &'a Expect,
    curves: &[Curve],
    metric: &str,
) -> std::result::Result<Values<'a>, Judgement> {
    let diverged = match expect.holds(f64::INFINITY) {
        Some(holds) if metric != SECONDS => Verdict::passed(holds),
        _ => Verdict::Undecided,
    };
    let mut values = Values::new();
    for label in expect.labels() {
        let Some(curve) = curves.iter().find(|curve| curve.label == label) else { continue };
        let Some(chosen) = curve.chosen() else {
            let no_runs = curve.missing > 0 || curve.candidates.is_empty();
            let verdict = if no_runs { Verdict::Undecided } else { diverged };
            return Err(Judgement::new(verdict, format!("{label}: {}", curve.why_none())));
        };
        if let Some(seed) = chosen.diverged().first() {
            return Err(Judgement::new(diverged, format!("{label} diverged with seed {seed}")));
        }
        let of_seed = chosen
            .runs
            .iter()
            .filter_map(|run| Some((run.header.seed, value(run, metric, expect.reduction())?)));
        values.insert(label, of_seed.collect());
    }
    Ok(values)
}

/// The margins of each seed that every series has.
fn margins(expect: &Expect, values: &Values<'_>) -> Margins {
    let seeds = values.values().next().into_iter().flat_map(BTreeMap::keys);
    let of = |label: &str, seed: u64| values.get(label)?.get(&seed).copied();
    let mut sides: Vec<Vec<f64>> = Vec::new();
    for margins in seeds.filter_map(|seed| expect.margins(&|label| of(label, *seed))) {
        sides.resize(margins.len(), Vec::new());
        sides.iter_mut().zip(margins).for_each(|(side, margin)| side.push(margin));
    }
    Margins(sides)
}

/// Whether every run is of a task without randomness.
fn is_deterministic(curves: &[Curve]) -> bool {
    let candidates = curves.iter().flat_map(|curve| &curve.candidates);
    candidates.flat_map(|candidate| &candidate.runs).all(|run| run.header.task.is_deterministic())
}

fn judge_deterministic(margins: &Margins) -> Judgement {
    let margin = margins.smallest_mean();
    let verdict = if margin > 0.0 { Verdict::Held } else { Verdict::NotHeld };
    Judgement::new(verdict, format!("margin {}; deterministic", signed(margin)))
}

/// HELD or NOT HELD if the p-value is at most 5 %.
fn judge_margins(margins: &Margins) -> Judgement {
    let pairs = margins.pairs();
    let Some(tested) = margins.test(pairs) else {
        return Judgement::undecided(format!(
            "margin {} from 1 seed; an interval needs at least 2",
            signed(margins.smallest_mean())
        ));
    };
    let Tested { estimate, low, high, p_value, favours } = tested;
    let verdict = match (p_value <= ALPHA, favours) {
        (true, true) => Verdict::Held,
        (true, false) => Verdict::NotHeld,
        (false, _) => Verdict::Undecided,
    };
    let [middle, from, to] = [estimate, low, high].map(signed);
    let margin = format!("margin {middle}, 95 % interval {from} to {to} over {pairs} seeds");
    let evidence = Evidence { estimate, low, high, p_value, adjusted_p: p_value, pairs };
    Judgement { verdict, margin, evidence: Some(evidence) }
}
