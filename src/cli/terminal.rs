//! Printing, and signals.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anstyle::AnsiColor;
use clap::error::{ContextKind, ContextValue};
use downhill::{Error, Result, docs};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use terminal_size::{Height, Width, terminal_size_of};

use super::wrap::fitted;

/// The signals that end a run: Ctrl-C, a request of the system or of a cluster, a closed terminal.
#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// Whether a signal has come, and which one.
pub struct Signals {
    /// true after the first signal
    pub stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on, the first signal sets `stop`. A second one clears the screen of what lasts as
    /// long as the command, and exits at once.
    pub fn handle(clear: impl Fn() + Send + 'static) -> Result<Signals> {
        let (stop, signal) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        exit_at_second(&stop, clear)?;
        for number in SIGNALS {
            flag::register_usize(number, signal.clone(), number as usize)
                .and_then(|_| flag::register(number, stop.clone()))
                .map_err(Error::failed("handle signals"))?;
        }
        Ok(Signals { stop, signal })
    }

    /// The exit code after a signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
    pub fn exit_code(&self) -> ExitCode {
        let number = match self.signal.load(Ordering::Relaxed) {
            0 => SIGINT as usize,
            number => number,
        };
        ExitCode::from(code(number) as u8)
    }
}

/// From now on, a second signal exits at once.
#[cfg(unix)]
fn exit_at_second(_stop: &Arc<AtomicBool>, clear: impl Fn() + Send + 'static) -> Result<()> {
    exit_at(2, clear)
}

/// Elsewhere, nothing is cleared.
#[cfg(not(unix))]
fn exit_at_second(stop: &Arc<AtomicBool>, _clear: impl Fn() + Send + 'static) -> Result<()> {
    for number in SIGNALS {
        // before `stop` is registered, so that the second signal meets what the first one has set
        flag::register_conditional_shutdown(number, code(number as usize), stop.clone())
            .map_err(Error::failed("handle signals"))?;
    }
    Ok(())
}

/// From now on, a signal calls `last` and exits at once.
#[cfg(unix)]
pub fn exit_on_signal(last: impl Fn() + Send + 'static) -> Result<()> {
    exit_at(1, last)
}

/// Elsewhere, the system ends the program.
#[cfg(not(unix))]
pub fn exit_on_signal(_last: impl Fn() + Send + 'static) -> Result<()> {
    Ok(())
}

/// Calls `last` at this signal, the first or the second, and exits. A thread does so, since a
/// signal handler must not write to a terminal.
#[cfg(unix)]
fn exit_at(which: usize, last: impl Fn() + Send + 'static) -> Result<()> {
    let signals = signal_hook::iterator::Signals::new(SIGNALS);
    let mut signals = signals.map_err(Error::failed("handle signals"))?;
    let watch = std::thread::Builder::new().spawn(move || {
        if let Some(signal) = signals.forever().nth(which - 1) {
            last();
            std::process::exit(code(signal as usize));
        }
    });
    watch.map(drop).map_err(Error::failed("handle signals"))
}

/// The usual code of a program that a signal has ended.
fn code(signal: usize) -> i32 {
    128 + signal as i32
}

/// Longer tips are left out.
const LONGEST_TIP: usize = 200;

/// An error of clap whose values are short and do nothing to a terminal.
pub fn printable(mut error: clap::Error) -> clap::Error {
    let plain = |text: &String| docs::printable(&docs::shown(text));
    let context: Vec<(ContextKind, ContextValue)> =
        error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let value = match value {
            // a tip that repeats an argument is as long as it
            ContextValue::StyledStrs(texts) => ContextValue::StyledStrs(
                texts.into_iter().filter(|text| text.to_string().len() < LONGEST_TIP).collect(),
            ),
            ContextValue::String(text) => ContextValue::String(plain(&text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(plain).collect())
            }
            other => other,
        };
        error.insert(kind, value);
    }
    error
}

/// The number of columns, if standard output is a terminal.
pub fn output_width() -> Option<usize> {
    columns(terminal_size_of(std::io::stdout()))
}

/// The number of columns, if standard error is a terminal.
pub fn error_width() -> Option<usize> {
    columns(terminal_size_of(std::io::stderr()))
}

fn columns(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(Width(width), _)| width.into())
}

/// Prints to standard error. In a terminal, lines are broken between words. A closed standard error
/// is ignored.
pub fn tell(text: &str) {
    let text = fitted(text, error_width());
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints an error to standard error.
pub fn tell_error(text: &str) {
    tell(&format!("{}: {text}", colored("downhill", AnsiColor::Red)));
}

/// Prints to standard output. In a terminal, lines are broken between words.
pub fn say(text: &str) -> Result<ExitCode> {
    let text = fitted(text.trim_end(), output_width());
    printed(writeln!(anstream::stdout(), "{text}"))
}

/// Prints to standard output what is copied, or read by a program: a command, a file.
pub fn say_unchanged(text: &str) -> Result<ExitCode> {
    printed(writeln!(std::io::stdout(), "{}", text.trim_end()))
}

/// A closed pipe (`| head`) is not an error.
fn printed(written: std::io::Result<()>) -> Result<ExitCode> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io { doing: "write to", path: "standard output".into(), source: error })
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Text in a bold colour. [`say`] and [`tell`] leave the colour out in a pipe, with `NO_COLOR` and
/// with `TERM=dumb`; `CLICOLOR_FORCE=1` keeps it.
pub fn colored(text: &str, color: AnsiColor) -> String {
    let style = color.on_default().bold();
    format!("{style}{text}{style:#}")
}
