//! Grading: from the runs of an experiment to its best settings and the verdict on each claim.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::{At, Claim, Expect, Experiment, SECONDS};
use crate::about::counted;
use crate::chart::{short, with_spread};
use crate::record::{Header, Outcome, Run};
use crate::spec::{Line, Spec};
use crate::study::Found;

/// The runs of one setting, in the order of their seeds.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// the line of the optimizer, with every setting
    pub optimizer: String,
    /// spec of the schedule
    pub schedule: String,
    /// one a seed
    pub runs: Vec<Run>,
}

/// A series with the runs of its whole grid.
#[derive(Clone, Debug)]
pub struct Curve {
    /// legend
    pub label: String,
    /// the grid, by learning rate
    pub candidates: Vec<Candidate>,
    /// place of the best in it; nothing if every setting diverged, or one has runs missing
    pub best: Option<usize>,
    /// settings whose runs are not all there, so that none can be called the best
    pub missing: usize,
}

/// How the best setting of a grid is found.
#[derive(Clone, Debug)]
pub struct Choose {
    /// the measurement
    pub metric: String,
    /// at the end, or averaged
    pub at: At,
    /// by how many seeds, the first; by all if nothing is said
    pub search: Option<u64>,
}

impl Choose {
    /// As an experiment says for this scale.
    pub fn of(experiment: &Experiment, scale: &str) -> Choose {
        let search = experiment.extent(scale).map(|extent| extent.search() as u64);
        Choose { metric: experiment.metric.name.clone(), at: experiment.metric.choose, search }
    }
}

impl Candidate {
    /// The number that chooses, averaged over the seeds that choose: infinite if a run diverged, nothing if one is missing.
    pub fn score(&self, choose: &Choose) -> Option<f64> {
        let runs: Vec<&Run> = self.choosing(choose.search).collect();
        if choose.search.is_some_and(|search| (runs.len() as u64) < search) || runs.is_empty() {
            return None;
        }
        let values: Option<Vec<f64>> = runs.into_iter().map(|run| value(run, &choose.metric, choose.at)).collect();
        values.map(|values| mean(&values))
    }

    /// The runs of the seeds that choose.
    fn choosing(&self, search: Option<u64>) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| search.is_none_or(|search| run.header.seed < search))
    }

    /// Those of the optimizer by their names, those of what stands around it as `ema.decay`, those of the schedule as `cosine.warmup`.
    fn settings(&self) -> Vec<(String, String)> {
        let (own, all) = (self.name().to_string(), self.specs());
        let named = |spec: Spec| {
            let prefix = if spec.name == own { String::new() } else { format!("{}.", spec.name) };
            spec.settings.into_iter().map(move |(key, values)| (format!("{prefix}{key}"), values.join(",")))
        };
        all.into_iter().flat_map(named).collect()
    }

    fn specs(&self) -> Vec<Spec> {
        format!("{}|{}", self.optimizer, self.schedule).parse().map_or(Vec::new(), |Line(specs)| specs)
    }

    /// The value of a setting.
    pub fn setting(&self, key: &str) -> Option<String> {
        self.settings().into_iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// The name of the optimizer, which alone has a learning rate.
    pub fn name(&self) -> String {
        let optimizer = |spec: &Spec| spec.settings.iter().any(|(key, _)| key == "lr");
        self.specs().into_iter().find(optimizer).map_or(String::new(), |spec| spec.name)
    }

    /// Its name, with that of what stands around it, the learning rate, and what else was swept: `clip_global|nag lr=1 mu=0.99`.
    pub fn brief(&self, swept: &[String]) -> String {
        let shown = self.settings().into_iter().filter(|(key, _)| key == "lr" || swept.contains(key));
        let name = self.optimizer.parse::<Line>().map_or(String::new(), |line| line.names());
        std::iter::once(name).chain(shown.map(|(key, value)| format!("{key}={value}"))).collect::<Vec<_>>().join(" ")
    }

    /// The seeds whose run diverged.
    pub fn diverged(&self) -> Vec<u64> {
        self.runs.iter().filter(|run| run.ended() == Some(Outcome::Diverged)).map(|run| run.header.seed).collect()
    }
}

/// The setting of a run as in legends, among what its series plans.
pub fn setting(plans: &[Curve], header: &Header) -> String {
    let own = plans.iter().find(|curve| curve.label == header.series);
    let of = |curve: &Curve| {
        let same = |other: &&Candidate| other.optimizer == header.optimizer && other.schedule == header.schedule;
        curve.candidates.iter().find(same).map(|candidate| candidate.brief(&curve.swept()))
    };
    own.and_then(of).unwrap_or_else(|| header.optimizer.clone())
}

impl Curve {
    /// The best setting.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.best.map(|best| &self.candidates[best])
    }

    /// The best setting, as in legends.
    pub fn brief(&self) -> String {
        self.chosen().map_or(String::new(), |chosen| chosen.brief(&self.swept()))
    }

    /// Why there is no best setting.
    pub fn why_none(&self) -> String {
        match (self.missing, self.candidates.len()) {
            (0, 0) => "no runs".into(),
            (0, 1) => {
                let end = self.candidates[0].runs.iter().filter_map(|run| run.end.as_ref()).find(|end| end.outcome == Outcome::Diverged);
                end.and_then(|end| end.reason.as_ref()).map_or("diverged".into(), |reason| format!("diverged: {reason}"))
            }
            (0, _) => "diverged at every setting".into(),
            (1, 1) => "not all of its runs are there".into(),
            (missing, all) => format!("runs of {missing} of {all} settings are missing"),
        }
    }

    /// The settings that differ within the grid.
    pub fn swept(&self) -> Vec<String> {
        let Some(first) = self.candidates.first() else { return Vec::new() };
        let keys = first.settings().into_iter().map(|(key, _)| key);
        let differs = |key: &String| self.candidates.iter().any(|other| other.setting(key) != first.setting(key));
        // AdamW's alpha goes along with the rate where nothing else is said
        let follows = |key: &String| key != "lr" && self.candidates.iter().all(|other| other.setting(key) == other.setting("lr"));
        keys.filter(|key| differs(key) && !follows(key)).collect()
    }

    /// The swept settings at whose lowest or highest value the best lies: a wider grid might hold a better one.
    pub fn at_the_edge(&self) -> Vec<String> {
        let Some(chosen) = self.chosen() else { return Vec::new() };
        let edge = |key: &String| {
            let mut values: Vec<f64> = self.candidates.iter().filter_map(|candidate| candidate.setting(key)?.parse().ok()).collect();
            values.sort_by(f64::total_cmp);
            let own = chosen.setting(key).and_then(|value| value.parse().ok());
            own.is_some() && (own == values.first().copied() || own == values.last().copied())
        };
        self.swept().into_iter().filter(edge).collect()
    }
}

/// The runs that an experiment plans for one legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// legend
    pub label: String,
    /// legend in the records
    pub series: String,
    /// its grid: the canonical line of each optimizer, and the canonical spec of its schedule
    pub settings: Vec<(String, String)>,
}

impl Planned {
    /// Whether it plans this run.
    pub fn has(&self, run: &Run) -> bool {
        let made = |(optimizer, schedule): &(String, String)| run.header.optimizer == *optimizer && run.header.schedule == *schedule;
        run.header.series == self.series && self.settings.iter().any(made)
    }
}

/// Puts runs into the order of the plan. A run that is not in it is left out.
pub fn curves(planned: &[Planned], runs: &[Run], choose: &Choose) -> Vec<Curve> {
    planned.iter().map(|planned| curve(planned, runs, choose)).collect()
}

fn curve(planned: &Planned, runs: &[Run], choose: &Choose) -> Curve {
    let of = |(optimizer, schedule): &(String, String)| {
        let own = |run: &&Run| planned.has(run) && run.header.optimizer == *optimizer && run.header.schedule == *schedule;
        let mut runs: Vec<Run> = runs.iter().filter(own).cloned().collect();
        runs.sort_by_key(|run| run.header.seed);
        Candidate { optimizer: optimizer.clone(), schedule: schedule.clone(), runs }
    };
    let mut candidates: Vec<Candidate> = planned.settings.iter().map(of).collect();
    let lr = |candidate: &Candidate| candidate.setting("lr").and_then(|lr| lr.parse().ok()).unwrap_or(0.0);
    candidates.sort_by(|a, b| f64::total_cmp(&lr(a), &lr(b)));
    let scores: Vec<Option<f64>> = candidates.iter().map(|candidate| candidate.score(choose)).collect();
    let missing = scores.iter().filter(|score| score.is_none()).count();
    let finite = scores.iter().enumerate().filter_map(|(i, score)| Some((i, score.filter(|score| score.is_finite())?)));
    let best = finite.min_by(|a, b| f64::total_cmp(&a.1, &b.1)).map(|(i, _)| i).filter(|_| missing == 0);
    Curve { label: planned.label.clone(), candidates, best, missing }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Held {
    /// The whole interval of the margin lies above zero.
    #[serde(rename = "HELD")]
    Yes,
    /// It lies below.
    #[serde(rename = "NOT HELD")]
    No,
    /// It holds zero, or there are too few runs to say.
    #[serde(rename = "UNDECIDED")]
    Undecided,
    /// The number is what was stated, within its tolerance.
    #[serde(rename = "PASS")]
    Pass,
    /// It is not.
    #[serde(rename = "FAIL")]
    Fail,
}

impl Held {
    /// Whether the claim did not reproduce.
    pub fn is_no(self) -> bool {
        matches!(self, Held::No | Held::Fail)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Held::Yes => "HELD",
            Held::No => "NOT HELD",
            Held::Undecided => "UNDECIDED",
            Held::Pass => "PASS",
            Held::Fail => "FAIL",
        })
    }
}

/// A claim with its verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// the paper's words
    pub quote: String,
    /// where they stand
    pub source: String,
    /// the check in words
    pub check: String,
    /// the verdict
    pub held: Held,
    /// the margin in words: mean and interval, or why there is none
    pub margin: String,
}

/// Judges every claim that a scale can decide.
pub fn verdicts(experiment: &Experiment, scale: &str, curves: &[Curve]) -> Vec<Verdict> {
    let search = experiment.extent(scale).map(|extent| extent.search() as u64);
    let verdict = |claim: &Claim| {
        let metric = claim.expect.measure().unwrap_or(&experiment.metric.name);
        let judged = match claim.scale.filter(|decides| decides.name() != scale) {
            Some(decides) => (Held::Undecided, format!("asked at --scale {}", decides.name())),
            None => judge_grids(&claim.expect, curves, metric, search).unwrap_or_else(|| judge(&claim.expect, curves, metric)),
        };
        claim.verdict(metric, judged)
    };
    experiment.claim.iter().map(verdict).collect()
}

/// Judges every claim about the numbers that a study found.
pub fn study_verdicts(experiment: &Experiment, found: &Found) -> Vec<Verdict> {
    let verdict = |claim: &Claim| {
        let label = claim.expect.labels()[0];
        let judged = match found.values.iter().find(|(name, _)| name == label) {
            Some((_, values)) => mean_judged(&claim.expect, values),
            None => {
                let known: Vec<&str> = found.values.iter().map(|(name, _)| name.as_str()).collect();
                (Held::Undecided, format!("the study names no `{label}`; it names {}", known.join(", ")))
            }
        };
        claim.verdict("", judged)
    };
    experiment.claim.iter().map(verdict).collect()
}

impl Claim {
    fn verdict(&self, metric: &str, (held, margin): (Held, String)) -> Verdict {
        let check = self.expect.sentence(metric);
        Verdict { quote: self.quote.clone(), source: self.source.clone(), check, held, margin }
    }
}

/// A number against what was stated of it.
fn mean_judged(expect: &Expect, values: &[f64]) -> (Held, String) {
    let center = mean(values);
    let found = match deviation(values) {
        Some(sd) => format!("{} over {} seeds", with_spread(center, sd), values.len()),
        None => short(center),
    };
    match expect.holds(center) {
        _ if values.is_empty() => (Held::Undecided, "no runs".into()),
        Some(true) => (Held::Pass, found),
        Some(false) => (Held::Fail, found),
        None => (Held::Undecided, "this check compares series, and a study has none".into()),
    }
}

/// A setting of a grid.
struct Cell {
    /// every one, by its name
    settings: BTreeMap<String, String>,
    /// the final number, averaged over the seeds that choose: infinite where one diverged
    value: f64,
    /// whether a run diverged, or ended above where it began
    lost: bool,
}

/// The settings of a series, judged by the seeds that choose; or why they cannot be.
fn grid(curves: &[Curve], label: &str, metric: &str, search: Option<u64>) -> std::result::Result<Vec<Cell>, String> {
    let curve = curves.iter().find(|curve| curve.label == label).ok_or_else(|| format!("{label}: no runs"))?;
    if curve.missing > 0 {
        return Err(format!("{label}: {}", curve.why_none()));
    }
    let of = |candidate: &Candidate| {
        let began = |run: &Run| run.points.first().and_then(|point| point.value(metric)).unwrap_or(f64::INFINITY);
        let ends = candidate.choosing(search).filter_map(|run| Some((value(run, metric, At::End)?, began(run))));
        let (values, lost): (Vec<f64>, Vec<bool>) = ends.map(|(end, began)| (end, end.is_infinite() || end > began)).unzip();
        let settings = candidate.settings().into_iter().collect();
        (!values.is_empty()).then(|| Cell { settings, value: mean(&values), lost: lost.contains(&true) })
    };
    Ok(curve.candidates.iter().filter_map(of).collect())
}

/// The cells of two grids that have the same learning rate and agree in whatever differs within one of the grids.
fn in_common(a: Vec<Cell>, mut b: Vec<Cell>) -> std::result::Result<Vec<(Cell, Cell)>, String> {
    let differs = |cells: &[Cell], key: &String| cells.iter().any(|cell| cell.settings.get(key) != cells[0].settings.get(key));
    let keys = a.iter().chain(&b).flat_map(|cell| cell.settings.keys());
    let swept: BTreeSet<String> = keys.filter(|key| *key == "lr" || differs(&a, key) || differs(&b, key)).cloned().collect();
    let pair = |a: Cell| {
        let at = b.iter().position(|b| swept.iter().all(|key| a.settings.get(key) == b.settings.get(key)))?;
        Some((a, b.swap_remove(at)))
    };
    let pairs: Vec<(Cell, Cell)> = a.into_iter().filter_map(pair).collect();
    if pairs.is_empty() { Err("the grids have no setting in common".into()) } else { Ok(pairs) }
}

/// A check of whole grids; nothing for one of best settings.
fn judge_grids(expect: &Expect, curves: &[Curve], metric: &str, search: Option<u64>) -> Option<(Held, String)> {
    let passes = |passes: bool| if passes { Held::Pass } else { Held::Fail };
    let grid = |label: &str| grid(curves, label, metric, search);
    let judged = match expect {
        Expect::Spread { of, .. } => grid(of).map(|cells| {
            let (low, high) =
                cells.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cell| (low.min(cell.value), high.max(cell.value)));
            let in_words = |value: f64| if value.is_infinite() { "diverged".into() } else { short(value) };
            let holds = expect.holds(high - low) == Some(true);
            (passes(holds), format!("{} to {} over {} settings", in_words(low), in_words(high), cells.len()))
        }),
        Expect::Slope { of, x, y, .. } => grid(of).map(|cells| {
            let columns: BTreeSet<&String> = cells.iter().filter_map(|cell| cell.settings.get(x)).collect();
            let all = best_along(&cells, x, y);
            let (inside, at_edge): (Vec<Best>, Vec<Best>) = all.iter().partition(|best| best.inside);
            let pairs =
                |best: &[Best]| best.iter().map(|best| format!("{} at {}", short(best.y), short(best.x))).collect::<Vec<_>>().join(", ");
            let mut rest =
                if at_edge.is_empty() { String::new() } else { format!("; at the edge of the grid, left out: {}", pairs(&at_edge)) };
            if all.len() < columns.len() {
                rest += &format!("; none at {} of {} values of {x}", columns.len() - all.len(), columns.len());
            }
            let found = format!("best {y} {}{rest}", if inside.is_empty() { "nowhere inside the grid".into() } else { pairs(&inside) });
            match slope(&inside).filter(|_| inside.len() >= PLACES) {
                Some(slope) => (passes(expect.holds(slope) == Some(true)), format!("slope {}: {found}", signed(slope))),
                None => (
                    Held::Undecided,
                    format!("{} of {x} inside the grid, a slope needs {PLACES}: {found}", counted(inside.len(), "value", "values")),
                ),
            }
        }),
        Expect::Cells { a, b, tie, .. } => grid(a).and_then(|a| in_common(a, grid(b)?)).map(|pairs| {
            let close = |a: f64, b: f64| a == b || (b.is_finite() && (a - b).abs() <= tie * b.abs());
            let ties = pairs.iter().filter(|(a, b)| close(a.value, b.value)).count();
            let below = pairs.iter().filter(|(a, b)| a.value < b.value && !close(a.value, b.value)).count();
            let share = (ties + below) as f64 / pairs.len() as f64;
            let found = format!("lower in {below}, a tie in {ties}, higher in {} of {} settings", pairs.len() - ties - below, pairs.len());
            (passes(expect.holds(share) == Some(true)), found)
        }),
        Expect::Steadier { a, b } => grid(a).and_then(|a| in_common(a, grid(b)?)).map(|pairs| {
            let (lost_a, lost_b) = (pairs.iter().filter(|(a, _)| a.lost).count(), pairs.iter().filter(|(_, b)| b.lost).count());
            (passes(lost_a < lost_b), format!("{lost_a} against {lost_b} of {} settings", pairs.len()))
        }),
        _ => return None,
    };
    Some(judged.unwrap_or_else(|why| (Held::Undecided, why)))
}

/// The least number of places that a slope is drawn through.
const PLACES: usize = 3;

/// The best value of a setting at one value of another.
#[derive(Clone, Copy)]
struct Best {
    x: f64,
    y: f64,
    /// whether there are values on both sides of it: at the edge of a grid the best may lie beyond
    inside: bool,
}

/// For each value of a setting, from the lowest up, the value above zero of another that has the lowest finite number. Equal numbers give the
/// geometric mean of theirs: which of them stands first says nothing.
fn best_along(grid: &[Cell], x: &str, y: &str) -> Vec<Best> {
    let number = |settings: &BTreeMap<String, String>, key: &str| settings.get(key)?.parse::<f64>().ok().filter(|value| *value > 0.0);
    let mut cells: Vec<(f64, f64, f64)> = grid
        .iter()
        .filter(|cell| cell.value.is_finite())
        .filter_map(|cell| Some((number(&cell.settings, x)?, number(&cell.settings, y)?, cell.value)))
        .collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tried = || grid.iter().filter_map(|cell| number(&cell.settings, y));
    let edges = [tried().fold(f64::INFINITY, f64::min), tried().fold(0.0, f64::max)];
    let rows = cells.chunk_by(|a, b| a.0 == b.0);
    let best = rows.map(|row| {
        let lowest = row.iter().map(|cell| cell.2).fold(f64::INFINITY, f64::min);
        let best: Vec<f64> = row.iter().filter(|cell| cell.2 == lowest).map(|cell| cell.1).collect();
        let inside = edges.iter().all(|edge| best.iter().any(|best| best != edge));
        Best { x: row[0].0, y: mean(&best.iter().map(|best| best.ln()).collect::<Vec<_>>()).exp(), inside }
    });
    best.collect()
}

/// Of the straight line by least squares through the logarithms; nothing for fewer than two places.
fn slope(points: &[Best]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().map(|best| (best.x.ln(), best.y.ln())).unzip();
    let (x0, y0) = (mean(&x), mean(&y));
    let (xy, xx) = x.iter().zip(&y).fold((0.0, 0.0), |(xy, xx), (x, y)| (xy + (x - x0) * (y - y0), xx + (x - x0).powi(2)));
    (points.len() > 1 && xx > 0.0).then(|| xy / xx)
}

fn judge(expect: &Expect, curves: &[Curve], metric: &str) -> (Held, String) {
    // to diverge is infinitely bad for a number or a bound, and says nothing of a margin
    let diverged = match expect.holds(f64::INFINITY) {
        _ if metric == SECONDS => Held::Undecided,
        Some(true) => Held::Pass,
        Some(false) => Held::Fail,
        None => Held::Undecided,
    };
    let mut by_label = BTreeMap::new();
    for label in expect.labels() {
        let Some(curve) = curves.iter().find(|curve| curve.label == label) else { continue };
        let Some(chosen) = curve.chosen() else {
            let held = if curve.missing > 0 || curve.candidates.is_empty() { Held::Undecided } else { diverged };
            return (held, format!("{label}: {}", curve.why_none()));
        };
        if let Some(seed) = chosen.diverged().first() {
            return (diverged, format!("{label} diverged with seed {seed}"));
        }
        let values = chosen.runs.iter().filter_map(|run| Some((run.header.seed, value(run, metric, expect.at())?)));
        by_label.insert(label, values.collect::<BTreeMap<u64, f64>>());
    }
    if let Some(holds) = expect.labels().first().filter(|_| expect.holds(0.0).is_some()) {
        let values: Vec<f64> = by_label.get(holds).map_or(Vec::new(), |values| values.values().copied().collect());
        return mean_judged(expect, &values);
    }
    let of = |label: &str, seed: &u64| by_label.get(label).and_then(|values| values.get(seed)).copied();
    let seeds: Vec<u64> = by_label.values().next().map_or(Vec::new(), |values| values.keys().copied().collect());
    let margins: Vec<f64> = seeds.iter().filter_map(|seed| expect.margin(&|label| of(label, seed))).collect();
    if margins.is_empty() {
        return (Held::Undecided, "no seed whose runs all finished".into());
    }
    let center = mean(&margins);
    if curves.iter().flat_map(|curve| &curve.candidates).flat_map(|candidate| &candidate.runs).all(|run| run.header.task.is_certain()) {
        let held = if center > 0.0 { Held::Yes } else { Held::No };
        return (held, format!("margin {}; there is no chance in it", signed(center)));
    }
    let Some(half) = half_width(&margins) else {
        return (Held::Undecided, format!("margin {} from 1 seed; an interval needs at least 2", signed(center)));
    };
    let held = match (center - half > 0.0, center + half < 0.0) {
        (true, _) => Held::Yes,
        (_, true) => Held::No,
        _ => Held::Undecided,
    };
    let [middle, from, to] = [center, center - half, center + half].map(signed);
    (held, format!("margin {middle}, 95 % interval {from} to {to} over {} seeds", margins.len()))
}

/// Four digits, and the sign whichever it is.
fn signed(x: f64) -> String {
    if x >= 0.0 { format!("+{}", short(x)) } else { short(x) }
}

/// The number of a run that is compared: infinite if it diverged, nothing if it is incomplete.
fn value(run: &Run, metric: &str, at: At) -> Option<f64> {
    if metric == SECONDS {
        return run.end.as_ref().filter(|_| run.is_complete()).map(|end| end.seconds);
    }
    let last = run.last(metric)?;
    match at {
        _ if last.is_infinite() => Some(last),
        At::End => Some(last),
        At::Mean => {
            let values: Option<Vec<f64>> = run.points.iter().filter(|point| point.epoch > 0).map(|p| p.value(metric)).collect();
            values.map(|values| mean(&values))
        }
    }
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation; nothing for fewer than two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let center = mean(values);
    (values.len() > 1).then(|| (values.iter().map(|x| (x - center).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

/// Half of the 95 % interval of the mean, by Student's t.
fn half_width(values: &[f64]) -> Option<f64> {
    /// 97.5 % quantiles for 1 to 30 degrees of freedom
    const T: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101,
        2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    let n = values.len();
    deviation(values).map(|sd| T.get(n.wrapping_sub(2)).copied().unwrap_or(1.96) * sd / (n as f64).sqrt())
}
