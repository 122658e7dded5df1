//! Labelled bags of words.

use std::sync::Arc;

use super::dataset::{Examples, Inputs};
use super::sparse::Sparse;

/// A bag of words and a class for each text.
pub(super) struct Labelled {
    pub bags: Sparse,
    pub labels: Vec<u32>,
}

impl Labelled {
    /// No texts, with a vocabulary of `words` words.
    pub fn new(words: usize) -> Labelled {
        Labelled { bags: Sparse::new(words), labels: Vec::new() }
    }

    /// The texts with these words only.
    pub fn examples(self, words: &[u32]) -> Examples {
        Examples {
            shape: vec![words.len()],
            inputs: Inputs::Sparse(Arc::new(self.bags.select_columns(words))),
            labels: self.labels.into(),
        }
    }
}
