//! Mutates examples, and reads them with limits on time and memory.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::counting::measured;

/// Mutations of each reader, unless `DOWNHILL_FUZZ` says another number.
const MUTATIONS: usize = 400;
/// An input that takes longer hangs.
const TOO_LONG: Duration = Duration::from_secs(5);
/// The most memory that an input of some kilobytes may take.
const MEMORY: usize = 64 << 20;

/// What is put into an input: numbers at the limits, and what has a meaning in one of the formats.
const WORDS: [&str; 44] = [
    "0",
    "-1",
    "1e308",
    "1e-320",
    "1e19",
    "-1e400",
    "nan",
    "inf",
    "18446744073709551616",
    "4294967296",
    "9223372036854775807",
    "0.5",
    "1e9",
    "none",
    "null",
    "true",
    "\"",
    "\\u0000",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "(",
    ")",
    "((((((((",
    "^",
    "*",
    "/",
    "-",
    ":",
    ",",
    "=",
    "|",
    "@",
    ";",
    "\n",
    "\r\n",
    "\0",
    "é",
    "x",
    "y",
    "lr=",
    "[1,2]",
];

fn mutated(original: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut input = original.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=input.len());
        let end = (at + random.random_range(1..16)).min(input.len());
        match random.random_range(0..6) {
            0 if at < input.len() => input[at] = random.random(),
            1 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
            2 => drop(input.drain(at..end)),
            3 => {
                let word = WORDS[random.random_range(0..WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            4 => {
                let word = WORDS[random.random_range(0..WORDS.len())];
                input.splice(at..end, word.bytes());
            }
            _ => {
                let from = random.random_range(0..=input.len());
                let copy =
                    input[from..(from + random.random_range(1..40)).min(input.len())].to_vec();
                input.splice(at..at, copy);
            }
        }
    }
    input
}

/// Ends the program if it is not dropped in time.
struct Watchdog {
    end: std::sync::mpsc::Sender<()>,
}

impl Watchdog {
    fn start(input: &[u8]) -> Watchdog {
        let (end, ended) = std::sync::mpsc::channel();
        let input = shown(input);
        std::thread::spawn(move || {
            if ended
                .recv_timeout(4 * TOO_LONG)
                .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                eprintln!("this input does not end: {input}");
                std::process::abort();
            }
        });
        Watchdog { end }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let _ = self.end.send(());
    }
}

fn shown(input: &[u8]) -> String {
    input.escape_ascii().to_string()
}

/// Reads every example and mutations of it. `read` returns the error of an input that is not valid.
pub fn fuzz(examples: &[Vec<u8>], read: impl Fn(&[u8]) -> Result<(), String>) {
    let number = std::env::var("DOWNHILL_FUZZ").ok().and_then(|text| text.parse().ok());
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for example in examples {
        attempt(example, &read).unwrap_or_else(|error| panic!("{}: {error}", shown(example)));
    }
    let mut rejected = 0;
    for _ in 0..number.unwrap_or(MUTATIONS) {
        let example = &examples[random.random_range(0..examples.len())];
        rejected += usize::from(attempt(&mutated(example, &mut random), &read).is_err());
    }
    assert!(rejected > 0, "no mutation is rejected");
}

fn attempt(input: &[u8], read: &impl Fn(&[u8]) -> Result<(), String>) -> Result<(), String> {
    let _watchdog = Watchdog::start(input);
    let start = Instant::now();
    let (result, memory) = measured(|| catch_unwind(AssertUnwindSafe(|| read(input))));
    let time = start.elapsed();
    let result = result.unwrap_or_else(|_| panic!("panics: {}", shown(input)));
    assert!(time < TOO_LONG, "{time:?} for {}", shown(input));
    assert!(memory < MEMORY, "{memory} bytes for {}", shown(input));
    if let Err(error) = &result {
        assert!(!error.is_empty(), "an error without a message for {}", shown(input));
    }
    result
}

/// Reads a text; bytes that are not UTF-8 are replaced.
pub fn fuzz_text(examples: &[&str], read: impl Fn(&str) -> downhill::Result<()>) {
    let examples: Vec<Vec<u8>> = examples.iter().map(|text| text.as_bytes().to_vec()).collect();
    fuzz(&examples, |input| {
        read(&String::from_utf8_lossy(input)).map_err(|error| error.to_string())
    });
}

/// Reads a file.
pub fn fuzz_file(name: &str, examples: &[Vec<u8>], read: impl Fn(&Path) -> downhill::Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fuzz(examples, |input| {
        fs::write(&path, input).unwrap();
        read(&path).map_err(|error| error.to_string())
    });
}
