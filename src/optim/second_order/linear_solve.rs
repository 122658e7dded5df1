//! Linear systems with the Hessian, solved by faer.
//!
//! Everything here runs on one thread, so that results are the same for any number of cores.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::lu::partial_pivoting as lu;
use faer::{Mat, MatMut, Par};

use super::error::{NewtonError, check_finite};
use super::vector::max_abs;

/// The factor L of a matrix L Lᵀ.
pub(super) struct Cholesky(Mat<f64>);

impl Cholesky {
    /// Factors `a + shift I`, of which it reads the lower triangle. `None` unless the matrix is
    /// positive definite by more than rounding errors.
    pub(super) fn factor(a: &[Vec<f64>], shift: f64) -> Option<Cholesky> {
        let n = a.len();
        let diagonal = |i: usize| a[i][i] + shift;
        let mut l = Mat::from_fn(n, n, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => diagonal(i),
            std::cmp::Ordering::Greater => a[i][j],
        });
        let scratch =
            llt::factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default());
        llt::factor::cholesky_in_place(
            l.as_mut(),
            Default::default(),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .ok()?;
        let is_positive = |i: usize| l[(i, i)].powi(2) > rounding(n) * diagonal(i).abs();
        if (0..n).all(is_positive) { Some(Cholesky(l)) } else { None }
    }

    /// Factors h with the smallest of a growing series of shifts that makes it positive definite.
    /// This is algorithm 3.3 of Nocedal & Wright.
    ///
    /// # Errors
    /// If no finite shift is large enough.
    pub(super) fn factor_shifted(h: &[Vec<f64>]) -> Result<Cholesky, NewtonError> {
        let largest = max_abs(h.iter().flatten());
        let first = if largest.is_normal() { 1e-3 * largest } else { 1e-3 };
        let mut shift = 0.0;
        loop {
            if let Some(cholesky) = Cholesky::factor(h, shift) {
                return Ok(cholesky);
            }
            shift = f64::max(2.0 * shift, first);
            check_finite("the shift of the Hessian", &[shift])?;
        }
    }

    /// The solution x of `L Lᵀ x = b`.
    pub(super) fn solve(&self, mut b: Vec<f64>) -> Vec<f64> {
        let n = b.len();
        let scratch = llt::solve::solve_in_place_scratch::<f64>(n, 1, Par::Seq);
        llt::solve::solve_in_place(
            self.0.as_ref(),
            MatMut::from_column_major_slice_mut(&mut b, n, 1),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
        );
        b
    }
}

/// The solution x of `a x = b`, by LU decomposition with partial pivoting.
///
/// # Errors
/// If a is singular up to rounding errors.
pub(super) fn solve_lu(a: &[Vec<f64>], mut b: Vec<f64>) -> Result<Vec<f64>, NewtonError> {
    let n = b.len();
    // With a largest coefficient of 1 in each equation, a pivot near 0 means a singular matrix.
    let scale: Vec<f64> = a.iter().map(max_abs).collect();
    if scale.contains(&0.0) {
        return Err(NewtonError::Singular);
    }
    for (b, scale) in b.iter_mut().zip(&scale) {
        *b /= scale;
    }
    let mut factors = Mat::from_fn(n, n, |i, j| a[i][j] / scale[i]);
    let (mut permutation, mut inverse) = (vec![0_usize; n], vec![0_usize; n]);
    let scratch = lu::factor::lu_in_place_scratch::<usize, f64>(n, n, Par::Seq, Default::default());
    let (_, permutation) = lu::factor::lu_in_place(
        factors.as_mut(),
        &mut permutation,
        &mut inverse,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    );
    if !(0..n).all(|i| factors[(i, i)].abs() > rounding(n)) {
        return Err(NewtonError::Singular);
    }
    let scratch = lu::solve::solve_in_place_scratch::<usize, f64>(n, 1, Par::Seq);
    lu::solve::solve_in_place(
        factors.as_ref(),
        factors.as_ref(),
        permutation,
        MatMut::from_column_major_slice_mut(&mut b, n, 1),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
    );
    Ok(b)
}

/// The largest error that n operations leave in a difference that should be 0, relative to its
/// terms.
fn rounding(n: usize) -> f64 {
    n as f64 * f64::EPSILON
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::vector::{add_scaled, dot, norm};
    use super::*;

    /// A random symmetric matrix with `shift` added to its diagonal, and a right-hand side.
    fn system(n: usize, shift: f64) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        let mut row = || (0..n).map(|_| generator.random_range(-1.0..1.0)).collect::<Vec<f64>>();
        let m: Vec<Vec<f64>> = (0..n).map(|_| row()).collect();
        let entry = |i: usize, j: usize| m[i][j] + m[j][i] + if i == j { shift } else { 0.0 };
        ((0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect(), row())
    }

    /// |a x - b| / |b|
    fn residual(a: &[Vec<f64>], x: &[f64], b: &[f64]) -> f64 {
        let ax: Vec<f64> = a.iter().map(|row| dot(row, x)).collect();
        norm(&add_scaled(&ax, -1.0, b)) / norm(b)
    }

    #[test]
    fn cholesky_solves_positive_definite_systems_and_refuses_others() {
        for n in [1, 2, 17, 200] {
            let (a, b) = system(n, 2.0 * n as f64);
            let x = Cholesky::factor(&a, 0.0).expect("positive definite").solve(b.clone());
            assert!(residual(&a, &x, &b) < 1e-12);
            assert!(Cholesky::factor(&a, -4.0 * n as f64).is_none(), "negative definite");
        }
        let (a, b) = system(200, 0.0);
        assert!(Cholesky::factor(&a, 0.0).is_none(), "indefinite");
        let d = Cholesky::factor_shifted(&a).expect("a large shift").solve(b.clone());
        assert!(dot(&d, &b) > 0.0);
    }

    #[test]
    fn lu_solves_indefinite_systems_and_refuses_singular_ones() {
        for n in [1, 2, 17, 200] {
            let (a, b) = system(n, 0.0);
            let x = solve_lu(&a, b.clone()).unwrap();
            assert!(residual(&a, &x, &b) < 1e-8);
        }
        for n in [2, 3] {
            let (mut a, b) = system(n, 0.0);
            // a division by 4 is exact
            a[n - 1] = a[0].iter().map(|x| x / 4.0).collect();
            assert_eq!(solve_lu(&a, b), Err(NewtonError::Singular));
        }
    }

    #[test]
    fn a_system_without_unknowns_has_an_empty_solution() {
        assert_eq!(Cholesky::factor(&[], 0.0).map(|cholesky| cholesky.solve(vec![])), Some(vec![]));
        assert_eq!(solve_lu(&[], vec![]), Ok(vec![]));
    }
}
