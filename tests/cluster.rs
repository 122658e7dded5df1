//! The scripts that `downhill plan` writes for Slurm and HyperQueue. `tests/cluster/` has tests with
//! a real HyperQueue and a real Slurm.
#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use downhill::lab::runner::cluster::HYPERQUEUE;

fn plan(folder: &Path, more: &[&str]) -> Output {
    let plan = ["plan", "adam-fig1-mnist", "--seeds", "2", "--out", "results"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.args(plan).args(more).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the command prints, without the end of the line.
fn printed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).trim_end().into()
}

fn is_valid(program: &str, arguments: &[&str], script: &Path) {
    let output = Command::new(program).args(arguments).arg(script).output();
    let Ok(output) = output else { return eprintln!("skipped: {program} is not installed") };
    assert!(output.status.success(), "{}: {}", script.display(), text(&output.stderr));
}

#[test]
fn scripts_for_slurm_have_a_task_for_each_run() {
    let place = tempfile::tempdir().unwrap();
    let options = ["--slurm", "--tasks-at-once", "4", "--time", "01:00:00", "--sbatch=--qos=low"];
    let output = plan(place.path(), &options);
    let (printed, told) = (printed(&output), text(&output.stderr));
    let folder = place.path().canonicalize().unwrap().join("results/slurm");
    assert_eq!(printed, format!("bash {}", folder.join("submit.sh").display()));
    assert!(told.contains("this command submits all jobs:"), "{told}");
    let (job, submit) = (folder.join("job.sh"), folder.join("submit.sh"));
    is_valid("bash", &["-n"], &job);
    is_valid("bash", &["-n"], &submit);
    let keys = fs::read_to_string(folder.join("settings.keys")).unwrap();
    let missing = plan(place.path(), &["--stage", "settings"]);
    let listed: Vec<String> = text(&missing.stdout)
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_string())
        .collect();
    assert_eq!(keys.lines().collect::<Vec<_>>(), listed);
    let submit = fs::read_to_string(submit).unwrap();
    assert!(submit.contains(&format!("--array=1-{}%4 ", listed.len())), "{submit}");
    assert!(submit.contains("--array=1-8%4 "), "two runs of each series: {submit}");
    let job = fs::read_to_string(job).unwrap();
    for line in ["--requeue", "--signal=B:TERM@60", "--time=01:00:00", "--qos=low"] {
        assert!(job.contains(&format!("\n#SBATCH {line}\n")), "{line}: {job}");
    }
    assert!(job.contains(" --seeds 2 "), "{job}");
}

#[test]
fn the_script_for_hyperqueue_is_python() {
    let place = tempfile::tempdir().unwrap();
    let output = plan(place.path(), &["--hyperqueue", "--cpus", "2"]);
    let (printed, told) = (printed(&output), text(&output.stderr));
    let script = place.path().canonicalize().unwrap().join("results/hyperqueue/runs.py");
    assert_eq!(printed, format!("python3 {}", script.display()));
    for line in [&format!("{printed} server &"), &format!("{printed} worker &"), HYPERQUEUE] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let parse = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
    is_valid("python3", &["-c", parse], &script);
    assert!(fs::read_to_string(script).unwrap().contains("\nCPUS = 2 "));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    for (options, needle) in [
        (&["--slurm", "--time", "90"][..], "--time: found 90, expected HH:MM:SS"),
        (&["--slurm", "--time", "00:01:00"], "expected at least 00:03:00"),
        (&["--slurm", "--time=-1:00:00"], "--time: found -1:00:00, expected HH:MM:SS"),
        (&["--slurm", "--sbatch=long"], "an option of sbatch, such as --partition=long"),
        (&["--slurm", "--cpus", "0"], "0 is not in 1..=65535"),
        (&["--slurm", "--tasks-at-once=-1"], "-1 is not in 1..=65535"),
        (&["--time", "01:00:00"], "--time: found 01:00:00, expected this option only with --slurm"),
        (&["--sbatch=--qos=low"], "expected this option only with --slurm"),
        (&["--cpus", "2"], "--cpus: found 2, expected this option only with --slurm or --hyperq"),
        (&["--hyperqueue", "--tasks-at-once", "2"], "expected this option only with --slurm"),
        (&["--slurm", "--hyperqueue"], "cannot be used with"),
        (&["--slurm", "--stage", "seeds"], "cannot be used with"),
        (&["--stage", "seeds"], "24 runs of stage settings are missing"),
    ] {
        let output = plan(place.path(), options);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {error}");
        assert!(error.contains(needle), "{options:?}: {error}");
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn the_folder_of_another_experiment_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let results = place.path().join("results");
    fs::create_dir(&results).unwrap();
    let toml = Command::new(env!("CARGO_BIN_EXE_downhill"))
        .args(["show", "newton-digits", "--toml"])
        .output()
        .unwrap();
    fs::write(results.join("experiment.toml"), toml.stdout).unwrap();
    let output = plan(place.path(), &["--slurm"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("found the results of newton-digits"), "{error}");
    assert!(!results.join("slurm").exists());
}

#[test]
fn the_version_of_hyperqueue_is_the_same_everywhere() {
    for file in ["docs/clusters.md", ".ci/cluster", "tests/cluster/hyperqueue.sh"] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(HYPERQUEUE), "{file} does not name {HYPERQUEUE}");
    }
}

/// Each says what it needs, and fails.
#[test]
fn the_tests_with_a_cluster_fail_without_the_command() {
    for script in ["tests/cluster/hyperqueue.sh", "tests/cluster/slurm.sh"] {
        is_valid("bash", &["-n"], Path::new(script));
        let mut command = Command::new("bash");
        let output = command.arg(script).env("DOWNHILL", "/nowhere/downhill").output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{script}: {error}");
        assert!(error.contains("needs the command downhill, not found at /nowhere"), "{error}");
    }
}
