//! Checks about whole grids: spread, slope, cells, and divergences.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::judgement::{Judgement, Verdict, signed};
use super::select::{Candidate, Curve, value};
use super::stats::mean;
use crate::chart::short;
use crate::docs::counted;
use crate::experiment::{Expect, Reduction};
use crate::record::Run;

/// A setting of a grid with its result.
struct Cell {
    /// every setting, by its name
    settings: BTreeMap<String, String>,
    /// the final value, averaged over the seeds that select: infinite if a run diverged
    value: f64,
    /// whether a run diverged, or ended above its initial value
    failed: bool,
}

impl Cell {
    fn number(&self, key: &str) -> Option<f64> {
        self.settings.get(key)?.parse::<f64>().ok().filter(|value| *value > 0.0)
    }
}

/// The two cells of one setting.
type Pair = (Cell, Cell);
/// A result, or why there is none.
type OrWhy<T> = std::result::Result<T, String>;

/// Judges a check about grids; `None` for a check about best settings.
pub(super) fn judge_grids(
    expect: &Expect,
    curves: &[Curve],
    metric: &str,
) -> Option<Judgement> {
    let grid = |label: &str| grid(curves, label, metric);
    let pairs = |a: &str, b: &str| grid(a).and_then(|a| in_common(a, grid(b)?));
    let judged = match expect {
        Expect::Spread { of, .. } => grid(of).map(|cells| judge_spread(expect, &cells)),
        Expect::Slope { of, x, y, .. } => grid(of).map(|cells| judge_slope(expect, &cells, x, y)),
        Expect::Cells { a, b, tie, .. } => {
            pairs(a, b).map(|pairs| judge_cells(expect, &pairs, *tie))
        }
        Expect::Steadier { a, b } => pairs(a, b).map(|pairs| judge_steadier(&pairs)),
        _ => return None,
    };
    Some(judged.unwrap_or_else(Judgement::undecided))
}

fn judge_spread(expect: &Expect, cells: &[Cell]) -> Judgement {
    let values = || cells.iter().map(|cell| cell.value);
    let (low, high) =
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let in_words = |value: f64| if value.is_infinite() { "diverged".into() } else { short(value) };
    let found = format!("{} to {} over {} settings", in_words(low), in_words(high), cells.len());
    Judgement::new(Verdict::passed(expect.holds(high - low) == Some(true)), found)
}

fn judge_slope(expect: &Expect, cells: &[Cell], x: &str, y: &str) -> Judgement {
    let columns =
        cells.iter().filter_map(|cell| cell.settings.get(x)).collect::<BTreeSet<_>>().len();
    let all = best_along(cells, x, y);
    let (inside, at_edge): (Vec<Best>, Vec<Best>) = all.iter().partition(|best| best.inside);
    let best = if inside.is_empty() { "nowhere inside the grid".into() } else { in_words(&inside) };
    let mut found = format!("best {y} {best}");
    if !at_edge.is_empty() {
        found += &format!("; left out at the edge of the grid: {}", in_words(&at_edge));
    }
    if all.len() < columns {
        found += &format!("; none at {} of {columns} values of {x}", columns - all.len());
    }
    match slope(&inside).filter(|_| inside.len() >= MIN_PLACES) {
        Some(slope) => {
            let passed = expect.holds(slope) == Some(true);
            Judgement::new(Verdict::passed(passed), format!("slope {}: {found}", signed(slope)))
        }
        None => {
            let places = counted(inside.len(), "value", "values");
            Judgement::undecided(format!(
                "{places} of {x} inside the grid, a slope needs {MIN_PLACES}: {found}"
            ))
        }
    }
}

fn in_words(best: &[Best]) -> String {
    let pairs = best.iter().map(|best| format!("{} at {}", short(best.y), short(best.x)));
    pairs.collect::<Vec<_>>().join(", ")
}

fn judge_cells(expect: &Expect, pairs: &[Pair], tie: f64) -> Judgement {
    let is_tie = |a: f64, b: f64| a == b || (b.is_finite() && (a - b).abs() <= tie * b.abs());
    let ties = pairs.iter().filter(|(a, b)| is_tie(a.value, b.value)).count();
    let is_lower = |(a, b): &&Pair| a.value < b.value && !is_tie(a.value, b.value);
    let lower = pairs.iter().filter(is_lower).count();
    let all = pairs.len();
    let found = format!(
        "lower in {lower}, a tie in {ties}, higher in {} of {all} settings",
        all - ties - lower
    );
    let share = (ties + lower) as f64 / all as f64;
    Judgement::new(Verdict::passed(expect.holds(share) == Some(true)), found)
}

fn judge_steadier(pairs: &[Pair]) -> Judgement {
    let a = pairs.iter().filter(|(a, _)| a.failed).count();
    let b = pairs.iter().filter(|(_, b)| b.failed).count();
    Judgement::new(Verdict::passed(a < b), format!("{a} against {b} of {} settings", pairs.len()))
}

/// The settings of a series with the results of the seeds that select; or why they cannot be
/// compared.
fn grid(curves: &[Curve], label: &str, metric: &str) -> OrWhy<Vec<Cell>> {
    let curve = curves.iter().find(|curve| curve.label == label);
    let curve = curve.ok_or_else(|| format!("{label}: no runs"))?;
    if curve.missing > 0 {
        return Err(format!("{label}: {}", curve.why_none()));
    }
    Ok(curve.candidates.iter().filter_map(|candidate| cell(candidate, metric)).collect())
}

fn cell(candidate: &Candidate, metric: &str) -> Option<Cell> {
    let initial = |run: &Run| {
        run.points.first().and_then(|point| point.value(metric)).unwrap_or(f64::INFINITY)
    };
    let (mut values, mut failed) = (Vec::new(), false);
    for run in candidate.of_grid() {
        let Some(end) = value(run, metric, Reduction::End) else { continue };
        failed |= end.is_infinite() || end > initial(run);
        values.push(end);
    }
    let settings = candidate.setting.values().iter().cloned().collect();
    (!values.is_empty()).then(|| Cell { settings, value: mean(&values), failed })
}

/// The cells of two grids with the same learning rate and the same value of every setting that
/// differs within one of the grids.
fn in_common(a: Vec<Cell>, b: Vec<Cell>) -> OrWhy<Vec<Pair>> {
    let differs = |cells: &[Cell], key: &String| {
        cells.iter().any(|cell| cell.settings.get(key) != cells[0].settings.get(key))
    };
    let keys = a.iter().chain(&b).flat_map(|cell| cell.settings.keys());
    let mut swept: BTreeSet<String> = keys.cloned().collect();
    swept.retain(|key| key == "lr" || differs(&a, key) || differs(&b, key));
    let of = |cell: &Cell| -> Vec<Option<String>> {
        swept.iter().map(|key| cell.settings.get(key).cloned()).collect()
    };
    let mut by_setting: HashMap<_, _> = b.into_iter().rev().map(|cell| (of(&cell), cell)).collect();
    let pairs: Vec<Pair> =
        a.into_iter().filter_map(|a| Some(by_setting.remove(&of(&a))?).map(|b| (a, b))).collect();
    if pairs.is_empty() { Err("the grids have no setting in common".into()) } else { Ok(pairs) }
}

/// The least number of places for a slope.
const MIN_PLACES: usize = 3;

/// The best value of a setting at one value of another.
#[derive(Clone, Copy)]
struct Best {
    x: f64,
    y: f64,
    /// whether the grid has values on both sides of it; at the edge of a grid the best may lie
    /// beyond
    inside: bool,
}

/// For each value of the setting `x`, in rising order, the value of `y` with the lowest finite
/// result. Equal results give the geometric mean of their values.
fn best_along(grid: &[Cell], x: &str, y: &str) -> Vec<Best> {
    let tried = || grid.iter().filter_map(|cell| cell.number(y));
    let edges = [tried().fold(f64::INFINITY, f64::min), tried().fold(0.0, f64::max)];
    let mut rows: BTreeMap<u64, Vec<&Cell>> = BTreeMap::new(); // the bits of positive numbers sort as the numbers do
    for cell in grid.iter().filter(|cell| cell.value.is_finite() && cell.number(y).is_some()) {
        if let Some(x) = cell.number(x) {
            rows.entry(x.to_bits()).or_default().push(cell);
        }
    }
    rows.into_iter().map(|(x, row)| best_of_row(f64::from_bits(x), &row, y, edges)).collect()
}

fn best_of_row(x: f64, row: &[&Cell], y: &str, edges: [f64; 2]) -> Best {
    let lowest = row.iter().map(|cell| cell.value).fold(f64::INFINITY, f64::min);
    let best = row.iter().filter(|cell| cell.value == lowest).filter_map(|cell| cell.number(y));
    let best: Vec<f64> = best.collect();
    let inside = edges.iter().all(|edge| best.iter().any(|best| best != edge));
    let logs: Vec<f64> = best.iter().map(|best| best.ln()).collect();
    Best { x, y: mean(&logs).exp(), inside }
}

/// The slope of the least-squares line through the logarithms; `None` for fewer than two places.
fn slope(points: &[Best]) -> Option<f64> {
    let x: Vec<f64> = points.iter().map(|best| best.x.ln()).collect();
    let y: Vec<f64> = points.iter().map(|best| best.y.ln()).collect();
    let (x0, y0) = (mean(&x), mean(&y));
    let xy: f64 = x.iter().zip(&y).map(|(x, y)| (x - x0) * (y - y0)).sum();
    let xx: f64 = x.iter().map(|x| (x - x0).powi(2)).sum();
    (points.len() > 1 && xx > 0.0).then(|| xy / xx)
}
