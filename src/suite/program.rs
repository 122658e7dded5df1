//! Running a suite: the experiment of each problem, its page, and the results of all.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::results::{Beside, ProblemResult, SuiteResults};
use super::schema::{Problem, Suite};
use crate::error::Result;
use crate::experiment::Scale;
use crate::files::place;
use crate::grade::{self, Selection};
use crate::optim::Optimizers;
use crate::report::Report;
use crate::runner::{self, Results, RunObserver, RunOptions};

/// The file with the results of a suite.
pub const RESULTS_FILE: &str = "suite.json";

/// What was made of a suite.
pub struct SuiteRun {
    /// the results; `None` if it was stopped before all were made
    pub results: Option<SuiteResults>,
    /// folder of the results
    pub folder: PathBuf,
    /// number of runs that continue from a checkpoint when it is started again
    pub from_checkpoint: usize,
}

/// Makes the runs of a suite that are not on the disk yet, writes the page of each problem into a
/// folder of its own, and the results into `suite.json`, with those `beside` them.
///
/// # Errors
/// As [`runner::run`] and [`Report::write`]. What can be known before the first run, such as data
/// that are missing, is found before it.
pub fn run(
    suite: &Suite,
    beside: Option<&Beside>,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
) -> Result<SuiteRun> {
    let folder = options.out.clone().unwrap_or_else(|| default_folder(suite));
    let options_of =
        |problem: &Problem| RunOptions { out: Some(folder.join(&problem.name)), ..options.clone() };
    suite.check(optimizers)?;
    beside.map_or(Ok(()), |beside| beside.check(suite, optimizers))?;
    for problem in &suite.problems {
        runner::plan(&problem.experiment(suite), optimizers, &options_of(problem))?;
    }
    let mut all: Option<SuiteResults> = None;
    for (i, problem) in suite.problems.iter().enumerate() {
        observer.message(&format!(
            "problem {} of {}: {}",
            i + 1,
            suite.problems.len(),
            problem.title
        ));
        let experiment = problem.experiment(suite);
        let made = runner::run(experiment, optimizers, &options_of(problem), observer)?;
        if made.interrupted || options.stop.load(Ordering::Relaxed) {
            let from_checkpoint = made.from_checkpoint;
            return Ok(SuiteRun { results: None, folder, from_checkpoint });
        }
        let all = match &mut all {
            Some(all) => all,
            none => none.insert(SuiteResults::empty(suite, &made.runs[0].header)?),
        };
        grade(suite, problem, &made, optimizers, all)?;
        let make = if options.mix_processors { Report::mixing_processors } else { Report::new };
        make(Some(made.experiment), made.runs, optimizers)?.write(&made.folder)?;
    }
    let all = match (all, beside) {
        (Some(own), Some(beside)) => Some(beside.with(own)),
        (all, _) => all,
    };
    if let Some(all) = &all {
        place(&folder.join(RESULTS_FILE), all.json()?.as_bytes())?;
    }
    Ok(SuiteRun { results: all, folder, from_checkpoint: 0 })
}

/// The folder of the results by default.
pub fn default_folder(suite: &Suite) -> PathBuf {
    Path::new("out").join(format!("suite-{}", suite.name))
}

/// Adds the results of a problem.
fn grade(
    suite: &Suite,
    problem: &Problem,
    made: &Results,
    optimizers: &Optimizers,
    all: &mut SuiteResults,
) -> Result<()> {
    let planned = made.experiment.planned(Scale::Quick, optimizers)?;
    let selection = Selection::of(&made.experiment, Scale::Quick.name(), &planned);
    let curves = grade::curves(&planned, &made.runs, &selection);
    for (entrant, curve) in suite.entrants.iter().zip(&curves) {
        all.add(entrant, ProblemResult::of(problem, curve, &selection));
    }
    Ok(())
}
