//! Observers of runs.

use std::fmt;

use crate::docs::counted;
use crate::record::RunEnd;

/// The runs of a stage, before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// to be made
    pub missing: usize,
    /// those of the missing runs that continue from a checkpoint
    pub from_checkpoint: usize,
    /// those that were there already
    pub complete: usize,
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to make", counted(self.missing, "run", "runs"))?;
        match (self.from_checkpoint, self.missing) {
            (0, _) => {}
            (1, 1) => f.write_str(" from a checkpoint")?,
            (some, _) => write!(f, ", {some} of them from a checkpoint")?,
        }
        match self.complete {
            0 => Ok(()),
            1 => f.write_str(", 1 exists already"),
            more => write!(f, ", {more} exist already"),
        }
    }
}

/// Observes the runs of an experiment. Called from several threads.
pub trait RunObserver: Sync {
    /// Called before the runs of a stage are made, with the number of steps that are left in all.
    fn start(&self, runs: Runs, steps: usize);
    /// Called with a remark about how the runs are made.
    fn message(&self, _text: &str) {}
    /// Called for a run that continues, with the number of steps of its earlier part.
    fn resumed(&self, step: usize);
    /// Called after each step.
    fn step(&self);
    /// Called when only runs that other processes make are left.
    fn waiting(&self, runs: usize);
    /// Called after each run: its series with its setting and seed, how it ended, and the number of
    /// steps that it did not take.
    fn run_ended(&self, run: &str, end: &RunEnd, steps_left: usize);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl RunObserver for Quiet {
    fn start(&self, _runs: Runs, _steps: usize) {}
    fn resumed(&self, _step: usize) {}
    fn step(&self) {}
    fn waiting(&self, _runs: usize) {}
    fn run_ended(&self, _run: &str, _end: &RunEnd, _steps_left: usize) {}
}

/// Prints a line to standard error for each run.
#[derive(Clone, Copy, Debug)]
pub struct PrintRuns;

impl RunObserver for PrintRuns {
    fn start(&self, runs: Runs, _steps: usize) {
        if runs.missing + runs.complete > 0 {
            eprintln!("{runs}");
        }
    }

    fn message(&self, text: &str) {
        eprintln!("{text}");
    }

    fn resumed(&self, step: usize) {
        eprintln!("a run continues at step {step}");
    }

    fn step(&self) {}

    fn waiting(&self, _runs: usize) {}

    fn run_ended(&self, run: &str, end: &RunEnd, _steps_left: usize) {
        eprintln!("{run}: {} after {} steps, {:.1} s", end.outcome, end.step, end.seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_a_stage_are_counted_in_words() {
        let words = |missing, from_checkpoint, complete| {
            Runs { missing, from_checkpoint, complete }.to_string()
        };
        assert_eq!(words(3, 0, 0), "3 runs to make");
        assert_eq!(words(0, 0, 1), "0 runs to make, 1 exists already");
        assert_eq!(words(1, 1, 0), "1 run to make from a checkpoint");
        let all = "5 runs to make, 2 of them from a checkpoint, 7 exist already";
        assert_eq!(words(5, 2, 7), all);
    }
}
