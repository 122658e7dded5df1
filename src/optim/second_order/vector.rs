//! Arithmetic of vectors.

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Euclidean norm.
pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// `x + t d`
pub(super) fn add_scaled(x: &[f64], t: f64, d: &[f64]) -> Vec<f64> {
    x.iter().zip(d).map(|(x, d)| x + t * d).collect()
}

/// `-x`
pub(super) fn negated(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| -x).collect()
}

/// The largest absolute value; 0 if there is none.
#[cfg(feature = "newton")]
pub(super) fn max_abs<'a>(x: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().fold(0.0, |largest: f64, x| largest.max(x.abs()))
}
