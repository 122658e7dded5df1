//! Checking a suite as far as that is possible without running it.

use std::path::Path;

use super::schema::{Entrant, Problem, Suite};
use crate::error::{Error, Result};
use crate::experiment::has_range;
use crate::optim::Optimizers;
use crate::spec::SpecLine;

impl Suite {
    /// Checks everything that can be checked without running.
    ///
    /// # Errors
    /// Names the key, the value found and what was expected.
    pub fn check(&self, optimizers: &Optimizers) -> Result<()> {
        let wrong = |key: &str, found: String, expected: &str| {
            Err(Error::content(format!("{}, {key}", self.place()), found, expected))
        };
        if !is_word(&self.name) {
            return wrong("name", format!("{:?}", self.name), WORD);
        }
        if self.problems.is_empty() || self.entrants.is_empty() {
            return wrong("optimizer and problem", "nothing".into(), "at least one of each");
        }
        if self.trials < 2 {
            return wrong("trials", self.trials.to_string(), "at least 2 settings to select from");
        }
        if self.seeds < 2 {
            return wrong("seeds", self.seeds.to_string(), "at least 2, for an interval of ranks");
        }
        for problem in &self.problems {
            let key = format!("problem `{}`", problem.name);
            if !is_word(&problem.name) {
                return wrong("problem.name", format!("{:?}", problem.name), WORD);
            }
            if self.problems.iter().filter(|other| other.name == problem.name).count() > 1 {
                return wrong(&key, "the same name twice".into(), "a name of its own for each");
            }
            problem.check_values().map_err(|error| error.within(self.place()))?;
        }
        for entrant in &self.entrants {
            check_range(entrant).map_err(|error| error.within(self.place()))?;
        }
        for problem in &self.problems {
            problem.experiment(self).check(Path::new(self.place()), optimizers)?;
        }
        Ok(())
    }

    /// Its file, or its name if a program describes it, for errors.
    pub fn place(&self) -> &str {
        if self.file.is_empty() { &self.name } else { &self.file }
    }
}

impl Problem {
    fn check_values(&self) -> Result<()> {
        let key = |key: &str| format!("problem `{}`, {key}", self.name);
        let range = self.task.range(&self.metric.name);
        if !self.floor.is_finite() {
            return Err(Error::value(key("floor"), self.floor, "a finite number"));
        }
        if !range.contains(&self.target) || self.target.is_nan() || self.target <= self.floor {
            let (low, high) = (range.start().max(self.floor), range.end());
            let expected = format!(
                "a number above {low} and at most {high}, since {} cannot reach others",
                self.metric.name
            );
            return Err(Error::value(key("target"), self.target, expected));
        }
        Ok(())
    }
}

/// Every optimizer of a suite is tuned.
fn check_range(entrant: &Entrant) -> Result<()> {
    let key = format!("optimizer `{}`, spec", entrant.label);
    entrant.spec.parse::<SpecLine>().map_err(|error| Error::from(error).within(&key))?;
    if has_range(&entrant.spec) {
        return Ok(());
    }
    let expected = "at least one range, such as lr=log(1e-5,1e-1), since every optimizer of a \
                    suite has the same number of trials";
    Err(Error::value(key, format!("`{}`", entrant.spec), expected))
}

const WORD: &str = "letters, digits and hyphens, because it is the name of a folder";

/// Whether a name can be that of a folder.
fn is_word(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !name.is_empty() && name.len() <= 60 && !name.starts_with('-') && name.chars().all(plain)
}
