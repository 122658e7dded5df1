//! Vector arithmetic and random numbers for the tasks.

use std::f64::consts::TAU;

use rand::RngExt;

/// The Euclidean norm.
pub(super) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A number from the standard normal distribution, by Box and Muller.
pub(super) fn normal(generator: &mut impl RngExt) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - generator.random::<f64>(), generator.random());
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}
