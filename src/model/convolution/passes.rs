//! Forward and backward pass of a convolution, on slices.

use rayon::prelude::*;

use super::product::{Accumulate, Matrix, Number, product};
use super::sizes::Sizes;

/// The output, `[images, outputs, height, width]`.
pub(super) fn forward<T: Number>(s: Sizes, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
    let (column, plane) = (s.column(), s.plane());
    let mut out = vec![T::default(); s.images * s.outputs * plane];
    let chunks =
        out.par_chunks_mut(s.chunk() * s.outputs * plane).zip(x.par_chunks(s.chunk() * s.image()));
    chunks.for_each(|(out, x)| {
        let mut columns = vec![T::default(); column * plane];
        for (out, image) in out.chunks_exact_mut(s.outputs * plane).zip(x.chunks_exact(s.image())) {
            s.columns(image, &mut columns);
            for (out, bias) in out.chunks_exact_mut(plane).zip(bias) {
                out.fill(*bias);
            }
            let weight = Matrix::new(weight, s.outputs, column);
            product(out, Accumulate::Add, &weight, &Matrix::new(&columns, column, plane));
        }
    });
    out
}

/// The gradients of the loss.
pub(super) struct Gradients<T> {
    /// with respect to the images, empty if it was not requested
    pub x: Vec<T>,
    pub weight: Vec<T>,
    pub bias: Vec<T>,
}

/// The gradients, from the gradient `dout` with respect to the output. The gradient with respect to
/// the images is computed if `with_images` is set.
pub(super) fn backward<T: Number>(
    s: Sizes,
    x: &[T],
    weight: &[T],
    dout: &[T],
    with_images: bool,
) -> Gradients<T> {
    let mut dx = vec![T::default(); if with_images { x.len() } else { 0 }];
    let mut dxs: Vec<&mut [T]> = dx.chunks_mut(s.chunk() * s.image()).collect();
    dxs.resize_with(s.images.div_ceil(s.chunk()), Default::default);
    let chunks = dxs
        .into_par_iter()
        .zip(x.par_chunks(s.chunk() * s.image()))
        .zip(dout.par_chunks(s.chunk() * s.outputs * s.plane()));
    let sums: Vec<Sums<T>> =
        chunks.map(|((dx, x), dout)| backward_chunk(s, x, weight, dout, dx)).collect();
    let mut total = Sums::zero(s);
    for sum in &sums {
        total.weight.iter_mut().zip(&sum.weight).for_each(|(total, d)| *total += *d);
        total.bias.iter_mut().zip(&sum.bias).for_each(|(total, d)| *total += *d);
    }
    let column = s.column();
    let dweight = (0..s.outputs * column)
        .map(|i| total.weight[i % column * s.outputs + i / column])
        .collect();
    Gradients { x: dx, weight: dweight, bias: total.bias }
}

/// The gradients of a chunk of the batch with respect to the weights, transposed, and the biases.
struct Sums<T> {
    weight: Vec<T>,
    bias: Vec<T>,
}

impl<T: Number> Sums<T> {
    fn zero(s: Sizes) -> Sums<T> {
        Sums {
            weight: vec![T::default(); s.column() * s.outputs],
            bias: vec![T::default(); s.outputs],
        }
    }
}

/// Backward pass of a chunk of the batch. `dx` is empty if it was not requested.
fn backward_chunk<T: Number>(s: Sizes, x: &[T], weight: &[T], dout: &[T], dx: &mut [T]) -> Sums<T> {
    let (column, plane) = (s.column(), s.plane());
    let mut columns = vec![T::default(); column * plane];
    let mut sums = Sums::zero(s);
    let mut dx = dx.chunks_exact_mut(s.image());
    for (image, dout) in x.chunks_exact(s.image()).zip(dout.chunks_exact(s.outputs * plane)) {
        s.columns(image, &mut columns);
        // the product is transposed, so that no large matrix has to be transposed
        let errors = || Matrix::new(dout, s.outputs, plane);
        let transposed = errors().transposed();
        let images = Matrix::new(&columns, column, plane);
        product(&mut sums.weight, Accumulate::Add, &images, &transposed);
        for (sum, dout) in sums.bias.iter_mut().zip(dout.chunks_exact(plane)) {
            dout.iter().for_each(|d| *sum += *d);
        }
        if let Some(dx) = dx.next() {
            let weight = Matrix::new(weight, s.outputs, column).transposed();
            product(&mut columns, Accumulate::Replace, &weight, &errors());
            s.add_back(&columns, dx);
        }
    }
    sums
}
