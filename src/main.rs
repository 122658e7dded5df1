//! The command line.

mod cli;

use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;

// a third off steps on large tensors, whose pages glibc gives back and faults in again
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let asked = cli::Cli::parse();
    // a panic is a mistake of ours: say so in one sentence, with the place, whichever thread it was in
    static PANIC: Mutex<Option<String>> = Mutex::new(None);
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map_or(String::new(), |place| format!(" ({place})"));
        if let Ok(mut first) = PANIC.lock() {
            first.get_or_insert(format!("{what}{place}"));
        }
    }));
    let done = std::panic::catch_unwind(|| cli::run(asked));
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            cli::tell(&format!("downhill: {error}"));
            ExitCode::from(2)
        }
        Err(_) => {
            let text = PANIC.lock().ok().and_then(|mut first| first.take()).unwrap_or_default();
            cli::tell(&format!("downhill: a mistake in downhill itself, please report it: {text}"));
            ExitCode::from(2)
        }
    }
}
