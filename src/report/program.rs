//! A program that runs an experiment and reports it.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use super::build::Report;
use super::ranking::Ranked;
use crate::chart::short;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::grade::{GradedClaim, Verdict};
use crate::optim::Optimizers;
use crate::runner::{self, RunObserver, RunOptions};
use crate::text::printable;

/// A finished experiment: its report, and the page. It prints itself as text: the series by rank,
/// remarks, and the verdict on each claim.
pub struct Finished {
    /// the report
    pub report: Report,
    /// the page; `None` of [`run_unrecorded`]
    pub page: Option<PathBuf>,
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
    let (finished, folder) = graded(experiment, optimizers, options, observer)?;
    let page = finished.report.write(&folder)?;
    Ok(Finished { page: Some(page), ..finished })
}

/// As [`run`], but keeps no records and writes no page: the records are in a temporary folder.
///
/// # Errors
/// As [`runner::run`] and [`Report::new`].
pub fn run_unrecorded(
    experiment: Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
) -> Result<Finished> {
    let folder =
        tempfile::tempdir().map_err(Error::io("make a folder in", std::env::temp_dir()))?;
    let options = RunOptions { out: Some(folder.path().into()), ..options.clone() };
    graded(experiment, optimizers, &options, observer).map(|(finished, _)| finished)
}

/// Makes and grades the runs. Returns the folder of the records too.
fn graded(
    experiment: Experiment,
    optimizers: &Optimizers,
    options: &RunOptions,
    observer: &impl RunObserver,
) -> Result<(Finished, PathBuf)> {
    let results = runner::run(experiment, optimizers, options, observer)?;
    let report = Report::new(Some(results.experiment), results.runs, optimizers)?;
    let refuted = options.check && report.is_refuted();
    let finished = Finished { report, page: None, interrupted: results.interrupted, refuted };
    Ok((finished, results.folder))
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

impl Finished {
    /// The number of claims with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.report.verdicts.iter().filter(|claim| claim.verdict == verdict).count()
    }

    /// The rows of the printed table, the titles first.
    fn rows(&self) -> Vec<Vec<String>> {
        let Report { ranking, columns, table, .. } = &self.report;
        let metric = format!("{} (95 % interval)", ranking.metric);
        let is_new = |place: &usize| {
            let equals = |other: usize| {
                table.iter().all(|row| row.exact.get(other) == row.exact.get(*place))
            };
            columns[*place] != ranking.metric && !(0..*place).any(equals)
        };
        let places: Vec<usize> = (0..columns.len()).filter(is_new).collect();
        let others = |cells: &[String]| -> Vec<String> {
            places.iter().filter_map(|place| cells.get(*place).cloned()).collect()
        };
        let titles: Vec<String> = columns.iter().map(|title| (*title).into()).collect();
        let mut rows = vec![row(["rank", "series", "chosen", &metric], others(&titles), "runs")];
        for own in &ranking.series {
            let Some(cells) = table.iter().find(|row| row.series == own.series) else { continue };
            let rank = own.rank.map_or("-".into(), |rank| rank.to_string());
            let first = [rank.as_str(), &own.series, &cells.chosen, &in_words(own)];
            rows.push(row(first, others(&cells.finals), &cells.runs));
        }
        rows
    }

    /// `2 HELD, 1 UNDECIDED`
    fn counts(&self) -> String {
        let counts = Verdict::ALL.iter().map(|verdict| (self.count(*verdict), verdict));
        let counts = counts.filter(|(count, _)| *count > 0);
        counts.map(|(count, verdict)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ")
    }
}

fn row(first: [&str; 4], others: Vec<String>, runs: &str) -> Vec<String> {
    first.map(String::from).into_iter().chain(others).chain([runs.into()]).collect()
}

/// Mean and interval of a series: `0.312 (0.301 to 0.323)`.
fn in_words(own: &Ranked) -> String {
    match own.interval {
        _ if own.rank.is_none() => "-".into(),
        _ if own.mean.is_infinite() => "diverged".into(),
        None => short(own.mean),
        Some([low, high]) => format!("{} ({} to {})", short(own.mean), short(low), short(high)),
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..rows[0].len()).map(|c| width(c).unwrap_or(0)).collect();
        let lines = rows.iter().map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
        });
        let mut lines: Vec<String> = lines.collect();
        lines.extend(self.report.remarks.iter().cloned());
        let claim = |claim: &GradedClaim| {
            let GradedClaim { verdict, quote, margin, .. } = claim;
            format!("{verdict}: {quote}; {margin}")
        };
        lines.extend(self.report.verdicts.iter().map(claim));
        let counts = self.counts();
        lines.extend((!counts.is_empty()).then(|| format!("verdicts: {counts}")));
        lines.extend(self.page.iter().map(|page| format!("page: {}", page.display())));
        f.write_str(&lines.join("\n"))
    }
}
