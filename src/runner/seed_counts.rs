//! How many seeds an experiment has: a fixed number, or one after the other as they are added.

use super::options::RunOptions;
use crate::error::{Error, Result};
use crate::experiment::Extent;
use crate::grade::look_seeds;

/// The numbers of seeds of an experiment: one if they are fixed, or from look to look.
pub(super) struct SeedCounts(pub(super) Vec<usize>);

impl SeedCounts {
    /// With `until_decided`, the first is the last look within the seeds of the scale.
    ///
    /// # Errors
    /// If the first look has more seeds than allowed, or the number of seeds is fixed too.
    pub fn of(extent: &Extent, options: &RunOptions) -> Result<SeedCounts> {
        if !options.until_decided {
            return Ok(SeedCounts(vec![options.seeds.unwrap_or(extent.seeds)]));
        }
        if let Some(seeds) = options.seeds {
            let expected = "no number of seeds, since --until-decided adds them";
            return Err(Error::value("--seeds", seeds, expected));
        }
        let looks: Vec<usize> = look_seeds().take_while(|n| *n <= options.max_seeds).collect();
        if looks.is_empty() {
            let first = look_seeds().next().unwrap_or_default();
            let expected = format!("at least {first}, the number of seeds of the first look");
            return Err(Error::value("--max-seeds", options.max_seeds, expected));
        }
        let before = looks.iter().filter(|look| **look <= extent.seeds).count();
        Ok(SeedCounts(looks[before.saturating_sub(1)..].to_vec()))
    }

    /// The first number of seeds.
    pub fn first(&self) -> usize {
        self.0[0]
    }

    /// The largest number of seeds.
    pub fn most(&self) -> usize {
        self.0[self.0.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(until_decided: bool, max_seeds: usize, own: usize) -> Result<Vec<usize>> {
        let options = RunOptions { until_decided, max_seeds, ..RunOptions::default() };
        Ok(SeedCounts::of(&Extent::of(1, own), &options)?.0)
    }

    #[test]
    fn looks_begin_within_the_seeds_of_the_scale_and_end_within_the_cap() {
        assert_eq!(counts(false, 30, 7).unwrap(), [7]);
        assert_eq!(counts(true, 30, 1).unwrap(), [3, 5, 8, 12, 20, 30]);
        assert_eq!(counts(true, 29, 10).unwrap(), [8, 12, 20]);
        assert_eq!(counts(true, 5, 100).unwrap(), [5]);
        let error = counts(true, 2, 3).unwrap_err().to_string();
        assert_eq!(
            error,
            "--max-seeds: found 2, expected at least 3, the number of seeds of the first look"
        );
    }
}
