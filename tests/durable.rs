//! Runs that are killed, interrupted or refused by the disk: the same command continues, and the
//! final records and models are those of a run without interruption, byte for byte except for
//! `seconds`.
//!
//! `DOWNHILL_KILLS=500 cargo test --release --test durable kills` kills 500 times. With
//! `--include-ignored` it also kills an experiment of the paper and a training of LeNet.
#![cfg(all(feature = "lab", unix))]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two stages: two settings of Adam with one seed, then the second seed of the better one.
const SMALL: &str = r#"
name = "small"
title = "A small experiment"
paper = "none"
url = ""
about = "For the tests."
schedule = "inverse_sqrt"
metric = { name = "test_loss", label = "test loss" }
task = { kind = "classify", model = "mlp:hidden=30,dropout=0.2", data = "mnist-10k", batch = 100, validation = 0.1, early_stopping = "early_stopping:patience=3" }
scale.quick = { epochs = 3, seeds = 2, search = 1, train = 3000, test = 500, about = "" }
series = [
  { label = "Adam", optimizer = "adam:lr=[0.01,0.003]" },
  { label = "SGD", optimizer = "accumulate:steps=2|momentum:lr=0.1|ema:decay=0.9" },
]
claim = [
  { quote = "Adam is ahead of SGD", source = "us", expect = { kind = "ahead", a = "Adam", b = "SGD" } },
]
"#;

/// A training with everything that has a state.
const TRAIN: &[&str] = &[
    "train",
    "--model",
    "mlp:hidden=20,dropout=0.3",
    "--optimizer",
    "clip_global:max=1|adam:lr=0.003|lookahead:k=3|ema:decay=0.99|cosine:warmup=10",
    "--validation",
    "0.1",
    "--early-stopping",
    "early_stopping:patience=2",
    "--augment",
    "crop:pad=2|noise:std=0.1",
    "--penalty",
    "max_norm:max=3",
    "--epochs",
    "2",
    "--diagnose",
];

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.path("small.toml"), SMALL).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The arguments of a run of the small experiment into this folder.
    fn run(&self, out: &str, more: &[&str]) -> Vec<String> {
        let (toml, out) = (self.path("small.toml"), self.path(out));
        let run = ["run", toml.to_str().unwrap(), "--out", out.to_str().unwrap()];
        run.iter().chain(more).map(ToString::to_string).collect()
    }

    fn train(&self, out: &str, more: &[&str]) -> Vec<String> {
        let out = self.path(out);
        let out = ["--out", out.to_str().unwrap()];
        TRAIN.iter().chain(&out).chain(more).map(ToString::to_string).collect()
    }
}

fn command(args: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.args(args);
    command
}

fn downhill(args: &[String]) -> Output {
    command(args).output().unwrap()
}

fn start(args: &[String]) -> Child {
    command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// Records without their times, and models, by name. Nothing else may be in the folder.
fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut results = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let content = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => timeless(&text(&bytes)).into_bytes(),
            Some("safetensors") => bytes,
            _ => panic!("{} was left", path.display()),
        };
        results.insert(path.file_name().unwrap().to_string_lossy().into(), content);
    }
    results
}

fn timeless(record: &str) -> String {
    let mut timeless = String::new();
    for line in record.lines() {
        let (rest, seconds) = line.rsplit_once(",\"seconds\":").unwrap_or((line, "}"));
        assert!(seconds.ends_with('}'));
        timeless += &format!("{rest}\n");
    }
    timeless
}

/// The file with this extension in a folder.
fn file(folder: &Path, extension: &str) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let found = files.find(|path| path.extension().is_some_and(|found| found == extension));
    found.unwrap_or_else(|| panic!("no .{extension} in {}", folder.display()))
}

fn draws() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(16)
}

fn kills() -> usize {
    std::env::var("DOWNHILL_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Runs a command to its end, which is killed at random moments, each of them at most `longest`
/// after its start. Returns the number of times that it was killed before it ended.
fn run_killed(args: &[String], kills: usize, longest: Duration, draws: &mut ChaCha8Rng) -> usize {
    let mut killed = 0;
    for _ in 0..kills {
        let mut child = start(args);
        let moment = longest.mul_f64(f64::from(draws.next_u32()) / f64::from(u32::MAX));
        std::thread::sleep(moment);
        if child.try_wait().unwrap().is_some() {
            break; // complete
        }
        let (name, code) =
            [("-KILL", None), ("-INT", Some(130)), ("-TERM", Some(143)), ("-HUP", Some(129))]
                [draws.next_u32() as usize % 4];
        signal(&child, name);
        let ended = child.wait().unwrap().code();
        // before the handlers are installed, a signal kills; the run may also end on its own
        assert!(ended == code || ended.is_none() || ended == Some(0), "{name}: {ended:?}");
        killed += usize::from(ended != Some(0));
    }
    succeeds(&downhill(args));
    killed
}

/// Kills until the number of kills is reached, in one folder after the other, and compares each of
/// them with the folder of the whole run.
fn kill_and_compare(
    place: &Place,
    args: impl Fn(&str) -> Vec<String>,
    records: impl Fn(&str) -> PathBuf,
    longest: Duration,
) {
    succeeds(&downhill(&args("whole")));
    let whole = results(&records("whole"));
    assert!(!whole.is_empty());
    let (mut killed, mut draws, mut round) = (0, draws(), 0);
    while killed < kills() {
        let out = format!("killed-{round}");
        killed += run_killed(&args(&out), kills() - killed, longest, &mut draws);
        assert!(results(&records(&out)) == whole, "{out} differs from the whole run");
        fs::remove_dir_all(place.path(&out)).unwrap();
        round += 1;
        assert!(round < 10 * kills() + 10, "it ends before it can be killed");
    }
}

#[test]
fn a_run_survives_kills() {
    let place = Place::new();
    let args = |out: &str| place.run(out, &["--checkpoint-every", "0.02"]);
    let records = |out: &str| place.path(out).join("runs");
    kill_and_compare(&place, args, records, Duration::from_millis(1200));
}

#[test]
fn a_training_survives_kills() {
    let place = Place::new();
    let args = |out: &str| place.train(out, &["--checkpoint-every", "0.02"]);
    let records = |out: &str| place.path(out);
    kill_and_compare(&place, args, records, Duration::from_millis(1200));
}

/// Up to this moment of a command that takes some ten seconds.
const LONG: Duration = Duration::from_secs(6);

#[test]
#[ignore = "takes minutes"]
fn the_figure_of_the_adam_paper_survives_kills() {
    let place = Place::new();
    let args = |out: &str| {
        let out = place.path(out);
        ["run", "adam-fig1-mnist", "--out", out.to_str().unwrap()].map(String::from).to_vec()
    };
    let records = |out: &str| place.path(out).join("runs");
    kill_and_compare(&place, args, records, LONG);
}

#[test]
#[ignore = "takes minutes"]
fn a_training_of_lenet_survives_kills() {
    let place = Place::new();
    let args = |out: &str| {
        let out = place.path(out);
        let line = ["train", "--model", "lenet", "--epochs", "3", "--optimizer", "adam"];
        let every = ["--checkpoint-every", "0.2", "--out", out.to_str().unwrap()];
        line.iter().chain(&every).map(ToString::to_string).collect()
    };
    kill_and_compare(&place, args, |out: &str| place.path(out), LONG);
}

#[test]
fn processes_share_the_runs_of_a_folder() {
    let place = Place::new();
    succeeds(&downhill(&place.run("whole", &[])));
    let args = place.run("shared", &["--jobs", "1"]);
    // leases of a process that was killed are taken over
    let mut first = start(&args);
    std::thread::sleep(Duration::from_millis(600));
    first.kill().unwrap();
    first.wait().unwrap();
    let processes: Vec<Child> = (0..10)
        .map(|_| {
            let (out, err) = (Stdio::null(), Stdio::piped());
            command(&args).stdout(out).stderr(err).spawn().unwrap()
        })
        .collect();
    let mut made: Vec<String> = Vec::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        succeeds(&output);
        let lines = text(&output.stderr);
        let own = lines.lines().filter(|line| line.contains(": finished after"));
        made.extend(own.filter(|line| !line.contains("by another process")).map(run_name));
    }
    let all = made.len();
    made.sort();
    made.dedup();
    assert_eq!(all, made.len(), "a run was made twice: {made:?}");
    assert_eq!(results(&place.path("shared/runs")), results(&place.path("whole/runs")));
}

/// The run of a line of progress: `Adam, lr=0.01, seed 0: finished after ...`.
fn run_name(line: &str) -> String {
    line.split(": finished").next().unwrap_or_default().into()
}

#[test]
fn planned_runs_are_made_one_by_one() {
    let place = Place::new();
    succeeds(&downhill(&place.run("whole", &[])));
    let plan = |more: &[&str]| {
        let mut args = place.run("single", more);
        args[0] = "plan".into();
        let output = downhill(&args);
        succeeds(&output);
        (text(&output.stdout), text(&output.stderr))
    };
    let (lines, about) = plan(&[]);
    assert!(about.contains("4 runs missing, 0 complete in stage `settings`"), "{about}");
    assert!(about.contains("then 2 runs"), "{about}");
    assert!(!place.path("single").exists(), "a plan writes nothing");
    let keys = |lines: &str| -> Vec<String> {
        lines.lines().map(|line| line.split('\t').next().unwrap().to_string()).collect()
    };
    let only = |key: &str| downhill(&place.run("single", &["--only", key]));
    let refused = only("0123456789ab");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("as `downhill plan` lists them"));
    let first = keys(&lines);
    assert_eq!(first.len(), 4);
    for key in &first {
        succeeds(&only(key));
        succeeds(&only(key)); // it is complete
    }
    let (lines, about) = plan(&[]);
    assert!(about.contains("2 runs missing, 0 complete in stage `seeds`"), "{about}");
    keys(&lines).iter().for_each(|key| succeeds(&only(key)));
    assert_eq!(plan(&[]).0, "");
    assert_eq!(results(&place.path("single/runs")), results(&place.path("whole/runs")));
}

#[test]
fn a_record_without_its_model_is_not_complete() {
    let place = Place::new();
    let args = place.train("a", &[]);
    succeeds(&downhill(&args));
    let whole = results(&place.path("a"));
    fs::remove_file(file(&place.path("a"), "safetensors")).unwrap();
    let again = downhill(&args);
    succeeds(&again);
    assert!(!text(&again.stdout).contains("trained before"));
    assert_eq!(results(&place.path("a")), whole);
    let third = downhill(&args);
    assert!(text(&third.stdout).contains("trained before"), "{}", text(&third.stdout));
}

#[test]
fn a_model_that_cannot_be_written_does_not_lose_the_training() {
    let place = Place::new();
    let args = place.train("a", &["--checkpoint-every", "0.02"]);
    succeeds(&downhill(&args));
    let whole = results(&place.path("a"));
    let (record, model) = (file(&place.path("a"), "jsonl"), file(&place.path("a"), "safetensors"));
    fs::remove_file(&record).unwrap();
    fs::remove_file(&model).unwrap();
    fs::create_dir(&model).unwrap(); // a folder cannot be replaced by a file
    let refused = downhill(&args);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("safetensors"), "{}", text(&refused.stderr));
    assert!(!record.exists(), "without its model, the run is not complete");
    fs::remove_dir(&model).unwrap();
    let again = downhill(&args);
    succeeds(&again);
    assert!(text(&again.stderr).contains("continues at step"), "{}", text(&again.stderr));
    assert_eq!(results(&place.path("a")), whole);
}

#[test]
fn fresh_keeps_the_old_result_until_the_new_one_is_complete() {
    let place = Place::new();
    let args = place.train("a", &[]);
    succeeds(&downhill(&args));
    let whole = results(&place.path("a"));
    let record = file(&place.path("a"), "jsonl");
    let old = fs::read(&record).unwrap();
    let fresh = place.train("a", &["--fresh", "--checkpoint-every", "0.02"]);
    let mut child = start(&fresh);
    let checkpoint = record.with_extension("checkpoint");
    while !checkpoint.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read(&record).unwrap(), old);
    let again = downhill(&fresh);
    succeeds(&again);
    assert!(text(&again.stderr).contains("continues at step"), "{}", text(&again.stderr));
    assert_ne!(fs::read(&record).unwrap(), old, "the times differ");
    assert_eq!(results(&place.path("a")), whole);
    // an experiment too
    succeeds(&downhill(&place.run("b", &[])));
    let whole = results(&place.path("b/runs"));
    let fresh = place.run("b", &["--fresh", "--checkpoint-every", "0.02"]);
    let mut child = start(&fresh);
    std::thread::sleep(Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
    let records = || {
        let files = fs::read_dir(place.path("b/runs")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".jsonl")).count()
    };
    assert_eq!(records(), whole.len());
    succeeds(&downhill(&fresh));
    assert_eq!(results(&place.path("b/runs")), whole);
}

#[test]
fn a_checkpoint_that_cannot_be_used_is_refused_in_one_sentence() {
    let place = Place::new();
    let args = place.train("a", &["--checkpoint-every", "0.02"]);
    let mut child = start(&args);
    let folder = place.path("a");
    let has_checkpoint = || {
        fs::read_dir(&folder).is_ok_and(|mut files| {
            files.any(|file| file.unwrap().path().extension().is_some_and(|e| e == "checkpoint"))
        })
    };
    while !has_checkpoint() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let path = file(&folder, "checkpoint");
    let good = fs::read(&path).unwrap();
    let refused = |bytes: &[u8], needle: &str| {
        fs::write(&path, bytes).unwrap();
        let output = downhill(&args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.trim().lines().count(), 1, "{error}");
        assert!(error.contains(needle) && error.contains("delete it to start"), "{error}");
    };
    refused(&good[..good.len() - 1], "a checkpoint that was truncated or changed");
    refused(b"downhill checkpoint 2\n", "a checkpoint of another version of downhill");
    refused(b"", "found no checkpoint");
    // the checkpoint of a training with another seed, under the name of this one
    let mut other = start(&place.train("b", &["--checkpoint-every", "0.02", "--seed", "7"]));
    let folder_b = place.path("b");
    while !fs::read_dir(&folder_b).is_ok_and(|mut files| {
        files.any(|file| file.unwrap().path().extension().is_some_and(|e| e == "checkpoint"))
    }) {
        assert!(other.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let other = fs::read(file(&folder_b, "checkpoint")).unwrap();
    refused(&other, "with seed = 7 instead of 0");
    // a training of another plan has another name: it starts again, and says so
    fs::write(&path, &good).unwrap();
    let output = downhill(&place.train("a", &["--batch", "500"]));
    succeeds(&output);
    let remark = text(&output.stderr);
    let parts = [".checkpoint stays as it is", "with batch = 128 instead of 500", "at step 0"];
    assert!(parts.iter().all(|part| remark.contains(part)), "{remark}");
    // the record was cut
    fs::write(&path, &good).unwrap();
    let part = path.with_extension("part");
    fs::write(&part, "").unwrap();
    let output = downhill(&args);
    assert!(text(&output.stderr).contains("delete the checkpoint to start the run again"));
}

#[test]
fn a_report_shows_runs_that_are_not_complete() {
    let place = Place::new();
    succeeds(&downhill(&place.run("a", &[])));
    let record = file(&place.path("a/runs"), "jsonl");
    let whole = fs::read(&record).unwrap();
    fs::remove_file(&record).unwrap();
    let report = || {
        let folder = place.path("a").to_string_lossy().into_owned();
        let output = downhill(&["report".into(), folder]);
        succeeds(&output);
        text(&output.stdout)
    };
    assert!(!report().contains("1 not complete"));
    // another process is writing the last line
    fs::write(record.with_extension("part"), &whole[..whole.len() - 9]).unwrap();
    assert!(report().contains("1 not complete"), "{}", report());
}

#[test]
fn a_plan_that_does_not_fit_leaves_nothing_behind() {
    let place = Place::new();
    let toml = SMALL.replace("inverse_sqrt", "cosine:warmup=999999");
    fs::write(place.path("small.toml"), toml).unwrap();
    let output = downhill(&place.run("a", &[]));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!place.path("a").exists());
}

#[test]
fn a_link_is_not_written_through() {
    let place = Place::new();
    let precious = place.path("precious");
    fs::write(&precious, "precious").unwrap();
    succeeds(&downhill(&place.train("a", &[])));
    let record = file(&place.path("a"), "jsonl");
    for extension in ["part", "checkpoint", "jsonl"] {
        let link = record.with_extension(extension);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&precious, &link).unwrap();
    }
    let _ = fs::remove_file(record.with_extension("checkpoint"));
    succeeds(&downhill(&place.train("a", &[])));
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
}
