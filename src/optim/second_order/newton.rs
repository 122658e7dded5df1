//! # Newton: steps from second derivatives, for all parameters at once
//!
//! ```text
//! (H + damping I) d = -g
//! x = x + d                                                       line_search=none (default)
//! x = x + t d, t = 1, 1/2, 1/4, ... until                         line_search=backtracking
//!     f(x + t d) <= f(x) + c1 t g.d
//! ```
//!
//! [`Newton`] computes the whole Hessian and solves for d: by Cholesky decomposition if the Hessian
//! is positive definite, otherwise by LU decomposition, which goes to the saddle at a saddle, as
//! the textbook's step does. With a line search, a growing multiple of the identity is added to the
//! Hessian until it is positive definite, so that d is a descent direction.
//!
//! [`root`] is the same step in one dimension, x = x - f(x) / f'(x).
//!
//! ## Differences
//! burn's autodiff computes first derivatives only. Where a program gives no exact Hessian
//! (`Smooth::hessian`), second derivatives are central differences of gradients, with nine good
//! digits in f64 and four in f32. burn has no Newton method; its L-BFGS estimates second
//! derivatives from past steps. The line search is the textbook's with one change: where f changes
//! by no more than its rounding error, |g| must fall by a tenth.
//!
//! ## Source
//! S3 (x - f/f'); Nocedal & Wright, "Numerical optimization", 2006, algorithm 3.3 for the multiple
//! of the identity.

use super::error::{NewtonError, check_finite, check_len};
use super::line_search::{LineSearch, backtracking};
use super::linear_solve::{Cholesky, solve_lu};
use super::minimize::{Limits, Path, minimize};
use super::smooth::{Iterate, Smooth};
use super::vector::{add_scaled, negated};
use crate::spec::{Allowed, Settings};

crate::settings! {
    /// Newton's method with the whole Hessian: n² numbers, and n³ operations for each step.
    pub struct Newton {
        /// added to the diagonal of the Hessian
        damping: f64 = 0.0, Allowed::NotNegative;
        /// the length of a step
        line_search: LineSearch = LineSearch::None, LineSearch::WORDS;
        /// share of the predicted decrease that a step must reach; 0.5 excludes Newton's step
        c1: f64 = 1e-4, Allowed::Decay;
        /// the norm of the gradient at which to stop
        tolerance: f64 = 1e-8, Allowed::NotNegative;
        /// the maximum number of steps
        steps: usize = 100, Allowed::Count;
    }
}

impl Newton {
    /// The next point.
    ///
    /// # Errors
    /// If a setting is out of range; if the Hessian is singular (without a line search) or there is
    /// no lower point (with one); if numbers are not finite or have the wrong count.
    pub fn step(&self, f: &mut dyn Smooth, from: &Iterate) -> Result<Iterate, NewtonError> {
        self.check("newton")?;
        let h = self.damped_hessian(f, from)?;
        let minus_g = negated(&from.g);
        match self.line_search {
            LineSearch::None => {
                let d = match Cholesky::factor(&h, 0.0) {
                    Some(cholesky) => cholesky.solve(minus_g),
                    None => solve_lu(&h, minus_g)?,
                };
                Iterate::of(f, add_scaled(&from.x, 1.0, &d))
            }
            LineSearch::Backtracking => {
                let d = Cholesky::factor_shifted(&h)?.solve(minus_g);
                backtracking(f, from, &d, self.c1)
            }
        }
    }

    /// Takes steps from x until the norm of the gradient is within the tolerance. All points are
    /// kept, also if a step fails.
    pub fn minimize(&self, f: &mut dyn Smooth, x: Vec<f64>) -> Path {
        let limits = Limits { tolerance: self.tolerance, steps: self.steps };
        minimize(f, x, limits, |f, from| self.step(f, from))
    }

    /// The Hessian with the damping on its diagonal.
    fn damped_hessian(
        &self,
        f: &mut dyn Smooth,
        from: &Iterate,
    ) -> Result<Vec<Vec<f64>>, NewtonError> {
        let n = from.x.len();
        let mut h = f.hessian(&from.x);
        if h.len() != n {
            let (what, found) = ("rows of the Hessian", h.len());
            return Err(NewtonError::Size { what, found, expected: n });
        }
        for (i, row) in h.iter_mut().enumerate() {
            check_len("row of the Hessian", row, n)?;
            row[i] += self.damping;
            check_finite("the Hessian", row)?;
        }
        Ok(h)
    }
}

/// x0 and up to `steps` steps x - f(x) / f'(x) towards a root. `f` returns value and derivative.
/// The path ends early if a step is not finite, for example where f' is 0.
pub fn root(f: impl Fn(f64) -> (f64, f64), x0: f64, steps: usize) -> Vec<f64> {
    let next = |x: &f64| {
        let (value, derivative) = f(*x);
        Some(x - value / derivative).filter(|x| x.is_finite())
    };
    std::iter::successors(Some(x0), next).take(steps + 1).collect()
}
