//! The progress of runs: a bar in a terminal. Elsewhere, a line of text for each run.

use std::io::IsTerminal;

use super::terminal::tell;
use downhill::docs::counted;
use downhill::lab::record::RunEnd;
use downhill::lab::runner::{RunObserver, TrainingObserver};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The progress bar of all runs.
pub struct Bars {
    bar: ProgressBar,
    in_terminal: bool,
}

impl Bars {
    /// A hidden bar. [`show`](Bars::show) makes it visible.
    pub fn new() -> Bars {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Bars { bar, in_terminal: std::io::stderr().is_terminal() }
    }

    /// Removes the bar from the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows a bar of this many steps.
    pub fn show(&self, steps: usize) {
        self.show_of(steps, "steps");
    }

    /// Shows a bar of this many items.
    pub fn show_of(&self, number: usize, things: &'static str) {
        let style =
            ProgressStyle::with_template("{bar:30} {percent:>3} %  {rate:>14}  {left:>9}  {msg}");
        let style =
            style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ ");
        let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.0} {things}/s", state.per_sec());
        };
        let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            if state.elapsed().as_secs() >= 2 {
                let _ = write!(out, "{:#} left", HumanDuration(state.eta())); // an earlier estimate is unreliable
            }
        };
        self.bar.set_style(style.with_key("rate", rate).with_key("left", left));
        self.bar.set_length(number as u64);
        if self.in_terminal && number > 0 {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Advances by one step.
    pub fn inc(&self) {
        self.bar.inc(1);
    }
}

impl RunObserver for Bars {
    fn start(&self, runs: usize, steps: usize, done_before: usize) {
        let before = match done_before {
            0 => String::new(),
            1 => ", 1 exists already".into(),
            more => format!(", {more} exist already"),
        };
        if runs > 0 || done_before > 0 {
            self.bar.suspend(|| tell(&format!("{} to make{before}", counted(runs, "run", "runs"))));
        }
        self.show(self.bar.position() as usize + steps);
    }

    fn resumed(&self, step: usize) {
        self.bar.inc(step as u64);
    }

    fn step(&self) {
        self.inc();
    }

    fn waiting(&self, runs: usize) {
        self.bar.set_message(format!(
            "waiting for {} of other processes",
            counted(runs, "run", "runs")
        ));
        self.bar.tick();
    }

    fn run_ended(&self, run: &str, end: &RunEnd, steps_left: usize) {
        self.bar.inc(steps_left as u64); // a diverged run does not take its remaining steps
        let line = format!("{run}: {}", end.outcome);
        if self.in_terminal {
            self.bar.set_message(line);
        } else {
            tell(&format!("{line} after {} steps, {:.1} s", end.step, end.seconds));
        }
    }
}

impl TrainingObserver for Bars {
    fn start(&self, steps: usize) {
        self.show(steps);
    }

    fn resumed(&self, step: usize) {
        self.bar.suspend(|| tell(&format!("continues at step {step}")));
        self.bar.inc(step as u64);
    }

    fn step(&self) {
        self.inc();
    }
}
