//! Tasks on a bowl with noisy gradients: how close to the minimum a method stays, and whether it
//! follows a minimum that jumps.

use super::run::{RunResult, TaskRun};
use super::score::{Measured, Score};
use super::tuner::Tuner;
use super::vectors::{dot, norm, normal};
use crate::error::Result;
use crate::seed::Purpose;

/// The number of coordinates of the noisy bowl.
const DIMENSIONS: usize = 10;
/// The number of steps until its minimum jumps.
const SETTLE: usize = 500;
/// The maximum number of steps after the jump.
const FOLLOW: usize = 500;
/// The distance from the minimum in each coordinate, at the start and after the jump.
const JUMP: f64 = 3.0;
/// The distance is averaged over this number of steps before the jump.
const WINDOW: usize = 50;

pub(super) fn noise(tuner: &Tuner<'_>) -> Result<Score> {
    Ok(tuner.best_on_noise(settled_distance)?.score())
}

/// Uses the learning rate that is best for the task `noise`, because a user who tunes it does not
/// know of the jump.
pub(super) fn moving(tuner: &Tuner<'_>) -> Result<Score> {
    let tuned = tuner.best_on_noise(settled_distance)?;
    Ok(Score { rates: vec![tuned.lr], seeds: tuner.seeds(tuned.place, relative_delay)? })
}

/// The root mean square of the distance in the last steps before the jump.
fn settled_distance(run: &TaskRun<'_>) -> Result<Measured> {
    let distances = match distances(run, SETTLE)? {
        Ok(distances) => distances,
        Err(end) => return Ok(end),
    };
    let squares = distances[SETTLE - WINDOW..].iter().map(|distance| distance * distance);
    Ok(Measured::Number((squares.sum::<f64>() / WINDOW as f64).sqrt()))
}

/// The number of steps after the jump, divided by the number of steps at the start.
fn relative_delay(run: &TaskRun<'_>) -> Result<Measured> {
    let distances = match distances(run, SETTLE + FOLLOW)? {
        Ok(distances) => distances,
        Err(end) => return Ok(end),
    };
    let steps = |distances: &[f64]| {
        distances.iter().position(|distance| *distance <= JUMP / 3.0).map(|t| (t + 1) as f64)
    };
    let (before, after) = distances.split_at(SETTLE);
    Ok(match (steps(before), steps(after)) {
        (Some(at_first), Some(late)) => Measured::Number(late / at_first),
        _ => Measured::NotReached,
    })
}

/// The root mean square over coordinates of the distance from the minimum, after each step.
fn distances(run: &TaskRun<'_>, steps: usize) -> Result<RunResult<Vec<f64>>> {
    let mut generator = run.seed.generator(Purpose::Noise, 0);
    let noise: Vec<[f64; DIMENSIONS]> =
        (0..steps).map(|_| std::array::from_fn(|_| normal(&mut generator))).collect();
    let side: Vec<f64> = run.start(DIMENSIONS).iter().map(|x| x.signum()).collect();
    // the minimum is at the origin, and jumps away from the start
    let away = |t: usize, x: &[f64]| -> Vec<f64> {
        x.iter().zip(&side).map(|(x, side)| if t < SETTLE { *x } else { x + JUMP * side }).collect()
    };
    let objective = |t: usize, x: &[f64]| {
        let away = away(t, x);
        let g = away.iter().zip(&noise[t]).map(|(away, noise)| away + noise).collect();
        (dot(&away, &away) / 2.0 + dot(&noise[t], x), g)
    };
    let mut distances = Vec::new();
    let mut observe = |x: &[f64]| {
        distances.push(norm(&away(distances.len(), x)) / (DIMENSIONS as f64).sqrt());
        false
    };
    let start: Vec<f64> = side.iter().map(|side| JUMP * side).collect();
    let end = run.descend(&start, steps, &objective, &mut observe)?;
    Ok(end.map_or(Ok(distances), Err))
}
