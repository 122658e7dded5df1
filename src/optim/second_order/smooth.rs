//! Functions to minimize, and their values at a point.

use super::error::{NewtonError, check_finite, check_len};
use super::vector::{add_scaled, norm};

/// A function with a gradient, to be minimized. Second derivatives are differences of gradients
/// unless an implementation overrides them.
pub trait Smooth {
    /// Value and gradient at x.
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>);

    /// The relative rounding error of the numbers that [`gradient`](Smooth::gradient) computes
    /// with: 2.2e-16 for f64, the default.
    fn precision(&self) -> f64 {
        f64::EPSILON
    }

    /// The distance of the two gradients of a difference, relative to the length of x. It is the
    /// cube root of the precision: 6e-6 in f64 and 5e-3 in f32. There the error of a central
    /// difference, which grows with the square of the distance, is as large as the rounding error,
    /// which falls with the distance.
    fn difference(&self) -> f64 {
        self.precision().cbrt()
    }

    /// The Hessian-vector product at x: `(gradient(x + h p) - gradient(x - h p)) / 2h`, where the
    /// length of h p is [`difference`](Smooth::difference) times 1 + |x|.
    fn curvature(&mut self, x: &[f64], direction: &[f64]) -> Vec<f64> {
        let length = norm(direction);
        if length == 0.0 {
            return vec![0.0; x.len()];
        }
        let h = self.difference() * (1.0 + norm(x)) / length;
        let (_, ahead) = self.gradient(&add_scaled(x, h, direction));
        let (_, behind) = self.gradient(&add_scaled(x, -h, direction));
        ahead.iter().zip(&behind).map(|(ahead, behind)| (ahead - behind) / (2.0 * h)).collect()
    }

    /// The Hessian at x, row by row: [`curvature`](Smooth::curvature) along each axis, symmetrized.
    /// An implementation that overrides this returns a symmetric matrix too.
    fn hessian(&mut self, x: &[f64]) -> Vec<Vec<f64>> {
        let n = x.len();
        let axis = |i| (0..n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        let rows: Vec<Vec<f64>> = (0..n).map(|i| self.curvature(x, &axis(i))).collect();
        if rows.iter().any(|row| row.len() != n) {
            return rows; // the caller reports the wrong size
        }
        (0..n).map(|i| (0..n).map(|j| (rows[i][j] + rows[j][i]) / 2.0).collect()).collect()
    }
}

/// A point with the value and the gradient there.
#[derive(Clone, Debug, PartialEq)]
pub struct Iterate {
    /// the point
    pub x: Vec<f64>,
    /// the value at x
    pub f: f64,
    /// the gradient at x
    pub g: Vec<f64>,
}

impl Iterate {
    /// Evaluates f at x.
    ///
    /// # Errors
    /// If the gradient is not as long as x, or a number is not finite.
    pub fn of(f: &mut dyn Smooth, x: Vec<f64>) -> Result<Iterate, NewtonError> {
        let (value, g) = f.gradient(&x);
        check_len("gradient", &g, x.len())?;
        check_finite("x", &x)?;
        check_finite("the value", &[value])?;
        check_finite("the gradient", &g)?;
        Ok(Iterate { x, f: value, g })
    }

    /// |g|, the Euclidean norm of the gradient.
    pub fn norm(&self) -> f64 {
        norm(&self.g)
    }
}
