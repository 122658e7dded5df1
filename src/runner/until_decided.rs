//! `run --until-decided`: seeds are added from look to look until every claim is decided, or a
//! number of seeds is reached. A look needs only the records, so it does not matter which process
//! makes it, nor whether the one before was killed.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::jobs::Jobs;
use super::observer::RunObserver;
use super::options::RunOptions;
use super::seed_counts::SeedCounts;
use super::workers::Workers;
use crate::docs::counted;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::files::place;
use crate::grade::GradedClaim;
use crate::record::Run;

/// In a folder whose seeds were added until every claim was decided. Its verdicts allow for the
/// looks.
pub const UNTIL_DECIDED_FILE: &str = "until-decided.txt";

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
