//! The command `downhill`.

mod cli;

use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use downhill::docs::printable;

// steps on large tensors take a third less time: glibc returns large pages to the system, and each
// step faults them in again
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The message and place of the first panic, in whichever thread it was.
static FIRST_PANIC: Mutex<Option<String>> = Mutex::new(None);

fn main() -> ExitCode {
    let cli = cli::Cli::try_parse().unwrap_or_else(|error| cli::printable(error).exit());
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map_or(String::new(), |place| format!(" ({place})"));
        if let Ok(mut first) = FIRST_PANIC.lock() {
            first.get_or_insert(format!("{message}{place}"));
        }
    }));
    match std::panic::catch_unwind(|| cli::run(cli)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            cli::tell_error(&printable(&error.to_string()));
            ExitCode::from(2)
        }
        Err(_) => {
            let panic = FIRST_PANIC.lock().ok().and_then(|mut first| first.take());
            let text = panic.unwrap_or_default();
            let text = printable(&text);
            cli::tell_error(&format!("a bug in downhill, please report it: {text}"));
            ExitCode::from(2)
        }
    }
}
