//! Scores of the optimizers of a suite across its problems.
//!
//! - **Rank.** On each problem the optimizers are ranked by the mean of the final values of the
//!   graded seeds; equal means share a rank, and a diverged run makes the mean infinite. The score is
//!   the mean over the problems. Its 95 % interval is a bootstrap over problems and seeds: it says
//!   how far the rank depends on these few problems and seeds.
//! - **Performance profile** (Dolan and Moré 2002): for each ratio, the share of graded runs that
//!   reach the target within that ratio of the fewest steps of any optimizer with the same problem
//!   and seed.
//! - **Tolerance of the learning rate**: the range of neighbouring tried learning rates whose values
//!   are within 10 % of the best, in powers of ten, the median over the problems.
//! - **Quality for a budget**: the expected value of the best of k trials, as best / value, averaged
//!   over the problems. The best is the lowest value of any optimizer.
//!
//! Values are those above the `floor` of their problem.

use super::bootstrap::{Draw, draws, interval, whole};
use super::results::{EntrantResult, ProblemResult, SuiteResults};
use super::schema::Suite;
use crate::grade::{mean, median, sorted};

/// Values within this share of the best count as good.
const GOOD: f64 = 0.1;

/// The scores of an optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// position in the results
    pub entrant: usize,
    /// its label
    pub label: String,
    /// mean of its ranks
    pub rank: f64,
    /// 95 % interval of the rank
    pub interval: [f64; 2],
    /// number of graded runs that reach their target
    pub reached: usize,
    /// number of graded runs
    pub runs: usize,
    /// powers of ten of the learning rates within 10 % of the best; `None` without learning rates
    pub tolerance: Option<f64>,
}

/// The scores, the best mean rank first.
pub fn standings(suite: &Suite, results: &SuiteResults) -> Vec<Standing> {
    let values = values(suite, results);
    let (problems, seeds) = (suite.problems.len(), suite.seeds);
    let own = mean_ranks(&values, &whole(problems, seeds));
    let drawn: Vec<Vec<f64>> =
        draws(problems, seeds).map(|draw| mean_ranks(&values, &draw)).collect();
    let standing = |(i, entrant): (usize, &EntrantResult)| Standing {
        entrant: i,
        label: entrant.label.clone(),
        rank: own[i],
        interval: interval(drawn.iter().map(|ranks| ranks[i]).collect()),
        reached: reached(entrant),
        runs: problems * seeds,
        tolerance: tolerance(suite, entrant),
    };
    let mut standings: Vec<Standing> = results.entrants.iter().enumerate().map(standing).collect();
    standings.sort_by(|a, b| a.rank.total_cmp(&b.rank));
    standings
}

/// The final values: of each optimizer, problem and seed.
fn values(suite: &Suite, results: &SuiteResults) -> Vec<Vec<Vec<f64>>> {
    let of = |entrant: &EntrantResult| {
        entrant.problems.iter().map(|problem| problem.values(suite.seeds)).collect()
    };
    results.entrants.iter().map(of).collect()
}

/// The mean rank of each optimizer over the drawn problems.
fn mean_ranks(values: &[Vec<Vec<f64>>], draw: &Draw) -> Vec<f64> {
    let mut sums = vec![0.0; values.len()];
    for (problem, seeds) in draw {
        let of = |own: &Vec<Vec<f64>>| {
            mean(&seeds.iter().map(|seed| own[*problem][*seed]).collect::<Vec<_>>())
        };
        let means: Vec<f64> = values.iter().map(of).collect();
        for (sum, rank) in sums.iter_mut().zip(ranks(&means)) {
            *sum += rank;
        }
    }
    sums.iter().map(|sum| sum / draw.len() as f64).collect()
}

/// The rank of each value, from 1; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |own: &f64| {
        let lower = values.iter().filter(|other| *other < own).count() as f64;
        let equal = values.iter().filter(|other| *other == own).count() as f64;
        lower + (equal + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

fn reached(entrant: &EntrantResult) -> usize {
    let graded = entrant.problems.iter().flat_map(|problem| &problem.graded);
    graded.filter(|run| run.steps.is_some()).count()
}

/// For each optimizer, the ratio of its steps to the fewest of any optimizer, for each graded run
/// that reaches the target.
pub fn ratios(suite: &Suite, results: &SuiteResults) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new(); results.entrants.len()];
    for problem in 0..suite.problems.len() {
        for seed in 0..suite.seeds {
            let steps = |entrant: &EntrantResult| {
                entrant.problems[problem].graded.get(seed).and_then(|run| run.steps)
            };
            let fewest = results.entrants.iter().filter_map(steps).fold(f64::INFINITY, f64::min);
            for (own, entrant) in all.iter_mut().zip(&results.entrants) {
                // a target that holds before the first step costs nothing
                let ratio = |steps: f64| if steps == fewest { 1.0 } else { steps / fewest };
                own.extend(steps(entrant).map(ratio));
            }
        }
    }
    all
}

/// The powers of ten between the lowest and the highest of the neighbouring learning rates that are
/// good on a problem.
pub fn good_range(problem: &ProblemResult, floor: f64) -> Option<f64> {
    let tried = problem.trials.iter();
    let mut tried: Vec<(f64, f64)> =
        tried.filter_map(|it| Some((it.lr?, it.value.unwrap_or(f64::INFINITY)))).collect();
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    let best = (0..tried.len()).min_by(|a, b| tried[*a].1.total_cmp(&tried[*b].1))?;
    let is_good = |value: f64| value - floor <= (1.0 + GOOD) * (tried[best].1 - floor);
    if !tried[best].1.is_finite() {
        return None;
    }
    let mut bounds = [best, best];
    while bounds[0] > 0 && is_good(tried[bounds[0] - 1].1) {
        bounds[0] -= 1;
    }
    while bounds[1] + 1 < tried.len() && is_good(tried[bounds[1] + 1].1) {
        bounds[1] += 1;
    }
    let [low, high] = bounds.map(|i| tried[i].0);
    Some((high / low).log10())
}

fn tolerance(suite: &Suite, entrant: &EntrantResult) -> Option<f64> {
    let ranges = entrant.problems.iter().zip(&suite.problems);
    let ranges: Vec<f64> =
        ranges.filter_map(|(result, problem)| good_range(result, problem.floor)).collect();
    (!ranges.is_empty()).then(|| median(&sorted(&ranges)))
}

/// For each optimizer, the expected quality of the best of 1, 2, .. trials.
pub fn qualities(suite: &Suite, results: &SuiteResults) -> Vec<Vec<f64>> {
    let above = |problem: usize, value: Option<f64>| {
        value.map_or(f64::INFINITY, |value| value - suite.problems[problem].floor)
    };
    let best: Vec<f64> = (0..suite.problems.len())
        .map(|i| {
            let trials = results.entrants.iter().flat_map(|entrant| &entrant.problems[i].trials);
            trials.map(|trial| above(i, trial.value)).fold(f64::INFINITY, f64::min)
        })
        .collect();
    let of = |entrant: &EntrantResult| -> Vec<f64> {
        let curves: Vec<Vec<f64>> = (0..suite.problems.len())
            .map(|i| {
                let trials = &entrant.problems[i].trials;
                let quality = |value: Option<f64>| {
                    match above(i, value) {
                        diverged if diverged.is_infinite() => 0.0,
                        lowest if lowest == best[i] => 1.0, // also if it is 0
                        value => best[i] / value,
                    }
                };
                expected_best(&trials.iter().map(|trial| quality(trial.value)).collect::<Vec<_>>())
            })
            .collect();
        let budgets = curves.iter().map(Vec::len).min().unwrap_or(0);
        let average = |k: usize| mean(&curves.iter().map(|curve| curve[k]).collect::<Vec<_>>());
        (0..budgets).map(average).collect()
    };
    results.entrants.iter().map(of).collect()
}

/// The expected highest of k values that are drawn without replacement, for k = 1, 2, ..
pub fn expected_best(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let of = |k: usize| {
        // the i-th lowest is the highest of k if the others are among the i below it
        let mut share = k as f64 / n as f64;
        let mut expected = 0.0;
        for i in (0..n).rev() {
            expected += share * sorted[i];
            // C(i - 1, k - 1) / C(i, k - 1)
            share *= if i > 0 { (i + 1 - k.min(i + 1)) as f64 / i as f64 } else { 0.0 };
        }
        expected
    };
    (1..=n).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All choices of k values, one by one.
    #[test]
    fn the_expected_best_of_k_is_the_mean_over_all_choices() {
        let values = [0.3, 0.9, 0.1, 0.5, 0.5];
        for (k, expected) in (1..=5).zip(expected_best(&values)) {
            let choices = (0u32..32).filter(|set| set.count_ones() == k);
            let best = |set: u32| {
                let chosen = (0..5).filter(|i| set >> i & 1 == 1).map(|i| values[i]);
                chosen.fold(0.0, f64::max)
            };
            let all: Vec<f64> = choices.map(best).collect();
            assert!((mean(&all) - expected).abs() < 1e-12, "{k}: {expected}");
        }
    }

    #[test]
    fn equal_values_share_their_ranks() {
        let values = [0.2, 0.1, f64::INFINITY, 0.2, f64::INFINITY];
        assert_eq!(ranks(&values), [2.5, 1.0, 4.5, 2.5, 4.5]);
    }

    #[test]
    fn good_learning_rates_are_neighbours_of_the_best() {
        let trial = |lr: f64, value: f64| super::super::results::Trial {
            setting: String::new(),
            lr: Some(lr),
            value: value.is_finite().then_some(value),
        };
        let problem = ProblemResult {
            problem: String::new(),
            // the value at 1e-5 is good, but one that is not lies between
            trials: [(1e-1, f64::INFINITY), (1e-5, 1.05), (1e-3, 1.0), (1e-2, 1.09), (1e-4, 2.0)]
                .map(|(lr, value)| trial(lr, value))
                .to_vec(),
            best: None,
            fingerprint: None,
            graded: Vec::new(),
        };
        assert!((good_range(&problem, 0.0).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(good_range(&problem, 0.5), Some(0.0), "above the floor, 0.59 is not good");
    }
}
