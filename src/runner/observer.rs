//! Observers of runs.

use crate::docs::counted;
use crate::record::RunEnd;

/// Observes the runs of an experiment. Called from several threads.
pub trait RunObserver: Sync {
    /// Called before runs are made: how many, how many steps are left in all, and how many runs
    /// were there already.
    fn start(&self, runs: usize, steps: usize, done_before: usize);
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
    fn start(&self, _runs: usize, _steps: usize, _done_before: usize) {}
    fn resumed(&self, _step: usize) {}
    fn step(&self) {}
    fn waiting(&self, _runs: usize) {}
    fn run_ended(&self, _run: &str, _end: &RunEnd, _steps_left: usize) {}
}

/// Prints a line to standard error for each run.
#[derive(Clone, Copy, Debug)]
pub struct PrintRuns;

impl RunObserver for PrintRuns {
    fn start(&self, runs: usize, _steps: usize, done_before: usize) {
        if runs > 0 || done_before > 0 {
            let runs = counted(runs, "run", "runs");
            eprintln!("{runs} to make, {done_before} exist already");
        }
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
