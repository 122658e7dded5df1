//! The experiments that come with the program.

use std::fs;
use std::path::Path;
use std::process::Command;

use downhill::experiment::grade::{Held, study_verdicts};
use downhill::experiment::{BUILT_IN, Task, load};
use downhill::optim::Optimizers;
use downhill::study::{self, Ask};

fn run(name: &str, more: &[&str], out: &Path) -> (String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_downhill")).args(["run", name]).args(more).arg("--out").arg(out).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(done.status.success(), "{name}: {}", text(&done.stderr));
    (text(&done.stdout), text(&done.stderr))
}

/// Every line of every record without the seconds, by file.
fn records(out: &Path) -> Vec<(String, String)> {
    let mut records: Vec<(String, String)> = fs::read_dir(out.join("runs"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let strip = |line: &str| line.rsplit_once(",\"seconds\"").map_or(line.to_string(), |(kept, _)| kept.to_string());
            let text = fs::read_to_string(&path).unwrap().lines().map(strip).collect::<Vec<_>>().join("\n");
            (path.file_name().unwrap().to_string_lossy().into_owned(), text)
        })
        .collect();
    records.sort();
    records
}

#[test]
fn each_loads_and_stands_in_the_readme() {
    let readme = fs::read_to_string("README.md").unwrap();
    for (name, _) in BUILT_IN {
        let (experiment, _) = load(name, &Optimizers::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(experiment.name, *name);
        assert!(!experiment.claim.is_empty(), "{name} claims nothing");
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in the README");
    }
}

#[test]
fn every_claim_about_a_study_is_about_a_number_that_the_study_names() {
    let optimizers = Optimizers::default();
    for (name, _) in BUILT_IN {
        let (experiment, _) = load(name, &optimizers).unwrap();
        let Task::Study { study } = &experiment.task else { continue };
        let found = study::find(study).unwrap()(&Ask { seeds: 3, optimizers: &optimizers }).unwrap();
        for verdict in study_verdicts(&experiment, &found) {
            assert!(matches!(verdict.held, Held::Pass | Held::Fail), "{name}: {} {}", verdict.check, verdict.margin);
            // those of Adam's bound do not hold, and are shown
            assert!(verdict.held == Held::Pass || name == &"step-sizes", "{name}: {} {}", verdict.check, verdict.margin);
        }
        assert!(found.charts.iter().all(|(_, chart)| chart.lines.iter().all(|line| !line.points.is_empty())), "{name}: an empty line");
    }
}

#[test]
fn runs_are_the_same_whatever_the_number_of_workers_and_are_not_made_twice() {
    for (name, runs) in [("s2-batches", 6), ("s3-saddle", 8)] {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        run(name, &["--jobs", "1", "--seeds", "2"], one.path());
        run(name, &["--jobs", "2", "--seeds", "2"], two.path());
        let records = (records(one.path()), records(two.path()));
        assert!(records.0.len() >= runs, "{name}: {} records", records.0.len());
        assert_eq!(records.0, records.1, "{name}");
        let (_, again) = run(name, &["--seeds", "2"], two.path());
        assert!(again.contains("0 runs to make"), "{again}");
    }
}

#[test]
fn in_deepobs_an_order_that_is_repeated_begins_as_one_that_is_not_and_ends_elsewhere() {
    let place = tempfile::tempdir().unwrap();
    run("deepobs-quadratic", &["--seeds", "1"], place.path());
    let curve = |series: &str| -> Vec<f64> {
        let (_, text) = records(place.path()).into_iter().find(|(_, text)| text.contains(&format!("\"series\":\"{series}\""))).unwrap();
        let loss = |line: &str| line.split("\"test_loss\":").nth(1)?.split([',', '}']).next()?.parse().ok();
        text.lines().filter_map(loss).collect()
    };
    let (repeated, reshuffled) = (curve("Momentum"), curve("Momentum, reshuffled"));
    assert_eq!((repeated.len(), reshuffled.len()), (101, 101));
    assert_eq!(repeated[..2], reshuffled[..2], "start and first epoch");
    assert_ne!(repeated[2], reshuffled[2], "from the second epoch on another order");
    // the mean of the published starts is 353.45
    assert!((repeated[0] - 353.45).abs() < 0.05, "{}", repeated[0]);
}

#[test]
fn what_an_experiment_does_not_have_is_refused() {
    let place = tempfile::tempdir().unwrap();
    for (args, words) in [
        (vec!["run", "s3-saddle", "--data", "mnist-10k"], "this experiment has no data to choose"),
        (vec!["run", "wilson-synthetic", "--data", "mnist-10k"], "this experiment has no data to choose"),
        (vec!["run", "s3-saddle", "--device", "wgpu"], "this experiment runs on flex"),
        (vec!["run", "s3-saddle", "--scale", "sweep"], "has no scale sweep; it has quick"),
        (vec!["run", "step-sizes", "--scale", "paper"], "has no scale paper; it has quick"),
    ] {
        let out = place.path().join("x");
        let done = Command::new(env!("CARGO_BIN_EXE_downhill")).args(&args).arg("--out").arg(&out).output().unwrap();
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && error.contains(words), "{args:?}: {error}");
        assert!(!out.exists(), "{args:?} began something");
    }
}
