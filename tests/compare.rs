//! `compare(..)`: the finding, what is written, and what is refused.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use downhill::lab::compare::{Comparison, compare, own};
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::experiment::load_file;
use downhill::lab::grade::Verdict;
use downhill::lab::report::Finished;
use downhill::lab::runner::RunOptions;
use downhill::lab::task::{OwnBatch, Quadratic};
use downhill::optim::{NamedRule, OptimizerEntry, Optimizers, Rule, StepContext, Value};

/// y = 2 a - b + 1 on 100 points.
fn plane() -> Dataset {
    let x: Vec<[f32; 2]> =
        (0..100).map(|i| [(i % 10) as f32 / 10.0, (i / 10) as f32 / 10.0]).collect();
    let y: Vec<f32> = x.iter().map(|[a, b]| 2.0 * a - b + 1.0).collect();
    Dataset::split("plane", Examples::with_targets(x, y).unwrap(), 0.2).unwrap()
}

/// Whether a is larger than b.
fn halves() -> Dataset {
    let x: Vec<[f32; 2]> =
        (0..100).map(|i| [(i % 10) as f32 / 10.0, (i / 10) as f32 / 10.0]).collect();
    let classes = x.iter().map(|[a, b]| u32::from(a > b)).collect();
    Dataset::split("halves", Examples::with_classes(x, classes).unwrap(), 0.2).unwrap()
}

/// Adam against SGD, in a fraction of a second.
fn small() -> Comparison {
    compare(["adam", "sgd"]).on(plane(), "mlp:hidden=4").budget(3).seeds(4).epochs(3).batch(8)
}

#[derive(Module, Debug)]
struct Line {
    linear: Linear,
}

fn line(device: &Device) -> Line {
    Line { linear: LinearConfig::new(2, 1).init(device) }
}

downhill::settings! {
    /// Gradient descent that moves against the gradient's sign.
    pub struct Against {}
}

impl NamedRule for Against {
    const LR: f64 = 1e-2;
}

impl Rule<0> for Against {
    const STATE: [&'static str; 0] = [];

    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, _: [V; 0]) -> (V, [V; 0]) {
        (g.sign() * ctx.lr, [])
    }
}

/// The number of records by series and seed.
fn records(folder: &Path) -> BTreeMap<(String, u64), usize> {
    let mut counts = BTreeMap::new();
    for file in fs::read_dir(folder.join("runs")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let key = (header["series"].as_str().unwrap().into(), header["seed"].as_u64().unwrap());
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// The rank of a series, its label, its mean, and the interval of the mean.
type Place = (Option<usize>, String, f64, Option<[f64; 2]>);

/// Rank, series, mean and interval of each series.
fn ranking(finding: &Finished) -> Vec<Place> {
    let series = finding.report.ranking.series.iter();
    series.map(|own| (own.rank, own.series.clone(), own.mean, own.interval)).collect()
}

#[test]
fn a_comparison_ranks_with_intervals_grades_claims_and_keeps_nothing_without_a_folder() {
    let finding = small().run().unwrap();
    assert!(finding.page.is_none());
    let ranked = ranking(&finding);
    assert_eq!(ranked.iter().map(|own| own.0).collect::<Vec<_>>(), [Some(1), Some(2)]);
    for (_, series, mean, interval) in &ranked {
        let [low, high] = interval.unwrap();
        assert!(low < *mean && *mean < high, "{series}");
        // mean and interval of the graded values, by hand: t = 3.182 with 3 degrees of freedom
        let row = finding.report.table.iter().find(|row| row.series == *series).unwrap();
        let place = finding.report.columns.iter().position(|it| *it == "test loss").unwrap();
        let values = &row.exact[place];
        assert_eq!(values.len(), 4);
        let own = values.iter().sum::<f64>() / 4.0;
        let variance = values.iter().map(|it| (it - own).powi(2)).sum::<f64>() / 3.0;
        assert!((mean - own).abs() < 1e-12);
        assert!(((high - own) / (3.1824 * variance.sqrt() / 2.0) - 1.0).abs() < 1e-4);
    }
    assert!(ranked[0].2 <= ranked[1].2);
    let verdicts: usize = Verdict::ALL.iter().map(|verdict| finding.count(*verdict)).sum();
    assert_eq!(verdicts, 1);
    assert_eq!(finding.report.verdicts[0].quote, "adam is ahead of sgd");
    let text = finding.to_string();
    let first = format!("\n1     {}", ranked[0].1);
    for part in ["test loss (95 % interval)", "verdicts: 1 ", &first] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // the same call gives the same numbers
    assert_eq!(ranking(&small().run().unwrap()), ranked);
}

#[test]
fn a_folder_gets_records_and_a_page_and_no_run_is_repeated() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("results");
    let finding = small().out(&out).run().unwrap();
    assert_eq!(finding.page.as_deref(), Some(out.join("index.html").as_path()));
    // three trials with the seed that selects; the best one with four others
    let expected = ["adam", "sgd"].into_iter().flat_map(|series| {
        (0..5).map(move |seed| ((series.to_string(), seed), if seed == 0 { 3 } else { 1 }))
    });
    assert_eq!(records(&out), expected.collect());
    let seconds = |finding: &Finished| {
        finding.report.table.iter().map(|row| row.seconds.clone()).collect::<Vec<_>>()
    };
    let again = small().out(&out).run().unwrap();
    assert_eq!(seconds(&again), seconds(&finding));
    // the validation set selects
    let toml = out.join("experiment.toml");
    let (experiment, _) = load_file(&toml, &Optimizers::default()).unwrap();
    assert_eq!(experiment.metric.select.as_deref(), Some("validation_loss"));
    let page = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(page.contains("72 training and 20 test examples, 8 validation examples"), "{page}");
}

#[test]
fn a_rule_of_the_program_is_compared_by_its_name() {
    let own =
        OptimizerEntry::of::<Against, 0>("against", "//! # Against: the sign of the gradient");
    let finding = compare(["against:lr=log(1e-3,1e-1)", "against", "sgd:lr=0.1"])
        .rule(own)
        .on(halves(), "logistic")
        .budget(2)
        .seeds(2)
        .epochs(1)
        .metric("test_error")
        .run()
        .unwrap();
    let tried: BTreeMap<&str, usize> =
        finding.report.ranking.series.iter().map(|own| (own.series.as_str(), own.tried)).collect();
    let expected = [("against:lr=log(1e-3,1e-1)", 2), ("against", 2), ("sgd:lr=0.1", 1)];
    assert_eq!(tried, expected.into());
    assert_eq!(finding.report.ranking.metric, "test error rate");
    let text = finding.to_string();
    assert!(text.contains("Unequal tuning: 2 settings of"), "{text}");
}

#[test]
fn a_module_of_the_program_and_any_task_are_compared() {
    let squared =
        |model: &Line, batch: OwnBatch| (model.linear.forward(batch.x) - batch.y).square().mean();
    let place = tempfile::tempdir().unwrap();
    let finding = compare(["sgd:lr=[0.03,0.1]", "sgd:lr=1e-4"])
        .on((plane(), "standardise"), own("line, squared error", line, squared))
        .budget(2)
        .seeds(8)
        .epochs(10)
        .batch(8)
        .out(place.path())
        .run()
        .unwrap();
    assert_eq!(finding.count(Verdict::Held), 1, "{finding}");
    let page = fs::read_to_string(place.path().join("report.md")).unwrap();
    for text in ["line, squared error, 3 parameters", "plane|standardise", "8 validation examples"]
    {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    // without tuning, a task without a validation set
    let quadratic = Quadratic { batch: 128, order: Default::default() };
    let finding = compare(["adam", "sgd"]).on_task(quadratic).budget(1).seeds(2).epochs(1).run();
    let finding = finding.unwrap();
    assert!(finding.report.table.iter().all(|row| row.runs == "2"), "{finding}");
}

#[test]
fn a_diverged_optimizer_is_last() {
    let finding = compare(["sgd:lr=1e30", "sgd:lr=0.1"])
        .on(plane(), "mlp:hidden=4")
        .seeds(2)
        .epochs(2)
        .batch(8)
        .run()
        .unwrap();
    let ranked = ranking(&finding);
    assert_eq!((ranked[0].0, ranked[0].1.as_str()), (Some(1), "sgd:lr=0.1"));
    assert_eq!((ranked[1].1.as_str(), ranked[1].3), ("sgd:lr=1e30", None));
    assert!(finding.to_string().contains("diverged"), "{finding}");
}

#[test]
fn a_mistake_is_one_sentence_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("results");
    let mut wrong = Vec::new();
    let twice = |model: &Line, batch: OwnBatch| model.linear.forward(batch.x).reshape([-1]);
    for (comparison, said) in [
        (compare(Vec::<String>::new()).on(plane(), "mlp"), "compare: found no optimizer, expected"),
        (compare(["adam"]), "compare: found nothing to train, expected data and a model"),
        (small().budget(0), "budget: found 0, expected a whole number from 1 to 10000"),
        (small().seeds(0), "seeds: found 0, expected"),
        (small().epochs(1_000_001), "epochs: found 1000001, expected"),
        (small().batch(0), "batch: found 0, expected"),
        (compare(["adam:lr=log(1,0.1)"]).on(plane(), "mlp"), "expected log(low,high) with 0 < low"),
        (compare(["adm"]).on(plane(), "mlp"), "or schedule `adm`; did you mean `adam`?"),
        (compare(["adam:beta3=1"]).on(plane(), "mlp"), "unknown setting of adam `beta3`"),
        (compare(["adam", "adam"]).on(plane(), "mlp"), "series `adam`: found the same label twice"),
        (
            compare(["adam:lr=[0.1,1]"]).on(plane(), "mlp"),
            "budget: found 12, with the grid of 2 settings of `adam:lr=[0.1,1]`, expected",
        ),
        (
            compare(["adam:lr=log(0.1,1)"]).on(plane(), "mlp").budget(1),
            "budget: found 1, with the range lr=log(0.1,1) of `adam:lr=log(0.1,1)`, expected",
        ),
        (small().metric("test_eror"), "unknown measurement `test_eror`"),
        (compare(["adam"]).on("mnst-10k", "mlp"), "did you mean `mnist-10k`?"),
        (compare(["adam"]).on(plane(), "mpl"), "unknown model `mpl`"),
        (compare(["adam"]).on((plane(), "standard"), "mlp"), "unknown preparation of data"),
        (
            compare(["adam"]).on(plane(), own("line", line, twice)),
            "the loss of `line`: found 72 numbers for a batch of 72, expected 1",
        ),
    ] {
        let error = comparison.out(&out).run().err().expect(said).to_string();
        if !error.contains(said) || error.lines().count() > 1 {
            wrong.push(format!("{said}: {error}"));
        }
        assert!(!out.exists(), "{said}: something was written");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    fs::write(&out, "a file").unwrap();
    let error = small().out(&out).run().err().unwrap().to_string();
    assert!(error.contains(&*out.to_string_lossy()), "{error}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "a file");
}

#[test]
fn other_options_reach_the_runs() {
    let place = tempfile::tempdir().unwrap();
    let line = format!("--seeds 2 --jobs 1 --out {}", place.path().display());
    let options = RunOptions::parse(line.split(' ').map(String::from)).unwrap();
    small().options(options).run().unwrap();
    assert_eq!(records(place.path()).keys().map(|(_, seed)| *seed).max(), Some(2));
}

#[test]
fn the_examples_are_short() {
    for name in ["own_rule", "own_model", "own_data"] {
        let lines = fs::read_to_string(format!("examples/{name}.rs")).unwrap().lines().count();
        assert!(lines <= 40, "examples/{name}.rs has {lines} lines");
    }
}
