//! The command line.
#![cfg(feature = "lab")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn downhill(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An experiment that takes about a second.
const SMALL: &str = r#"
name = "small"
title = "A small experiment"
paper = "none"
url = ""
about = "For the tests."
schedule = "inverse_sqrt"
metric = { name = "train_loss_plus_penalty", label = "training loss + penalty" }
task = { kind = "classify", model = "logistic", data = "mnist-10k", batch = 500, penalty = "l2" }
scale.quick = { epochs = 2, seeds = 2, search = 1, about = "" }
series = [
  { label = "Adam", optimizer = "adam:lr=[0.01,0.03]" },
  { label = "SGD", optimizer = "sgd:lr=1e-4" },
]
claim = [
  { quote = "Adam is ahead of a tiny step", source = "us", expect = { kind = "ahead", a = "Adam", b = "SGD" } },
  { quote = "a tiny step is ahead of Adam", source = "us", expect = { kind = "ahead", a = "SGD", b = "Adam" } },
]
"#;

/// A temporary folder with the file of the experiment.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.toml"), SMALL).unwrap();
        Place { folder }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn run(&self, out: &str, more: &[&str]) -> Output {
        let (toml, out) = (self.path("small.toml"), self.path(out));
        let args = ["run", toml.to_str().unwrap(), "--out", out.to_str().unwrap()];
        downhill(&[&args, more].concat())
    }
    /// The records of a folder, also those of runs that are not complete.
    fn records(&self, out: &str) -> Vec<(String, String)> {
        let is_record =
            |path: &PathBuf| path.extension().is_some_and(|e| e == "jsonl" || e == "part");
        let mut files: Vec<PathBuf> = fs::read_dir(self.path(out).join("runs"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(is_record)
            .collect();
        files.sort();
        files
            .iter()
            .map(|file| {
                (
                    file.file_name().unwrap().to_string_lossy().into_owned(),
                    fs::read_to_string(file).unwrap(),
                )
            })
            .collect()
    }
}

/// The lines of a record without the times.
fn timeless(record: &str) -> Vec<serde_json::Value> {
    let line = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        value.as_object_mut().unwrap().remove("seconds");
        value
    };
    record.lines().map(line).collect()
}

#[test]
fn an_experiment_is_run_graded_and_reported_and_finished_runs_are_not_repeated() {
    let place = Place::new();
    let first = place.run("a", &[]);
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    let stages: Vec<String> =
        err(&first).lines().filter(|line| !line.contains("finished")).map(String::from).collect();
    assert_eq!(
        stages,
        [
            "stage 1 of 2: every setting, with the seeds that only select the best one",
            "4 runs to make",
            "stage 2 of 2: the best setting of each series, with the seeds that are graded",
            "2 runs to make",
        ]
    );
    let text = out(&first);
    assert!(text.contains("HELD       \"Adam is ahead of a tiny step\""), "{text}");
    assert!(text.contains("NOT HELD   \"a tiny step is ahead of Adam\""), "{text}");
    for file in [
        "index.html",
        "report.md",
        "points.csv",
        "figure.svg",
        "figure.png",
        "figure-log.svg",
        "learning-rates.png",
    ] {
        assert!(
            fs::metadata(place.path("a").join(file)).unwrap().len() > 500,
            "{file} is missing or empty"
        );
    }
    let page = fs::read_to_string(place.path("a").join("index.html")).unwrap();
    assert!(
        page.contains("<svg") && page.contains("NOT HELD") && !page.contains("src=\"http"),
        "the page needs no other file"
    );

    let before = place.records("a");
    assert_eq!(before.len(), 6, "2 that select, and 2 graded seeds of each series");
    let second = place.run("a", &[]);
    assert!(err(&second).contains("0 runs to make, 4 exist already"), "{}", err(&second));
    assert_eq!(before, place.records("a"));

    // only missing or incomplete runs are repeated
    let (name, record) = &before[0];
    fs::write(place.path("a").join("runs").join(name), &record[..record.len() / 2]).unwrap();
    let third = place.run("a", &[]);
    assert!(err(&third).contains("1 run to make, 3 exist already"), "{}", err(&third));
    assert_eq!(timeless(&place.records("a")[0].1), timeless(record));

    assert_eq!(place.run("a", &["--check"]).status.code(), Some(1), "a claim does not hold");

    let report = downhill(&["report", place.path("a").to_str().unwrap()]);
    assert_eq!(report.status.code(), Some(0), "{}", err(&report));
    assert!(out(&report).contains("NOT HELD"));
}

#[test]
fn records_do_not_depend_on_the_number_of_workers() {
    let place = Place::new();
    assert_eq!(place.run("one", &["--jobs", "1"]).status.code(), Some(0));
    assert_eq!(place.run("three", &["--jobs", "3"]).status.code(), Some(0));
    let (one, three) = (place.records("one"), place.records("three"));
    assert_eq!(one.len(), three.len());
    for ((name, a), (other, b)) in one.iter().zip(&three) {
        assert_eq!(name, other);
        assert_eq!(timeless(a), timeless(b), "{name}");
    }
}

#[test]
fn optimizers_of_one_seed_start_from_the_same_weights_and_seeds_differ() {
    let place = Place::new();
    place.run("a", &[]);
    let mut starts = std::collections::BTreeMap::new();
    for (_, record) in place.records("a") {
        let lines = timeless(&record);
        let (seed, start) =
            (lines[0]["seed"].as_u64().unwrap(), lines[1]["train_loss"].as_f64().unwrap());
        assert_eq!(*starts.entry(seed).or_insert(start), start);
    }
    assert_eq!(starts.len(), 3, "one that selects, two that are graded");
    assert_ne!(starts[&0], starts[&1]);
}

#[test]
fn evaluation_of_a_saved_model_gives_the_numbers_of_its_record() {
    let place = Place::new();
    let folder = place.path("t");
    let folder = folder.to_str().unwrap();
    let train = [
        "train",
        "--model",
        "mlp:hidden=30",
        "--optimizer",
        "nag:lr=0.05",
        "--epochs",
        "2",
        "--out",
        folder,
    ];
    let trained = downhill(&train);
    assert_eq!(trained.status.code(), Some(0), "{}", err(&trained));
    let record = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let lines = timeless(&fs::read_to_string(record.unwrap()).unwrap());
    let last = &lines[lines.len() - 2];
    let model = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "safetensors"));
    let model = model.unwrap();
    let eval = downhill(&["eval", folder]);
    assert_eq!(
        (eval.status.code(), err(&eval)),
        (
            Some(2),
            format!(
                "downhill: {folder}: found a folder, expected a file, such as {}\n",
                model.display()
            )
        )
    );
    let eval = downhill(&["eval", model.to_str().unwrap()]);
    assert_eq!(eval.status.code(), Some(0), "{}", err(&eval));
    assert!(
        out(&eval).contains(&format!("accuracy {:.4}", last["test_accuracy"].as_f64().unwrap())),
        "{}",
        out(&eval)
    );
    assert!(
        out(&eval).contains(&format!("loss     {:.4}", last["test_loss"].as_f64().unwrap())),
        "{}",
        out(&eval)
    );

    // the same training writes the same bytes
    let bytes = fs::read(&model).unwrap();
    assert!(out(&downhill(&train)).contains("trained before; --fresh trains again"));
    downhill(&[&train[..], &["--fresh"]].concat());
    assert_eq!(bytes, fs::read(&model).unwrap());

    // evaluation needs data that are prepared like the training data
    refuses(
        &["eval", model.to_str().unwrap(), "--data", "mnist-10k|gcn"],
        "mnist-10k|gcn: found data prepared by gcn:scale=1,bias=0,eps=1e-8, expected data without preparation, as in training",
    );

    // damaged models are rejected
    let refuse = |bytes: &[u8], needle: &str| {
        fs::write(&model, bytes).unwrap();
        refuses(&["eval", model.to_str().unwrap()], needle);
    };
    for cut in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        refuse(&bytes[..cut], "safetensors: found ");
    }
    let text = String::from_utf8_lossy(
        &bytes[8..8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize],
    )
    .into_owned();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from) && from.len() == to.len(), "{from} in {text}");
        let at = 8 + text.find(from).unwrap();
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    refuse(&changed("28x28", "99999"), "expected at least four for each");
    refuse(&changed("28x28", "28x00"), "found empty inputs of [28, 0], expected at least 1 number");
    refuse(
        &changed("hidden=30", "hidden=29"),
        "whose names or shapes are not those of mlp:hidden=29",
    );
    refuse(&changed("\"F32\"", "\"I32\""), "of type I32, expected F32");
    let mut weights = bytes.clone();
    let last = weights.len() - 4;
    weights[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    refuse(&weights, "weights that are not finite");
}

#[test]
fn a_diverging_run_is_recorded_and_reported_as_diverged() {
    let place = Place::new();
    fs::write(place.path("small.toml"), SMALL.replace("sgd:lr=1e-4", "sgd:lr=[1e-4,1e38]"))
        .unwrap();
    let run = place.run("a", &[]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    assert!(out(&run).contains("1 diverged"), "{}", out(&run));
    let exploded =
        place.records("a").into_iter().find(|(name, _)| name.starts_with("sgd-lr1e38")).unwrap().1;
    let end = timeless(&exploded).pop().unwrap();
    assert_eq!((end["record"].as_str(), end["outcome"].as_str()), (Some("end"), Some("diverged")));
    assert!(
        fs::read_to_string(place.path("a").join("index.html"))
            .unwrap()
            .contains("diverged at step")
    );

    // a series that diverges at every setting is reported too
    fs::write(place.path("small.toml"), SMALL.replace("sgd:lr=1e-4", "sgd:lr=[1e37,1e38]"))
        .unwrap();
    let run = place.run("b", &[]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    assert!(out(&run).contains("diverged at every setting"), "{}", out(&run));
    assert!(
        fs::read_to_string(place.path("b").join("figure.svg"))
            .unwrap()
            .contains("diverged at every setting")
    );
    fs::write(
        place.path("small.toml"),
        SMALL.replace("sgd:lr=1e-4", "sgd:lr=1e38").replace("adam:lr=[0.01,0.03]", "sgd:lr=1e37"),
    )
    .unwrap();
    assert_eq!(place.run("c", &[]).status.code(), Some(0));
    let alone = downhill(&[
        "train",
        "--model",
        "logistic",
        "--optimizer",
        "sgd:lr=1e38",
        "--out",
        place.path("t").to_str().unwrap(),
    ]);
    assert!(out(&alone).contains("the model is not saved"), "{}", out(&alone));
}

/// Expects exit code 2 and an error message of one line that contains `needle`, without a panic.
fn refuses(args: &[&str], needle: &str) {
    let output = downhill(args);
    let text = err(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    assert!(text.contains(needle), "{args:?} says {text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{args:?} says {text}");
    assert!(
        !text.contains("panicked") && !text.contains("bug in downhill"),
        "{args:?} says {text}"
    );
}

#[test]
fn invalid_input_gives_one_line_and_exit_code_2() {
    let train =
        |optimizer: &'static str| ["train", "--model", "logistic", "--optimizer", optimizer];
    refuses(
        &train("adm"),
        "unknown optimizer, gradient transformation or schedule `adm`; did you mean `adam`?",
    );
    refuses(&train("adam:betta2=0.9"), "unknown setting of adam `betta2`; did you mean `beta2`?");
    refuses(
        &train("adam:beta2=1"),
        "adam: beta2 is `1`, expected a number from 0 up to, but not including, 1",
    );
    refuses(&train("adam:beta1=-0.1"), "beta1 is `-0.1`");
    refuses(&train("adam:lr=-1"), "lr is `-1`");
    refuses(&train("adam:lr=nan"), "lr is `nan`");
    refuses(&train("adam:lr=inf"), "lr is `inf`");
    refuses(&train("adam:lr=[1,2]"), "lr has 2 values");
    refuses(&train("adam:lr=[1,2"), "every `[` to be closed");
    refuses(&train("adam:lr=1,lr=2"), "the setting lr is given twice");
    refuses(&train("adam:lr"), "key=value");
    refuses(&train(":lr=1"), "a name first");
    refuses(&train("adam@kears"), "unknown dialect of adam `kears`");
    refuses(&train("adam:eps_place=middle"), "one of inside, outside, hat");
    refuses(&["train", "--model", "mpl", "--optimizer", "sgd"], "did you mean `mlp`?");
    refuses(&["train", "--model", "mlp:hidden=0", "--optimizer", "sgd"], "hidden is `0`");
    refuses(
        &["train", "--model", "mlp:hidden=1000000000000", "--optimizer", "sgd"],
        "found 795000000000010 parameters for inputs of [28, 28] and 10 classes, expected 1 to 1073741824",
    );
    refuses(
        &["train", "--model", "mlp", "--optimizer", "sgd", "--schedule", "cosin"],
        "unknown schedule `cosin`",
    );
    refuses(
        &["train", "--model", "mlp", "--optimizer", "sgd", "--penalty", "l2:lambda=-1"],
        "lambda is `-1`",
    );
    refuses(
        &["train", "--model", "mlp", "--optimizer", "sgd", "--data", "mnist-1k"],
        "did you mean `mnist-10k`?",
    );
    refuses(&["run", "adam-fig-mnist"], "did you mean `adam-fig1-mnist`?");
    refuses(
        &["run", "adam-fig1-mnist", "--device", "flx"],
        "unknown device `flx`; did you mean `flex`?",
    );
    if !cfg!(feature = "wgpu") {
        refuses(
            &["run", "adam-fig1-mnist", "--device", "wgpu"],
            "cargo build --release --features wgpu",
        );
    }
    refuses(&["run", "nowhere.toml"], "cannot read nowhere.toml");
    refuses(
        &["train", "--model", "logistic@x", "--optimizer", "sgd"],
        "unknown dialect of logistic `x`; there are none",
    );
    refuses(&["show", "adma"], "did you mean `adam`?");
    refuses(&["show", "adam-fig1-m"], "did you mean `adam-fig1-mnist`?");
    refuses(&[&train("sgd")[..], &["--validation", "1.5"]].concat(), "--validation: found 1.5");
    refuses(
        &[&train("sgd")[..], &["--early-stopping", "early_stopping"]].concat(),
        "--early-stopping: found `early_stopping` without --validation, expected both; a usual --validation is 0.1",
    );
    refuses(
        &[&train("sgd")[..], &["--validation", "1e-9"]].concat(),
        "--validation: found 0.000000001, which is 0 of",
    );
    refuses(
        &["run", "newton-digits", "--device", "wgpu"],
        "--device: found wgpu, expected flex, because this experiment always runs on the CPU",
    );
    refuses(&["report", "nowhere"], "cannot read nowhere");
    refuses(&["show", "adam@kers"], "unknown dialect of adam `kers`; did you mean `keras`?");
    refuses(&["show", "mlp@torch"], "unknown dialect of mlp `torch`; there are none");
    refuses(&["show", "adma@torch"], "did you mean `adam`?");
    refuses(
        &["show", "adam:lr=1"],
        "show: found settings in `adam:lr=1`, expected a name without settings: adam",
    );
    refuses(&["show", "mlp:hidden=-3"], "show: found settings in `mlp:hidden=-3`");
    refuses(&["eval", "Cargo.toml"], "Cargo.toml: found no safetensors header");
}

#[test]
fn numbers_below_the_range_name_the_option() {
    for (command, option) in [
        ("run long-valley", "--seeds"),
        ("run long-valley", "--jobs"),
        ("train --model logistic --optimizer sgd", "--epochs"),
        ("train --model logistic --optimizer sgd", "--batch"),
        ("augment hflip", "--images"),
        ("surface beale", "--steps"),
        ("surface beale", "--seeds"),
    ] {
        let args: Vec<&str> = command.split(' ').chain([option, "-1"]).collect();
        let output = downhill(&args);
        let text = err(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        let expected = format!("invalid value '-1' for '{option} <N>': -1 is not in 1..");
        assert!(text.contains(&expected), "{args:?}: {text}");
    }
}

#[test]
fn messages_cut_long_arguments_and_escape_control_characters() {
    let long = "a".repeat(5000);
    let control = "a\u{1b}[2J\nb\u{9b}";
    for args in [
        vec!["show", long.as_str()],
        vec!["run", long.as_str()],
        vec!["surface", long.as_str()],
        vec!["surface", "beale", "--optimizers", long.as_str()],
        vec!["train", "--model", long.as_str(), "--optimizer", "sgd"],
        vec!["train", "--model", "logistic", "--optimizer", long.as_str()],
        vec!["train", "--model", "logistic", "--optimizer", "sgd", "--device", long.as_str()],
        vec!["report", long.as_str()],
        vec!["eval", long.as_str()],
        vec!["run", "long-valley", "--scale", long.as_str()],
        vec!["run", "long-valley", "--seeds", long.as_str()],
        vec![long.as_str()],
        vec!["list", "models", long.as_str()],
    ] {
        let short: Vec<&str> =
            args.iter().map(|arg| if *arg == long { control } else { arg }).collect();
        for args in [&args, &short] {
            let output = downhill(args);
            let text = err(&output);
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(!text.contains(&"a".repeat(201)), "{text}");
            let escapes = text.chars().filter(|c| c.is_control() && *c != '\n').count();
            assert_eq!(escapes, 0, "{text:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn an_output_folder_that_is_not_utf_8_works_for_every_command() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let bad = place.folder.path().join(std::ffi::OsStr::from_bytes(b"bad\xff"));
    for (name, command) in [
        ("run", "run long-valley --seeds 1"),
        ("surface", "surface beale --steps 3"),
        ("card", "card sgd:lr=0.1"),
        ("augment", "augment hflip --data mnist-10k"),
        ("train", "train --model logistic --optimizer sgd --data mnist-10k --epochs 1"),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_downhill"));
        let program = program.args(command.split(' ')).arg("--out").arg(bad.join(name));
        let output = program.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", err(&output));
    }
    for name in ["run", "surface", "train"] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_downhill"));
        let output = program.arg("report").arg(bad.join(name)).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "report {name}: {}", err(&output));
    }
}

#[test]
fn an_output_folder_that_cannot_be_created_gives_one_line_and_exit_code_2() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    let below = place.path("file").join("out");
    let below = below.to_str().unwrap();
    refuses(
        &["run", place.path("small.toml").to_str().unwrap(), "--out", below],
        "file: found a file, expected a folder",
    );
    refuses(
        &["train", "--model", "logistic", "--optimizer", "sgd", "--out", below],
        "file: found a file, expected a folder",
    );
}

#[test]
fn the_error_of_an_experiment_file_names_the_line_or_key() {
    let place = Place::new();
    let toml = place.path("wrong.toml");
    let with = |from: &str, to: &str, needle: &str| {
        assert!(SMALL.contains(from), "{from}");
        fs::write(&toml, SMALL.replacen(from, to, 1)).unwrap();
        refuses(
            &["run", toml.to_str().unwrap(), "--out", place.path("x").to_str().unwrap()],
            needle,
        );
        assert!(!place.path("x").exists(), "an output folder was created");
    };
    with("title =", "titel =", "line 3");
    with("adam:lr=[0.01,0.03]", "adam:lr=[0.01,-3]", "series `Adam`: adam: lr is `-3`");
    with("adam:lr", "adamm:lr", "did you mean `adam`?");
    with("a = \"Adam\"", "a = \"Adm\"", "expect: unknown series `Adm`; did you mean `Adam`?");
    with("batch = 500", "batch = 0", "task.batch: found 0");
    with("batch = 500", "batch = -3", "batch: found -3, expected a whole number, 0 or above");
    with(
        "batch = 500",
        "batch = 99999999999999999999",
        "batch: found 99999999999999999999, expected a number that 64 bits can hold",
    );
    with("epochs = 2", "epochs = 0", "scale.quick");
    with("name = \"small\"", "name = \"../small\"", "name: found `../small`");
    with("label = \"SGD\"", "label = \"Adam\"", "the same label twice");
    with("model = \"logistic\"", "model = \"logistik\"", "did you mean `logistic`?");
    with("= [", "= [[", "line");
    with(
        "[0.01,0.03]",
        "[0.01,1e-2]",
        "adam:lr=0.01,beta1=0.9,beta2=0.999,eps=1e-8,eps_place=outside,bias_correction=yes twice",
    );
    with(
        "name = \"train_loss_plus_penalty\"",
        "name = \"validation_loss\"",
        "metric.name: unknown measurement `validation_loss`",
    );
    with(
        "name = \"train_loss_plus_penalty\"",
        "name = \"train_los\"",
        "metric.name: unknown measurement `train_los`; did you mean `train_loss`?",
    );
    with("seeds = 2", "seeds = 100000000000", "each from 1 to 1000000");
    let other = r#""sgd:lr=1e-4", task = { kind = "classify", model = "logistic", data = "mnist-10k|gcn", batch = 500 }"#;
    with(
        "\"sgd:lr=1e-4\"",
        other,
        "series `SGD`, task.data: found `mnist-10k|gcn`, expected the experiment's `mnist-10k`",
    );
}

#[test]
fn report_names_a_truncated_or_invalid_record() {
    let place = Place::new();
    place.run("a", &[]);
    let (name, record) = place.records("a").remove(0);
    let path = place.path("a").join("runs").join(&name);
    let folder = place.path("a");
    let report = ["report", folder.to_str().unwrap()];
    fs::write(&path, &record[..record.len() - 20]).unwrap();
    refuses(&report, "a line that was cut after");
    fs::write(&path, format!("{{}}\n{record}")).unwrap();
    refuses(&report, "line 1: found no record");
    fs::write(&path, "").unwrap();
    refuses(&report, "found an empty file");
    fs::write(&path, record.replace("\"format\":2", "\"format\":99")).unwrap();
    refuses(&report, "record format 99");
    fs::write(&path, record.replace("\"sha256\":\"", "\"sha256\":\"0")).unwrap();
    refuses(&report, "differ in more than the optimizer and the seed: task sha256");
    // the same setting and seed, recorded with another version of the optimizer
    fs::write(&path, &record).unwrap();
    let of = |fingerprint: &str| {
        record.replace("\"fingerprint\":\"", &format!("\"fingerprint\":\"{fingerprint}"))
    };
    let beside = path.with_file_name("beside.jsonl");
    fs::write(&beside, of("x")).unwrap();
    refuses(&report, "differ in more than the optimizer and the seed: fingerprint ");
    fs::remove_file(&beside).unwrap();
    // the record of a run that was killed between two lines is incomplete, but valid
    let without_end: String = record.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(&path, without_end).unwrap();
    let reported = downhill(&report);
    assert_eq!(reported.status.code(), Some(0), "{}", err(&reported));
    assert!(out(&reported).contains("1 not complete"), "{}", out(&reported));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_every_record_as_interrupted() {
    let place = Place::new();
    fs::write(place.path("small.toml"), SMALL.replace("epochs = 2", "epochs = 400")).unwrap();
    let (toml, folder) = (place.path("small.toml"), place.path("a"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.args(["run", toml.to_str().unwrap(), "--out", folder.to_str().unwrap(), "--jobs", "1"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let has_started = || {
        fs::read_dir(folder.join("runs"))
            .is_ok_and(|mut files| files.any(|f| f.unwrap().metadata().unwrap().len() > 2000))
    };
    while !has_started() {
        assert!(child.try_wait().unwrap().is_none(), "it exited before the signal");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    for (name, record) in place.records("a") {
        let end = timeless(&record).pop().unwrap();
        assert_eq!(end["outcome"], "interrupted", "{name}");
    }
}

#[test]
fn an_output_folder_has_one_protocol() {
    let place = Place::new();
    assert_eq!(place.run("a", &[]).status.code(), Some(0));
    let folder = place.path("a");
    let (folder, toml) = (folder.to_str().unwrap(), place.path("small.toml"));

    refuses(
        &["run", "adam-fig1-mnist", "--out", folder],
        "the results of small, expected the results of adam-fig1-mnist",
    );
    // a changed copy of the experiment is kept
    let copy = place.path("a").join("experiment.toml");
    fs::write(&copy, "name = \"small").unwrap();
    refuses(
        &["run", toml.to_str().unwrap(), "--out", folder],
        "experiment.toml: found no experiment, expected the results of small, or a new folder",
    );
    let mine = SMALL.replace("about = \"", "about = \"mine: ");
    assert_ne!(mine, SMALL);
    fs::write(&copy, &mine).unwrap();
    assert_eq!(place.run("a", &[]).status.code(), Some(0));
    let kept = fs::read_dir(place.path("a")).unwrap().map(|file| file.unwrap().path());
    let kept: Vec<_> = kept
        .filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("experiment-"))
        .collect();
    assert_eq!((kept.len(), fs::read_to_string(&kept[0]).unwrap()), (1, mine));
    assert_eq!(fs::read_to_string(&copy).unwrap(), SMALL);

    // the same folder twice gives the same runs once
    let twice = downhill(&["report", folder, folder]);
    assert!(out(&twice).contains("over 2 seeds"), "{}", out(&twice));
    // runs of another length are not mixed
    fs::write(&toml, SMALL.replace("epochs = 2", "epochs = 3")).unwrap();
    assert_eq!(
        place.run("a", &[]).status.code(),
        Some(0),
        "run ignores the records of the other length"
    );
    let report = downhill(&["report", folder]);
    assert!(
        out(&report).contains("6 records in the folder belong to no setting"),
        "{}{}",
        out(&report),
        err(&report)
    );
    // runs of another schedule are not mixed
    let text = SMALL.replace("epochs = 2", "epochs = 3").replace("inverse_sqrt", "constant");
    fs::write(&toml, text).unwrap();
    let run = place.run("a", &[]);
    let margin = |output: &Output| {
        out(output).lines().find(|line| line.contains("margin")).map(String::from)
    };
    assert_eq!(margin(&run), margin(&downhill(&["report", folder])));

    let again = place.run("b", &[]);
    assert!(err(&again).contains("4 runs to make"));
    assert!(err(&place.run("b", &["--fresh"])).contains("4 runs to make"));
}

#[test]
fn runs_with_and_without_augmentation_are_not_mixed() {
    let place = Place::new();
    let trained = |name: &str, more: &[&str]| {
        let out = place.path(name).to_string_lossy().into_owned();
        let args = [
            "train",
            "--model",
            "logistic",
            "--optimizer",
            "sgd",
            "--batch",
            "2000",
            "--epochs",
            "1",
            "--out",
            &out,
        ];
        assert_eq!(downhill(&[&args, more].concat()).status.code(), Some(0));
        out
    };
    let (with, without) = (trained("a", &["--augment", "noise:std=0.1"]), trained("b", &[]));
    refuses(
        &["report", &with, &without, "--out", &with],
        "task augment \"noise:std=0.1\" and \"none\"",
    );
    refuses(
        &["report", &without, &with, "--out", &with],
        "task augment \"none\" and \"noise:std=0.1\"",
    );
}

#[test]
fn closed_output_pipes_are_not_an_error() {
    let place = Place::new();
    let (toml, folder) = (place.path("small.toml"), place.path("a"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.args(["run", toml.to_str().unwrap(), "--out", folder.to_str().unwrap()]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn list_and_show_contain_optimizers_models_data_and_experiments() {
    let listed = out(&downhill(&["list"]));
    for name in [
        "sgd",
        "momentum",
        "nag",
        "adagrad",
        "rmsprop",
        "adadelta",
        "adam",
        "nadam",
        "mlp",
        "logistic",
        "adam-fig1-mnist",
        "mnist-10k",
    ] {
        assert!(listed.contains(name), "{name}");
    }
    let one = out(&downhill(&["list", "models"]));
    assert!(one.contains("mlp") && !one.contains("nadam"));
    let transformations = out(&downhill(&["list", "transformations"]));
    assert!(
        transformations.contains("Gradient transformations")
            && transformations.contains("clip_global")
            && !transformations.contains("nadam")
    );
    assert_eq!(out(&downhill(&["list", "parts"])), transformations);
    for name in ["sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam", "nadam"] {
        let shown = out(&downhill(&["show", name]));
        for part in ["x     = x - ", "x = x - ", "theta = "] {
            if shown.contains(part) {
                break;
            }
            assert_ne!(part, "theta = ", "{name} shows no formula: {shown}");
        }
        for part in ["Settings", "Differences", "Source", "S0", "lr"] {
            assert!(shown.contains(part), "{name} shows no {part}");
        }
    }
    for name in
        ["lookahead", "mlp", "vae", "early_stopping", "cosine", "hflip", "zca", "mnist", "beale"]
    {
        let shown = downhill(&["show", name]);
        assert_eq!(shown.status.code(), Some(0), "{name}: {}", err(&shown));
    }
    let both = out(&downhill(&["show", "l2"]));
    assert!(both.contains("As a gradient transformation") && both.contains("As a penalty"));
    let experiment = out(&downhill(&["show", "adam-fig1-mnist"]));
    assert!(
        experiment.contains("both converge faster than Adagrad")
            && experiment.contains("[[series]]")
    );
    assert!(Path::new("experiments/adam-fig1-mnist.toml").exists());
}

#[test]
fn invalid_settings_leave_no_record_and_a_failing_step_is_a_diverged_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let train = |model: &str, optimizer: &str| {
        let args = [
            "train",
            "--model",
            model,
            "--optimizer",
            optimizer,
            "--epochs",
            "1",
            "--batch",
            "4000",
            "--out",
        ];
        Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).arg(&out).output().unwrap()
    };
    for (optimizer, words) in [
        ("adam|cosine:warmup=5000", "warmup is `5000`"),
        ("newton", "expected at most 2000; newton_cg"),
    ] {
        let run = train("logistic", optimizer);
        let error = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.code() == Some(2) && error.contains(words), "{error}");
        let left = std::fs::read_dir(&out).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{optimizer} left a file");
    }
    // a step of 1e38 makes the second gradient infinite or NaN
    let run = train("mlp:hidden=20", "nonfinite:policy=error|sgd:lr=1e38");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.code() == Some(1) && text.contains("diverged at step 2"), "{text}");
}

/// The path of the model that `train` prints.
fn model_of(trained: &Output) -> String {
    assert_eq!(trained.status.code(), Some(0), "{}", err(trained));
    let text = out(trained);
    text.lines().find_map(|line| line.strip_prefix("model: ")).unwrap().to_string()
}

#[test]
fn eval_prepares_data_like_the_training_data() {
    let place = Place::new();
    let folder = place.path("t");
    let train = [
        "train",
        "--model",
        "logistic",
        "--optimizer",
        "adam",
        "--data",
        "mnist-10k|standardise",
        "--epochs",
        "1",
        "--out",
    ];
    let trained = downhill(&[&train[..], &[folder.to_str().unwrap()]].concat());
    let model = model_of(&trained);
    let printed = out(&trained);
    let accuracy = |text: &str| {
        text.lines().find_map(|line| line.strip_prefix("accuracy ")).unwrap().to_string()
    };
    let eval = |data: &[&str]| {
        let eval = downhill(&[&["eval", &model], data].concat());
        assert_eq!(eval.status.code(), Some(0), "{}", err(&eval));
        out(&eval)
    };
    let own = eval(&[]);
    assert!(own.contains("test examples of mnist-10k|standardise"), "{own}");
    assert!(printed.contains(&accuracy(&own)), "{printed}\n{own}");
    assert_eq!(eval(&["--data", "mnist-10k"]), own);
    assert_eq!(eval(&["--data", "mnist-10k|standardise"]), own);
    refuses(
        &["eval", &model, "--data", "mnist-10k|gcn"],
        "expected data prepared by standardise, as in training",
    );
}

#[test]
fn texts_with_another_vocabulary_are_refused_by_eval() {
    let place = Place::new();
    // each text is another subset of the six words
    let write = |name: &str, words: [&str; 6], n: usize| {
        let text = |i: usize| {
            words
                .iter()
                .enumerate()
                .filter(|(bit, _)| (i + 1) >> bit & 1 == 1)
                .map(|(_, word)| *word)
                .collect::<Vec<_>>()
        };
        let rows: String = (0..n).map(|i| format!("{},{}\n", i % 2, text(i).join(" "))).collect();
        fs::write(place.path(name), format!("label,text\n{rows}")).unwrap();
        place.path(name).to_string_lossy().into_owned()
    };
    let own = write("own.csv", ["a", "good", "film", "to", "see", "twice"], 60);
    let other = write("other.csv", ["one", "dull", "evening", "of", "my", "life"], 50);
    let folder = place.path("t");
    let trained = downhill(&[
        "train",
        "--model",
        "logistic",
        "--optimizer",
        "adam",
        "--data",
        &own,
        "--epochs",
        "1",
        "--out",
        folder.to_str().unwrap(),
    ]);
    let model = model_of(&trained);
    assert_eq!(downhill(&["eval", &model]).status.code(), Some(0));
    refuses(
        &["eval", &model, "--data", &other],
        "other.csv: found texts with a different vocabulary, expected those that the model was trained on",
    );
}

#[test]
fn the_last_step_is_diagnosed_even_if_the_last_batch_takes_none_and_slow_steps_have_no_bound() {
    let place = Place::new();
    let folder = place.path("t");
    let layers = |line: &str| {
        // 4 batches
        let train = [
            "train",
            "--model",
            "logistic",
            "--batch",
            "2000",
            "--epochs",
            "1",
            "--diagnose",
            "--out",
            folder.to_str().unwrap(),
        ];
        let trained = out(&downhill(&[&train[..], &["--optimizer", line]].concat()));
        let row = trained.lines().find(|row| row.contains("linear.weight")).unwrap().to_string();
        row.split('┆').map(|cell| cell.trim().to_string()).collect::<Vec<_>>()
    };
    let third = layers("accumulate:steps=3|adam:lr=0.01");
    assert!(
        third[3].starts_with("1.00e-2") && third[4] == "1.00e-2",
        "the first step of Adam is lr: {third:?}"
    );
    assert_eq!(layers("adam:lr=0.01|lookahead:k=4")[4], "-");
    assert_ne!(layers("adam:lr=0.01|lookahead:k=3")[4], "-");
}

#[test]
fn the_model_kept_before_divergence_is_reported_by_the_second_call_too() {
    let place = Place::new();
    let folder = place.path("t");
    let stop =
        ["--optimizer", "sgd:lr=1e30", "--validation", "0.1", "--early-stopping", "early_stopping"];
    let train =
        ["train", "--model", "mlp:hidden=5", "--epochs", "2", "--out", folder.to_str().unwrap()];
    let run = || out(&downhill(&[&train[..], &stop].concat()));
    let (first, second) = (run(), run());
    assert!(first.contains("diverged") && first.contains("\nmodel: "), "{first}");
    assert!(
        second.contains("\nmodel: ") && second.contains("trained before; --fresh trains again"),
        "{second}"
    );
}

#[test]
fn train_reports_early_stopping_and_the_kept_model() {
    let place = Place::new();
    let folder = place.path("t");
    let stop =
        ["--validation", "0.2", "--early-stopping", "early_stopping:patience=1,min_delta=10"];
    let train = [
        "train",
        "--model",
        "logistic",
        "--optimizer",
        "adam",
        "--epochs",
        "5",
        "--out",
        folder.to_str().unwrap(),
    ];
    let trained = downhill(&[&train[..], &stop].concat());
    model_of(&trained);
    let printed = out(&trained);
    assert!(
        printed.contains(
            "\nstopped after epoch 1 of 5: no validation loss lower by more than 10 in 1 epoch\nkept: the model after epoch 1, which has the lowest validation"
        ),
        "{printed}"
    );
}

#[test]
fn a_pipeline_spec_does_not_break_the_tables_in_markdown() {
    let place = Place::new();
    let toml = SMALL
        .replace(r#"optimizer = "sgd:lr=1e-4""#, r#"optimizer = "clip_global:max=1|sgd:lr=1e-4""#);
    assert_ne!(toml, SMALL);
    fs::write(place.path("small.toml"), toml).unwrap();
    let run = place.run("a", &["--seeds", "1"]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    let report = fs::read_to_string(place.path("a/report.md")).unwrap();
    assert!(report.contains(r"| SGD | clip_global\|sgd lr="), "{report}");
    let cells = |line: &str| line.replace(r"\|", "").matches('|').count();
    let rows: Vec<&str> = report.lines().collect();
    for table in rows.chunk_by(|a, b| a.starts_with('|') && b.starts_with('|')) {
        assert!(table.iter().all(|row| cells(row) == cells(table[0])), "{table:?}");
    }
}

#[test]
fn the_list_of_transformations_states_the_order_of_all_of_them() {
    let list = out(&downhill(&["list", "transformations"]));
    let (title, table) = list.split_once('\n').unwrap();
    let order: Vec<&str> = title.rsplit(' ').next().unwrap().split('|').collect();
    let place = |name: &str| {
        let kinds = [("clip_", "clip_*"), ("grokfast_", "grokfast_*")];
        let kind = kinds.into_iter().find(|(prefix, _)| name.starts_with(prefix));
        let part = kind.map_or(name, |(_, kind)| kind);
        order.iter().position(|other| *other == part).unwrap_or_else(|| panic!("{name}: {title}"))
    };
    let rows = table.lines().filter_map(|line| line.strip_prefix("│ ")?.split(' ').next());
    let rows: Vec<&str> = rows.filter(|name| !name.is_empty() && *name != "name").collect();
    assert!(rows.len() > 8, "{list}");
    assert!(rows.windows(2).all(|pair| place(pair[0]) <= place(pair[1])), "{list}");
    // the parser has the same order
    let line = "nonfinite:policy=skip|accumulate:steps=2|adam";
    let error = err(&downhill(&["train", "--model", "logistic", "--optimizer", line]));
    assert!(error.contains(&order.join(", ")), "{error}");
}
