//! The charts of a suite.

use super::results::SuiteResults;
use super::schema::Suite;
use super::score::{Standing, qualities, ratios};
use crate::chart::{Chart, PlotLine, Style};
use crate::optim::Optimizers;
use crate::report::spec_styles;

/// The largest ratio that a performance profile shows.
const LARGEST_RATIO: f64 = 32.0;

/// The styles of the optimizers, in the order of the results.
pub fn styles(results: &SuiteResults, optimizers: &Optimizers) -> Vec<Style> {
    let specs = results.entrants.iter().map(|entrant| entrant.spec.as_str());
    spec_styles(specs, optimizers)
}

/// The performance profile, the best optimizers first in the legend.
pub fn profile(
    suite: &Suite,
    results: &SuiteResults,
    standings: &[Standing],
    styles: &[Style],
) -> Chart {
    let all = ratios(suite, results);
    let runs = suite.problems.len() * suite.seeds;
    let largest = all.iter().flatten().copied().fold(2.0, f64::max).min(LARGEST_RATIO);
    let line = |standing: &Standing| {
        let mut sorted = all[standing.entrant].clone();
        sorted.sort_by(f64::total_cmp);
        PlotLine::new(&standing.label, styles[standing.entrant], stairs(&sorted, runs, largest))
    };
    Chart {
        log_x: true,
        caption: format!(
            "Performance profile: the share of the {runs} graded runs ({} problems, {} seeds) that \
             reach the target of their problem in at most so many times the steps of the fastest \
             optimizer. Higher is better. On the left, at 1: how often an optimizer is the fastest. \
             On the right: how often it reaches the target at all.",
            suite.problems.len(),
            suite.seeds
        ),
        lines: standings.iter().map(line).collect(),
        ..Chart::new(
            "Steps to the target",
            "steps / fewest steps of any optimizer",
            "share of graded runs",
        )
    }
}

/// The corners of the stairs: at each ratio, the share of runs with at most this ratio.
fn stairs(sorted: &[f64], runs: usize, largest: f64) -> Vec<(f64, f64)> {
    let share =
        |ratio: f64| sorted.iter().filter(|other| **other <= ratio).count() as f64 / runs as f64;
    let mut corners = vec![(1.0, share(1.0))];
    for ratio in sorted.iter().copied().filter(|ratio| (1.0..largest).contains(ratio)) {
        let (_, height) = corners[corners.len() - 1];
        if share(ratio) > height {
            corners.extend([(ratio, height), (ratio, share(ratio))]);
        }
    }
    let (_, height) = corners[corners.len() - 1];
    corners.push((largest, height));
    if share(largest) > height {
        corners.push((largest, share(largest)));
    }
    corners
}

/// The expected quality for each number of trials.
pub fn budget(
    suite: &Suite,
    results: &SuiteResults,
    standings: &[Standing],
    styles: &[Style],
) -> Chart {
    let all = qualities(suite, results);
    let line = |standing: &Standing| {
        let points = all[standing.entrant].iter().enumerate();
        let points = points.map(|(i, quality)| ((i + 1) as f64, *quality));
        PlotLine::new(&standing.label, styles[standing.entrant], points)
    };
    Chart {
        caption: format!(
            "Quality for a tuning budget: the expected best of so many of the {} trials, as the \
             lowest value of any optimizer / value, averaged over the problems. 1 is the best of \
             all. It is measured by what selects the settings, on the seeds that select.",
            suite.trials
        ),
        lines: standings.iter().map(line).collect(),
        ..Chart::new("Quality for a tuning budget", "trials", "quality")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_the_share_of_runs_within_each_ratio() {
        let corners = stairs(&[1.0, 2.0, 2.0, 8.0], 5, 4.0);
        assert_eq!(corners, [(1.0, 0.2), (2.0, 0.2), (2.0, 0.6), (4.0, 0.6)]);
        let corners = stairs(&[1.0, 4.0], 4, 4.0);
        assert_eq!(corners, [(1.0, 0.25), (4.0, 0.25), (4.0, 0.5)], "a step at the end");
        assert_eq!(stairs(&[], 5, 4.0), [(1.0, 0.0), (4.0, 0.0)], "no run reaches the target");
    }
}
