//! From runs to best settings and verdicts.

use std::collections::BTreeMap;

use downhill::experiment::grade::{self, Choose, Held, Planned};
use downhill::experiment::{At, Experiment, Scale, parse};
use downhill::optim::Optimizers;
use downhill::record::{End, Header, Outcome, Point, Run, Task};

const TOML: &str = r#"
name = "t"
title = ""
paper = ""
url = ""
about = ""
metric = { name = "train_loss", label = "" }
task = { kind = "classify", model = "logistic", data = "mnist-10k", batch = 1 }
scale.quick = { epochs = 2, seeds = 3, about = "" }
series = [{ label = "A", optimizer = "sgd:lr=[0.1,0.3,1]" }, { label = "B", optimizer = "sgd:lr=0.1" }, { label = "C", optimizer = "sgd:lr=0.1" }]
claim = [
  { quote = "", source = "", expect = { kind = "ahead", a = "A", b = "B" } },
  { quote = "", source = "", expect = { kind = "similar", a = "A", b = "B", against = "C", within = 0.25 } },
]
"#;

fn experiment() -> Experiment {
    parse("t.toml".as_ref(), TOML, &Optimizers::default()).unwrap()
}

/// A run that measures this at epochs 0, 1, ...; without numbers after the start, one that diverged.
fn run(series: &str, lr: f64, seed: u64, losses: &[f64]) -> Run {
    let task = Task::Classify {
        model: "logistic".into(),
        parameters: 1,
        data: "d".into(),
        sha256: "".into(),
        train: 1,
        test: 1,
        batch: 1,
        penalty: "none".into(),
        augment: "none".into(),
        validation: 0,
        early_stopping: "none".into(),
        measured: 0,
    };
    let header = Header {
        format: 1,
        downhill: "".into(),
        burn: "".into(),
        experiment: "t".into(),
        scale: "quick".into(),
        series: series.into(),
        optimizer: format!("sgd:lr={lr}"),
        formula: "".into(),
        schedule: "constant".into(),
        epochs: 2,
        seed,
        device: "flex".into(),
        processor: "".into(),
        task,
    };
    let point = |(epoch, loss): (usize, &f64)| Point {
        step: epoch,
        epoch,
        batch_loss: None,
        layers: Vec::new(),
        grad_norm: None,
        measures: BTreeMap::from([("train_loss".into(), *loss)]),
        seconds: 0.0,
    };
    let outcome = if losses.len() > 1 { Outcome::Finished } else { Outcome::Diverged };
    let end = Some(End { outcome, step: 2, reason: None, kept: None, seconds: 0.0 });
    Run { header, points: losses.iter().enumerate().map(point).collect(), end }
}

/// The verdicts where the finals of the three series are these, a seed each.
fn verdicts(a: &[f64], b: &[f64], c: &[f64]) -> Vec<(Held, String)> {
    let series = [("A", a), ("B", b), ("C", c)];
    let runs: Vec<Run> = series
        .iter()
        .flat_map(|(label, finals)| finals.iter().enumerate().map(move |(seed, last)| run(label, 0.1, seed as u64, &[9.0, *last])))
        .collect();
    judged(&runs)
}

fn plan(label: &str, settings: &[&str]) -> Planned {
    let settings = settings.iter().map(|setting| (setting.to_string(), "constant".to_string())).collect();
    Planned { label: label.into(), series: label.into(), settings }
}

fn judged(runs: &[Run]) -> Vec<(Held, String)> {
    let experiment = experiment();
    let planned = ["A", "B", "C"].map(|label| plan(label, &["sgd:lr=0.1"])).to_vec();
    let choose = Choose { search: Some(1), ..Choose::of(&experiment, "quick") };
    let curves = grade::curves(&planned, runs, &choose);
    grade::verdicts(&experiment, &curves).into_iter().map(|verdict| (verdict.held, verdict.margin)).collect()
}

#[test]
fn a_claim_is_held_where_its_whole_interval_is_above_zero_not_held_below_and_undecided_between() {
    let held = verdicts(&[1.0, 1.1, 0.9], &[2.0, 2.1, 1.9], &[9.0; 3]);
    assert_eq!(held[0].0, Held::Yes);
    assert_eq!(verdicts(&[2.0, 2.1, 1.9], &[1.0, 1.1, 0.9], &[9.0; 3])[0].0, Held::No);
    assert_eq!(verdicts(&[1.0, 2.0, 1.5], &[1.2, 1.7, 1.8], &[9.0; 3])[0].0, Held::Undecided);
    // differences 1, 2 and 3: mean 2, deviation 1, and 4.303 / sqrt(3) of it to each side
    let (verdict, margin) = &verdicts(&[0.0; 3], &[1.0, 2.0, 3.0], &[9.0; 3])[0];
    assert_eq!((*verdict, margin.as_str()), (Held::Undecided, "margin +2, 95 % interval -0.4843 to +4.484 over 3 seeds"));
}

#[test]
fn similar_is_measured_by_the_distance_to_the_third() {
    // A and B are 0.1 apart and C is 1 from their middle: a tenth, within a quarter
    assert_eq!(verdicts(&[1.0, 1.1, 1.2], &[1.1, 1.2, 1.3], &[2.05, 2.15, 2.25])[1].0, Held::Yes);
    // 0.5 apart: a half
    assert_eq!(verdicts(&[1.0, 1.1, 1.2], &[1.5, 1.6, 1.7], &[2.25, 2.35, 2.45])[1].0, Held::No);
}

#[test]
fn equal_margins_are_a_verdict_and_no_difference_at_all_is_undecided() {
    assert_eq!(verdicts(&[1.0; 3], &[2.0; 3], &[9.0; 3])[0].0, Held::Yes);
    assert_eq!(verdicts(&[1.0; 3], &[1.0; 3], &[9.0; 3])[0].0, Held::Undecided);
}

#[test]
fn one_seed_and_missing_runs_decide_nothing() {
    assert_eq!(verdicts(&[1.0], &[2.0], &[9.0])[0].0, Held::Undecided);
    let (held, margin) = &verdicts(&[1.0; 3], &[], &[9.0; 3])[0];
    assert_eq!((*held, margin.as_str()), (Held::Undecided, "B: not all of its runs are there"));
}

#[test]
fn margins_are_paired_by_seed_and_a_run_that_diverged_decides_nothing() {
    let on = |series: &'static str, values: [(u64, f64); 2]| values.map(|(seed, last)| run(series, 0.1, seed, &[9.0, last]));
    let runs = [on("A", [(0, 1.0), (1, 5.0)]), on("B", [(0, 2.0), (2, 7.0)]), on("C", [(0, 3.0), (1, 3.0)])].concat();
    assert_eq!(judged(&runs)[0].1, "margin +1 from 1 seed; an interval needs at least 2");
    let mut runs = on("A", [(0, 1.0), (1, 1.0)]).to_vec();
    runs.extend(on("B", [(0, 2.0), (1, 2.0)]));
    runs[3] = run("B", 0.1, 1, &[9.0]);
    assert_eq!(judged(&runs)[0], (Held::Undecided, "B diverged with seed 1".into()));
}

#[test]
fn a_grid_with_missing_runs_has_no_best() {
    let experiment = experiment();
    let planned = experiment.planned(Scale::Quick, &Optimizers::default()).unwrap();
    let runs = [run("A", 0.1, 0, &[9.0, 1.0]), run("A", 0.3, 0, &[9.0, 2.0])];
    let choose = Choose { search: Some(1), ..Choose::of(&experiment, "quick") };
    let curve = grade::curves(&planned, &runs, &choose).remove(0);
    assert_eq!((curve.best, curve.missing), (None, 1));
    assert_eq!(curve.why_none(), "runs of 1 of 3 settings are missing");
}

#[test]
fn the_best_setting_is_the_lowest_by_the_seeds_that_choose_and_one_that_diverged_is_never_best() {
    let planned = experiment().planned(Scale::Quick, &Optimizers::default()).unwrap();
    let runs = [
        run("A", 0.1, 0, &[9.0, 8.0, 3.0]),
        run("A", 0.1, 1, &[9.0, 8.0, 3.0]),
        run("A", 0.3, 0, &[9.0, 3.0, 4.0]), // later ahead at the end, but lower on average
        run("A", 0.3, 1, &[9.0, 3.0, 90.0]),
        run("A", 1.0, 0, &[9.0, 1.0, 1.0]),
        run("A", 1.0, 1, &[9.0]), // diverged
    ];
    let best = |at, search| {
        let choose = Choose { metric: "train_loss".into(), at, search: Some(search) };
        let curve = grade::curves(&planned, &runs, &choose).remove(0);
        curve.chosen().map(|candidate| candidate.optimizer.clone())
    };
    assert_eq!(best(At::End, 2).as_deref(), Some("sgd:lr=0.1"));
    assert_eq!(best(At::Mean, 2).as_deref(), Some("sgd:lr=0.1"));
    assert_eq!(best(At::End, 1).as_deref(), Some("sgd:lr=1"), "the seed that diverged does not choose");
    let two = [plan("A", &["sgd:lr=0.1", "sgd:lr=0.3"])];
    let mean = Choose { metric: "train_loss".into(), at: At::Mean, search: Some(1) };
    assert_eq!(grade::curves(&two, &runs, &mean)[0].chosen().unwrap().optimizer, "sgd:lr=0.3");
    let one = [plan("A", &["sgd:lr=1"])];
    let both = Choose { search: Some(2), ..mean };
    let curve = grade::curves(&one, &runs, &both).remove(0);
    assert_eq!((curve.best, curve.why_none().as_str()), (None, "diverged"));
    let curve = grade::curves(&[plan("A", &["sgd:lr=1", "sgd:lr=3"])], &runs, &both).remove(0);
    assert_eq!(curve.why_none(), "runs of 1 of 2 settings are missing");
}

#[test]
fn a_mean_is_written_with_the_digits_that_its_deviation_leaves() {
    for (mean, sd, text) in [
        (2083.8, 217.5953, "2084 ± 218"),
        (87.0484, 0.0321, "87.048 ± 0.032"),
        (0.9312, 0.0011, "0.9312 ± 0.0011"),
        (14_600_000.0, 70_710.678, "1.46e7 ± 70710"),
        (0.005224, 1.159e-5, "0.005224 ± 1.2e-5"),
        (9.96e-5, 4.2e-7, "9.96e-5 ± 4.2e-7"),
        (5.0, 0.0, "5 ± 0"),
        (f64::INFINITY, f64::NAN, "inf ± NaN"),
    ] {
        assert_eq!(downhill::chart::with_spread(mean, sd), text);
    }
}
