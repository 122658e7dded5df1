//! # Smooth L1: a differentiable approximation of the L1 penalty
//!
//! ```text
//! penalty = lambda * sum of r(w)
//!
//! kind=sqrt:      r(w) = sqrt(w^2 + width^2)
//!                 above |w|, by width at 0
//! kind=softplus:  r(w) = width (log(1 + e^(-w / width)) + log(1 + e^(w / width)))
//!                 above |w|, by 2 log(2) width at 0
//! kind=huber:     r(w) = w^2 / (2 width) for |w| < width, else |w| - width / 2
//!                 below |w|, by width / 2 at most
//! ```
//!
//! r has a gradient everywhere, and converges to |w| as width goes to 0. The sum includes weights
//! (parameters of at least two dimensions) but not biases.
//!
//! ## Differences
//! All three functions share one setting, width, in units of the weights. In the papers, epsilon of
//! the square root is width^2, alpha of the softplus form is 1 / width, and delta of Huber's
//! function is width. torch's `smooth_l1_loss` is Huber's function with beta = width; `huber_loss`
//! is the same times width. No weight becomes exactly zero; the proximal step of `l1` produces
//! exact zeros.
//!
//! ## Source
//! arXiv 1712.04711, section 4.2 (S1), "approximate variants of the L1 norm". Square root: Lee,
//! Lee, Abbeel and Ng, "Efficient L1 regularized logistic regression", 2006 (epsL1). Softplus:
//! Schmidt, Fung and Rosales, "Fast optimization methods for L1 regularization", 2007. Huber 1964.

use burn::tensor::Tensor;

use super::penalty::Regularizer;
use crate::spec::Allowed;

/// The smooth function that replaces |w|.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmoothAbs {
    /// a hyperbola
    Sqrt,
    /// two softplus functions
    Softplus,
    /// a parabola between straight lines
    Huber,
}
crate::words!(SmoothAbs { Sqrt = "sqrt", Softplus = "softplus", Huber = "huber" });

crate::settings! {
    /// A smooth approximation of the L1 penalty.
    pub struct SmoothL1 {
        /// strength of the penalty
        lambda: f64 = 1e-4, Allowed::NotNegative;
        /// the function
        kind: SmoothAbs = SmoothAbs::Sqrt, SmoothAbs::WORDS;
        /// the width of the smooth region around zero, in units of the weights
        width: f64 = 1e-3, Allowed::AtLeast(1e-6);
    }
}

impl SmoothL1 {
    fn rounded<const D: usize>(&self, w: Tensor<D>) -> Tensor<D> {
        let width = self.width;
        match self.kind {
            SmoothAbs::Sqrt => (w.clone() * w + width * width).sqrt(),
            // equals |w| + 2 width log(1 + e^(-|w| / width)), whose exponential does not overflow
            SmoothAbs::Softplus => {
                let w = w.abs();
                w.clone() + (w * (-1.0 / width)).exp().log1p() * (2.0 * width)
            }
            SmoothAbs::Huber => {
                let near = w.clone().clamp(-width, width);
                (near.clone() * w - near.clone() * near / 2.0) / width
            }
        }
    }
}

impl Regularizer for SmoothL1 {
    fn term<const D: usize>(&self, w: Tensor<D>) -> Option<Tensor<1>> {
        Some(self.rounded(w).sum())
    }

    fn strength(&self) -> f64 {
        self.lambda
    }
}
