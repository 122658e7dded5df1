//! # Newton-CG: Newton's method by conjugate gradients, without a Hessian
//!
//! ```text
//! H d = -g, solved by conjugate gradients to a residual of min(forcing, sqrt|g|) |g|,
//!     or until p.Hp <= 0
//! x = x + t d, t = 1, 1/2, 1/4, ... until f(x + t d) <= f(x) + c1 t g.d
//! ```
//!
//! The method needs no matrix, only products H p. So it works for models of many parameters. The
//! conjugate gradients also end at a direction p of negative curvature (p.Hp <= 0).
//!
//! ## Differences
//! Products with H are central differences of gradients, with nine good digits in f64 and four in
//! f32. SciPy's Newton-CG has the same forcing term. It stops at a short step, this method at a
//! short gradient. The line search is the textbook's with one change: where f changes by no more
//! than its rounding error, |g| must fall by a tenth.
//!
//! ## Source
//! Nocedal & Wright, "Numerical optimization", 2006, algorithm 7.1.

use super::error::{NewtonError, check_finite, check_len};
use super::line_search::backtracking;
use super::minimize::{Limits, Path, minimize};
use super::smooth::{Iterate, Smooth};
use super::vector::{add_scaled, dot, negated};
use crate::spec::{Allowed, Settings};

crate::settings! {
    /// Newton's method by truncated conjugate gradients, for functions of many numbers.
    pub struct NewtonCg {
        /// added to the diagonal of the Hessian
        damping: f64 = 0.0, Allowed::NotNegative;
        /// residual at which conjugate gradients stop, relative to |g|; sqrt|g| where that is less
        forcing: f64 = 0.5, Allowed::Decay;
        /// the maximum number of products with the Hessian in one step
        cg_steps: usize = 1000, Allowed::Count;
        /// share of the predicted decrease that a step must reach; 0.5 excludes Newton's step
        c1: f64 = 1e-4, Allowed::Decay;
        /// the norm of the gradient at which to stop
        tolerance: f64 = 1e-6, Allowed::NotNegative;
        /// the maximum number of steps
        steps: usize = 100, Allowed::Count;
    }
}

impl NewtonCg {
    /// The next point.
    ///
    /// # Errors
    /// If a setting is out of range, there is no lower point, or numbers are not finite or have the
    /// wrong count.
    pub fn step(&self, f: &mut dyn Smooth, from: &Iterate) -> Result<Iterate, NewtonError> {
        self.check("newton_cg")?;
        let d = self.direction(f, from)?;
        backtracking(f, from, &d, self.c1)
    }

    /// Takes steps from x until the norm of the gradient is within the tolerance. All points are
    /// kept, also if a step fails.
    pub fn minimize(&self, f: &mut dyn Smooth, x: Vec<f64>) -> Path {
        let limits = Limits { tolerance: self.tolerance, steps: self.steps };
        minimize(f, x, limits, |f, from| self.step(f, from))
    }

    /// An approximate solution d of `(H + damping I) d = -g`; -g itself if the curvature along it
    /// is not positive.
    fn direction(&self, f: &mut dyn Smooth, from: &Iterate) -> Result<Vec<f64>, NewtonError> {
        let tolerance = self.forcing.min(from.norm().sqrt()) * from.norm();
        let mut d = vec![0.0; from.x.len()];
        let mut residual = negated(&from.g);
        let mut p = residual.clone();
        let mut rr = dot(&residual, &residual);
        for iteration in 0..self.cg_steps {
            if rr.sqrt() <= tolerance {
                break;
            }
            let hp = f.curvature(&from.x, &p);
            check_len("product with the Hessian", &hp, p.len())?;
            check_finite("a product with the Hessian", &hp)?;
            let hp = add_scaled(&hp, self.damping, &p);
            let curvature = dot(&p, &hp);
            if curvature <= 0.0 {
                return Ok(if iteration == 0 { p } else { d });
            }
            let alpha = rr / curvature;
            d = add_scaled(&d, alpha, &p);
            residual = add_scaled(&residual, -alpha, &hp);
            let previous = std::mem::replace(&mut rr, dot(&residual, &residual));
            p = add_scaled(&residual, rr / previous, &p);
        }
        Ok(d)
    }
}
