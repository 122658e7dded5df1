//! The tasks. One is a small function and a row of the table; every random choice in it comes from the seed.
//!
//! The marks were reasoned out before any optimizer was measured, and are not to be moved when one that is liked fails. One task was made
//! anew, knowing results: the first form of `moving` asked what is left of the jump after 300 steps, and AdaGrad passed, since that asks for
//! speed and not for loss of speed. Its present form and mark were written down before they were run.

use std::f64::consts::TAU;

use rand::RngExt;

use super::{Bench, Measured, Run, Score, Task};
use crate::error::Result;
use crate::seed::Purpose;

/// All tasks.
pub const TASKS: [Task; 8] = [
    Task {
        name: "saddle",
        question: "x^2 - y^2 + y^4 / 10 from y = 1e-6: does it find the way out?",
        measured: "steps until |y| > 1 and below the saddle",
        mark: 100.0,
        mark_in_words: "at most 100 steps",
        why: "gradient descent at a tenth of its largest stable rate grows y by 1.2 a step, and 1.2^76 = 1e6",
        run: saddle,
    },
    Task {
        name: "plateau",
        question: "slope 1e-6 for a length of 5, then a well of width 1, beside a bowl of curvature 1: does it arrive?",
        measured: "steps until within 0.1 of both minima",
        mark: 500.0,
        mark_in_words: "at most 500 steps",
        why: "steps of a hundredth of the well's width, whatever the slope, make 5 in 500; gradient descent's largest stable rate is 2, and \
              needs 2.5 million",
        run: plateau,
    },
    Task {
        name: "ill_conditioned",
        question: "curvatures from 0.01 to 100 along the axes, condition 1e4: how much of the distance is left?",
        measured: "distance left after 500 steps (1 at the start)",
        mark: 1e-3,
        mark_in_words: "at most 0.001",
        why: "momentum with the best rate and the best mu needs sqrt(1e4) / 2 ln 1000 = 345 steps for it, gradient descent 35,000",
        run: ill_conditioned,
    },
    Task {
        name: "sparse",
        question: "10 of 12 coordinates have a gradient 1 time in 100, the others always: are the rare ones learned?",
        measured: "distance left after 1000 steps, the worse of the two kinds",
        mark: 0.1,
        mark_in_words: "at most 0.1",
        why: "a rare coordinate (curvature 1) has some 10 gradients, so each has to take away a fifth: 0.8^10 = 0.1; the frequent ones \
              (curvature 10) make gradient descent unstable at a rate of 0.2",
        run: sparse,
    },
    Task {
        name: "noise",
        question: "a bowl of curvature 1, gradients with noise of deviation 1, from a distance of 3: how near does it stay?",
        measured: "distance over steps 450 to 500, root mean square",
        mark: 0.1,
        mark_in_words: "at most 0.1",
        why: "0.1 is the error of a mean of 100 gradients: a fifth of the run is to be averaged, the rest is for the way there",
        run: noise,
    },
    Task {
        name: "scale",
        question: "the loss times 1e-3 and 1e3 at the same lr: is the path the same?",
        measured: "farthest apart in 100 steps, relative to the way gone",
        mark: 0.05,
        mark_in_words: "at most 0.05",
        why: "eps may show, by a few percent; a step that is proportional to the gradient differs by a factor of 1000",
        run: scale,
    },
    Task {
        name: "moving",
        question: "the task noise at its best rate; after 500 steps the minimum jumps by 3: is it followed as fast as at first?",
        measured: "steps to a third of the jump / steps to a third of the distance at the start",
        mark: 2.0,
        mark_in_words: "at most 2 times",
        why: "the way is as long and the noise as loud, so what does not remember the past needs equally many steps; 2 is for luck. A rate \
              that falls with the sum of all squares is several times smaller after 500 gradients of noise",
        run: moving,
    },
    Task {
        name: "rotation",
        question: "the task ill_conditioned in rotated axes, each at its best rate: does it cost more steps?",
        measured: "steps a decade of distance in rotated axes / along them",
        mark: 2.0,
        mark_in_words: "at most 2 times",
        why: "what does not see the axes needs equally many steps; a factor of 2 is for luck with the rotation and the grid of rates",
        run: rotation,
    },
];

/// Distance from the origin.
fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// From the normal distribution, by Box and Muller.
fn normal(generator: &mut impl RngExt) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - generator.random::<f64>(), generator.random());
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}

impl Run<'_> {
    /// A start: each number from 0.5 to 1.5 from the origin, on either side.
    fn start(&self, n: usize) -> Vec<f64> {
        let mut generator = self.seed.generator(Purpose::Examples, 0);
        let mut one = || generator.random_range(0.5..1.5) * if generator.random::<bool>() { 1.0 } else { -1.0 };
        (0..n).map(|_| one()).collect()
    }

    /// The first of ten steps in a row after which the point is where it should be: a point that only flies past is not there.
    fn reach(&self, start: &[f64], steps: usize, slope: super::Slope<'_>, there: impl Fn(&[f64]) -> bool) -> Result<Measured> {
        const IN_A_ROW: usize = 10;
        let (mut t, mut row) = (0, 0);
        let mut seen = |x: &[f64]| {
            t += 1;
            row = if there(x) { row + 1 } else { 0 };
            row == IN_A_ROW
        };
        if let Some(end) = self.descend(start, steps + IN_A_ROW - 1, slope, &mut seen)? {
            return Ok(end);
        }
        Ok(if row == IN_A_ROW { Measured::Number((t + 1 - IN_A_ROW) as f64) } else { Measured::NotReached })
    }
}

fn saddle(bench: &Bench<'_>) -> Result<Score> {
    let value = |x: f64, y: f64| x * x - y * y + y.powi(4) / 10.0;
    let slope = |_: usize, p: &[f64]| (value(p[0], p[1]), vec![2.0 * p[0], -2.0 * p[1] + 0.4 * p[1].powi(3)]);
    bench.score(|run| {
        let start = run.start(2);
        run.reach(&[start[0], 1e-6 * start[1]], 100, &slope, |p| p[1].abs() > 1.0 && value(p[0], p[1]) < 0.0)
    })
}

fn plateau(bench: &Bench<'_>) -> Result<Score> {
    /// Slope outside the well.
    const FLAT: f64 = 1e-6;
    let well = |x: f64| {
        let inside = (1.0 - x * x).max(0.0);
        let flat = if inside > 0.0 { x * x / 2.0 } else { x.abs() - 0.5 };
        ((1.0 - inside.powi(3)) / 6.0 + FLAT * flat, x * inside * inside + FLAT * x.clamp(-1.0, 1.0))
    };
    let slope = |_: usize, p: &[f64]| {
        let (value, g) = well(p[0]);
        (value + p[1] * p[1] / 2.0, vec![g, p[1]])
    };
    bench.score(|run| {
        let start = run.start(2);
        run.reach(&[start[0] + 5.0 * start[0].signum(), start[1]], 500, &slope, |p| p.iter().all(|x| x.abs() < 0.1))
    })
}

/// Curvatures of condition 1e4.
const CURVATURES: [f64; 5] = [0.01, 0.1, 1.0, 10.0, 100.0];
/// Steps of the tasks with them.
const ILL_STEPS: usize = 500;
/// The share of the distance that counts as gone all the way.
const ARRIVED: f64 = 1e-3;

/// A bowl with these curvatures, along the axes given as rows or else those of the coordinates.
fn bowl(curvatures: &[f64], axes: Option<&[Vec<f64>]>, x: &[f64]) -> (f64, Vec<f64>) {
    let along = axes.map_or(x.to_vec(), |axes| axes.iter().map(|axis| dot(axis, x)).collect());
    let g: Vec<f64> = along.iter().zip(curvatures).map(|(x, h)| h * x).collect();
    let value = dot(&along, &g) / 2.0;
    (value, axes.map_or(g.clone(), |axes| back(axes, &g)))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The point with these coordinates along the axes.
fn back(axes: &[Vec<f64>], along: &[f64]) -> Vec<f64> {
    (0..along.len()).map(|i| axes.iter().zip(along).map(|(axis, along)| axis[i] * along).sum()).collect()
}

/// The share of the distance that is left after each step, until `enough` of it; or what cut the descent short.
fn left(run: &Run<'_>, axes: Option<&[Vec<f64>]>, enough: f64) -> Result<std::result::Result<Vec<f64>, Measured>> {
    let start = run.start(CURVATURES.len());
    // the same start seen from other axes, so that what does not see the axes takes the same path
    let start = axes.map_or(start.clone(), |axes| back(axes, &start));
    let mut left = Vec::new();
    let mut seen = |x: &[f64]| {
        left.push(norm(x) / norm(&start));
        left.last().is_some_and(|left| *left <= enough)
    };
    let end = run.descend(&start, ILL_STEPS, &|_, x| bowl(&CURVATURES, axes, x), &mut seen)?;
    Ok(end.map_or(Ok(left), Err))
}

fn ill_conditioned(bench: &Bench<'_>) -> Result<Score> {
    bench.score(|run| {
        // the worst of the last ten: what swings is not to be caught while it passes the minimum
        let worst = |left: Vec<f64>| left.iter().rev().take(10).copied().fold(0.0, f64::max);
        Ok(left(run, None, -1.0)?.map_or_else(|end| end, |left| Measured::Number(worst(left))))
    })
}

/// Directions at right angles to each other, by chance.
fn axes(run: &Run<'_>, n: usize) -> Vec<Vec<f64>> {
    let mut generator = run.seed.generator(Purpose::Examples, 1);
    let mut axes: Vec<Vec<f64>> = Vec::new();
    while axes.len() < n {
        let mut axis: Vec<f64> = (0..n).map(|_| normal(&mut generator)).collect();
        for other in &axes {
            let along = dot(&axis, other);
            axis.iter_mut().zip(other).for_each(|(x, other)| *x -= along * other);
        }
        let length = norm(&axis);
        if length > 1e-3 {
            axes.push(axis.iter().map(|x| x / length).collect());
        }
    }
    axes
}

/// Steps for each decade of distance, on the way to [`ARRIVED`] or as far as it gets.
fn steps_a_decade(run: &Run<'_>, axes: Option<&[Vec<f64>]>) -> Result<Measured> {
    Ok(match left(run, axes, ARRIVED)? {
        Err(end) => end,
        Ok(left) => match left.last() {
            // beyond 1e-16 a decade is rounding
            Some(last) if *last < 1.0 => Measured::Number(-(left.len() as f64) / last.max(1e-16).log10()),
            _ => Measured::NotReached,
        },
    })
}

fn rotation(bench: &Bench<'_>) -> Result<Score> {
    let along = bench.best(|run| steps_a_decade(run, None))?;
    let rotated = bench.best(|run| steps_a_decade(run, Some(&axes(run, CURVATURES.len()))))?;
    let ratio = |pair: (&Measured, &Measured)| match pair {
        (Measured::Number(along), Measured::Number(rotated)) => Measured::Number(rotated / along),
        (Measured::Number(_), other) | (other, _) => other.clone(),
    };
    let seeds = along.seeds.iter().zip(&rotated.seeds).map(ratio).collect();
    Ok(Score { rates: vec![along.rate, rotated.rate], seeds })
}

fn sparse(bench: &Bench<'_>) -> Result<Score> {
    const FREQUENT: usize = 2;
    const RARE: usize = 10;
    const STEPS: usize = 1000;
    bench.score(|run| {
        let mut generator = run.seed.generator(Purpose::Noise, 0);
        let present: Vec<[bool; RARE]> = (0..STEPS).map(|_| std::array::from_fn(|_| generator.random::<f64>() < 0.01)).collect();
        let slope = |t: usize, x: &[f64]| {
            let curvature = |i: usize| if i < FREQUENT { 10.0 } else { f64::from(u8::from(present[t][i - FREQUENT])) };
            let curvatures: Vec<f64> = (0..x.len()).map(curvature).collect();
            bowl(&curvatures, None, x)
        };
        let start = run.start(FREQUENT + RARE);
        let mut last = start.clone();
        let mut seen = |x: &[f64]| {
            last.copy_from_slice(x);
            false
        };
        if let Some(end) = run.descend(&start, STEPS, &slope, &mut seen)? {
            return Ok(end);
        }
        let left = |which: std::ops::Range<usize>| norm(&last[which.clone()]) / norm(&start[which]);
        Ok(Measured::Number(left(0..FREQUENT).max(left(FREQUENT..FREQUENT + RARE))))
    })
}

/// Coordinates of the noisy bowl.
const NOISY: usize = 10;
/// Steps until its minimum jumps.
const SETTLE: usize = 500;
/// Steps after that, at most.
const FOLLOW: usize = 500;
/// How far it begins from the minimum in each coordinate, and how far that jumps.
const JUMP: f64 = 3.0;
/// The last steps, over which the distance is averaged.
const WINDOW: usize = 50;

/// What each step of the noisy bowl leaves of the distance of a coordinate from the minimum, root mean square over the coordinates; or
/// what cut the descent short.
fn distances(run: &Run<'_>, steps: usize) -> Result<std::result::Result<Vec<f64>, Measured>> {
    let mut generator = run.seed.generator(Purpose::Noise, 0);
    let noise: Vec<[f64; NOISY]> = (0..steps).map(|_| std::array::from_fn(|_| normal(&mut generator))).collect();
    let side = run.start(NOISY).iter().map(|x| x.signum()).collect::<Vec<f64>>();
    // the minimum of a coordinate is the origin, and jumps to the other side of where the coordinate began
    let away =
        |t: usize, x: &[f64]| -> Vec<f64> { x.iter().zip(&side).map(|(x, side)| if t < SETTLE { *x } else { x + JUMP * side }).collect() };
    let slope = |t: usize, x: &[f64]| {
        let away = away(t, x);
        let g = away.iter().zip(&noise[t]).map(|(away, noise)| away + noise).collect();
        (dot(&away, &away) / 2.0 + dot(&noise[t], x), g)
    };
    let mut distances = Vec::new();
    let mut seen = |x: &[f64]| {
        distances.push(norm(&away(distances.len(), x)) / (NOISY as f64).sqrt());
        false
    };
    let start: Vec<f64> = side.iter().map(|side| JUMP * side).collect();
    let end = run.descend(&start, steps, &slope, &mut seen)?;
    Ok(end.map_or(Ok(distances), Err))
}

/// The distance that is left where the minimum does not jump.
fn settled(run: &Run<'_>) -> Result<Measured> {
    let square = |distances: &[f64]| distances.iter().map(|distance| distance * distance).sum::<f64>() / WINDOW as f64;
    let last = |distances: Vec<f64>| Measured::Number(square(&distances[SETTLE - WINDOW..]).sqrt());
    Ok(distances(run, SETTLE)?.map_or_else(|end| end, last))
}

fn noise(bench: &Bench<'_>) -> Result<Score> {
    let best = bench.settled(settled)?;
    Ok(Score { rates: vec![best.rate], seeds: best.seeds })
}

/// How many times as many steps the jump takes as the start.
fn followed(run: &Run<'_>) -> Result<Measured> {
    let distances = match distances(run, SETTLE + FOLLOW)? {
        Ok(distances) => distances,
        Err(end) => return Ok(end),
    };
    let steps = |distances: &[f64]| distances.iter().position(|distance| *distance <= JUMP / 3.0).map(|t| (t + 1) as f64);
    let (before, after) = distances.split_at(SETTLE);
    Ok(match (steps(before), steps(after)) {
        (Some(at_first), Some(late)) => Measured::Number(late / at_first),
        _ => Measured::NotReached,
    })
}

/// The rate is the best for the noise, as whoever tunes it cannot know of the jump.
fn moving(bench: &Bench<'_>) -> Result<Score> {
    let tuned = bench.settled(settled)?;
    Ok(Score { rates: vec![tuned.rate], seeds: bench.seeds(tuned.place, followed)? })
}

/// The path on a bowl of condition 10 whose loss is multiplied by `scale`, or what cut it short.
fn path(run: &Run<'_>, scale: f64) -> Result<std::result::Result<Vec<Vec<f64>>, Measured>> {
    let curvatures = [0.1, 0.2, 0.5, 1.0].map(|h| h * scale);
    let start = run.start(curvatures.len());
    let mut path = vec![start.clone()];
    let mut seen = |x: &[f64]| {
        path.push(x.to_vec());
        false
    };
    let end = run.descend(&start, 100, &|_, x| bowl(&curvatures, None, x), &mut seen)?;
    Ok(end.map_or(Ok(path), Err))
}

/// The largest distance between points of two paths at the same step.
fn farthest<'a>(a: impl IntoIterator<Item = &'a Vec<f64>>, b: impl IntoIterator<Item = &'a Vec<f64>>) -> f64 {
    let apart = |(a, b): (&Vec<f64>, &Vec<f64>)| norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>());
    a.into_iter().zip(b).map(apart).fold(0.0, f64::max)
}

/// The rate is the best where the loss is multiplied by 1: at a tiny one every path would stay where it began, and so agree.
fn scale(bench: &Bench<'_>) -> Result<Score> {
    let left = |path: &Vec<Vec<f64>>| path.last().map_or(Measured::NotReached, |x| Measured::Number(norm(x)));
    let tuned = bench.best(|run| Ok(path(run, 1.0)?.as_ref().map_or_else(Measured::clone, left)))?;
    let apart = |run: &Run<'_>| {
        let (one, less, more) = (path(run, 1.0)?, path(run, 1e-3)?, path(run, 1e3)?);
        let (Ok(one), Ok(less), Ok(more)) = (&one, &less, &more) else {
            return Ok([one, less, more].into_iter().find_map(std::result::Result::err).unwrap_or(Measured::Diverged));
        };
        let gone = farthest(one, std::iter::repeat_n(&one[0], one.len()));
        let apart = farthest(one, less).max(farthest(one, more));
        Ok(if gone > 0.0 { Measured::Number(apart / gone) } else { Measured::NotReached })
    };
    Ok(Score { rates: vec![tuned.rate], seeds: bench.seeds(tuned.place, apart)? })
}
