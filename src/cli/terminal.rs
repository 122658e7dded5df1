//! Printing, and signals.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::error::{ContextKind, ContextValue};
use downhill::{Error, Result, docs};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

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
    /// From now on, the first signal sets `stop`. A second one exits at once.
    pub fn handle() -> Result<Signals> {
        let (stop, signal) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        for number in SIGNALS {
            // in this order, so that the second signal meets what the first one has set
            flag::register_conditional_shutdown(number, code(number as usize), stop.clone())
                .and_then(|_| flag::register_usize(number, signal.clone(), number as usize))
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

/// From now on, a signal prints this and exits at once.
#[cfg(unix)]
pub fn exit_on_signal(text: &'static str) -> Result<()> {
    let signals = signal_hook::iterator::Signals::new(SIGNALS);
    let mut signals = signals.map_err(Error::failed("handle signals"))?;
    let watch = std::thread::Builder::new().spawn(move || {
        if let Some(signal) = signals.forever().next() {
            tell(text);
            std::process::exit(code(signal as usize));
        }
    });
    watch.map(drop).map_err(Error::failed("handle signals"))
}

/// Elsewhere, the system ends the program.
#[cfg(not(unix))]
pub fn exit_on_signal(_text: &'static str) -> Result<()> {
    Ok(())
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

/// Prints to standard error. A closed standard error is ignored.
pub fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints to standard output. A closed pipe (`| head`) is not an error.
pub fn say(text: &str) -> Result<ExitCode> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io { doing: "write to", path: "standard output".into(), source: error })
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
