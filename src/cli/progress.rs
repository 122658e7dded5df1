//! How far the work is: a bar with rate and time left where a person watches, a line for each run elsewhere.

use std::io::IsTerminal;

use super::tell;
use downhill::about::counted;
use downhill::experiment::run::Progress;
use downhill::record::End;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The bar of all runs together.
pub struct Bars {
    bar: ProgressBar,
    watched: bool,
}

impl Bars {
    /// Not drawn before the work starts.
    pub fn new() -> Bars {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Bars { bar, watched: std::io::stderr().is_terminal() }
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows a bar of so many steps.
    pub fn show(&self, steps: usize) {
        self.show_of(steps, "steps");
    }

    /// Shows a bar of so many things.
    pub fn show_of(&self, number: usize, things: &'static str) {
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {rate:>14}  {left:>9}  {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ ");
        let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.0} {things}/s", state.per_sec());
        };
        let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            if state.elapsed().as_secs() >= 2 {
                let _ = write!(out, "{:#} left", HumanDuration(state.eta())); // earlier it is a guess
            }
        };
        self.bar.set_style(style.with_key("rate", rate).with_key("left", left));
        self.bar.set_length(number as u64);
        if self.watched && number > 0 {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// One step more.
    pub fn inc(&self) {
        self.bar.inc(1);
    }
}

impl Progress for Bars {
    fn start(&self, runs: usize, steps: usize, done_before: usize) {
        let before = match done_before {
            0 => String::new(),
            1 => ", 1 is there already".into(),
            more => format!(", {more} are there already"),
        };
        if runs > 0 || done_before > 0 {
            self.bar.suspend(|| tell(&format!("{} to make{before}", counted(runs, "run", "runs"))));
        }
        self.show(self.bar.position() as usize + steps);
    }

    fn step(&self) {
        self.inc();
    }

    fn run_ended(&self, run: &str, end: &End, steps_left: usize) {
        self.bar.inc(steps_left as u64); // those that a diverged run will not take
        let line = format!("{run}: {}", end.outcome);
        if self.watched {
            self.bar.set_message(line);
        } else {
            tell(&format!("{line} after {} steps, {:.1} s", end.step, end.seconds));
        }
    }
}
