//! The time to start the runs of a grid grows with its size, not with the square of its size.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use downhill::lab::experiment;
use downhill::lab::runner::{self, Quiet, RunOptions};
use downhill::optim::Optimizers;

/// The time until the first run would start, for a grid of `20 n` settings.
fn time_to_start(n: usize) -> Duration {
    let rates: Vec<String> = (1..=n).map(|i| format!("{i}e-6")).collect();
    let betas: Vec<String> = (1..=20).map(|i| format!("0.{i:02}")).collect();
    let toml = format!(
        r#"
name = "grid"
title = "A grid"
paper = "none"
url = ""
about = "For the tests."
schedule = "constant"
metric = {{ name = "value", label = "f" }}
task = {{ kind = "surface", surface = "beale" }}
scale.quick = {{ epochs = 1, seeds = 1, about = "" }}
series = [{{ label = "Adam", optimizer = "adam:lr=[{}],beta1=[{}]" }}]
"#,
        rates.join(","),
        betas.join(",")
    );
    let optimizers = Optimizers::default();
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions {
        out: Some(folder.path().into()),
        stop: Arc::new(AtomicBool::new(true)),
        ..RunOptions::default()
    };
    let start = Instant::now();
    let experiment = experiment::parse(Path::new("grid.toml"), &toml, &optimizers).unwrap();
    let results = runner::run(experiment, &optimizers, &options, &Quiet).unwrap();
    assert!(results.runs.is_empty());
    start.elapsed()
}

#[test]
fn the_time_to_start_is_linear_in_the_size_of_the_grid() {
    let fastest = |n| (0..3).map(|_| time_to_start(n)).min().unwrap();
    let (small, large) = (fastest(25), fastest(200));
    println!("500 settings {small:?}, 4000 settings {large:?}");
    // 8 times the settings; a quadratic start takes 64 times as long
    assert!(large < 25 * small, "500 settings take {small:?}, 4000 take {large:?}");
}
