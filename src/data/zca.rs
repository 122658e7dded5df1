//! # ZCA: whitening that stays as near to the image as it can
//!
//! ```text
//! C = covariance of the training part
//! x = (C + eps I)^(-1/2) (x - mean of the training part)
//! ```
//!
//! Of all matrices that make the covariance the identity (up to eps), the symmetric one changes the images least: they stay images.
//!
//! The root is computed by matrix products alone, as the limit of a coupled Newton-Schulz iteration whose cubic is scaled to the interval of
//! eigenvalues that is left: 3 products a step, and the number of steps follows from eps / largest eigenvalue.
//!
//! What was computed for more than 1,000 numbers an input is kept in `.zca` in the folder of data sets, under a name that follows from the
//! training part and eps, with a checksum: the next time only the products with the images are left to do. The folder may be deleted at any time.
//!
//! The covariance is summed up in f32, so an eps below about a millionth of the largest eigenvalue is lost in its errors. Where the root is not
//! one, by its products with the covariance, that is an error.
//!
//! ## Differences
//! pylearn2's `ZCA` has filter_bias = 0.1 for eps, and takes an eigendecomposition. scikit-learn's `PCA(whiten=True)` does not turn back.
//!
//! ## Source
//! A. Krizhevsky: Learning multiple layers of features from tiny images (2009), appendix A. J. Chen and E. Chow: A stable scaling of
//! Newton-Schulz for improving the sign function computation of a Hermitian matrix (2014).

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::known;
use super::prepare::{Fitted, Given};
use crate::about::{About, hex};
use crate::error::{Error, Result};
use crate::spec::Allowed;

/// Numbers of an input from which on the matrix is kept.
const KEPT_FROM: usize = 1000;
/// Rows that are multiplied at once.
const AT_ONCE: usize = 4096;
/// From this smallest eigenvalue on, as a share of the largest, the root is computed in f32, in half the time. On 800 x 800 matrices with
/// eigenvalues that fall as those of images do, its relative error was 5e-5 at 1e-4 and 3e-4 at 1e-5.
const FOR_F32: f64 = 1e-5;
/// Below this share of the largest eigenvalue no eps is tried: it would be lost in f64 too.
const NONE_BELOW: f64 = 1e-12;
/// This share of the largest eigenvalue f32 does carry.
const SAFE: f64 = 1e-6;
/// Vectors on which a root is tried, and how far off it may be on any of them.
const PROBES: usize = 4;
const OFF: f64 = 0.1;
/// The covariance of more numbers has no place: 8192 squared in f64 is half a gigabyte, and six such are needed.
const AT_MOST: usize = 8192;

crate::settings! {
    /// ZCA whitening.
    pub struct Zca {
        /// added to the covariance's eigenvalues
        eps: f64 = 0.1, Allowed::Positive;
    }
}

impl Zca {
    pub(super) fn fit(&self, Given { shape, train }: Given<'_>, device: &Device) -> Result<Whitening> {
        let n: usize = shape.iter().product();
        if n > AT_MOST {
            return Err(Error::Asked(format!("zca: inputs of {shape:?} are {n} numbers, expected at most {AT_MOST}")));
        }
        let kept = (n > KEPT_FROM).then(|| self.place(train)).flatten();
        let (mean, whitening) = match kept.as_deref().and_then(|path| read(path, n)) {
            Some(known) => known,
            None => {
                let computed = self.compute(train, n, device)?;
                if let Some(path) = &kept {
                    // a disk that refuses costs the time once more
                    let _ = write(path, &computed);
                }
                computed
            }
        };
        Ok(Whitening { by: matrix(&whitening, n, device), mean })
    }

    /// The mean of the examples, and the whitening matrix.
    fn compute(&self, train: &[f32], n: usize, device: &Device) -> Result<(Vec<f32>, Vec<f32>)> {
        let rows = train.len() / n;
        let mut mean = vec![0.0f64; n];
        for row in train.chunks_exact(n) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += f64::from(*x));
        }
        let mean: Vec<f32> = mean.iter().map(|sum| (sum / rows as f64) as f32).collect();
        let centre = matrix(&mean, n, device);
        // sums over few rows in f32, over all in f64
        let mut covariance = Tensor::<2>::zeros([n, n], (device, DType::F64));
        for part in train.chunks(AT_ONCE * n) {
            let x = matrix(part, n, device) - centre.clone();
            covariance = covariance + x.clone().transpose().matmul(x).cast(DType::F64);
        }
        let lost = |least: f64| {
            let expected = if least.is_finite() { format!("{least:.0e} or more") } else { "data of smaller numbers".into() };
            let found = format!("{:e}, which is lost in the rounding errors of these data's covariance", self.eps);
            Error::Asked(format!("zca: eps: found {found}, expected {expected}"))
        };
        let whitening = inverse_root(covariance / rows as f64, self.eps).map_err(lost)?;
        let whitening: Vec<f32> = whitening.into_data().iter().collect();
        // in f32 the root of a tiny eps may be none
        if whitening.iter().all(|x| x.is_finite()) { Ok((mean, whitening)) } else { Err(lost(f64::from(f32::MIN_POSITIVE))) }
    }

    /// Where the matrix for these examples is kept; nowhere if the user has no folder for it.
    fn place(&self, train: &[f32]) -> Option<PathBuf> {
        let mut hash = Sha256::new();
        hash.update(About(include_str!("zca.rs")).fingerprint());
        hash.update(self.eps.to_le_bytes());
        hash.update(bytemuck::cast_slice(train));
        Some(known::folder().ok()?.join(".zca").join(hex(&hash.finalize())))
    }
}

/// The mean of the training part, and the whitening matrix.
#[derive(Debug)]
pub(super) struct Whitening {
    mean: Vec<f32>,
    by: Tensor<2>,
}

impl Fitted for Whitening {
    fn apply(&self, numbers: &mut [f32]) {
        let n = self.mean.len();
        for row in numbers.chunks_exact_mut(n) {
            row.iter_mut().zip(&self.mean).for_each(|(x, mean)| *x -= mean);
        }
        for part in numbers.chunks_mut(AT_ONCE * n) {
            let whitened = matrix(part, n, &self.by.device()).matmul(self.by.clone()).into_data();
            part.iter_mut().zip(whitened.iter::<f32>()).for_each(|(x, new)| *x = new);
        }
    }
}

fn matrix(numbers: &[f32], columns: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len() / columns, columns]), (device, DType::F32))
}

/// Mean and matrix as they were written; nothing if the file is missing or another.
fn read(path: &Path, n: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    let length = 4 * (n + n * n);
    if fs::metadata(path).ok()?.len() != length as u64 + 32 {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (numbers, sum) = bytes.split_at_checked(length)?;
    if Sha256::digest(numbers)[..] != *sum {
        return None;
    }
    let mut numbers = numbers.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    Some((numbers.by_ref().take(n).collect(), numbers.collect()))
}

fn write(path: &Path, (mean, whitening): &(Vec<f32>, Vec<f32>)) -> Result<()> {
    let mut bytes: Vec<u8> = mean.iter().chain(whitening).flat_map(|x| x.to_le_bytes()).collect();
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    crate::files::place(path, &bytes)
}

/// `(c + eps I)^(-1/2)` of a symmetric matrix without negative eigenvalues, but for errors far below eps; `c` is f64, the result too. If there
/// is no such root, an eps of which there is one.
fn inverse_root(c: Tensor<2>, eps: f64) -> std::result::Result<Tensor<2>, f64> {
    let n = c.dims()[0];
    let device = c.device();
    // no eigenvalue is larger than the largest sum of a row
    let largest = c.clone().abs().sum_dim(1).max().into_scalar::<f64>() + eps;
    if eps / largest < NONE_BELOW {
        return Err(SAFE * largest);
    }
    let (dtype, near) = if eps / largest > FOR_F32 { (DType::F32, 1e-6) } else { (DType::F64, 1e-13) };
    let one = Tensor::<2>::eye(n, &device).cast(dtype);
    let a = (c.clone() / largest).cast(dtype) + one.clone() * (eps / largest);
    // y goes to the root of a, z to the inverse of the root; roots of the eigenvalues of z y lie between `least` and 1
    let mut least = (eps / largest).sqrt();
    let (mut y, mut z) = (a, one.clone());
    while least < 1.0 - near {
        let scale = (3.0 / (1.0 + least + least * least)).sqrt();
        least = scale * least * (3.0 - scale * scale * least * least) / 2.0;
        let t = one.clone() * (1.5 * scale) - z.clone().matmul(y.clone()) * (0.5 * scale.powi(3));
        y = y.matmul(t.clone());
        z = t.matmul(z);
    }
    let root = z.cast(DType::F64) / largest.sqrt();
    // root (c + eps I) root = I, seen on a few vectors of 1 and -1
    let signs: Vec<f64> = (0..n * PROBES).map(|i| if Sha256::digest(i.to_le_bytes())[0] < 128 { 1.0 } else { -1.0 }).collect();
    let signs = Tensor::<2>::from_data(TensorData::new(signs, [n, PROBES]), (&device, DType::F64));
    let turned = root.clone().matmul(signs.clone());
    let back = root.clone().matmul(c.matmul(turned.clone()) + turned * eps);
    let off = (back - signs).abs().max().into_scalar::<f64>();
    if off < OFF { Ok(root) } else { Err(SAFE * largest) } // NaN is not below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_what_was_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zca/kept");
        let matrices = (vec![1.0, -2.5], vec![0.1, 0.2, 0.3, 0.4]);
        assert_eq!(read(&path, 2), None);
        write(&path, &matrices).unwrap();
        assert_eq!(read(&path, 2), Some(matrices));
        assert_eq!(read(&path, 3), None);
        let mut bytes = fs::read(&path).unwrap();
        bytes[5] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(read(&path, 2), None);
    }

    #[test]
    fn the_root_times_itself_times_the_matrix_is_the_identity() {
        let n = 40;
        let device = Device::default();
        let numbers: Vec<f64> = (0..n * n).map(|i| ((i * i * 31 + i * 17) % 101) as f64 / 101.0 / (1.0 + (i % n) as f64)).collect();
        let x = Tensor::<2>::from_data(TensorData::new(numbers, [n, n]), (&device, DType::F64));
        for (eps, error) in [(10.0, 1e-4), (1e-2, 1e-3), (1e-5, 1e-7), (1e-9, 1e-6)] {
            let c = x.clone().transpose().matmul(x.clone());
            let root = inverse_root(c.clone(), eps).unwrap();
            let one = Tensor::<2>::eye(n, &device).cast(DType::F64);
            let product = root.clone().matmul(c + one.clone() * eps).matmul(root.clone());
            let off = (product - one).abs().max().into_scalar::<f64>();
            assert!(off < error, "eps {eps}: {off}");
            assert!(
                ((root.clone() - root.clone().transpose()).abs().max() / root.abs().max()).into_scalar::<f64>() < 1e-4,
                "it is symmetric"
            );
        }
    }

    #[test]
    fn an_eps_that_is_lost_in_the_errors_of_the_covariance_is_refused() {
        let device = Device::default();
        // a covariance whose least eigenvalue came out below zero, as sums in f32 have it
        let c = || Tensor::<2>::from_data([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1e-7]], (&device, DType::F64));
        for eps in [1e-8, 1e-14, 1e-300, 5e-324] {
            let least = inverse_root(c(), eps).unwrap_err();
            assert!((9e-7..1.1e-6).contains(&least), "{eps}: {least}");
            assert!(inverse_root(c(), least).is_ok());
        }
    }
}
