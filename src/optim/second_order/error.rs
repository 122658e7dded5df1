//! Why a method cannot take a step.

use thiserror::Error;

use crate::spec::SpecError;

/// Why there is no next point.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum NewtonError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SpecError),
    /// A vector does not have the length of x. A model without autodiff has an empty gradient.
    #[error("{what}: found {found} numbers, expected {expected}")]
    Size {
        /// what the numbers are
        what: &'static str,
        /// their count
        found: usize,
        /// the expected count
        expected: usize,
    },
    /// The run has diverged.
    #[error("{0} is not finite")]
    NotFinite(&'static str),
    /// There is no Newton step.
    #[error(
        "the Hessian is singular; expected one that is not, a damping above 0, or \
         line_search=backtracking"
    )]
    Singular,
    /// No point along the direction is low enough: x is stationary, f is within its rounding error,
    /// or gradient and value are inconsistent.
    #[error("the line search found no lower point")]
    NoDescent,
}

/// # Errors
/// If there are not as many numbers as expected.
pub(super) fn check_len(
    what: &'static str,
    numbers: &[f64],
    expected: usize,
) -> Result<(), NewtonError> {
    let found = numbers.len();
    if found == expected { Ok(()) } else { Err(NewtonError::Size { what, found, expected }) }
}

/// # Errors
/// If a number is infinite or NaN.
pub(super) fn check_finite(what: &'static str, numbers: &[f64]) -> Result<(), NewtonError> {
    if numbers.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(NewtonError::NotFinite(what)) }
}
