//! `run --until-decided`: looks, the folder that remembers them, and bad input.
#![cfg(feature = "lab")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const EXPERIMENT: &str = r#"
name = "looks"
title = "Looks"
metric = { name = "loss", label = "loss" }
task = { kind = "least_squares", examples = 100, batch = 10 }
scale.quick = { epochs = 20, seeds = 3 }
series = [
  { label = "large", optimizer = "sgd:lr=0.01" },
  { label = "small", optimizer = "sgd:lr=0.002" },
  { label = "the same", optimizer = "sgd:lr=0.002" },
]

[[claim]]
quote = "larger is lower"
expect = { kind = "ahead", a = "large", b = "small" }

[[claim]]
quote = "one of two equal series is lower"
expect = { kind = "ahead", a = "small", b = "the same" }

[[claim]]
quote = "larger is there first"
expect = { kind = "reaches", a = "large", b = "small", target = 1.0 }
"#;

fn downhill(folder: &Path, args: &[&str]) -> Output {
    let toml = folder.join("looks.toml");
    fs::write(&toml, EXPERIMENT).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.current_dir(folder).args(args).output().unwrap()
}

fn run(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let args = [&["run", "looks.toml", "--out", "out"], more].concat();
    let output = downhill(folder, &args);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn seeds_are_added_from_look_to_look_and_the_folder_remembers_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let (code, results, messages) = run(folder, &["--until-decided", "--max-seeds", "12"]);
    assert_eq!(code, Some(0), "{messages}");
    assert!(messages.contains("look after 3 seeds: "), "{messages}");
    assert!(messages.contains("undecided: ") && messages.contains("next: 5 seeds"), "{messages}");
    assert!(
        messages.contains("look after 12 seeds: 1 claim is undecided: \"one of two equal series is lower\"; no further look"),
        "{messages}"
    );
    assert!(results.contains("HELD") && results.contains("over 12 seeds"), "{results}");
    let runs = fs::read_dir(folder.join("out/runs")).unwrap().count();
    assert_eq!(runs, 3 * 12);
    // the same command makes no run, and a report uses the same looks
    let (_, again, messages) = run(folder, &["--until-decided", "--max-seeds", "12"]);
    assert!(again == results && !messages.contains(" after 20 steps"), "{messages}");
    let verdicts = |text: &str| {
        let lines = text.lines().filter(|line| line.contains("margin"));
        lines.map(String::from).collect::<Vec<_>>()
    };
    let report = downhill(folder, &["report", "out"]);
    let report = String::from_utf8(report.stdout).unwrap();
    assert_eq!(verdicts(&report), verdicts(&results));
    assert!(report.contains("The adjusted p-values allow for the looks"), "{report}");
    let page = fs::read_to_string(folder.join("out/report.md")).unwrap();
    assert!(page.contains("## Cost of a loss of 1") && page.contains("--max-seeds 12"), "{page}");
    // without the file, the same runs are one look at a fixed number of seeds
    fs::remove_file(folder.join("out/until-decided.txt")).unwrap();
    let plain = downhill(folder, &["report", "out"]);
    let plain = String::from_utf8(plain.stdout).unwrap();
    assert_ne!(verdicts(&plain), verdicts(&report));
}

#[test]
fn a_cap_below_the_first_look_and_two_numbers_of_seeds_are_refused_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let (code, _, error) = run(place.path(), &["--until-decided", "--max-seeds", "2"]);
    let said = "--max-seeds: found 2, expected at least 3, the number of seeds of the first look";
    assert!(code == Some(2) && error.contains(said), "{error}");
    let (code, _, error) = run(place.path(), &["--until-decided", "--seeds", "4"]);
    assert!(code == Some(2) && error.contains("--seeds"), "{error}");
    let (code, _, error) = run(place.path(), &["--max-seeds", "4"]);
    assert!(code == Some(2) && error.contains("--until-decided"), "{error}");
    let plan = downhill(place.path(), &["plan", "looks.toml", "--until-decided"]);
    assert_eq!(plan.status.code(), Some(2));
    assert!(!place.path().join("out").exists());
}
