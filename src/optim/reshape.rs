//! Reshaping that also works for tensors without elements.

use burn::tensor::{Shape, Tensor};

/// The same numbers in another shape. burn's `reshape` reads a size of 0 as "unchanged" and refuses
/// tensors without elements.
pub(crate) fn reshaped<const D: usize, const E: usize>(
    x: Tensor<D>,
    shape: impl Into<Shape>,
) -> Tensor<E> {
    let shape = shape.into();
    if shape.num_elements() == 0 {
        Tensor::zeros(shape, (&x.device(), x.dtype()))
    } else {
        x.reshape(shape)
    }
}
