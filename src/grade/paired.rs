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
//! `reaches`: the sign test, since a run that never reaches the target has an infinite cost. It
//! counts the seeds with a margin above zero and below zero, and leaves out those without a
//! difference; the p-value is that of a fair coin, two-sided. The estimate is the median margin. Its
//! interval goes from one order statistic to another (Conover 1999, Practical Nonparametric
//! Statistics, section 3.2); with fewer than six seeds it is unbounded.
//!
//! Student's t and the binomial distribution are those of `statrs`. Margins that are all equal have
//! no spread: the p-value of their t-test is 0, or 1 if they are zero.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

use super::stats::{mean, standard_deviation};

/// The error that is allowed, over all claims of an experiment.
pub const ALPHA: f64 = 0.05;

/// The margins of a claim, in the order of their seeds. Above zero they speak for the claim.
#[derive(Clone, Debug)]
pub enum Margins {
    /// The claim holds if the mean of each list is above zero.
    Means(Vec<Vec<f64>>),
    /// The claim holds if more of these are above zero than below. They may be infinite.
    Signs(Vec<f64>),
}

/// What the margins say about one claim alone.
#[derive(Clone, Copy, Debug)]
pub struct Tested {
    /// the mean or median margin
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

impl Margins {
    /// The number of seeds.
    pub fn pairs(&self) -> usize {
        match self {
            Margins::Means(sides) => sides.first().map_or(0, Vec::len),
            Margins::Signs(margins) => margins.len(),
        }
    }

    /// What [`estimate`](Margins::estimate) is.
    pub fn kind(&self) -> &'static str {
        match self {
            Margins::Means(_) => "margin",
            Margins::Signs(_) => "median margin",
        }
    }

    /// The test of the first `n` seeds; `None` with fewer than two.
    pub fn test(&self, n: usize) -> Option<Tested> {
        let n = n.min(self.pairs());
        match self {
            _ if n < 2 => None,
            Margins::Means(sides) => t_tests(sides, n),
            Margins::Signs(margins) => sign_test(&margins[..n]),
        }
    }

    /// The mean of the list with the lowest one; the median of signs.
    pub fn estimate(&self) -> f64 {
        match self {
            Margins::Means(sides) => {
                sides.iter().map(|side| mean(side)).fold(f64::INFINITY, f64::min)
            }
            Margins::Signs(margins) => median(&sorted(margins)),
        }
    }
}

/// A list of margins against zero.
struct OneSided {
    mean: f64,
    half_width: f64,
    /// p-value for a mean above zero
    above: f64,
    /// p-value for a mean below zero
    below: f64,
}

fn t_tests(sides: &[Vec<f64>], n: usize) -> Option<Tested> {
    let sides = sides.iter().map(|margins| one_sided(&margins[..n]));
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

fn one_sided(margins: &[f64]) -> Option<OneSided> {
    let deviation = standard_deviation(margins)?;
    let n = margins.len() as f64;
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let (mean, error) = (mean(margins), deviation / n.sqrt());
    let half_width = student.inverse_cdf(1.0 - ALPHA / 2.0) * error;
    let (above, below) = match error > 0.0 {
        true => (student.sf(mean / error), student.cdf(mean / error)),
        false if mean == 0.0 => (0.5, 0.5),
        false => (f64::from(u8::from(mean < 0.0)), f64::from(u8::from(mean > 0.0))),
    };
    Some(OneSided { mean, half_width, above, below })
}

fn sign_test(margins: &[f64]) -> Option<Tested> {
    let (above, below) = signs(margins);
    let tosses = above + below;
    let fair = Binomial::new(0.5, tosses as u64).ok()?;
    let at_least = match above.max(below) {
        0 => 1.0,
        most => fair.sf(most as u64 - 1),
    };
    let sorted = sorted(margins);
    let (low, high) = median_interval(&sorted);
    Some(Tested {
        estimate: median(&sorted),
        low,
        high,
        p_value: (2.0 * at_least).min(1.0),
        favours: above > below,
    })
}

/// How many margins are above zero, and how many below.
pub fn signs(margins: &[f64]) -> (usize, usize) {
    let above = margins.iter().filter(|margin| **margin > 0.0).count();
    (above, margins.iter().filter(|margin| **margin < 0.0).count())
}

/// The values in rising order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The median of sorted values; NaN of nothing.
pub fn median(sorted: &[f64]) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let (a, b) = (sorted[last / 2], sorted[last.div_ceil(2)]);
    match a == -b {
        true => 0.0, // also of -inf and inf
        false => (a + b) / 2.0,
    }
}

/// The order statistics between which the median is with at least 95 %.
fn median_interval(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len();
    let outside = Binomial::new(0.5, n as u64).map_or(0, |fair| {
        (0..n as u64 / 2).take_while(|below| fair.cdf(*below) <= ALPHA / 2.0).count()
    });
    match outside {
        0 => (f64::NEG_INFINITY, f64::INFINITY),
        outside => (sorted[outside - 1], sorted[n - outside]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} and {expected}");
    }

    /// R: t.test(c(1, 2, 3, 4))
    #[test]
    fn one_list_is_the_paired_t_test() {
        let found = Margins::Means(vec![vec![1.0, 2.0, 3.0, 4.0]]).test(9).unwrap();
        near(found.p_value, 0.0305);
        near(found.estimate, 2.5);
        near(found.low, 0.4457);
        near(found.high, 4.5543);
        assert!(found.favours);
        let other = Margins::Means(vec![vec![-1.0, -2.0, -3.0, -4.0]]).test(9).unwrap();
        near(other.p_value, found.p_value);
        assert!(!other.favours);
    }

    #[test]
    fn two_lists_are_two_one_sided_tests() {
        let similar = |bound: f64| {
            let side = |sign: f64| [1.0, 2.0, 3.0, 4.0].map(|it| bound - sign * it).to_vec();
            Margins::Means(vec![side(1.0), side(-1.0)]).test(4).unwrap()
        };
        let wide = similar(6.0);
        // one-sided: t = (6 - 2.5) / 0.6455 = 5.422, 3 degrees of freedom
        near(wide.p_value / 2.0, 0.00615);
        near(wide.estimate, 3.5);
        assert!(wide.favours);
        let narrow = similar(0.5);
        // t = (2.5 - 0.5) / 0.6455 = 3.098
        near(narrow.p_value / 2.0, 0.0267);
        assert!(!narrow.favours && narrow.estimate < 0.0);
        near(similar(2.5).p_value, 1.0);
    }

    #[test]
    fn margins_without_spread_are_certain_unless_they_are_zero() {
        let of = |margin: f64| Margins::Means(vec![vec![margin; 3]]).test(3).unwrap();
        assert_eq!((of(1.0).p_value, of(1.0).favours), (0.0, true));
        assert_eq!((of(-1.0).p_value, of(-1.0).favours), (0.0, false));
        assert_eq!(of(0.0).p_value, 1.0);
        assert!(Margins::Means(vec![vec![1.0]]).test(1).is_none());
    }

    /// R: binom.test(7, 8), and the order statistics 1 and 8 of 8.
    #[test]
    fn signs_are_those_of_a_fair_coin_and_may_be_infinite() {
        let margins = [1.0, 2.0, f64::INFINITY, 3.0, -1.0, 4.0, f64::INFINITY, 5.0];
        let found = Margins::Signs(margins.to_vec()).test(8).unwrap();
        near(found.p_value, 0.0703);
        assert_eq!((found.estimate, found.low, found.high), (3.5, -1.0, f64::INFINITY));
        assert!(found.favours);
        let ties = Margins::Signs(vec![0.0; 8]).test(8).unwrap();
        assert_eq!((ties.p_value, ties.estimate), (1.0, 0.0));
        let few = Margins::Signs(vec![1.0; 5]).test(5).unwrap();
        near(few.p_value, 0.0625);
        assert_eq!((few.low, few.high), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
