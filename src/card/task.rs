//! What a task is, and when a score passes it.

use super::score::{Measured, Score};
use super::tuner::Tuner;
use crate::error::Result;

/// A task is passed if at least this many seeds meet the pass mark.
pub const ENOUGH: usize = 4;

/// A row of the table of tasks.
pub struct CardTask {
    /// name
    pub name: &'static str,
    /// the problem and the question, in one line
    pub question: &'static str,
    /// what is measured; lower is better
    pub measured: &'static str,
    /// the largest value that passes
    pub mark: f64,
    /// the pass mark in words
    pub mark_in_words: &'static str,
    /// where the pass mark comes from
    pub why: &'static str,
    pub(super) run: fn(&Tuner<'_>) -> Result<Score>,
}

impl Score {
    /// How many seeds meet the pass mark.
    pub fn met(&self, task: &CardTask) -> usize {
        self.seeds
            .iter()
            .filter(|seed| matches!(seed, Measured::Number(value) if *value <= task.mark))
            .count()
    }

    /// Whether enough seeds meet the pass mark.
    pub fn passes(&self, task: &CardTask) -> bool {
        self.met(task) >= ENOUGH
    }

    /// `PASS`, `FAIL`, or `FAIL` with the reason why there is no number.
    pub fn verdict(&self, task: &CardTask) -> String {
        match self.median() {
            _ if self.passes(task) => "PASS".into(),
            without @ (Measured::Diverged | Measured::NoStep(_)) => format!("FAIL {without}"),
            _ => "FAIL".into(),
        }
    }
}
