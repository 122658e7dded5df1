//! Matrix products on slices, by the same crate that burn's flex backend uses.

use std::ops::AddAssign;

use burn::tensor::Element;

/// A number type that `gemm` multiplies.
pub(super) trait Number: Element + bytemuck::Pod + Default + AddAssign {
    const ONE: Self;
}

impl Number for f32 {
    const ONE: f32 = 1.0;
}

impl Number for f64 {
    const ONE: f64 = 1.0;
}

/// A matrix in a slice.
pub(super) struct Matrix<'a, T> {
    numbers: &'a [T],
    rows: usize,
    columns: usize,
    /// the distance between two rows in the slice
    row_stride: usize,
    /// the distance between two columns in the slice
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix in row-major order.
    pub fn new(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        Matrix { numbers, rows, columns, row_stride: columns, column_stride: 1 }
    }

    pub fn transposed(self) -> Self {
        Matrix {
            numbers: self.numbers,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// Whether all elements are inside the slice.
    fn is_in_bounds(&self) -> bool {
        let last = |n: usize, stride: usize| n.checked_sub(1).map(|n| n * stride);
        match (last(self.rows, self.row_stride), last(self.columns, self.column_stride)) {
            (Some(row), Some(column)) => row + column < self.numbers.len(),
            _ => false,
        }
    }
}

/// Whether a product replaces the content of its output or is added to it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Accumulate {
    Replace,
    Add,
}

/// Writes the product a b to `out`, row by row.
pub(super) fn product<T: Number>(
    out: &mut [T],
    accumulate: Accumulate,
    a: &Matrix<T>,
    b: &Matrix<T>,
) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert!(
        a.is_in_bounds() && b.is_in_bounds() && b.rows == k && out.len() == m * n,
        "sizes of a matrix product"
    );
    let stride = |n: usize| n as isize;
    // SAFETY: the assertion shows that all elements are inside their slices, and `out` is borrowed
    // exclusively
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride(n),
            accumulate == Accumulate::Add,
            a.numbers.as_ptr(),
            stride(a.column_stride),
            stride(a.row_stride),
            b.numbers.as_ptr(),
            stride(b.column_stride),
            stride(b.row_stride),
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
