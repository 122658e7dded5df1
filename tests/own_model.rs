//! A module, a loss and data of a user's program: runs, records and pages. Numbers of a CSV file.
#![cfg(feature = "cli")]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use downhill::lab::data::{self, Dataset, Examples, Inputs, Labels};
use downhill::lab::experiment::{Expect, Experiment};
use downhill::lab::grade::Verdict;
use downhill::lab::record::Run;
use downhill::lab::report;
use downhill::lab::runner::{Quiet, Results, RunOptions, run};
use downhill::lab::task::{Classification, OwnBatch, OwnTask, Regression};
use downhill::optim::Optimizers;

#[derive(Module, Debug)]
struct Line {
    linear: Linear,
}

fn line(device: &Device) -> Line {
    Line { linear: LinearConfig::new(2, 1).init(device) }
}

fn squared(model: &Line, batch: OwnBatch) -> Tensor<1> {
    (model.linear.forward(batch.x) - batch.y).square().mean()
}

/// y = 2 a - b + 1 on 100 points.
fn plane() -> Dataset {
    let x: Vec<[f32; 2]> =
        (0..100).map(|i| [(i % 10) as f32 / 10.0, (i / 10) as f32 / 10.0]).collect();
    let y: Vec<f32> = x.iter().map(|[a, b]| 2.0 * a - b + 1.0).collect();
    Dataset::split("plane", Examples::with_targets(x, y).unwrap(), 0.2).unwrap()
}

fn task(loss: fn(&Line, OwnBatch) -> Tensor<1>) -> OwnTask<Line> {
    OwnTask::new("line, squared error", plane(), 8, line, loss).with_measure(
        "worst",
        "largest error",
        |model: &Line, test: OwnBatch| (model.linear.forward(test.x) - test.y).abs().max(),
    )
}

fn experiment(task: OwnTask<Line>) -> Experiment {
    Experiment::new("plane", task, "test_loss")
        .with_epochs(10)
        .with_seeds(4)
        .with_series("slow", "sgd:lr=1e-4")
        .with_series("fast", "sgd:lr=[0.03,0.1]")
        .with_claim("a larger step is faster", Expect::ahead("fast", "slow"))
        .with_claim("no point is far away", Expect::at_most("fast", 1.0))
}

fn results(experiment: Experiment, out: &Path, jobs: usize) -> Results {
    let options = RunOptions { out: Some(out.into()), jobs: Some(jobs), ..RunOptions::default() };
    run(experiment, &Optimizers::default(), &options, &Quiet).unwrap()
}

/// The final measurements of each run.
fn finals(mut runs: Vec<Run>) -> Vec<Vec<f64>> {
    runs.sort_by_key(|run| run.header.file_name());
    let values = |run: &Run| {
        run.points.last().unwrap().measures.iter().map(|(_, value)| value).collect::<Vec<f64>>()
    };
    runs.iter().map(values).collect()
}

#[test]
fn any_module_with_a_loss_runs_is_recorded_and_graded() {
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(out.path().into()), ..RunOptions::default() };
    let done =
        report::run(experiment(task(squared)), &Optimizers::default(), &options, &Quiet).unwrap();
    assert_eq!(done.report.columns, ["training loss", "test loss", "largest error"]);
    let verdicts: Vec<Verdict> = done.report.verdicts.iter().map(|claim| claim.verdict).collect();
    assert_eq!(verdicts[0], Verdict::Held, "{done}");
    assert_eq!(verdicts[1], Verdict::Pass, "{done}");
    // `--check` finds nothing wrong here
    let check = RunOptions { check: true, ..options };
    let again = report::run(experiment(task(squared)), &Optimizers::default(), &check, &Quiet);
    assert!(!again.unwrap().refuted);
    // the record says what it is, with sizes and the hash of the arrays
    let page = fs::read_to_string(out.path().join("report.md")).unwrap();
    for text in [
        "defined by the user's program, fingerprint ",
        "line, squared error, 3 parameters",
        "plane: 80 training and 20 test examples",
        &plane().sha256(),
        "shape [2], 1 number to predict",
    ] {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

#[test]
fn a_check_refutes_a_bound_that_no_run_meets() {
    let out = tempfile::tempdir().unwrap();
    let refuted = |check: bool| {
        let label = experiment(task(squared)).series[0].label.clone();
        let bound = experiment(task(squared)).with_claim("none", Expect::at_most(&label, -1.0));
        let options = RunOptions { out: Some(out.path().into()), check, ..RunOptions::default() };
        report::run(bound, &Optimizers::default(), &options, &Quiet).unwrap().refuted
    };
    assert!(refuted(true) && !refuted(false));
}

#[test]
fn a_program_makes_each_run_once_and_the_same_with_any_number_of_workers() {
    let [one, four] = [1, 4].map(|jobs| {
        let out = tempfile::tempdir().unwrap();
        let first = results(experiment(task(squared)), out.path(), jobs);
        let again = results(experiment(task(squared)), out.path(), jobs);
        let seconds = |results: &Results| {
            results.runs.iter().map(|run| run.end.as_ref().unwrap().seconds).collect::<Vec<_>>()
        };
        assert_eq!(seconds(&first), seconds(&again), "no run was repeated");
        finals(first.runs)
    });
    assert_eq!(one, four);
    assert_ne!(one[0], one[1], "each seed has weights of its own");
}

#[test]
fn runs_are_repeated_after_a_change_of_the_loss_or_the_data() {
    let fingerprint = |experiment: Experiment| {
        let out = tempfile::tempdir().unwrap();
        let run = results(experiment, out.path(), 2).runs.remove(0);
        serde_json::to_value(&run.header.task).unwrap()
    };
    let base = fingerprint(experiment(task(squared)));
    assert_eq!(base, fingerprint(experiment(task(squared))));
    let scaled = |model: &Line, batch: OwnBatch| squared(model, batch) * 0.5;
    let other = fingerprint(experiment(task(scaled)));
    assert_ne!(base["fingerprint"], other["fingerprint"]);
    assert_eq!(base["sha256"], other["sha256"]);
    let data = Dataset::split(
        "plane",
        Examples::with_targets(vec![[0.0, 1.0]; 100], vec![1.0; 100]).unwrap(),
        0.2,
    );
    let moved = OwnTask::new("line, squared error", data.unwrap(), 8, line, squared);
    let moved = fingerprint(Experiment::new("plane", moved, "test_loss").with_series("a", "sgd"));
    assert_ne!(base["sha256"], moved["sha256"]);
}

#[test]
fn the_command_reports_records_of_a_program_and_says_who_makes_them() {
    let out = tempfile::tempdir().unwrap();
    let run = results(experiment(task(squared)), out.path(), 2);
    assert!(run.experiment.command.is_some());
    let command = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_downhill"))
            .args(arguments)
            .current_dir(out.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (code, text, error) = command(&["report", "."]);
    assert_eq!(code, Some(0), "{error}");
    assert!(text.contains("largest error") && text.contains("HELD"), "{text}");
    let page = fs::read_to_string(out.path().join("report.md")).unwrap();
    let program = run.experiment.command.unwrap();
    assert!(page.contains(&program), "{page}");
    let (code, _, error) = command(&["run", "experiment.toml"]);
    assert_eq!(code, Some(2));
    assert_eq!(
        error.trim(),
        "downhill: experiment.toml, task.kind: found `own`, the task `line, squared error` of a program, expected \
         to be run by that program; command.txt beside the records names it"
    );
    // a rule of the program, which the command does not know
    let file = out.path().join("experiment.toml");
    let toml = fs::read_to_string(&file).unwrap();
    fs::write(&file, toml.replace("sgd:lr=1e-4", "mine:lr=1e-4")).unwrap();
    let (code, _, error) = command(&["report", "."]);
    assert_eq!(code, Some(2));
    assert!(error.contains("`mine`"), "{error}");
    let end = format!("`{program}` made these records and writes their page");
    assert!(error.trim().ends_with(&end), "{error}");
}

#[test]
fn a_task_of_a_program_with_a_mistake_is_refused() {
    let error = |experiment: Experiment, options: RunOptions| {
        let out = tempfile::tempdir().unwrap();
        let options = RunOptions { out: Some(out.path().into()), ..options };
        run(experiment, &Optimizers::default(), &options, &Quiet).err().unwrap().to_string()
    };
    let default = RunOptions::default;
    let each = |model: &Line, batch: OwnBatch| {
        (model.linear.forward(batch.x) - batch.y).square().reshape([-1])
    };
    assert_eq!(
        error(experiment(task(each)), default()),
        "the loss of `line, squared error`: found 8 numbers for a batch of 8, expected 1, such as \
         their mean"
    );
    let twice = task(squared).with_measure("test_loss", "test loss", squared);
    assert!(
        error(experiment(twice), default())
            .contains("task.measures: found `test_loss` twice, expected a name once, and none of"),
    );
    let other = RunOptions { data: Some("a.csv".into()), ..default() };
    assert_eq!(
        error(experiment(task(squared)), other),
        "--data: found a.csv, expected no --data, because the program has its own data, plane"
    );
    let metric = Experiment { metric: Default::default(), ..experiment(task(squared)) };
    assert!(error(metric, default()).contains("known: train_loss, test_loss, batch_loss, worst"));
}

#[test]
fn arrays_with_many_classes_train_an_own_model_and_a_model_of_the_library() {
    // 300 classes on a line, each at its own place
    let x: Vec<f32> = (0..3000).map(|i| (i % 300) as f32 / 150.0 - 1.0).collect();
    let all = Examples::with_classes(x, (0..3000).map(|i| i % 300).collect()).unwrap();
    let data = Dataset::split("places", all, 0.1).unwrap();
    assert_eq!(data.classes, 300);
    let init = |device: &Device| Line { linear: LinearConfig::new(1, 300).init(device) };
    let loss = |model: &Line, batch: OwnBatch| {
        let n = batch.classes.dims()[0];
        let scores = log_softmax(model.linear.forward(batch.x), 1);
        -scores.gather(1, batch.classes.reshape([n, 1])).mean()
    };
    let own = OwnTask::new("line, cross-entropy", data.clone(), 50, init, loss);
    let library = Classification::new("logistic", "places|standardise", 50);
    let last = |experiment: Experiment| {
        let out = tempfile::tempdir().unwrap();
        let options = RunOptions {
            out: Some(out.path().into()),
            datasets: vec![data.clone()],
            ..RunOptions::default()
        };
        let experiment = experiment.with_epochs(2).with_seeds(1).with_series("Adam", "adam:lr=0.1");
        let results = run(experiment, &Optimizers::default(), &options, &Quiet).unwrap();
        results.runs[0].last("test_loss").unwrap()
    };
    let chance = 300f64.ln();
    assert!(last(Experiment::new("own", own, "test_loss")) < chance);
    assert!(last(Experiment::new("library", library, "test_loss")) < chance);
}

/// Writes rows of `a,b,sum` with sum = a + 10 b.
fn table(path: &Path, header: &str) {
    let mut text = String::from(header);
    for i in 0..200 {
        let (a, b) = (f64::from(i % 20) / 10.0 - 1.0, f64::from(i / 20) / 5.0 - 1.0);
        writeln!(text, "{a},{b},{}", a + 10.0 * b).unwrap();
    }
    fs::write(path, text).unwrap();
}

const REGRESS: &str = r#"
name = "sum"
title = "A sum of two numbers"
paper = ""
url = ""
about = ""
metric = { name = "test_loss", label = "test loss" }
task = { kind = "regress", model = "mlp:hidden=16", data = "sum.csv", target = "sum", batch = 16 }
scale.quick = { epochs = 10, seeds = 2, about = "seconds" }

[[series]]
label = "Adam"
optimizer = "adam:lr=[0.01,0.03]"

[[claim]]
quote = "the sum is found"
source = ""
expect = { kind = "bound", of = "Adam", at_most = 5.0 }
"#;

#[test]
fn a_csv_file_of_numbers_is_a_regression() {
    let folder = tempfile::tempdir().unwrap();
    table(&folder.path().join("sum.csv"), "a,b,sum\n");
    fs::write(folder.path().join("sum.toml"), REGRESS).unwrap();
    let done = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_downhill"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (code, text, error) = done(&["run", "sum.toml", "--out", "out", "--check"]);
    assert_eq!(code, Some(0), "{text}{error}");
    assert!(text.contains("PASS"), "{text}");
    let page = fs::read_to_string(folder.path().join("out/report.md")).unwrap();
    assert!(
        page.contains(
            "    downhill run sum.toml --scale quick --data sum.csv --device flex --seeds 2 --out out\n"
        ),
        "{page}"
    );
    assert!(page.contains("sum; the loss is the mean squared error"), "{page}");
    // --data is a path, and the page keeps it
    fs::create_dir(folder.path().join("more data")).unwrap();
    table(&folder.path().join("more data/b.csv"), "a,b,sum\n");
    let (code, _, error) =
        done(&["run", "sum.toml", "--data", "more data/b.csv", "--seeds", "1", "--out", "two"]);
    assert_eq!(code, Some(0), "{error}");
    let page = fs::read_to_string(folder.path().join("two/report.md")).unwrap();
    assert!(
        page.contains("--data \"more data/b.csv\" --device flex --seeds 1 --out two\n"),
        "{page}"
    );
    assert!(page.contains("These runs use the data set b.csv."), "{page}");
    let page = fs::read_to_string(folder.path().join("two/index.html")).unwrap();
    assert!(!page.contains("fetch"), "a path needs no import: {page}");
    // the path in the file is not another data set than its name in the records
    let place = format!("{}|standardise", folder.path().join("sum.csv").display());
    fs::write(folder.path().join("place.toml"), REGRESS.replace("sum.csv", &place)).unwrap();
    let (code, text, error) = done(&["run", "place.toml", "--seeds", "1", "--out", "three"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(!text.contains("These runs use"), "{text}");
    // a classifier says what it predicts
    let (code, _, error) = done(&[
        "train",
        "--data",
        "sum.csv",
        "--model",
        "logistic",
        "--optimizer",
        "adam",
        "--epochs",
        "1",
    ]);
    assert_eq!(code, Some(0), "{error}");
    assert!(
        error.contains(
            "label: b (10 classes); to predict a number, use `task = { kind = \"regress\" }`"
        ),
        "{error}"
    );
    // mistakes
    let (code, _, error) = done(&["run", "sum.toml", "--data", "mnist-10k"]);
    assert_eq!(
        (code, error.trim()),
        (
            Some(2),
            "downhill: data mnist-10k: found classes to predict, expected the path of a .csv of numbers"
        )
    );
    fs::write(folder.path().join("sum.toml"), REGRESS.replace("\"sum\", batch", "\"summ\", batch"))
        .unwrap();
    let (code, _, error) = done(&["run", "sum.toml"]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("sum.csv, task.target: unknown column `summ`; did you mean `sum`?"),
        "{error}"
    );
}

#[test]
fn columns_of_a_csv_file_are_found_by_name_by_number_or_are_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sum.csv");
    let place = path.to_string_lossy().into_owned();
    let targets = |column| match data::load_targets(&place, column) {
        Ok(data) => match (data.train.labels, data.train.inputs) {
            (Labels::Targets { width: 1, numbers }, Inputs::Numbers(inputs)) => {
                (data.train.shape, inputs[..2].to_vec(), numbers[0])
            }
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("{error}"),
    };
    table(&path, "a,b,sum\n");
    let (shape, inputs, last) = targets(None);
    assert_eq!((shape, targets(Some("sum")).2), (vec![2], last));
    assert!((inputs[0] + 10.0 * inputs[1] - last).abs() < 1e-4, "{inputs:?} {last}");
    assert_eq!(targets(Some("b")).2, inputs[1]);
    table(&path, "");
    assert_eq!(targets(None), (vec![2], inputs.clone(), last), "a header changes no split");
    assert_eq!(targets(Some("2")).2, inputs[1]);
    let both = data::load_targets(&place, None).unwrap();
    assert_eq!(both.train.len() + both.test.len(), 200);
    assert!((20..60).contains(&both.test.len()), "{}", both.test.len());
    let error = |text: &str| {
        fs::write(&path, text).unwrap();
        data::load_targets(&place, None).unwrap_err().to_string().replace(&place, "FILE")
    };
    assert_eq!(
        error("a,b\n1,2\n3,x\n"),
        "FILE: found `x` in line 3, column `b`, expected a finite number"
    );
    assert_eq!(
        error("1,2\n1,2\n"),
        "FILE: found 2 rows of numbers, expected enough for a training set and a test set"
    );
}

#[test]
fn a_csv_file_of_numbers_and_classes_is_a_classification_also_with_many_classes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flowers.csv");
    let mut text = String::from("length,width,class\n");
    for i in 0..3000 {
        writeln!(text, "{},{},kind{}", i % 300, i, i % 300).unwrap();
    }
    fs::write(&path, &text).unwrap();
    let place = path.to_string_lossy();
    let data = data::load(&place).unwrap();
    assert_eq!((data.classes, &*data.train.shape), (300, [2].as_slice()));
    let (Inputs::Numbers(inputs), classes) = (&data.train.inputs, data.train.labels.classes())
    else {
        panic!("no numbers");
    };
    for (row, class) in inputs.chunks(2).zip(classes) {
        assert_eq!(data.class(*class as usize), format!("kind{}", row[0]));
    }
    // numbers cannot be predicted from it, and words are still a text
    let error = data::load_targets(&place, None).unwrap_err().to_string();
    assert!(error.contains("found `kind0` in line 2, column `class`"), "{error}");
    fs::write(&path, text.replace(',', ",word ")).unwrap();
    let texts = data::load(&place);
    assert!(texts.is_err() || matches!(texts.unwrap().train.inputs, Inputs::Sparse(_)));
}

#[test]
fn a_regression_of_a_program_uses_arrays() {
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        out: Some(out.path().into()),
        datasets: vec![plane()],
        ..RunOptions::default()
    };
    let experiment = |data: &str| {
        Experiment::new("arrays", Regression::new("mlp:hidden=8", data, 16), "test_loss")
            .with_epochs(20)
            .with_seeds(1)
            .with_series("Adam", "adam:lr=0.03")
    };
    let run = |data| run(experiment(data), &Optimizers::default(), &options, &Quiet);
    let runs = run("plane|standardise").unwrap().runs;
    let measure = |at: usize| runs[0].points[at].value("test_loss").unwrap();
    assert!(measure(20) < 0.1 * measure(0), "{} {}", measure(20), measure(0));
    let error = run("mnist-10k").err().unwrap().to_string();
    assert!(error.contains("found classes to predict"), "{error}");
    let task = Classification::new("logistic", "plane", 16);
    let classes = Experiment::new("classes", task, "test_loss").with_series("SGD", "sgd");
    let optimizers = Optimizers::default();
    let error = downhill::lab::runner::run(classes, &optimizers, &options, &Quiet).err().unwrap();
    let expected = "data plane: found numbers to predict, expected classes to predict";
    assert_eq!(error.to_string(), expected);
}
