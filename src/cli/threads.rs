//! The threads of the processor-bound work.

use std::sync::mpsc;
use std::thread::Builder;

use downhill::{Error, Result};

/// The threads of the signals, the progress, the leases and a worker.
const OTHERS: usize = 4;

/// Starts as many threads as there are cores, for tensors and data. rayon would do so at its first
/// use, and panic where the system refuses (`ulimit -u`, a limit of the control group).
pub fn start() -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok());
    let asked = asked.filter(|n| *n > 0).unwrap_or(cores);
    let free = free(asked + OTHERS);
    if free < 1 + OTHERS {
        let found = format!("{free} more that the system allows");
        return Err(Error::value("threads", found, format!("{} (`ulimit -u`)", 1 + OTHERS)));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads((free - OTHERS).min(asked))
        .build_global()
        .map_err(Error::failed("start threads"))
}

/// How many threads the system allows, at most `most`.
fn free(most: usize) -> usize {
    let mut waiting = Vec::new();
    for _ in 0..most {
        let (end, ended) = mpsc::channel::<()>();
        // a thread ends when its sender is dropped
        match Builder::new().spawn(move || ended.recv().is_ok()) {
            Ok(thread) => waiting.push((end, thread)),
            Err(_) => break,
        }
    }
    let free = waiting.len();
    for (end, thread) in waiting {
        drop(end);
        let _ = thread.join();
    }
    free
}
