//! Reads the numbers of a tensor without a copy.

use burn::tensor::Tensor;

/// The numbers of a tensor.
pub(in crate::lab::model) enum Numbers<'a> {
    Single(&'a [f32]),
    Double(&'a [f64]),
}

/// The result of a function of the numbers, read in place, or `None` if this is not a tensor of
/// flex.
pub(in crate::lab::model) fn with_numbers<R>(
    x: &Tensor<4>,
    read: impl FnOnce(Numbers) -> R,
) -> Option<R> {
    #[cfg(feature = "flex")]
    {
        let x = crate::burn_internals::primitive(x)?.to_contiguous();
        match (x.as_slice(), x.as_slice()) {
            (Some(numbers), _) => Some(read(Numbers::Single(numbers))),
            (_, Some(numbers)) => Some(read(Numbers::Double(numbers))),
            _ => None,
        }
    }
    #[cfg(not(feature = "flex"))]
    {
        let _ = (x, read);
        None
    }
}
