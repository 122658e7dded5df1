//! How many seeds would probably decide a claim: with a power of 80 %, if mean and standard
//! deviation of the margins stay what they are. The power of a t-test is approximated by a shifted
//! Student's t, that of a sign test is exact for the observed fraction of signs.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

use super::paired::{ALPHA, Margins, signs};
use super::sequential::{Look, looks};
use super::stats::{mean, standard_deviation};

/// A claim that needs more seeds is called not decidable.
const MOST: usize = 1000;
/// The wanted power.
const POWER: f64 = 0.8;

/// What an UNDECIDED says about more seeds. `undecided` is the number of undecided claims, and
/// `until_decided` whether only certain numbers of seeds have a look.
pub fn outlook(margins: &Margins, undecided: usize, until_decided: bool) -> String {
    match seeds_to_decide(margins, undecided, until_decided) {
        Some(seeds) => format!("about {seeds} seeds would probably decide it"),
        None => format!("it does not look decidable within {MOST} seeds"),
    }
}

fn seeds_to_decide(margins: &Margins, undecided: usize, until_decided: bool) -> Option<usize> {
    let looks = match until_decided {
        true => looks(MOST),
        false => (2..=MOST).map(|seeds| Look { seeds: Some(seeds), share: 1.0 }).collect(),
    };
    let power = power_of(margins)?;
    let later = looks.into_iter().filter_map(|look| Some((look.seeds?, look.share)));
    let mut later = later.filter(|(seeds, _)| *seeds > margins.pairs());
    let alpha = ALPHA / undecided.max(1) as f64;
    later.find(|(seeds, share)| power(*seeds, alpha * share) >= POWER).map(|(seeds, _)| seeds)
}

/// The power of a test with so many seeds at this two-sided level.
type Power = Box<dyn Fn(usize, f64) -> f64>;

fn power_of(margins: &Margins) -> Option<Power> {
    match margins {
        Margins::Means(sides) => {
            let all = sides.iter().filter_map(|it| Some((mean(it), standard_deviation(it)?)));
            let (center, deviation) = all.min_by(|a, b| a.0.total_cmp(&b.0))?;
            let effect = center.abs() / deviation;
            // NaN if all margins are zero
            (effect > 0.0).then(|| -> Power { Box::new(move |n, a| power_of_t(effect, n, a)) })
        }
        Margins::Signs(margins) => {
            let (above, below) = signs(margins);
            let share = above.max(below) as f64 / (above + below) as f64;
            let differ = (above + below) as f64 / margins.len() as f64;
            let power = move |n: usize, alpha| power_of_signs(share, n as f64 * differ, alpha);
            (share > 0.5).then(|| -> Power { Box::new(power) })
        }
    }
}

fn power_of_t(effect: f64, seeds: usize, alpha: f64) -> f64 {
    let n = seeds as f64;
    StudentsT::new(0.0, 1.0, n - 1.0).map_or(0.0, |student| {
        student.cdf(effect * n.sqrt() - student.inverse_cdf(1.0 - alpha / 2.0))
    })
}

fn power_of_signs(share: f64, tosses: f64, alpha: f64) -> f64 {
    let tosses = tosses as u64;
    let (Ok(fair), Ok(own)) = (Binomial::new(0.5, tosses), Binomial::new(share, tosses)) else {
        return 0.0;
    };
    // the smallest count that decides
    let mut counts = tosses / 2 + 1..=tosses;
    let least = counts.find(|count| 2.0 * fair.sf(count - 1) <= alpha);
    least.map_or(0.0, |least| own.sf(least - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Margins with this mean and a standard deviation of 1.
    fn margins(mean: f64) -> Margins {
        let (low, high) = (mean - 0.75f64.sqrt(), mean + 0.75f64.sqrt());
        Margins::Means(vec![vec![low, low, high, high]])
    }

    /// R: power.t.test(delta = d, sd = 1, type = "one.sample", power = 0.8)
    #[test]
    fn the_number_of_seeds_is_that_of_a_power_of_80_percent() {
        for (mean, expected) in [(1.0, 10), (0.8, 15), (0.5, 34), (0.2, 199), (0.1, 787)] {
            let found = seeds_to_decide(&margins(mean), 1, false).unwrap();
            assert!(found.abs_diff(expected) <= 1, "{mean}: {found} and {expected}");
        }
        assert!(outlook(&margins(0.01), 1, false).contains("within 1000 seeds"));
        assert!(
            seeds_to_decide(&margins(0.8), 6, false) > seeds_to_decide(&margins(0.8), 1, false)
        );
        // the next look with enough power
        assert_eq!(seeds_to_decide(&margins(0.8), 1, true), Some(30));
        assert_eq!(seeds_to_decide(&margins(1.0), 1, true), Some(20));
        let zero = Margins::Means(vec![vec![0.0; 3]]);
        assert_eq!(seeds_to_decide(&zero, 1, false), None);
    }

    #[test]
    fn signs_that_agree_need_six_seeds() {
        let all = Margins::Signs(vec![1.0, f64::INFINITY, 2.0]);
        assert_eq!(seeds_to_decide(&all, 1, false), Some(6));
        let split = Margins::Signs(vec![1.0, -1.0]);
        assert_eq!(seeds_to_decide(&split, 1, false), None);
    }
}
