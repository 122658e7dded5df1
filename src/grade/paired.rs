//! Tests of the margins of a claim: one margin for each seed, of runs that share the seed.
//!
//! `ahead`: the paired t-test. The p-value is two-sided, the interval is that of the mean margin.
//!
//! `similar`: two one-sided t-tests (Schuirmann 1987, J. Pharmacokinetics and Biopharmaceutics 15).
//! The difference must be below the upper bound, and above the lower one. Each has its margins:
//! bound - difference, and bound + difference. Estimate and interval are those of the smaller of the
//! two means, so the claim holds where the interval is above zero. The p-value is twice the smaller
//! of two: for HELD the larger of the two one-sided p-values; for NOT HELD (the difference is
//! significantly larger than the bound) the smaller one in the other direction.
//!
//! Student's t is that of `statrs`. Margins that are all equal have no spread: their p-value is 0, or
//! 1 if they are zero.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::stats::{mean, standard_deviation};

/// The error that is allowed, over all claims of an experiment.
pub const ALPHA: f64 = 0.05;

/// The margins of a claim, in the order of their seeds. The claim holds if the mean of each list is
/// above zero.
#[derive(Clone, Debug)]
pub struct Margins(pub Vec<Vec<f64>>);

/// What the margins say about one claim alone.
#[derive(Clone, Copy, Debug)]
pub struct Tested {
    /// the mean margin
    pub estimate: f64,
    /// lower end of its 95 % interval
    pub low: f64,
    /// upper end
    pub high: f64,
    /// two-sided
    pub p_value: f64,
    /// whether the margins speak for the claim
    pub favours: bool,
}

/// A list of margins against zero.
struct OneSided {
    mean: f64,
    half_width: f64,
    /// for a mean above zero
    above: f64,
    /// for a mean below zero
    below: f64,
}

impl Margins {
    /// The number of seeds.
    pub fn pairs(&self) -> usize {
        self.0.first().map_or(0, Vec::len)
    }

    /// The test of the first `n` seeds; `None` with fewer than two.
    pub fn test(&self, n: usize) -> Option<Tested> {
        let sides = self.0.iter().map(|margins| one_sided(&margins[..n.min(margins.len())]));
        let sides = sides.collect::<Option<Vec<OneSided>>>()?;
        let least = |of: fn(&OneSided) -> f64| sides.iter().map(of).fold(f64::INFINITY, f64::min);
        let for_claim = sides.iter().map(|side| side.above).fold(0.0, f64::max);
        let against = least(|side| side.below);
        Some(Tested {
            estimate: least(|side| side.mean),
            low: least(|side| side.mean - side.half_width),
            high: least(|side| side.mean + side.half_width),
            p_value: (2.0 * for_claim.min(against)).min(1.0),
            favours: for_claim <= against,
        })
    }

    /// The mean of the list that has the lowest.
    pub fn smallest_mean(&self) -> f64 {
        self.0.iter().map(|side| mean(side)).fold(f64::INFINITY, f64::min)
    }
}

fn one_sided(margins: &[f64]) -> Option<OneSided> {
    let deviation = standard_deviation(margins)?;
    let n = margins.len() as f64;
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let (mean, error) = (mean(margins), deviation / n.sqrt());
    let half_width = student.inverse_cdf(1.0 - ALPHA / 2.0) * error;
    let (above, below) = match error > 0.0 {
        true => (student.sf(mean / error), student.cdf(mean / error)),
        false => (certain(mean > 0.0, mean), certain(mean < 0.0, mean)),
    };
    Some(OneSided { mean, half_width, above, below })
}

/// The p-value of margins that are all equal to `mean`.
fn certain(holds: bool, mean: f64) -> f64 {
    match (mean == 0.0, holds) {
        (true, _) => 0.5,
        (false, true) => 0.0,
        (false, false) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} and {expected}");
    }

    /// R: t.test(c(1, 2, 3, 4), c(0, 0, 0, 0), paired = TRUE)
    #[test]
    fn one_list_is_the_paired_t_test() {
        let found = Margins(vec![vec![1.0, 2.0, 3.0, 4.0]]).test(9).unwrap();
        near(found.p_value, 0.0305);
        near(found.estimate, 2.5);
        near(found.low, 0.4457);
        near(found.high, 4.5543);
        assert!(found.favours);
        let other = Margins(vec![vec![-1.0, -2.0, -3.0, -4.0]]).test(9).unwrap();
        near(other.p_value, found.p_value);
        assert!(!other.favours);
    }

    /// The lower list decides for HELD, either for NOT HELD.
    #[test]
    fn two_lists_are_two_one_sided_tests() {
        let similar = |difference: [f64; 4], bound: f64| {
            let side = |sign: f64| difference.map(|it| bound - sign * it).to_vec();
            Margins(vec![side(1.0), side(-1.0)]).test(4).unwrap()
        };
        let differences = [1.0, 2.0, 3.0, 4.0];
        let wide = similar(differences, 6.0);
        // one-sided: t = (6 - 2.5) / 0.6455 = 5.422, 3 degrees of freedom
        near(wide.p_value / 2.0, 0.00615);
        near(wide.estimate, 3.5);
        assert!(wide.favours);
        let narrow = similar(differences, 0.5);
        // t = (2.5 - 0.5) / 0.6455 = 3.098
        near(narrow.p_value / 2.0, 0.0267);
        assert!(!narrow.favours && narrow.estimate < 0.0);
        near(similar(differences, 2.5).p_value, 1.0);
    }

    #[test]
    fn margins_without_spread_are_certain_unless_they_are_zero() {
        let of = |margin: f64| Margins(vec![vec![margin; 3]]).test(3).unwrap();
        assert_eq!((of(1.0).p_value, of(1.0).favours), (0.0, true));
        assert_eq!((of(-1.0).p_value, of(-1.0).favours), (0.0, false));
        assert_eq!(of(0.0).p_value, 1.0);
        assert!(Margins(vec![vec![1.0]]).test(1).is_none());
    }
}
