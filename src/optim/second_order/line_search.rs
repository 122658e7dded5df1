//! The line search of Newton's methods.

use super::error::NewtonError;
use super::smooth::{Iterate, Smooth};
use super::vector::{add_scaled, dot};

/// The length of a step of [`Newton`](super::Newton) along its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSearch {
    /// The full step of the textbook, which may increase f.
    None,
    /// The step is halved until f falls enough.
    Backtracking,
}
crate::words!(LineSearch { None = "none", Backtracking = "backtracking" });

/// After this many halvings a step is within the rounding error of its initial point.
const MAX_HALVINGS: i32 = 60;

/// The first of x + d, x + d/2, x + d/4, ... that satisfies the Armijo condition with `c1`.
///
/// # Errors
/// If d is not a descent direction, or no such point is low enough.
pub(super) fn backtracking(
    f: &mut dyn Smooth,
    from: &Iterate,
    d: &[f64],
    c1: f64,
) -> Result<Iterate, NewtonError> {
    let slope = dot(&from.g, d);
    if !slope.is_finite() || slope > 0.0 {
        return Err(NewtonError::NoDescent);
    }
    // Near the minimum, f changes by less than its rounding error long before the gradient does.
    // There the condition is that |g| falls by a tenth.
    let noise = 10.0 * f.precision() * from.f.abs();
    for t in (0..MAX_HALVINGS).map(|halvings| 0.5f64.powi(halvings)) {
        let x = add_scaled(&from.x, t, d);
        if x == from.x {
            break;
        }
        let next = match Iterate::of(f, x) {
            Ok(next) => next,
            Err(NewtonError::NotFinite(_)) => continue,
            Err(error) => return Err(error),
        };
        let accepted = if (next.f - from.f).abs() <= noise {
            next.norm() <= 0.9 * from.norm()
        } else {
            next.f <= from.f + c1 * t * slope
        };
        if accepted {
            return Ok(next);
        }
    }
    Err(NewtonError::NoDescent)
}
