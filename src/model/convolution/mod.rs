//! Convolution with stride 1 on burn's flex backend: one matrix product per image, forward and
//! backward.
//!
//! ```text
//! columns[c, dy, dx; y, x] = image[c; y + dy - pad, x + dx - pad]
//! forward:  out      = W columns + b
//! backward: dW       = sum over images of dout columns'
//!           dcolumns = W' dout, added back to the pixels that they were copied from
//! ```
//!
//! Other backends use burn's own convolution. On flex, burn computes the gradient of the weights as
//! a convolution whose kernels are as large as the image, after it has transposed both tensors, in
//! tiles of few numbers. Measured alternately on two shared cores, with the pooling of `layers`
//! compared with burn's: a step of `cnn` on 128 images of 3x32x32 takes 514 ms instead of 789, a
//! step of `2c2d` 173 ms instead of 275 (`cargo bench --bench model`).
//!
//! A batch is divided into a fixed number of chunks, whose gradients are added in order. So the
//! result is the same for any number of threads.

#[cfg(feature = "flex")]
mod flex;
mod layer;
mod numbers;
#[cfg(feature = "flex")]
mod passes;
#[cfg(feature = "flex")]
mod product;
#[cfg(feature = "flex")]
mod sizes;

pub use layer::convolve;
pub(super) use numbers::{Numbers, with_numbers};
