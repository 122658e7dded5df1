//! How far a replay is from the recorded trajectory.

use burn::tensor::DType;

use crate::error::Result;

/// How far a replay is from the recorded trajectory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// the largest relative error
    pub largest: f64,
    /// the first step outside the tolerance
    pub left_at: Option<usize>,
}

/// The largest relative error that is an agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// in f64
    pub double: f64,
    /// in f32
    pub single: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Tolerance { double: 1e-10, single: 1e-5 }
    }
}

/// The agreement in both precisions.
pub(super) struct Agreement {
    pub double: Apart,
    pub single: Apart,
}

impl Agreement {
    /// Compares a recorded trajectory with the ones that `run` computes.
    pub fn of(
        start: &[f64],
        recorded: &[Vec<f64>],
        tolerance: Tolerance,
        run: impl Fn(DType) -> Result<Vec<Vec<f64>>>,
    ) -> Result<Agreement> {
        Ok(Agreement {
            double: double(start, &run(DType::F64)?, recorded, tolerance.double),
            single: single(start, &run(DType::F32)?, recorded, tolerance.single),
        })
    }
}

/// In f64 an error counts relative to the parameter, and also relative to the distance from the
/// start: a coordinate of -2 that moves by 1e-8 would hide any formula behind its first digits.
/// Rounding errors do not count.
fn double(start: &[f64], ours: &[Vec<f64>], recorded: &[Vec<f64>], tolerance: f64) -> Apart {
    let mut rounding = vec![0.0f64; start.len()];
    // what was rounded at some step stays in the sum, however small the parameter is now
    let mut scale: Vec<f64> = start.iter().map(|x| x.abs()).collect();
    let steps = ours.iter().zip(recorded).map(|(ours, recorded)| {
        let mut largest: f64 = 0.0;
        for (i, (a, b)) in ours.iter().zip(recorded).enumerate() {
            // both sides round once a step
            scale[i] = scale[i].max(b.abs());
            rounding[i] += f64::EPSILON * scale[i];
            let error = positive_or_nan((a - b).abs() - rounding[i]);
            let distance = (b - start[i]).abs();
            largest = nan_max(nan_max(largest, ratio(error, b.abs())), ratio(error, distance));
        }
        largest
    });
    Apart::of(steps, tolerance)
}

/// In f32 an error counts relative to the largest value that the parameter has had.
fn single(start: &[f64], ours: &[Vec<f64>], recorded: &[Vec<f64>], tolerance: f64) -> Apart {
    let mut scale: Vec<f64> = start.iter().map(|x| x.abs()).collect();
    let steps = ours.iter().zip(recorded).map(|(ours, recorded)| {
        let mut largest: f64 = 0.0;
        for (i, (a, b)) in ours.iter().zip(recorded).enumerate() {
            scale[i] = scale[i].max(b.abs());
            largest = nan_max(largest, ratio((a - b).abs(), scale[i]));
        }
        largest
    });
    Apart::of(steps, tolerance)
}

/// The number, or 0 if it is negative. `max(0.0)` would make 0 of NaN.
fn positive_or_nan(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

fn ratio(error: f64, of: f64) -> f64 {
    if error == 0.0 { 0.0 } else { error / of }
}

/// The larger number. NaN counts as the largest, because it is no agreement.
fn nan_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

impl Apart {
    fn of(steps: impl Iterator<Item = f64>, tolerance: f64) -> Apart {
        let steps: Vec<f64> = steps.collect();
        // NaN is outside any tolerance
        let is_outside =
            |error: &f64| error.partial_cmp(&tolerance).is_none_or(std::cmp::Ordering::is_gt);
        let left_at = steps.iter().position(is_outside);
        Apart { largest: steps.into_iter().fold(0.0, nan_max), left_at: left_at.map(|at| at + 1) }
    }
}
