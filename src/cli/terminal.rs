//! Printing, and Ctrl-C.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use downhill::{Error, Result, docs};

/// A flag that the first Ctrl-C sets. A second Ctrl-C exits at once.
pub fn on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    let handler = move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(Error::failed("handle Ctrl-C"))?;
    Ok(stop)
}

/// An error of clap whose values are short and do nothing to a terminal.
pub fn printable(mut error: clap::Error) -> clap::Error {
    let plain = |text: &String| docs::printable(&docs::shown(text));
    let context: Vec<(ContextKind, ContextValue)> =
        error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let value = match value {
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
