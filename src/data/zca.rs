//! # ZCA: whitening that changes the images as little as possible
//!
//! ```text
//! C = covariance of the training set
//! x = (C + eps I)^(-1/2) (x - mean of the training set)
//! ```
//!
//! Many matrices make the covariance the identity (up to eps). The symmetric one changes the images
//! the least, so the results still look like images.
//!
//! An eigendecomposition in f64 computes the inverse root. It runs on one thread, because its
//! result would depend on the number of threads.
//!
//! The covariance is summed in f32, so an eps below about a millionth of the largest eigenvalue is
//! lost in rounding errors. Rounding errors cause negative eigenvalues. If one of them is below
//! -eps / 2, `zca` reports an error.
//!
//! ## Differences
//! In pylearn2's `ZCA`, eps is called `filter_bias` and is 0.1. scikit-learn's `PCA(whiten=True)`
//! does not rotate back to pixels.
//!
//! ## Source
//! A. Krizhevsky: Learning multiple layers of features from tiny images (2009), appendix A.

use burn::tensor::{DType, Device, Tensor, TensorData};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

use super::fitted::{Fitted, TrainingInputs};
use crate::error::{Error, Result};
use crate::spec::Allowed;

/// The number of examples that are multiplied together.
const BLOCK_ROWS: usize = 4096;
/// A matrix of 8192 x 8192 numbers in f64 takes half a gigabyte, and five of them are needed.
const MAX_FEATURES: usize = 8192;
/// The smallest allowed eps, relative to the largest eigenvalue. A smaller one is lost even in f64.
const SMALLEST_EPS: f64 = 1e-12;
/// The eps that errors recommend, relative to the largest eigenvalue. The rounding errors of a
/// covariance in f32 are smaller.
const SAFE_EPS: f64 = 1e-6;

crate::settings! {
    /// ZCA whitening.
    pub struct Zca {
        /// added to the covariance's eigenvalues
        eps: f64 = 0.1, Allowed::Positive;
    }
}

impl Zca {
    pub(super) fn fit(&self, inputs: TrainingInputs<'_>, device: &Device) -> Result<Whitening> {
        let n = inputs.features();
        if n > MAX_FEATURES {
            let found = format!("inputs of {:?}, which are {n} numbers", inputs.shape);
            return Err(Error::mismatch("zca", found, format!("at most {MAX_FEATURES} numbers")));
        }
        let mean = mean(inputs.train, n);
        let root = inverse_root(&covariance(inputs.train, &mean, device), n, self.eps)?;
        // the matrix is symmetric, so rows and columns may be exchanged
        let root: Vec<f32> =
            root.col_iter().flat_map(|column| column.iter().map(|x| *x as f32)).collect();
        if root.iter().all(|x| x.is_finite()) {
            Ok(Whitening { matrix: matrix(&root, n, device), mean })
        } else {
            Err(eps_too_small(self.eps, f64::from(f32::MIN_POSITIVE)))
        }
    }
}

/// The mean of the training set, and the whitening matrix.
#[derive(Debug)]
pub(super) struct Whitening {
    mean: Vec<f32>,
    matrix: Tensor<2>,
}

impl Fitted for Whitening {
    fn apply(&self, numbers: &mut [f32]) {
        let n = self.mean.len();
        for row in numbers.chunks_exact_mut(n) {
            row.iter_mut().zip(&self.mean).for_each(|(x, mean)| *x -= mean);
        }
        let device = self.matrix.device();
        for block in numbers.chunks_mut(BLOCK_ROWS * n) {
            let whitened = matrix(block, n, &device).matmul(self.matrix.clone()).into_data();
            block.iter_mut().zip(whitened.iter::<f32>()).for_each(|(x, new)| *x = new);
        }
    }
}

fn matrix(numbers: &[f32], columns: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(numbers.to_vec(), [numbers.len() / columns, columns]),
        (device, DType::F32),
    )
}

/// The mean of the examples, of `n` features each.
fn mean(train: &[f32], n: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; n];
    for row in train.chunks_exact(n) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    let rows = (train.len() / n) as f64;
    sums.iter().map(|sum| (sum / rows) as f32).collect()
}

/// The covariance of the examples: a block of rows is summed in f32, the blocks in f64.
fn covariance(train: &[f32], mean: &[f32], device: &Device) -> Vec<f64> {
    let n = mean.len();
    let centre = matrix(mean, n, device);
    let mut sums = vec![0.0f64; n * n];
    for block in train.chunks(BLOCK_ROWS * n) {
        let x = matrix(block, n, device) - centre.clone();
        let products = x.clone().transpose().matmul(x).into_data();
        sums.iter_mut().zip(products.iter::<f32>()).for_each(|(sum, x)| *sum += f64::from(x));
    }
    let rows = (train.len() / n) as f64;
    sums.iter().map(|sum| sum / rows).collect()
}

/// `(c + eps I)^(-1/2)` of a covariance of `n` features.
///
/// # Errors
/// If rounding errors of `c` are too large for eps.
fn inverse_root(c: &[f64], n: usize, eps: f64) -> Result<Mat<f64>> {
    if c.iter().any(|x| !x.is_finite()) {
        return Err(eps_too_small(eps, f64::INFINITY));
    }
    let Eigen { values, vectors } = Eigen::of(MatRef::from_column_major_slice(c, n, n))?;
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(0.0, f64::max) + eps;
    if eps < SMALLEST_EPS * largest || smallest < -eps / 2.0 {
        // large enough to pass, even after the message has rounded it to one digit
        return Err(eps_too_small(eps, f64::max(SAFE_EPS * largest, -4.0 * smallest)));
    }
    // root = V D^(-1/2) V' is the product of V D^(-1/4) with its own transpose
    let scaled = Mat::from_fn(n, n, |i, j| vectors[(i, j)] * (values[j] + eps).powf(-0.25));
    let mut root = Mat::zeros(n, n);
    matmul(root.as_mut(), Accum::Replace, scaled.as_ref(), scaled.transpose(), 1.0, Par::Seq);
    Ok(root)
}

/// The error of an eps that is lost in rounding; `expected` is an eps that is large enough.
fn eps_too_small(eps: f64, expected: f64) -> Error {
    let expected = if expected.is_finite() {
        format!("{expected:.0e} or more")
    } else {
        "data of smaller numbers".into()
    };
    let lost = "which is lost in the rounding errors of the covariance of these data";
    Error::value("zca: eps", format!("{eps:e}, {lost}"), expected)
}

/// The eigenvalues and eigenvectors (columns) of a symmetric matrix.
struct Eigen {
    values: Vec<f64>,
    vectors: Mat<f64>,
}

impl Eigen {
    /// Runs on one thread, so the result does not depend on the number of threads.
    fn of(c: MatRef<'_, f64>) -> Result<Eigen> {
        let n = c.nrows();
        let (mut values, mut vectors) = (Diag::zeros(n), Mat::zeros(n, n));
        let scratch = self_adjoint_evd_scratch::<f64>(
            n,
            ComputeEigenvectors::Yes,
            Par::Seq,
            Default::default(),
        );
        self_adjoint_evd(
            c,
            values.as_mut(),
            Some(vectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .map_err(|_| Error::Failed {
            doing: "compute the whitening of zca".into(),
            reason: "the eigendecomposition does not converge".into(),
        })?;
        Ok(Eigen { values: values.column_vector().iter().copied().collect(), vectors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A covariance of `n` features with eigenvalues over several orders of magnitude.
    fn sample(n: usize) -> Mat<f64> {
        let x = Mat::from_fn(n, n, |i, j| {
            let at = i * n + j;
            ((at * at * 31 + at * 17) % 101) as f64 / 101.0 / (1.0 + j as f64)
        });
        x.transpose() * &x
    }

    fn numbers(matrix: &Mat<f64>) -> Vec<f64> {
        matrix.col_iter().flat_map(|column| column.iter().copied()).collect()
    }

    #[test]
    fn root_times_matrix_times_root_is_the_identity() {
        let n = 40;
        let c = sample(n);
        for (eps, tolerance) in [(10.0, 1e-13), (1e-2, 1e-11), (1e-5, 1e-8), (1e-9, 1e-5)] {
            let root = inverse_root(&numbers(&c), n, eps).unwrap();
            let with_eps = Mat::from_fn(n, n, |i, j| c[(i, j)] + if i == j { eps } else { 0.0 });
            let product = &root * with_eps * &root;
            for i in 0..n {
                for j in 0..n {
                    let error = (product[(i, j)] - f64::from(u8::from(i == j))).abs();
                    assert!(error < tolerance, "eps {eps}: {error}");
                    let asymmetry = (root[(i, j)] - root[(j, i)]).abs();
                    assert!(asymmetry <= 1e-15 * root.norm_max(), "eps {eps}: {asymmetry}");
                }
            }
        }
    }

    #[test]
    fn an_eps_below_the_rounding_errors_of_the_covariance_is_refused() {
        // sums in f32 make the smallest eigenvalue come out below zero
        let c = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1e-7];
        for eps in [1e-8, 1e-14, 1e-300, 5e-324] {
            let error = inverse_root(&c, 3, eps).unwrap_err().to_string();
            assert!(error.contains("rounding errors"), "{error}");
            assert!(error.ends_with("expected 1e-6 or more"), "{error}");
        }
        assert!(inverse_root(&c, 3, 1e-6).is_ok());
    }

    #[test]
    fn a_recommended_eps_is_accepted() {
        let c = [1.0, 0.0, 0.0, -0.036];
        let error = inverse_root(&c, 2, 1e-3).unwrap_err().to_string();
        assert!(error.ends_with("expected 1e-1 or more"), "{error}");
        assert!(inverse_root(&c, 2, 0.1).is_ok());
    }

    #[test]
    fn a_covariance_that_overflows_is_refused() {
        let error = inverse_root(&[f64::INFINITY], 1, 0.1).unwrap_err().to_string();
        assert!(error.ends_with("expected data of smaller numbers"), "{error}");
    }
}
