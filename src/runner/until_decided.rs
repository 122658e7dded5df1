//! `run --until-decided`: seeds are added from look to look until every claim is decided, or a
//! number of seeds is reached. A look needs only the records, so it does not matter which process
//! makes it, nor whether the one before was killed.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::jobs::Jobs;
use super::observer::RunObserver;
use super::options::RunOptions;
use super::workers::Workers;
use crate::docs::counted;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, Extent};
use crate::files::place;
use crate::grade::{GradedClaim, look_seeds};
use crate::record::Run;

/// In a folder whose seeds were added until every claim was decided. Its verdicts allow for the
/// looks.
pub const UNTIL_DECIDED_FILE: &str = "until-decided.txt";

/// The numbers of seeds of an experiment: one if they are fixed, or from look to look.
pub(super) struct SeedCounts(Vec<usize>);

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

/// Makes the runs of further seeds until a look leaves no claim open. `runs` are those of the first
/// number of seeds. Returns all runs.
pub(super) fn add_seeds<O: RunObserver>(
    experiment: &Experiment,
    jobs: &mut Jobs<'_>,
    mut runs: Vec<Run>,
    counts: &SeedCounts,
    workers: &Workers<'_, O>,
) -> Result<Vec<Run>> {
    for (place, seeds) in counts.0.iter().enumerate() {
        let claims = jobs.verdicts(experiment, &runs);
        let next = counts.0.get(place + 1).copied();
        workers.observer.message(&message(&claims, *seeds, next));
        let Some(next) = next.filter(|_| claims.iter().any(|claim| claim.is_open)) else { break };
        jobs.set_seeds(next);
        runs = workers.make(jobs.of_best(&runs), 0)?;
        if workers.stop.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(runs)
}

/// Refuses `--until-decided` where the runs are listed before they are made.
///
/// # Errors
/// If the option is given.
pub(super) fn refuse(options: &RunOptions) -> Result<()> {
    let expected = "a fixed number of seeds, since the next look depends on the runs before it";
    match options.until_decided {
        true => Err(Error::value("--until-decided", "a list of runs", expected)),
        false => Ok(()),
    }
}

/// Writes into the folder that its verdicts have to allow for looks, if so. Once that is so, it
/// stays: also for later runs with a fixed number of seeds.
pub(super) fn mark(experiment: &mut Experiment, options: &RunOptions, folder: &Path) -> Result<()> {
    let file = folder.join(UNTIL_DECIDED_FILE);
    if options.until_decided && !file.exists() {
        let text = "Seeds were added until every claim was decided. The verdicts allow for the \
                    looks after 3, 5, 8, 12, 20, 30, 45 .. seeds.\n";
        place(&file, text.as_bytes())?;
    }
    experiment.until_decided = file.exists();
    Ok(())
}

/// What the look after so many seeds found.
fn message(claims: &[GradedClaim], seeds: usize, next: Option<usize>) -> String {
    let open: Vec<String> =
        claims.iter().filter(|claim| claim.is_open).map(|it| format!("\"{}\"", it.quote)).collect();
    let look = format!("look after {}", counted(seeds, "seed", "seeds"));
    let next = match next {
        _ if open.is_empty() => return format!("{look}: more seeds would change no verdict"),
        Some(next) => format!("next: {next} seeds"),
        None => "no further look within --max-seeds".into(),
    };
    let undecided = counted(open.len(), "claim is", "claims are");
    format!("{look}: {undecided} undecided: {}; {next}", open.join(", "))
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
