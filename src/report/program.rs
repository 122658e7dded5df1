//! A program that runs an experiment and reports it.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use super::build::Report;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::optim::Optimizers;
use crate::runner::{self, RunObserver, RunOptions};
use crate::text::printable;

/// A report with its page. It prints itself as text.
pub struct Finished {
    /// the report
    pub report: Report,
    /// the page
    pub page: PathBuf,
    /// whether the runs were stopped before all were made
    pub interrupted: bool,
    /// whether the options ask for a check, and a claim is NOT HELD or a check FAILs
    pub refuted: bool,
}

/// Makes the runs of an experiment that are not on the disk yet, grades them, and writes the page.
///
/// # Errors
/// As [`runner::run`], [`Report::new`] and [`Report::write`].
pub fn run(
    experiment: Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
) -> Result<Finished> {
    let results = runner::run(experiment, optimizers, options, observer)?;
    let report = Report::new(Some(results.experiment), results.runs, optimizers)?;
    let page = report.write(&results.folder)?;
    let refuted = options.check && report.is_refuted();
    Ok(Finished { report, page, interrupted: results.interrupted, refuted })
}

/// The `main` of a program that runs an experiment: prints the results, or one sentence to standard
/// error. The exit code is that of the command: 0, 1 if `--check` finds a refuted claim, 2 on an
/// error, 130 if the runs were stopped.
pub fn main(program: impl FnOnce() -> Result<Finished>) -> ExitCode {
    match program() {
        Ok(finished) => {
            println!("{finished}");
            ExitCode::from(match (finished.interrupted, finished.refuted) {
                (true, _) => 130,
                (false, refuted) => u8::from(refuted),
            })
        }
        Err(error) => {
            eprintln!("error: {}", printable(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        let mut rows = vec![vec!["series", "chosen"]];
        rows[0].extend(&report.columns);
        rows[0].push("runs");
        for row in &report.table {
            let finals = row.finals.iter().map(String::as_str);
            let ends = [row.series.as_str(), &row.chosen].into_iter().chain(finals);
            rows.push(ends.chain([row.runs.as_str()]).collect());
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..rows[0].len()).map(|c| width(c).unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        for remark in &report.remarks {
            writeln!(f, "{remark}")?;
        }
        for verdict in &report.verdicts {
            writeln!(f, "{}: {}; {}", verdict.verdict, verdict.quote, verdict.margin)?;
        }
        write!(f, "page: {}", self.page.display())
    }
}
