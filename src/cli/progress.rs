//! The progress of runs: a bar in a terminal. Elsewhere, a line of text for each run.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};

use super::epochs;
use super::terminal::{error_width, tell};
use console::Term;
use downhill::docs::counted;
use downhill::lab::record::{CurvePoint, Measure, RunEnd};
use downhill::lab::runner::{RunObserver, Runs, TrainingObserver};
use indicatif::{
    HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike,
};

/// How often the bar is drawn.
const DRAWS_A_SECOND: u8 = 20;
/// Columns that the terminal itself may write after the bar: `^C`, twice.
const ECHO: usize = 4;

/// A terminal whose cursor does not stay at the right edge. There, the terminal would write the `^C`
/// of Ctrl-C into the next line, and the bar would be cleared one line too low.
#[derive(Debug)]
struct Screen(Term);

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    /// Called after each drawing.
    fn flush(&self) -> io::Result<()> {
        self.0.move_cursor_left(ECHO)?;
        self.0.flush()
    }
}

/// The progress bar of all runs.
pub struct Bars {
    bar: ProgressBar,
    in_terminal: bool,
    /// of the table of epochs
    has_header: AtomicBool,
}

impl Bars {
    /// A hidden bar. [`show`](Bars::show) makes it visible.
    pub fn new() -> Bars {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let has_header = AtomicBool::new(false);
        Bars { bar, in_terminal: std::io::stderr().is_terminal(), has_header }
    }

    /// What removes the bar from the screen, for a signal.
    pub fn clearing(&self) -> impl Fn() + Send + 'static {
        let bar = self.bar.clone();
        move || bar.finish_and_clear()
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
        // the message has a line of its own, cut to the width of the terminal
        let style = ProgressStyle::with_template(
            "{wide_bar} {percent:>3} %  {rate:>14}  {left:>9}\n{wide_msg}",
        );
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
        // another target would not know the lines that are on the screen, and never clear them
        if self.in_terminal && number > 0 && self.bar.is_hidden() {
            let terminal = Box::new(Screen(Term::buffered_stderr()));
            self.bar
                .set_draw_target(ProgressDrawTarget::term_like_with_hz(terminal, DRAWS_A_SECOND));
        }
    }

    /// Advances by one step.
    pub fn inc(&self) {
        self.bar.inc(1);
    }
}

impl RunObserver for Bars {
    fn start(&self, runs: Runs, steps: usize) {
        if runs.missing + runs.complete > 0 {
            self.bar.suspend(|| tell(&runs.to_string()));
        }
        self.show(self.bar.position() as usize + steps);
    }

    fn message(&self, text: &str) {
        self.bar.suspend(|| tell(text));
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

impl Drop for Bars {
    /// Also after an error or a panic.
    fn drop(&mut self) {
        self.finish();
    }
}

impl TrainingObserver for Bars {
    fn point(&self, measures: &[Measure], point: &CurvePoint) {
        let width = error_width();
        self.bar.suspend(|| {
            if !self.has_header.swap(true, Ordering::Relaxed) {
                tell(&epochs::header(measures, point, width));
            }
            tell(&epochs::line(measures, point, width));
        });
    }

    fn start(&self, steps: usize) {
        self.show(steps);
    }

    fn resumed(&self, step: usize) {
        self.bar.suspend(|| tell(&format!("continues at step {step}")));
        self.bar.inc(step as u64);
    }

    fn message(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }

    fn step(&self) {
        self.inc();
    }
}
