//! Tasks in two dimensions: leave a saddle, cross a plateau.

use super::score::Score;
use super::tuner::Tuner;
use crate::error::Result;

pub(super) fn saddle(tuner: &Tuner<'_>) -> Result<Score> {
    let value = |x: f64, y: f64| x * x - y * y + y.powi(4) / 10.0;
    let objective = |_: usize, p: &[f64]| {
        (value(p[0], p[1]), vec![2.0 * p[0], -2.0 * p[1] + 0.4 * p[1].powi(3)])
    };
    tuner.score(|run| {
        let start = run.start(2);
        run.reach(&[start[0], 1e-6 * start[1]], 100, &objective, |p| {
            p[1].abs() > 1.0 && value(p[0], p[1]) < 0.0
        })
    })
}

pub(super) fn plateau(tuner: &Tuner<'_>) -> Result<Score> {
    let objective = |_: usize, p: &[f64]| {
        let (value, g) = well(p[0]);
        (value + p[1] * p[1] / 2.0, vec![g, p[1]])
    };
    tuner.score(|run| {
        let start = run.start(2);
        run.reach(&[start[0] + 5.0 * start[0].signum(), start[1]], 500, &objective, |p| {
            p.iter().all(|x| x.abs() < 0.1)
        })
    })
}

/// Value and slope of an almost flat plateau with a well of width 1.
fn well(x: f64) -> (f64, f64) {
    /// the slope outside the well
    const FLAT: f64 = 1e-6;
    let inside = (1.0 - x * x).max(0.0);
    let flat = if inside > 0.0 { x * x / 2.0 } else { x.abs() - 0.5 };
    ((1.0 - inside.powi(3)) / 6.0 + FLAT * flat, x * inside * inside + FLAT * x.clamp(-1.0, 1.0))
}
