//! Suites of problems: their results, an optimizer beside recorded results, and bad input.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use downhill::lab::suite::{self, Beside, Suite, SuiteResults};
use downhill::optim::Optimizers;
use tempfile::TempDir;

const TINY: &str = r#"
name = "tiny"
title = "A tiny suite"
trials = 3
seeds = 2

[[optimizer]]
label = "SGD"
spec = "sgd:lr=log(1e-3,1e1)"

[[optimizer]]
label = "Adam"
spec = "adam:lr=log(1e-4,1e0)"

[[problem]]
name = "quadratic"
title = "A quadratic"
task = { kind = "quadratic", batch = 128 }
metric = { name = "test_loss", label = "test loss" }
epochs = 3
floor = 86.0
target = 120.0

[[problem]]
name = "speeches"
title = "Speeches"
task = { kind = "classify", model = "logistic", data = "speeches", batch = 64, validation = 0.2 }
metric = { name = "test_error", label = "test error rate", select = "validation_loss" }
epochs = 2
target = 0.8
"#;

fn downhill(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.current_dir(folder).args(arguments).output().unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).trim().to_string()
}

/// A folder with the tiny suite.
fn with_suite() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("tiny.toml"), TINY).unwrap();
    place
}

#[test]
fn results_do_not_depend_on_the_number_of_workers_and_name_every_optimizer() {
    let place = with_suite();
    let folder = place.path();
    for jobs in ["1", "2"] {
        let made = downhill(folder, &["suite", "tiny.toml", "--out", jobs, "--jobs", jobs]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let text = String::from_utf8_lossy(&made.stdout);
        assert!(text.contains("has the best mean rank") && text.contains("SGD"), "{text}");
    }
    let read = |jobs: &str, file: &str| fs::read_to_string(folder.join(jobs).join(file)).unwrap();
    assert_eq!(read("1", "suite.json"), read("2", "suite.json"));
    assert_eq!(read("1", "suite.csv"), read("2", "suite.csv"));
    let html = read("1", "index.html");
    for part in ["Performance profile", "Quality for a tuning budget", "quadratic&#x2f;index.html"]
    {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("src=\"http") && !html.contains("href=\"http"), "no requests");
    let results: SuiteResults = serde_json::from_str(&read("1", "suite.json")).unwrap();
    for entrant in &results.entrants {
        for problem in &entrant.problems {
            assert_eq!(problem.trials.len(), 3, "the same number of trials for all");
            let seeds: Vec<u64> = problem.graded.iter().map(|run| run.seed).collect();
            assert_eq!(seeds, [1, 2], "the seed that selects is not graded");
        }
    }
    // what is on the disk is not made again
    let again = downhill(folder, &["suite", "tiny.toml", "--out", "1"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("0 runs to make, 6 exist already"), "{said}");
}

#[test]
fn an_own_optimizer_is_shown_beside_recorded_results_of_the_same_version() {
    let place = with_suite();
    let folder = place.path();
    let made = downhill(folder, &["suite", "tiny.toml", "--out", "all"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let add = |label: &str, beside: &str, out: &str| {
        let spec = format!("{label}=adam:beta1=0.8,lr=log(1e-4,1e0)");
        downhill(folder, &["suite", "tiny.toml", "--add", &spec, "--beside", beside, "--out", out])
    };
    let made = add("mine", "all/suite.json", "mine");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    for label in ["mine", "SGD", "Adam"] {
        assert!(text.contains(label), "{label}: {text}");
    }
    let joined: SuiteResults =
        serde_json::from_str(&fs::read_to_string(folder.join("mine/suite.json")).unwrap()).unwrap();
    let labels: Vec<&str> = joined.entrants.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["SGD", "Adam", "mine"]);

    let said = error(&add("Adam", "all/suite.json", "no"));
    assert!(said.contains("label: found `Adam`, expected another label"), "{said}");
    // results of another version, of another protocol, and of another formula
    let recorded = fs::read_to_string(folder.join("all/suite.json")).unwrap();
    let results: SuiteResults = serde_json::from_str(&recorded).unwrap();
    let version = format!("\"downhill\": \"{}\"", results.downhill);
    let fingerprint = results.entrants[0].problems[0].fingerprint.clone().unwrap();
    for (from, to, expected) in [
        (version.as_str(), "\"downhill\": \"0.0.9\"", "results of downhill 0.0.9, expected 0.1.0"),
        (&results.protocol, "0123456789abcdef", "results of the protocol 0123456789abcdef"),
        (&fingerprint, "0123", "SGD with the fingerprint 0123, expected"),
        ("\"suite\": \"tiny\"", "\"suite\": \"huge\"", "results of the suite huge, expected tiny"),
        ("\"burn\"", "\"burned\"", "unknown field `burned`"),
    ] {
        assert!(recorded.contains(from), "{from}");
        fs::write(folder.join("other.json"), recorded.replace(from, to)).unwrap();
        let said = error(&add("mine", "other.json", "no"));
        assert!(said.contains(expected), "{said}");
        assert!(!folder.join("no").exists(), "nothing is written");
    }
    let said = error(&downhill(folder, &["suite", "tiny.toml", "--add", "mine=adam:lr=log(1,2)"]));
    assert!(said.contains("found no results of tiny in the program, expected --beside"), "{said}");
}

#[test]
fn a_suite_that_cannot_run_is_refused_in_one_sentence() {
    let place = with_suite();
    let folder = place.path();
    for (from, to, expected) in [
        (
            "trials = 3",
            "trials = 1",
            "tiny.toml, trials: found 1, expected at least 2 settings to select from",
        ),
        ("seeds = 2", "seeds = 1", "tiny.toml, seeds: found 1, expected at least 2"),
        (
            "sgd:lr=log(1e-3,1e1)",
            "sgd:lr=0.1",
            "tiny.toml, optimizer `SGD`, spec: found `sgd:lr=0.1`, expected at least one range",
        ),
        ("sgd:lr=log(1e-3,1e1)", "sgd:lr=log(1,1e-3)", "tiny.toml, optimizer `SGD`, spec"),
        ("name = \"speeches\"", "name = \"quadratic\"", "found the same name twice"),
        ("name = \"speeches\"", "name = \"../out\"", "expected letters, digits and hyphens"),
        (
            "target = 0.8",
            "target = 1.5",
            "tiny.toml, problem `speeches`, target: found 1.5, expected a number above 0 and at \
             most 1, since test_error cannot reach others",
        ),
        ("target = 120.0", "target = 80.0", "found 80, expected a number above 86"),
        ("epochs = 3", "epoch = 3", "unknown key `epoch`; did you mean `epochs`?"),
        ("\"test_error\"", "\"test_eror\"", "did you mean `test_error`?"),
    ] {
        assert_eq!(TINY.matches(from).count(), 1, "{from}");
        fs::write(folder.join("tiny.toml"), TINY.replace(from, to)).unwrap();
        let said = error(&downhill(folder, &["suite", "tiny.toml"]));
        assert!(said.contains(expected), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!folder.join("out").exists(), "nothing is written");
    }
    fs::write(folder.join("tiny.toml"), TINY).unwrap();
    for (arguments, expected) in [
        (&["suite", "lapttop"][..], "unknown suite `lapttop`; did you mean `laptop`?"),
        (
            &["suite", "tiny.toml", "--problem", "speech"],
            "unknown problem `speech`; did you mean `speeches`?",
        ),
        (
            &["suite", "laptop", "--add", "adam:lr=log(1e-5,1e-1)"],
            "--add: found `adam:lr=log(1e-5,1e-1)`, expected LABEL=SPEC",
        ),
        (&["suite", "missing.toml"], "missing.toml"),
    ] {
        let said = error(&downhill(folder, arguments));
        assert!(said.contains(expected), "{said}");
    }
}

/// Fails if a formula or the suite changed and its results were not made again.
#[test]
fn the_results_that_come_with_the_program_are_of_this_version() {
    let optimizers = Optimizers::default();
    for (name, _) in suite::BUILT_IN {
        let (suite, _) = suite::load(name, &optimizers).unwrap();
        let others = Suite { entrants: Vec::new(), ..suite };
        Beside::committed(name).unwrap().unwrap().check(&others, &optimizers).unwrap();
    }
}

#[test]
fn the_pages_that_come_with_the_program_show_these_results() {
    let optimizers = Optimizers::default();
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let documented = read(Path::new("docs/suites.md"));
    for (name, _) in suite::BUILT_IN {
        let folder = Path::new("suites").join(name);
        let (suite, _) = suite::load(name, &optimizers).unwrap();
        let results = serde_json::from_str(&read(&folder.join("suite.json"))).unwrap();
        let place = tempfile::tempdir().unwrap();
        let command = format!("downhill suite {name}");
        let page = suite::write(&suite, &results, &optimizers, place.path(), &command).unwrap();
        for file in ["report.md", "suite.csv"] {
            assert_eq!(read(&folder.join(file)), read(&place.path().join(file)), "{name}/{file}");
        }
        assert!(documented.contains(&page.finding), "{}", page.finding);
        for row in &page.scores.rows {
            assert!(documented.contains(&format!("| {} |", row.join(" | "))), "{row:?}");
        }
    }
}
