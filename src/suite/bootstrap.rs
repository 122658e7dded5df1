//! Intervals by the bootstrap: the scores of many suites that are drawn from this one with
//! replacement.

use rand::RngExt;

use crate::seed::{Purpose, Seed};

/// How many suites are drawn.
const DRAWS: usize = 2000;

/// The problems of a drawn suite, each with its seeds, by their positions.
pub type Draw = Vec<(usize, Vec<usize>)>;

/// The problems as they are.
pub fn whole(problems: usize, seeds: usize) -> Draw {
    (0..problems).map(|problem| (problem, (0..seeds).collect())).collect()
}

/// The drawn suites; the same ones on every machine.
pub fn draws(problems: usize, seeds: usize) -> impl Iterator<Item = Draw> {
    let mut random = Seed(0).generator(Purpose::Bootstrap, 0);
    std::iter::repeat_with(move || {
        let mut draw = Vec::with_capacity(problems);
        for _ in 0..problems {
            let problem = random.random_range(0..problems);
            draw.push((problem, (0..seeds).map(|_| random.random_range(0..seeds)).collect()));
        }
        draw
    })
    .take(DRAWS)
}

/// The bounds between which 95 % of the values are.
pub fn interval(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    [at(0.025), at(0.975)]
}
