//! What checkpoints cost: the same training with and without them, in turn.
//!
//!     cargo bench --bench checkpoints
//!
//! A time is the median over the rounds, and a ratio is the median of the ratios of the rounds, with
//! the lowest and the highest. The time of one checkpoint is that of a short training with one after
//! each step, less that of the training without. It prints Markdown; `UPDATE=1 cargo bench --bench
//! checkpoints` writes it into docs/durable-runs.md.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use downhill::lab::runner::single::{SingleTraining, TrainingObserver};
use downhill::lab::task::Classification;
use downhill::optim::Optimizers;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Model, and epochs that take 5 to 10 seconds on two cores.
const TRAININGS: [(&str, usize); 4] =
    [("logistic", 250), ("mlp", 8), ("lenet", 12), ("cnn:channels=16-32", 4)];
const ROUNDS: usize = 3;
const EVERY: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::MAX;

struct Quiet;

impl TrainingObserver for Quiet {
    fn start(&self, _steps: usize) {}
    fn resumed(&self, _step: usize) {}
    fn message(&self, text: &str) {
        eprintln!("{text}");
    }
    fn step(&self) {}
}

/// Seconds of a training from nothing, and the number of its steps.
fn train(model: &str, epochs: usize, checkpoint_every: Duration, folder: &Path) -> (f64, usize) {
    let training = SingleTraining {
        task: Classification::new(model, "mnist-10k", 128),
        optimizer: "adam:lr=1e-3",
        schedule: None,
        device: "flex",
        epochs,
        seed: 0,
        fresh: true,
        diagnose: false,
        checkpoint_every,
    };
    let start = Instant::now();
    let trained = training.train(folder, &Optimizers::default(), &Quiet, &AtomicBool::new(false));
    let seconds = start.elapsed().as_secs_f64();
    let end = trained.expect("a training that works").run.end.expect("a complete run");
    (seconds, end.step)
}

/// The largest size in bytes of the checkpoint that a training writes meanwhile.
fn largest_checkpoint<T>(folder: &Path, work: impl FnOnce() -> T) -> (T, u64) {
    let (done, ended) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let mut largest = 0;
            while ended.recv_timeout(Duration::from_millis(5))
                == Err(mpsc::RecvTimeoutError::Timeout)
            {
                for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                    if file.path().extension().is_some_and(|extension| extension == "checkpoint") {
                        largest = largest.max(file.metadata().map_or(0, |found| found.len()));
                    }
                }
            }
            largest
        });
        let result = work();
        drop(done);
        (result, watch.join().expect("it only reads"))
    })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn row(model: &str, epochs: usize) -> String {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path();
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // the first of a pair may find another machine than the second, so they take turns
        let mut pair = [EVERY, NEVER];
        pair.rotate_left(round % 2);
        let mut times = pair.map(|every| train(model, epochs, every, folder).0);
        times.rotate_left(round % 2);
        let [on, off] = times;
        with.push(on);
        without.push(off);
        ratios.push(on / off);
        eprintln!("{model}, round {}: {on:.2} s with, {off:.2} s without", round + 1);
    }
    let ((each_step, steps), bytes) =
        largest_checkpoint(folder, || train(model, 1, Duration::from_nanos(1), folder));
    let one = (each_step - train(model, 1, NEVER, folder).0) / steps as f64;
    let (low, high) = (
        ratios.iter().copied().fold(f64::INFINITY, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
    );
    format!(
        "| `{model}` | {:.1} s | {:.1} s | {:.3} ({low:.3} to {high:.3}) | {:.1} MB | {:.0} ms |\n",
        median(without),
        median(with),
        median(ratios),
        bytes as f64 / 1e6,
        one * 1e3,
    )
}

fn main() {
    let mut table = String::from(
        "| model | without checkpoints | with | ratio | size of a checkpoint | time of one |\n\
         |---|--:|--:|--:|--:|--:|\n",
    );
    for (model, epochs) in TRAININGS {
        table += &row(model, epochs);
    }
    println!("{table}");
    if std::env::var("UPDATE").is_ok() {
        let file = "docs/durable-runs.md";
        let text = std::fs::read_to_string(file).expect("run in the project's folder");
        let place = "<!-- checkpoints -->\n";
        let (before, rest) = text.split_once(place).expect("a place for the table");
        let (_, after) = rest.split_once("<!-- end -->").expect("the place has an end");
        std::fs::write(file, format!("{before}{place}{table}<!-- end -->{after}"))
            .expect("the file can be written");
    }
}
