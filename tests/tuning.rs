//! Tuning: ranges, equal budgets, selection by another measurement, and settings beyond the edge of
//! a grid.
#![cfg(feature = "cli")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use downhill::lab::experiment::{Experiment, Scale};
use downhill::lab::task::Classification;
use downhill::optim::Optimizers;

/// An experiment that takes less than a second.
const SMALL: &str = r#"
name = "small"
title = "A small experiment"
metric = { name = "test_loss", label = "test loss" }
task = { kind = "classify", model = "logistic", data = "mnist-10k", batch = 250 }
scale.quick = { epochs = 1, seeds = 2, search = 1, train = 500, test = 100, trials = 4 }
series = [
  { label = "Adam", optimizer = "adam:lr=log(1e-4,1e-1),beta1=uniform(0.8,0.99)" },
  { label = "SGD", optimizer = "sgd:lr=0.1" },
]
claim = [{ quote = "Adam is ahead", expect = { kind = "ahead", a = "Adam", b = "SGD" } }]
"#;

/// The minimum is best reached with lr = 0.5. From 1 on, a step leads away from it.
const BOWL: &str = r#"
name = "bowl"
title = "A bowl"
metric = { name = "value", label = "value" }
task = { kind = "surface", surface = "x^2+y^2", window = [-2, 2, -2, 2], start = [-1.5, 1] }
scale.quick = { epochs = 5, seeds = 1 }
series = [
  { label = "SGD", optimizer = "sgd:lr=[0.03,0.1]" },
  { label = "inside", optimizer = "sgd:lr=[0.03,0.1,0.99]" },
]
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new(toml: &str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.path("file.toml"), toml).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, out: &str, more: &[&str]) -> Output {
        let (toml, out) = (self.path("file.toml"), self.path(out));
        let args = ["run", toml.to_str().unwrap(), "--out", out.to_str().unwrap()];
        downhill(&[&args, more].concat())
    }
}

fn downhill(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Series, optimizer and seed of each record.
fn records(folder: &Path) -> BTreeSet<(String, String, u64)> {
    let files = fs::read_dir(folder.join("runs")).unwrap().map(|file| file.unwrap().path());
    let records = files.filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
    let header = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let text = |key: &str| header[key].as_str().unwrap().to_string();
        (text("series"), text("optimizer"), header["seed"].as_u64().unwrap())
    };
    records.map(header).collect()
}

#[test]
fn ranges_are_sampled_and_the_best_trial_is_graded_with_other_seeds() {
    let place = Place::new(SMALL);
    let text = out(&place.run("a", &["--jobs", "1"]));
    assert!(text.contains("Unequal tuning: 4 settings of Adam; 1 of SGD."), "{text}");
    assert!(text.contains("with seed 0, which is not graded"), "{text}");
    let made = records(&place.path("a"));
    let of = |series: &str, seeds: &[u64]| -> BTreeSet<&str> {
        let own = made.iter().filter(|it| it.0 == series && seeds.contains(&it.2));
        own.map(|it| it.1.as_str()).collect()
    };
    assert_eq!((of("Adam", &[0]).len(), of("Adam", &[1, 2]).len(), made.len()), (4, 1, 8));
    assert!(of("SGD", &[0]).is_empty(), "nothing is selected");
    out(&place.run("b", &["--jobs", "3"]));
    assert_eq!(made, records(&place.path("b")), "the same trials");
    let report = downhill(&["report", place.path("a").to_str().unwrap()]);
    let verdict = |text: &str| text.lines().find(|line| line.contains("margin")).map(String::from);
    assert!(verdict(&text).is_some());
    assert_eq!(verdict(&out(&report)), verdict(&text));
}

#[test]
fn a_range_or_budget_that_cannot_be_is_refused_and_nothing_is_written() {
    for (from, to, said) in [
        ("log(1e-4,1e-1)", "log(1e-1,1e-4)", "adam: lr is `log(1e-1,1e-4)`, expected log(low"),
        ("log(1e-4,1e-1)", "log(0,1e-1)", "adam: lr is `log(0,1e-1)`, expected log(low,high)"),
        ("log(1e-4,1e-1)", "log(1e-4,nan)", "adam: lr is `log(1e-4,nan)`, expected log(low"),
        ("log(1e-4,1e-1)", "lag(1e-4,1)", "adam: lr is `lag(1e-4,1)`, expected a value, or a"),
        ("(0.8,0.99)", "(0.8,1.5)", "adam: beta1 is `1.5`, expected a number from 0 up to"),
        ("(0.8,0.99)", "(0.8,0.8)", "adam: beta1 is `uniform(0.8,0.8)`, expected uniform(low"),
        (
            "adam:lr",
            "accumulate:steps=uniform(1,2.5)|adam:lr",
            "accumulate: steps is `2.5`, expected a whole number from 1",
        ),
        (
            ", trials = 4",
            "",
            "series `Adam`, scale.quick.trials: found none, and the range log(1e-4,1e-1), \
             expected the number of trials of each series",
        ),
        ("trials = 4", "trials = 0", "scale.quick.trials: found 0, expected a whole number from 1"),
        (
            "sgd:lr=0.1",
            "sgd:lr=[0.1,0.3,1]",
            "series `SGD`, scale.quick.trials: found 4, and a grid of 3 settings, expected a grid \
             of as many settings as there are trials, or ranges",
        ),
        (
            "lr=log(1e-4,1e-1),beta1=uniform(0.8,0.99)",
            "lr=choice(0.1,0.2,0.3)",
            "series `Adam`, scale.quick.trials: found 4, and ranges with fewer different settings",
        ),
        (
            "trials = 4",
            "trials = 4, halving = 3",
            "scale.quick.halving: found 3, with 4 trials and 1 epochs, expected from 2 to the",
        ),
        (", trials = 4", ", halving = 3", "scale.quick.halving: found 3 without trials, expected"),
        (
            "epochs = 1, seeds = 2",
            "epochs = 9, halving = 1, seeds = 2",
            "scale.quick.halving: found 1, with 4 trials and 9 epochs, expected from 2 to the",
        ),
        (
            "label = \"test loss\" }",
            "label = \"\", select = \"validation_loss\" }",
            "metric.select: unknown measurement `validation_loss`; known: train_loss",
        ),
    ] {
        assert_eq!(SMALL.matches(from).count(), 1, "{from}");
        let place = Place::new(&SMALL.replace(from, to));
        let output = place.run("a", &[]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        assert!(err(&output).contains(said), "{to}: {}", err(&output));
        assert_eq!(err(&output).lines().count(), 1);
        assert!(!place.path("a").exists(), "{to}: something was written");
    }
    for command in [
        &["train", "--model", "logistic", "--optimizer", "adam:lr=log(1e-4,1e-1)"][..],
        &["surface", "beale", "--optimizers", "adam:lr=log(1e-4,1e-1)"],
        &["card", "adam:lr=log(1e-4,1e-1)"],
    ] {
        let output = downhill(command);
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let said = "lr is a range, and only one value is allowed here";
        assert!(err(&output).contains(said), "{}", err(&output));
    }
}

/// The steps that a report names after a word.
fn steps_after(text: &str, word: &str) -> usize {
    let (_, rest) = text.split_once(word).unwrap_or_else(|| panic!("{word}: {text}"));
    rest.split([' ', '.', ',']).next().unwrap().parse().unwrap()
}

#[test]
fn halving_runs_the_best_settings_longer_and_counts_every_step() {
    let halving = SMALL
        .replace("epochs = 1", "epochs = 9, halving = 3")
        .replace("trials = 4", "trials = 9")
        .replace("train = 500", "train = 250");
    let place = Place::new(&halving);
    let text = out(&place.run("a", &["--jobs", "2"]));
    let runs = fs::read_dir(place.path("a").join("runs")).unwrap().map(|file| file.unwrap().path());
    let mut by_length: std::collections::BTreeMap<u64, usize> = Default::default();
    for path in runs.filter(|path| path.extension().is_some_and(|it| it == "jsonl")) {
        let text = fs::read_to_string(path).unwrap();
        let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        if header["series"] == "Adam" && header["seed"] == 0 {
            *by_length.entry(header["epochs"].as_u64().unwrap()).or_default() += 1;
        }
    }
    // a third goes on, and at least two
    assert_eq!(by_length, [(1, 9), (3, 3), (9, 2)].into());
    // an epoch has one step
    let said = "short runs of 1 and 3 epochs took ";
    let words = [said, "the whole runs that select ", "the graded ones "];
    assert_eq!(words.map(|word| steps_after(&text, word)), [9 + 9, 18, 4 * 9], "{text}");
    assert!(text.contains("Unequal tuning: 9 settings of Adam; 1 of SGD."), "{text}");
    // report and the next run find the same settings
    let report = out(&downhill(&["report", place.path("a").to_str().unwrap()]));
    let verdict = |text: &str| text.lines().find(|line| line.contains("margin")).map(String::from);
    assert!(verdict(&text).is_some() && verdict(&report) == verdict(&text), "{report}");
    assert!(!report.contains("belong to no setting"), "{report}");
    let again = err(&place.run("a", &[]));
    let to_make: Vec<&str> = again.lines().filter(|line| line.contains("to make")).collect();
    assert!(to_make.len() == 4 && to_make.iter().all(|it| it.starts_with("0 runs")), "{again}");
}

#[test]
fn planned_runs_of_halving_are_made_one_by_one() {
    let halving = SMALL
        .replace("epochs = 1", "epochs = 3, halving = 3")
        .replace("train = 500", "train = 250");
    let place = Place::new(&halving);
    let toml = place.path("file.toml");
    let folder = place.path("single");
    let command = |name: &str, more: &[&str]| {
        let args = [name, toml.to_str().unwrap(), "--out", folder.to_str().unwrap()];
        downhill(&[&args, more].concat())
    };
    for expected in [4, 4, 2] {
        let lines = out(&command("plan", &[]));
        assert_eq!(lines.lines().count(), expected, "{lines}");
        for line in lines.lines() {
            out(&command("run", &["--only", line.split('\t').next().unwrap()]));
        }
    }
    assert_eq!(out(&command("plan", &[])), "");
    out(&place.run("whole", &[]));
    assert_eq!(records(&folder), records(&place.path("whole")));
    let refused = command("plan", &["--slurm"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("found scale.quick.halving = 3, expected a scale without"));
    let refused = place.run("extended", &["--extend"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("--extend: found scale.quick.halving = 3"));
    assert!(!place.path("extended").exists());
}

#[test]
fn a_program_samples_ranges_too() {
    let experiment = || {
        let task = Classification::new("logistic", "mnist-10k", 128);
        let lion = "lion:lr=log(1e-5,1e-2),lambda=choice(0,0.1)";
        Experiment::new("digits", task, "train_loss")
            .with_series("Lion", lion)
            .with_series("Adam", "adam:lr=log(1e-5,1e-2)")
    };
    let optimizers = Optimizers::default();
    let error = experiment().check("digits".as_ref(), &optimizers).unwrap_err().to_string();
    assert!(error.contains("scale.quick.trials: found none"), "{error}");
    let tuned = experiment().with_trials(6);
    tuned.check("digits".as_ref(), &optimizers).unwrap();
    let planned = tuned.planned(Scale::Quick, &optimizers).unwrap();
    let lr = |i: usize| planned[i].settings.iter().map(|it| it.lr().unwrap()).collect::<Vec<_>>();
    assert_eq!((lr(0).len(), lr(0)), (6, lr(1)), "the same range gives the same points");
}

#[test]
fn another_measurement_can_select() {
    let select = SMALL
        .replace("label = \"test loss\" }", "label = \"test loss\", select = \"validation_loss\" }")
        .replace("batch = 250 }", "batch = 250, validation = 0.2 }");
    let place = Place::new(&select);
    let text = out(&place.run("a", &[]));
    assert!(text.contains("the lowest final validation loss with seed 0"), "{text}");
    assert!(text.contains("final test loss") || text.contains("test loss"), "{text}");
    // the chosen setting has the lowest validation loss of the four
    let runs = fs::read_dir(place.path("a").join("runs")).unwrap();
    let mut best: Option<(f64, String)> = None;
    for path in runs.map(|file| file.unwrap().path()) {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if lines.is_empty() || lines[0]["seed"] != 0 {
            continue;
        }
        let loss = lines[lines.len() - 2]["validation_loss"].as_f64().unwrap();
        if best.as_ref().is_none_or(|(lowest, _)| loss < *lowest) {
            best = Some((loss, lines[0]["optimizer"].as_str().unwrap().to_string()));
        }
    }
    let graded = records(&place.path("a")).into_iter().find(|it| it.0 == "Adam" && it.2 == 1);
    assert_eq!(graded.unwrap().1, best.unwrap().1);
}

#[test]
fn a_grid_whose_best_setting_is_at_the_edge_is_extended() {
    let place = Place::new(BOWL);
    let first = out(&place.run("a", &[]));
    assert!(first.contains("lr=0.1, has lr at the edge of the grid"), "{first}");
    let output = place.run("a", &["--extend"]);
    let (text, told) = (out(&output), err(&output));
    // 0.1 is the best, then 0.33, and 1.1 leads away
    for added in ["SGD: added sgd:lr=0.33, beyond", "SGD: added sgd:lr=1.1, beyond"] {
        assert!(told.contains(added), "{told}");
    }
    assert_eq!(told.matches(": added").count(), 2, "{told}");
    assert!(!text.contains("at the edge of the grid;"), "{text}");
    assert!(text.contains("SGD: 2 settings were added beyond the edge"), "{text}");
    assert!(text.contains("Unequal tuning: 4 settings of SGD; 3 of inside."), "{text}");
    let command = fs::read_to_string(place.path("a").join("command.txt")).unwrap();
    assert!(command.ends_with(" --extend\n"), "{command}");
    // every later call knows them
    assert!(err(&place.run("a", &[])).contains("0 runs to make, 7 exist already"));
    let report = downhill(&["report", place.path("a").to_str().unwrap()]);
    assert!(out(&report).contains("sgd lr=0.33"), "{}", out(&report));
    out(&place.run("b", &["--extend", "--jobs", "2"]));
    let selecting = |name: &str| -> BTreeSet<(String, String, u64)> {
        records(&place.path(name)).into_iter().filter(|it| it.2 == 0).collect()
    };
    assert_eq!(selecting("a"), selecting("b"), "the same settings are added at once");

    let file = place.path("a").join("added.toml");
    fs::write(&file, "[[added]]\nseries = \"Adam\"\nscale = \"quick\"\noptimizer = \"sgd\"\n")
        .unwrap();
    let refused = place.run("a", &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("added.toml: found the series `Adam`, expected"));
}
