//! The scripts that `downhill plan` writes for Slurm and HyperQueue. `tests/cluster/` has tests with
//! a real HyperQueue and a real Slurm.
#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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
    let printed = printed(&plan(place.path(), &options));
    let folder = place.path().canonicalize().unwrap().join("results/slurm");
    assert_eq!(printed, format!("bash {}", folder.join("submit.sh").display()));
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
    assert!(submit.contains("--array=1-4%4 "), "a run of each series: {submit}");
    let job = fs::read_to_string(job).unwrap();
    for line in ["--requeue", "--signal=B:TERM@60", "--time=01:00:00", "--qos=low"] {
        assert!(job.contains(&format!("\n#SBATCH {line}\n")), "{line}: {job}");
    }
    assert!(job.contains(" --seeds 2 "), "{job}");
}

#[test]
fn the_script_for_hyperqueue_is_python() {
    let place = tempfile::tempdir().unwrap();
    let printed = printed(&plan(place.path(), &["--hyperqueue", "--cpus", "2"]));
    let script = place.path().canonicalize().unwrap().join("results/hyperqueue/runs.py");
    assert_eq!(printed, format!("python3 {}", script.display()));
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
        (&["--slurm", "--sbatch=long"], "an option of sbatch, such as --partition=long"),
        (&["--time", "01:00:00"], "--slurm"),
        (&["--cpus", "2"], "--slurm"),
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
