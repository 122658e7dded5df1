//! Tasks on quadratic bowls: different curvatures, rotated axes, rare gradients, a scaled loss.

use rand::RngExt;

use super::run::{RunResult, TaskRun};
use super::score::{Measured, Score};
use super::tuner::Tuner;
use super::vectors::{dot, norm, normal};
use crate::error::Result;
use crate::seed::Purpose;

/// Curvatures with a condition number of 1e4.
const CURVATURES: [f64; 5] = [0.01, 0.1, 1.0, 10.0, 100.0];
/// The number of steps of the tasks with these curvatures.
const ILL_STEPS: usize = 500;
/// The rotation task stops at this fraction of the initial distance.
const ARRIVED: f64 = 1e-3;

/// Value and gradient of a bowl with these curvatures along the axes of the coordinates.
fn bowl(curvatures: &[f64], x: &[f64]) -> (f64, Vec<f64>) {
    let g: Vec<f64> = x.iter().zip(curvatures).map(|(x, h)| h * x).collect();
    (dot(x, &g) / 2.0, g)
}

/// Value and gradient of a bowl whose axes are the rows of `axes`.
fn rotated_bowl(curvatures: &[f64], axes: &[Vec<f64>], x: &[f64]) -> (f64, Vec<f64>) {
    let along: Vec<f64> = axes.iter().map(|axis| dot(axis, x)).collect();
    let (value, g) = bowl(curvatures, &along);
    (value, rotate(axes, &g))
}

/// The point with these coordinates along the axes.
fn rotate(axes: &[Vec<f64>], along: &[f64]) -> Vec<f64> {
    (0..along.len())
        .map(|i| axes.iter().zip(along).map(|(axis, along)| axis[i] * along).sum())
        .collect()
}

/// The remaining fraction of the initial distance after each step, until it is at most `enough`.
fn remaining(
    run: &TaskRun<'_>,
    axes: Option<&[Vec<f64>]>,
    enough: f64,
) -> Result<RunResult<Vec<f64>>> {
    let start = run.start(CURVATURES.len());
    // same start relative to the axes, so a rotation-invariant method takes the same path
    let start = axes.map_or(start.clone(), |axes| rotate(axes, &start));
    let mut remaining = Vec::new();
    let mut observe = |x: &[f64]| {
        remaining.push(norm(x) / norm(&start));
        remaining.last().is_some_and(|share| *share <= enough)
    };
    let objective = |_: usize, x: &[f64]| match axes {
        Some(axes) => rotated_bowl(&CURVATURES, axes, x),
        None => bowl(&CURVATURES, x),
    };
    let end = run.descend(&start, ILL_STEPS, &objective, &mut observe)?;
    Ok(end.map_or(Ok(remaining), Err))
}

pub(super) fn ill_conditioned(tuner: &Tuner<'_>) -> Result<Score> {
    tuner.score(|run| {
        Ok(match remaining(run, None, -1.0)? {
            // the largest of the last ten: a point that oscillates may pass the minimum
            Ok(left) => Measured::Number(left.iter().rev().take(10).copied().fold(0.0, f64::max)),
            Err(end) => end,
        })
    })
}

pub(super) fn rotation(tuner: &Tuner<'_>) -> Result<Score> {
    let along = tuner.best(|run| steps_per_decade(run, None))?;
    let rotated = tuner.best(|run| {
        let axes = random_axes(run, CURVATURES.len());
        steps_per_decade(run, Some(&axes))
    })?;
    let ratio = |pair: (&Measured, &Measured)| match pair {
        (Measured::Number(along), Measured::Number(rotated)) => Measured::Number(rotated / along),
        (Measured::Number(_), other) | (other, _) => other.clone(),
    };
    let seeds = along.seeds.iter().zip(&rotated.seeds).map(ratio).collect();
    Ok(Score { rates: vec![along.lr, rotated.lr], seeds })
}

/// Random directions that are orthogonal to each other.
fn random_axes(run: &TaskRun<'_>, n: usize) -> Vec<Vec<f64>> {
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

/// Steps for each power of ten of the distance, until [`ARRIVED`] or the last step.
fn steps_per_decade(run: &TaskRun<'_>, axes: Option<&[Vec<f64>]>) -> Result<Measured> {
    let remaining = match remaining(run, axes, ARRIVED)? {
        Ok(remaining) => remaining,
        Err(end) => return Ok(end),
    };
    Ok(match remaining.last() {
        // below 1e-16 the distance is rounding error
        Some(last) if *last < 1.0 => {
            Measured::Number(-(remaining.len() as f64) / last.max(1e-16).log10())
        }
        _ => Measured::NotReached,
    })
}

const FREQUENT: usize = 2;
const RARE: usize = 10;
const SPARSE_STEPS: usize = 1000;

pub(super) fn sparse(tuner: &Tuner<'_>) -> Result<Score> {
    tuner.score(remaining_of_sparse)
}

/// The remaining fraction of the initial distance: the larger one of the frequent and of the rare
/// coordinates.
fn remaining_of_sparse(run: &TaskRun<'_>) -> Result<Measured> {
    let mut generator = run.seed.generator(Purpose::Noise, 0);
    let present: Vec<[bool; RARE]> = (0..SPARSE_STEPS)
        .map(|_| std::array::from_fn(|_| generator.random::<f64>() < 0.01))
        .collect();
    let objective = |t: usize, x: &[f64]| {
        let curvature = |i: usize| match i {
            0..FREQUENT => 10.0,
            _ => f64::from(u8::from(present[t][i - FREQUENT])),
        };
        let curvatures: Vec<f64> = (0..x.len()).map(curvature).collect();
        bowl(&curvatures, x)
    };
    let start = run.start(FREQUENT + RARE);
    let mut last = start.clone();
    let mut observe = |x: &[f64]| {
        last.copy_from_slice(x);
        false
    };
    if let Some(end) = run.descend(&start, SPARSE_STEPS, &objective, &mut observe)? {
        return Ok(end);
    }
    let share = |which: std::ops::Range<usize>| norm(&last[which.clone()]) / norm(&start[which]);
    Ok(Measured::Number(share(0..FREQUENT).max(share(FREQUENT..FREQUENT + RARE))))
}

/// Uses the learning rate that is best for the unscaled loss. At a tiny learning rate all paths
/// would stay at the start and be equal.
pub(super) fn scale(tuner: &Tuner<'_>) -> Result<Score> {
    let tuned = tuner.best(|run| {
        Ok(match path(run, 1.0)? {
            Ok(path) => path.last().map_or(Measured::NotReached, |x| Measured::Number(norm(x))),
            Err(end) => end,
        })
    })?;
    Ok(Score { rates: vec![tuned.lr], seeds: tuner.seeds(tuned.place, scale_deviation)? })
}

/// The largest distance of the paths with a scaled loss from the path with the unscaled loss,
/// relative to the length of the latter.
fn scale_deviation(run: &TaskRun<'_>) -> Result<Measured> {
    let (one, less, more) = (path(run, 1.0)?, path(run, 1e-3)?, path(run, 1e3)?);
    let (one, less, more) = match (one, less, more) {
        (Ok(one), Ok(less), Ok(more)) => (one, less, more),
        (Err(end), ..) | (_, Err(end), _) | (.., Err(end)) => return Ok(end),
    };
    let length = farthest(&one, std::iter::repeat_n(&one[0], one.len()));
    let apart = farthest(&one, &less).max(farthest(&one, &more));
    Ok(if length > 0.0 { Measured::Number(apart / length) } else { Measured::NotReached })
}

/// The path on a bowl with a condition number of 10 whose loss is multiplied by `scale`.
fn path(run: &TaskRun<'_>, scale: f64) -> Result<RunResult<Vec<Vec<f64>>>> {
    let curvatures = [0.1, 0.2, 0.5, 1.0].map(|h| h * scale);
    let start = run.start(curvatures.len());
    let mut path = vec![start.clone()];
    let mut observe = |x: &[f64]| {
        path.push(x.to_vec());
        false
    };
    let end = run.descend(&start, 100, &|_, x| bowl(&curvatures, x), &mut observe)?;
    Ok(end.map_or(Ok(path), Err))
}

/// The largest distance between points of two paths at the same step.
fn farthest<'a>(
    a: impl IntoIterator<Item = &'a Vec<f64>>,
    b: impl IntoIterator<Item = &'a Vec<f64>>,
) -> f64 {
    let distance = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>())
    };
    a.into_iter().zip(b).map(distance).fold(0.0, f64::max)
}
