//! When the claims of an experiment are decided: from all seeds at once, or as seeds are added.
//!
//! Several claims: Holm's step-down procedure (Holm 1979, Scandinavian Journal of Statistics 6).
//! With m claims and p-values in rising order, the k-th is multiplied by m - k + 1, and none is below
//! the one before. A claim is decided if its adjusted p-value is at most 5 %. Then the chance that
//! any decision is wrong is at most 5 %.
//!
//! Repeated looks (`run --until-decided`): there is a look after 3, 5, 8, 12, 20, 30, 45 .. seeds. By
//! the look after n seeds, the share n² / (n² + 15²) of the 5 % is spent; each look spends what is
//! new of it, as in error spending (Lan & DeMets 1983, Biometrika 70), with the union bound in place
//! of the joint distribution of the looks. So a p-value of the look is divided by the share of the
//! look. The bound holds for any number of looks and for any dependence between them, and a look
//! depends on its number of seeds only: it needs no memory of earlier looks, and a cap may be raised
//! later. The look at 12 seeds gets 0.84 %, at 20 seeds 1.25 %, at 30 seeds 0.80 %; 4 % are spent by
//! 30 seeds.
//!
//! A claim that a look decides stays decided, and leaves Holm's family at later looks: the first
//! wrong decision is made at a look where only true hypotheses and some decided false ones precede,
//! so its chance is at most the share of that look.

use super::paired::{ALPHA, Margins, Tested};

/// The first numbers of seeds with a look. Each further look has half as many seeds more.
const FIRST_LOOKS: [usize; 6] = [3, 5, 8, 12, 20, 30];
/// The number of seeds by which half of the error is spent.
const HALF_SPENT: f64 = 15.0;
/// The number of seeds after which an experiment gives up, if nothing else is said.
pub const MAX_SEEDS: usize = 30;

/// A test of all claims.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// the number of seeds, the first ones; `None` for all
    pub seeds: Option<usize>,
    /// its share of the error
    pub share: f64,
}

impl Look {
    /// The only one, if nothing was looked at before.
    pub const ONLY: Look = Look { seeds: None, share: 1.0 };
}

/// What the looks say about a claim.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// the test at the look that decided, or at the last one
    pub tested: Tested,
    /// its p-value by Holm and by the share of the look
    pub adjusted_p: f64,
    /// the number of seeds of that look
    pub seeds: usize,
}

impl Decision {
    /// Whether the claim is decided.
    pub fn is_made(&self) -> bool {
        self.adjusted_p <= ALPHA
    }
}

/// The numbers of seeds after which there is a look.
pub fn look_seeds() -> impl Iterator<Item = usize> {
    let further = std::iter::successors(Some(45), |n: &usize| n.checked_mul(3).map(|n| n / 2));
    FIRST_LOOKS.into_iter().chain(further)
}

/// The looks after at most this many seeds.
pub fn looks(most: usize) -> Vec<Look> {
    let mut before = 0.0;
    let looks = look_seeds().take_while(|seeds| *seeds <= most).map(|seeds| {
        let share = spent(seeds) - before;
        before = spent(seeds);
        Look { seeds: Some(seeds), share }
    });
    looks.collect()
}

/// The share of the error that is spent after this many seeds.
fn spent(seeds: usize) -> f64 {
    let squared = (seeds as f64).powi(2);
    squared / (squared + HALF_SPENT.powi(2))
}

/// What these looks decide about the claims of an experiment. `None` for a claim that no look can
/// test, because it has fewer than two seeds, or fewer than the first look.
pub fn decide(claims: &[Margins], looks: &[Look]) -> Vec<Option<Decision>> {
    let mut decisions: Vec<Option<Decision>> = vec![None; claims.len()];
    for look in looks {
        let tested: Vec<Option<Tested>> = claims.iter().map(|claim| at_look(claim, look)).collect();
        let p_value = |(tested, decision): (&Option<Tested>, &Option<Decision>)| {
            let decided = decision.is_some_and(|decision| decision.is_made());
            if decided { 0.0 } else { tested.map_or(1.0, |tested| tested.p_value / look.share) }
        };
        let adjusted = holm(&tested.iter().zip(&decisions).map(p_value).collect::<Vec<f64>>());
        for (place, tested) in tested.into_iter().enumerate() {
            let Some(tested) = tested else { continue };
            let decision = &mut decisions[place];
            if decision.is_none_or(|decision| !decision.is_made()) {
                let seeds = look.seeds.unwrap_or(claims[place].pairs());
                *decision = Some(Decision { tested, adjusted_p: adjusted[place], seeds });
            }
        }
    }
    decisions
}

/// The test of a claim, if it has the seeds of the look.
fn at_look(claim: &Margins, look: &Look) -> Option<Tested> {
    let seeds = look.seeds.unwrap_or(claim.pairs());
    claim.test(seeds).filter(|_| seeds <= claim.pairs())
}

/// The p-values adjusted by Holm, in their order.
fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let (mut adjusted, mut before) = (vec![1.0; p_values.len()], 0.0);
    for (rank, place) in order.into_iter().enumerate() {
        let larger = (p_values.len() - rank) as f64 * p_values[place];
        before = larger.clamp(before, 1.0);
        adjusted[place] = before;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::seed::{Purpose, Seed};

    #[test]
    fn holm_multiplies_the_k_th_of_m_p_values_by_m_minus_k_plus_one() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
        }
    }

    #[test]
    fn all_looks_together_spend_at_most_the_whole_error() {
        let spent: f64 = looks(100_000).iter().map(|look| look.share).sum();
        assert!(spent < 1.0 && spent > 0.999, "{spent}");
        assert!((looks(30).iter().map(|look| look.share).sum::<f64>() - 0.8).abs() < 1e-12);
        let seeds: Vec<usize> = look_seeds().take(9).collect();
        assert_eq!(seeds, [3, 5, 8, 12, 20, 30, 45, 67, 100]);
    }

    /// `simulations` lists of 30 normal numbers with mean `shift` and standard deviation 1.
    fn normal(simulations: usize, shift: f64, seed: u64) -> Vec<Vec<f64>> {
        let draw = |index| {
            let mut generator = Seed(seed).generator(Purpose::Noise, index);
            let normal = (0..MAX_SEEDS).map(|_| -> f64 { StandardNormal.sample(&mut generator) });
            normal.map(|x| x + shift).collect()
        };
        (0..simulations).map(draw).collect()
    }

    /// The two lists of `similar` for differences and a bound.
    fn similar(differences: &[f64], bound: f64) -> Margins {
        let side = |sign: f64| differences.iter().map(|d| bound - sign * d).collect();
        Margins::Means(vec![side(1.0), side(-1.0)])
    }

    /// How many of the claims are decided for and against, as fractions.
    fn decided(claims: impl Iterator<Item = Margins>, looks: &[Look]) -> [f64; 2] {
        let (mut count, mut all) = ([0, 0], 0);
        for claim in claims {
            all += 1;
            let decision = decide(&[claim], looks)[0].filter(Decision::is_made);
            if let Some(decision) = decision {
                count[usize::from(!decision.tested.favours)] += 1;
            }
        }
        count.map(|count| f64::from(count) / f64::from(all))
    }

    #[test]
    fn at_most_one_in_twenty_identical_pairs_is_decided() {
        let pairs = normal(2000, 0.0, 1);
        let claims = || pairs.iter().map(|margins| Margins::Means(vec![margins.clone()]));
        let share = |looks: &[Look]| decided(claims(), looks).iter().sum::<f64>();
        let found = share(&looks(MAX_SEEDS));
        assert!(found <= 0.05, "{found}");
        // without spending, the same looks decide far more: the simulation can tell
        let naive: Vec<Look> =
            looks(MAX_SEEDS).iter().map(|look| Look { share: 1.0, ..*look }).collect();
        assert!(share(&naive) > 0.1, "{}", share(&naive));
    }

    #[test]
    fn of_five_identical_pairs_one_is_decided_in_at_most_one_of_twenty_experiments() {
        let pairs = normal(5 * 2000, 0.0, 2);
        let any = |claims: &[Vec<f64>]| {
            let claims: Vec<Margins> =
                claims.iter().map(|margins| Margins::Means(vec![margins.clone()])).collect();
            decide(&claims, &looks(MAX_SEEDS)).iter().flatten().any(Decision::is_made)
        };
        let wrong = pairs.chunks(5).filter(|claims| any(claims)).count();
        assert!(wrong <= 100, "{wrong} of 2000");
    }

    #[test]
    fn a_difference_of_one_standard_deviation_is_found_with_thirty_seeds() {
        let pairs = normal(2000, 1.0, 3);
        let claims = || pairs.iter().map(|margins| Margins::Means(vec![margins.clone()]));
        let [found, wrong] = decided(claims(), &looks(MAX_SEEDS));
        assert!(found >= 0.95 && wrong <= 0.001, "{found} and {wrong}");
        let with_12 = decided(claims(), &looks(12))[0];
        assert!(with_12 < found, "{with_12}");
        // the costs of a target: the sign test sees a difference of one deviation in most
        let signs = pairs.iter().map(|margins| Margins::Signs(margins.clone()));
        let signs = decided(signs, &looks(MAX_SEEDS))[0];
        assert!(signs >= 0.9, "{signs}");
    }

    #[test]
    fn equal_series_are_similar_and_a_difference_at_the_bound_is_decided_in_one_of_twenty() {
        let equal = normal(2000, 0.0, 4);
        let of = |pairs: &[Vec<f64>], bound| {
            decided(pairs.iter().map(|differences| similar(differences, bound)), &looks(MAX_SEEDS))
        };
        let [held, not_held] = of(&equal, 1.0);
        assert!(held >= 0.95 && not_held <= 0.001, "{held} and {not_held}");
        let at_the_bound = normal(2000, 1.0, 5);
        let [held, not_held] = of(&at_the_bound, 1.0);
        assert!(held + not_held <= 0.05, "{held} and {not_held}");
        let [held, not_held] = of(&normal(2000, 2.0, 6), 1.0);
        assert!(not_held >= 0.95 && held <= 0.001, "{held} and {not_held}");
    }

    #[test]
    fn a_decision_stays_whatever_later_seeds_say() {
        let mut margins = vec![1.0, 1.001, 0.999];
        let decided = |margins: &[f64]| {
            decide(&[Margins::Means(vec![margins.to_vec()])], &looks(margins.len()))[0].unwrap()
        };
        let first = decided(&margins);
        assert!(first.is_made() && first.seeds == 3);
        margins.extend([-50.0, -50.0]);
        let later = decided(&margins);
        assert!(later.is_made() && later.seeds == 3 && later.tested.favours);
        assert!(decide(&[Margins::Means(vec![vec![1.0, 1.001]])], &looks(2))[0].is_none());
    }
}
