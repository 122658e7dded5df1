//! Rows of mostly zeros, such as bags of words: for each row, which columns are not zero, and what stands there.

use std::ops::Range;

/// A matrix in compressed rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    /// How many there are.
    pub columns: usize,
    /// Where each row begins in the two lists, and behind it where the last one ends.
    pub offsets: Vec<usize>,
    /// The columns.
    pub index: Vec<u32>,
    /// What stands there.
    pub values: Vec<f32>,
}

impl Sparse {
    /// No rows yet.
    pub fn new(columns: usize) -> Sparse {
        Sparse { columns, offsets: vec![0], index: Vec::new(), values: Vec::new() }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row more.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            self.index.push(column);
            self.values.push(value);
        }
        self.offsets.push(self.index.len());
    }

    /// The columns of a row with their values.
    pub fn row(&self, at: usize) -> impl Iterator<Item = (u32, f32)> {
        let range = self.offsets[at]..self.offsets[at + 1];
        self.index[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// These rows alone.
    pub fn part(&self, rows: Range<usize>) -> Sparse {
        let mut part = Sparse::new(self.columns);
        rows.for_each(|at| part.push(self.row(at)));
        part
    }

    /// These rows with their zeros, one behind another.
    pub fn dense(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let mut dense = vec![0.0; rows.len() * self.columns];
        for (place, at) in rows.enumerate() {
            for (column, value) in self.row(at) {
                dense[place * self.columns + column as usize] += value;
            }
        }
        dense
    }

    /// The columns with the largest sums, the largest first; of equal sums the first columns. Columns that are zero everywhere are left out.
    pub fn largest(&self, at_most: usize) -> Vec<u32> {
        let mut sums = vec![0.0f64; self.columns];
        for (column, value) in self.index.iter().zip(&self.values) {
            sums[*column as usize] += f64::from(*value);
        }
        let mut largest: Vec<u32> = (0..self.columns as u32).filter(|column| sums[*column as usize] > 0.0).collect();
        largest.sort_by(|a, b| sums[*b as usize].total_cmp(&sums[*a as usize]).then(a.cmp(b)));
        largest.truncate(at_most);
        largest
    }

    /// These columns alone, in this order.
    pub fn choose(&self, columns: &[u32]) -> Sparse {
        let mut place = vec![None; self.columns];
        for (new, old) in columns.iter().enumerate() {
            place[*old as usize] = Some(new as u32);
        }
        let mut chosen = Sparse::new(columns.len());
        for at in 0..self.len() {
            chosen.push(self.row(at).filter_map(|(column, value)| place[column as usize].map(|column| (column, value))));
        }
        chosen
    }
}
