//! The verdict on each claim. This is where a claim is decided.

use std::collections::BTreeMap;

use super::grids::judge_grids;
use super::judgement::{Evidence, GradedClaim, Judgement, Verdict, signed};
use super::outlook::outlook;
use super::paired::{Margins, Tested};
use super::select::{Candidate, Curve, value};
use super::sequential::{Decision, Look, decide, looks};
use super::stats::{mean, standard_deviation};
use super::target::{Goal, judge_within, margins as cost_margins};
use crate::chart::{short, with_spread};
use crate::docs::counted;
use crate::experiment::{Claim, Expect, Experiment, SECONDS};
use crate::study::StudyResult;

/// A claim before its p-value is compared with those of the other claims.
enum Judged {
    /// the verdict depends on no p-value
    Final(Judgement),
    /// a claim of the family that cannot be tested
    Untested(Judgement),
    /// a claim of the family, with what precedes its margin
    Tested(Margins, String),
}

/// Grades every claim that this scale can decide.
pub fn verdicts(experiment: &Experiment, scale: &str, curves: &[Curve]) -> Vec<GradedClaim> {
    let measure =
        |claim: &Claim| claim.expect.measure().unwrap_or(&experiment.metric.name).to_string();
    let judged = |claim: &Claim| match claim.scale.filter(|decides| decides.name() != scale) {
        Some(decides) => {
            Judged::Final(Judgement::undecided(format!("decided at --scale {}", decides.name())))
        }
        None => judge(&claim.expect, curves, &measure(claim)),
    };
    let judged = experiment.claim.iter().map(judged).collect();
    let judgements = decided(judged, experiment.until_decided);
    let graded = |(claim, judgement): (&Claim, Judgement)| {
        judgement.of(claim, &title(&measure(claim), curves))
    };
    experiment.claim.iter().zip(judgements).map(graded).collect()
}

/// The judgements, once the claims with margins are tested together.
fn decided(judged: Vec<Judged>, until_decided: bool) -> Vec<Judgement> {
    let in_family = |judged: &Judged| match judged {
        Judged::Final(_) => None,
        Judged::Untested(_) => Some(Margins::Means(Vec::new())),
        Judged::Tested(margins, _) => Some(margins.clone()),
    };
    let family: Vec<Margins> = judged.iter().filter_map(in_family).collect();
    let most = family.iter().map(Margins::pairs).max().unwrap_or(0);
    let looks = if until_decided { looks(most) } else { vec![Look::ONLY] };
    let decisions = decide(&family, &looks);
    let made = decisions.iter().flatten().filter(|decision| decision.is_made()).count();
    let test = Test { claims: family.len(), undecided: family.len() - made, until_decided };
    let mut decisions = decisions.into_iter();
    let judgement = |judged| match judged {
        Judged::Final(judgement) => judgement,
        Judged::Untested(judgement) => {
            decisions.next();
            judgement
        }
        Judged::Tested(margins, before) => {
            let judgement = test.judgement(&margins, decisions.next().flatten());
            Judgement { margin: before + &judgement.margin, ..judgement }
        }
    };
    judged.into_iter().map(judgement).collect()
}

/// The claims that are tested together.
struct Test {
    claims: usize,
    undecided: usize,
    until_decided: bool,
}

impl Test {
    /// HELD or NOT HELD if the adjusted p-value is at most 5 %.
    fn judgement(&self, margins: &Margins, decision: Option<Decision>) -> Judgement {
        let pairs = margins.pairs();
        let seeds = counted(pairs, "seed", "seeds");
        let Some(Tested { estimate, low, high, .. }) = margins.test(pairs) else {
            let from = signed(margins.estimate());
            let why = format!("margin {from} from {seeds}; an interval needs at least 2");
            return Judgement { is_open: true, ..Judgement::undecided(why) };
        };
        let [middle, from, to] = [estimate, low, high].map(signed);
        let of = margins.kind();
        let found = format!("{of} {middle}, 95 % interval {from} to {to} over {seeds}");
        let Some(decision) = decision else {
            let why = format!("{found}; the first look needs more");
            return Judgement { is_open: true, ..Judgement::undecided(why) };
        };
        let Decision { tested, adjusted_p, seeds } = decision;
        let p_value = tested.p_value;
        let evidence = Some(Evidence { estimate, low, high, p_value, adjusted_p, pairs });
        let mut margin = format!("{found}; {}", self.p_values(p_value, adjusted_p));
        if !decision.is_made() {
            let outlook = outlook(margins, self.undecided, self.until_decided);
            margin += &format!("; {outlook}");
            return Judgement { verdict: Verdict::Undecided, margin, evidence, is_open: true };
        }
        if seeds < pairs {
            margin += &format!(", decided at {seeds} seeds");
        }
        let verdict = if tested.favours { Verdict::Held } else { Verdict::NotHeld };
        Judgement { verdict, margin, evidence, is_open: false }
    }

    /// `p 0.012, adjusted 0.036`
    fn p_values(&self, p_value: f64, adjusted: f64) -> String {
        let own = format!("p {}", in_two_digits(p_value));
        let is_adjusted = self.claims > 1 || self.until_decided;
        if is_adjusted { format!("{own}, adjusted {}", in_two_digits(adjusted)) } else { own }
    }
}

/// A p-value in two digits.
fn in_two_digits(p_value: f64) -> String {
    match p_value {
        ..1e-4 => "< 0.0001".into(),
        _ => short(format!("{p_value:.1e}").parse().unwrap_or(p_value)),
    }
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

/// Judges the selected value of a setting.
fn judge_chosen(expect: &Expect, curves: &[Curve], of: &str, setting: &str) -> Judgement {
    let Some(curve) = curves.iter().find(|curve| curve.label == of) else {
        return Judgement::undecided("no runs");
    };
    let Some(chosen) = curve.chosen() else {
        return Judgement::undecided(format!("{of}: {}", curve.why_none()));
    };
    let value = chosen.setting.value(setting).and_then(|value| value.parse::<f64>().ok());
    match value {
        Some(value) => {
            let passed = Verdict::passed(expect.holds(value) == Some(true));
            let tried = counted(curve.candidates.len(), "setting", "settings");
            Judgement::new(passed, format!("{setting} {} of {tried}", short(value)))
        }
        None => Judgement::undecided(format!("{setting} of {of} is no number")),
    }
}

/// Judges a check, up to the comparison of p-values.
fn judge(expect: &Expect, curves: &[Curve], metric: &str) -> Judged {
    if let Some(judgement) = judge_grids(expect, curves, metric) {
        return Judged::Final(judgement);
    }
    if let Expect::Chosen { of, setting, .. } = expect {
        return Judged::Final(judge_chosen(expect, curves, of, setting));
    }
    if let Expect::Reaches { a, b, within, .. } = expect {
        return judge_target(
            expect,
            [a, b.as_deref().unwrap_or_default()],
            *within,
            curves,
            metric,
        );
    }
    let values = values_by_series(expect, curves, metric);
    let is_about_one_mean = expect.holds(0.0).is_some();
    if is_about_one_mean {
        let own = |values: Values<'_>| {
            values.into_values().next().unwrap_or_default().into_values().collect::<Vec<_>>()
        };
        let judgement = values.map(|values| judge_mean(expect, &own(values)));
        return Judged::Final(judgement.unwrap_or_else(|judgement| judgement));
    }
    match values.map(|values| margins(expect, &values)) {
        Err(judgement) => Judged::Untested(judgement),
        Ok(margins) if margins.pairs() == 0 => {
            Judged::Untested(Judgement::undecided("no seed whose runs all finished"))
        }
        Ok(margins) if is_deterministic(curves) => Judged::Final(judge_deterministic(&margins)),
        Ok(margins) => Judged::Tested(margins, String::new()),
    }
}

/// Judges whether a target is reached before another series, or within a cost.
fn judge_target(
    expect: &Expect,
    labels: [&str; 2],
    within: Option<f64>,
    curves: &[Curve],
    metric: &str,
) -> Judged {
    let Some((measure, target, unit)) = expect.target(metric) else {
        return Judged::Final(Judgement::undecided("the published target does not exist"));
    };
    let goal = Goal { measure, target };
    if let Some(within) = within {
        return Judged::Final(judge_within(curves, labels[0], &goal, unit, within));
    }
    match cost_margins(curves, labels, &goal, unit) {
        Err(why) => Judged::Untested(Judgement::undecided(why)),
        Ok((margins, costs)) if is_deterministic(curves) => {
            let judgement = judge_deterministic(&margins);
            let margin = format!("{costs}; {}", judgement.margin);
            Judged::Final(Judgement { margin, ..judgement })
        }
        Ok((margins, _)) if margins.pairs() == 0 => {
            Judged::Untested(Judgement::undecided("no seed that both series have"))
        }
        Ok((margins, costs)) => Judged::Tested(margins, format!("{costs}; ")),
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
    Margins::Means(sides)
}

/// Whether every run is of a task without randomness.
fn is_deterministic(curves: &[Curve]) -> bool {
    let candidates = curves.iter().flat_map(|curve| &curve.candidates);
    candidates.flat_map(|candidate| &candidate.runs).all(|run| run.header.task.is_deterministic())
}

fn judge_deterministic(margins: &Margins) -> Judgement {
    let margin = margins.estimate();
    let verdict = if margin > 0.0 { Verdict::Held } else { Verdict::NotHeld };
    Judgement::new(verdict, format!("margin {}; deterministic", signed(margin)))
}
