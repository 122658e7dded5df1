//! What a task measures, and how measurements are summarized.

use std::cmp::Ordering;
use std::fmt;

use crate::chart::short;

/// The result of one seed. The order is from good to bad.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Measured {
    /// a finite number; lower is better
    Number(f64),
    /// the target was not reached
    NotReached,
    /// a number was not finite or too large
    Diverged,
    /// a step could not be taken, and why
    NoStep(String),
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measured::Number(number) if number.abs() >= 0.01 => {
                f.write_str(&short(format!("{number:.2e}").parse().unwrap_or(*number)))
            }
            Measured::Number(number) if *number == 0.0 => f.write_str("0"),
            Measured::Number(number) => write!(f, "{number:.0e}"),
            Measured::NotReached => f.write_str("not reached"),
            Measured::Diverged => f.write_str("diverged"),
            Measured::NoStep(_) => f.write_str("no step"),
        }
    }
}

/// The result of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// the chosen learning rates: one, or one for each half of a comparison
    pub rates: Vec<f64>,
    /// one measurement for each seed
    pub seeds: Vec<Measured>,
}

impl Score {
    /// The median of the seeds.
    pub fn median(&self) -> &Measured {
        self.sorted().get(self.seeds.len() / 2).copied().unwrap_or(&Measured::NotReached)
    }

    /// The best and the worst seed.
    pub fn range(&self) -> (&Measured, &Measured) {
        let sorted = self.sorted();
        (
            sorted.first().copied().unwrap_or(&Measured::NotReached),
            sorted.last().copied().unwrap_or(&Measured::NotReached),
        )
    }

    /// From good to bad.
    fn sorted(&self) -> Vec<&Measured> {
        let mut sorted: Vec<&Measured> = self.seeds.iter().collect();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        sorted
    }
}
