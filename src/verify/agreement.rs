//! The difference between a replay and the recorded trajectory.

use burn::tensor::DType;

use crate::error::Result;

/// The difference between a replay and the recorded trajectory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// the largest relative error
    pub largest: f64,
    /// the first step outside the tolerance, if there is one
    pub left_at: Option<usize>,
}

/// The largest relative error with which a replay agrees.
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

impl Agreement {
    /// Both agreements together.
    pub fn and(self, other: Agreement) -> Agreement {
        let Agreement { double, single } = other;
        Agreement { double: self.double.and(double), single: self.single.and(single) }
    }
}

/// In f64 the error is relative to the parameter, and also to its distance from the start.
/// Otherwise a wrong formula would not be noticed in a coordinate of -2 that moves by 1e-8.
/// Rounding errors do not count.
fn double(start: &[f64], ours: &[Vec<f64>], recorded: &[Vec<f64>], tolerance: f64) -> Apart {
    let mut rounding = vec![0.0f64; start.len()];
    // the rounding error of a step remains, even if the parameter becomes small later
    let mut scale: Vec<f64> = start.iter().map(|x| x.abs()).collect();
    let steps = ours.iter().zip(recorded).map(|(ours, recorded)| {
        let mut largest: f64 = 0.0;
        for (i, (a, b)) in ours.iter().zip(recorded).enumerate() {
            // both sides round once in each step
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

/// In f32 the error is relative to the largest value that the parameter has had.
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

/// The number, or 0 if it is negative. `max(0.0)` would turn NaN into 0.
fn positive_or_nan(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

fn ratio(error: f64, of: f64) -> f64 {
    if error == 0.0 { 0.0 } else { error / of }
}

/// The larger number. NaN counts as the largest, because it never agrees.
fn nan_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

impl Apart {
    fn and(self, other: Apart) -> Apart {
        let left_at = [self.left_at, other.left_at].into_iter().flatten().min();
        Apart { largest: nan_max(self.largest, other.largest), left_at }
    }

    fn of(steps: impl Iterator<Item = f64>, tolerance: f64) -> Apart {
        let steps: Vec<f64> = steps.collect();
        // NaN is outside any tolerance
        let is_outside =
            |error: &f64| error.partial_cmp(&tolerance).is_none_or(std::cmp::Ordering::is_gt);
        let left_at = steps.iter().position(is_outside);
        Apart { largest: steps.into_iter().fold(0.0, nan_max), left_at: left_at.map(|at| at + 1) }
    }
}
