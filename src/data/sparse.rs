//! Sparse rows, such as bags of words: the columns of each row that are not zero, and their values.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// The size of the vocabulary of a bag of words.
pub const WORDS: usize = 10_000;

/// A matrix in compressed sparse row format (CSR).
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    /// The number of columns.
    pub columns: usize,
    /// The start of each row in `index` and `values`, followed by the end of the last row.
    pub offsets: Vec<usize>,
    /// The columns of the stored values.
    pub index: Vec<u32>,
    /// The stored values.
    pub values: Vec<f32>,
}

impl Sparse {
    /// A matrix without rows.
    pub fn new(columns: usize) -> Sparse {
        Sparse { columns, offsets: vec![0], index: Vec::new(), values: Vec::new() }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            self.index.push(column);
            self.values.push(value);
        }
        self.offsets.push(self.index.len());
    }

    /// The stored columns of a row with their values.
    pub fn row(&self, index: usize) -> impl Iterator<Item = (u32, f32)> {
        let range = self.offsets[index]..self.offsets[index + 1];
        self.index[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// The rows of a range of indices.
    pub fn slice(&self, rows: Range<usize>) -> Sparse {
        let mut slice = Sparse::new(self.columns);
        rows.for_each(|row| slice.push(self.row(row)));
        slice
    }

    /// The rows with these indices, in this order.
    pub fn select(&self, rows: &[usize]) -> Sparse {
        let mut selected = Sparse::new(self.columns);
        rows.iter().for_each(|row| selected.push(self.row(*row)));
        selected
    }

    /// The rows with these indices as a dense table.
    pub fn dense(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let mut dense = vec![0.0; rows.len() * self.columns];
        for (to, from) in rows.enumerate() {
            for (column, value) in self.row(from) {
                dense[to * self.columns + column as usize] += value;
            }
        }
        dense
    }

    /// The columns with the largest sums, in descending order, at most `at_most`. Columns with
    /// equal sums keep their order. Columns that are zero in all rows are left out.
    pub fn largest(&self, at_most: usize) -> Vec<u32> {
        let mut sums = vec![0.0f64; self.columns];
        for (column, value) in self.index.iter().zip(&self.values) {
            sums[*column as usize] += f64::from(*value);
        }
        let mut largest: Vec<u32> =
            (0..self.columns as u32).filter(|column| sums[*column as usize] > 0.0).collect();
        largest.sort_by(|a, b| sums[*b as usize].total_cmp(&sums[*a as usize]).then(a.cmp(b)));
        largest.truncate(at_most);
        largest
    }

    /// Only these columns, in this order.
    pub fn select_columns(&self, columns: &[u32]) -> Sparse {
        let mut new_index = vec![None; self.columns];
        for (new, old) in columns.iter().enumerate() {
            new_index[*old as usize] = Some(new as u32);
        }
        let mut selected = Sparse::new(columns.len());
        for row in 0..self.len() {
            let stored = self.row(row);
            selected
                .push(stored.filter_map(|(old, value)| Some((new_index[old as usize]?, value))));
        }
        selected
    }

    /// Adds the matrix to a hash.
    pub(super) fn add_to(&self, hash: &mut Sha256) {
        for offset in &self.offsets {
            hash.update((*offset as u64).to_le_bytes());
        }
        hash.update(bytemuck::cast_slice(&self.index));
        hash.update(bytemuck::cast_slice(&self.values));
    }
}
