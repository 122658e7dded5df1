//! All optimizers by name.

use super::entry::{ConfiguredOptimizer, Decay, OptimizerEntry};
use crate::spec::{Spec, SpecError, unknown};

/// How many rules the table had first, up to `adopt`.
const FIRST_RULES: usize = 17;

/// Optimizers that are no rules for single elements, and that the table did not have first.
const LATER: &[OptimizerEntry] = &[
    super::rules::adafactor::ENTRY,
    super::rules::prodigy::ENTRY,
    super::rules::dadapt_adam::ENTRY,
];

/// All optimizers that specs can name. Add your own with [`with`](Optimizers::with).
#[derive(Clone)]
pub struct Optimizers(Vec<OptimizerEntry>);

impl Default for Optimizers {
    /// The optimizers of this crate.
    fn default() -> Self {
        let lazy = [super::rules::lazy_adam::ENTRY];
        let (second_order, burn) = (super::second_order::ENTRIES, super::burn::ENTRIES);
        Optimizers([super::rules::ENTRIES, &lazy, LATER, second_order, &burn].concat())
    }
}

impl Optimizers {
    /// Adds an optimizer, in place of an optimizer of the same name.
    pub fn with(mut self, entry: OptimizerEntry) -> Self {
        self.0.retain(|other| other.name != entry.name);
        self.0.push(entry);
        self
    }

    /// All rows, in the order of the table.
    pub fn entries(&self) -> &[OptimizerEntry] {
        &self.0
    }

    /// The row of that name.
    ///
    /// # Errors
    /// If there is no such row. The error suggests the nearest name.
    pub fn find(&self, name: &str) -> Result<&OptimizerEntry, SpecError> {
        self.0
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| unknown("optimizer", name, self.0.iter().map(|entry| entry.name)))
    }

    /// The place of an optimizer, which determines its colour in figures. It is its index in the
    /// table, but optimizers that were added later come last, so that no other changes its colour.
    pub fn place(&self, name: &str) -> Option<usize> {
        let later = |entry: &&OptimizerEntry| {
            let rules = &super::rules::ENTRIES[FIRST_RULES..];
            rules.iter().chain(LATER).any(|later| later.name == entry.name)
        };
        let (first, last) = (self.0.iter().filter(|entry| !later(entry)), self.0.iter());
        first.chain(last.filter(later)).position(|entry| entry.name == name)
    }

    /// Makes the optimizer of a spec.
    ///
    /// # Errors
    /// On an unknown optimizer, dialect or setting, a value that is not allowed, or a sweep.
    pub fn make(&self, spec: &Spec) -> Result<ConfiguredOptimizer, SpecError> {
        self.find(&spec.name)?.make(spec, None)
    }

    /// The same with weight decay, in the same pass over the parameter.
    ///
    /// # Errors
    /// As [`make`](Optimizers::make), and if the optimizer is not a [`Rule`](super::Rule).
    pub fn make_decayed(
        &self,
        spec: &Spec,
        decay: Decay,
    ) -> Result<ConfiguredOptimizer, SpecError> {
        self.find(&spec.name)?.make(spec, Some(decay))
    }
}
