//! The command line.

mod cli;

use std::process::ExitCode;

use clap::Parser;

// a third off steps on large tensors, whose pages glibc gives back and faults in again
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let asked = cli::Cli::parse();
    // a panic is a mistake of ours: say so in one sentence
    std::panic::set_hook(Box::new(|_| {}));
    let done = std::panic::catch_unwind(|| cli::run(asked));
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            eprintln!("downhill: {error}");
            ExitCode::from(2)
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            eprintln!("downhill: a mistake in downhill itself, please report it: {text}");
            ExitCode::from(2)
        }
    }
}
