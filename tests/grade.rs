//! Selection of the best settings from runs, and verdicts on claims.
#![cfg(feature = "lab")]

use std::sync::Arc;

use std::collections::BTreeMap;

use downhill::lab::experiment::{Experiment, GridSetting, Planned, Reduction, Scale, parse, swept};
use downhill::lab::grade::{self, Selection, Verdict};
use downhill::lab::record::{CurvePoint, FORMAT, Header, Outcome, RecordedTask, Run, RunEnd};
use downhill::lab::task::classify::ClassifyRecord;
use downhill::optim::Optimizers;

const TOML: &str = r#"
name = "t"
title = ""
paper = ""
url = ""
about = ""
metric = { name = "train_loss", label = "" }
task = { kind = "classify", model = "logistic", data = "mnist-10k", batch = 1 }
scale.quick = { epochs = 2, seeds = 3, about = "" }
scale.paper = { epochs = 2, seeds = 3, about = "" }
series = [{ label = "A", optimizer = "sgd:lr=[0.1,0.3,1]" }, { label = "B", optimizer = "sgd:lr=0.1" }, { label = "C", optimizer = "sgd:lr=0.1" }]
claim = [
  { quote = "", source = "", expect = { kind = "ahead", a = "A", b = "B" } },
  { quote = "", source = "", expect = { kind = "similar", a = "A", b = "B", against = "C", within = 0.25 } },
]
"#;

fn experiment() -> Experiment {
    parse("t.toml".as_ref(), TOML, &Optimizers::default()).unwrap()
}

/// A run with the given losses at epochs 0, 1, ... A run with only the initial loss has diverged.
fn run(series: &str, lr: f64, seed: u64, losses: &[f64]) -> Run {
    let task = RecordedTask::new(ClassifyRecord {
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
    });
    let header = Header {
        format: FORMAT,
        downhill: "".into(),
        burn: "".into(),
        experiment: "t".into(),
        scale: "quick".into(),
        series: series.into(),
        optimizer: format!("sgd:lr={lr}"),
        fingerprint: "".into(),
        schedule: "constant".into(),
        epochs: 2,
        seed,
        device: "flex".into(),
        processor: "".into(),
        task,
    };
    let point = |(epoch, loss): (usize, &f64)| CurvePoint {
        step: epoch,
        epoch,
        batch_loss: None,
        layers: Vec::new(),
        grad_norm: None,
        measures: BTreeMap::from([("train_loss".into(), *loss)]).into(),
        seconds: 0.0,
    };
    let outcome = if losses.len() > 1 { Outcome::Finished } else { Outcome::Diverged };
    let end =
        Some(RunEnd { outcome, step: 2, reason: None, kept: None, commit: None, seconds: 0.0 });
    Run { header, points: Arc::new(losses.iter().enumerate().map(point).collect()), end }
}

/// The verdicts for the given final losses of the three series, one loss per seed.
fn verdicts(a: &[f64], b: &[f64], c: &[f64]) -> Vec<(Verdict, String)> {
    let series = [("A", a), ("B", b), ("C", c)];
    let runs: Vec<Run> = series
        .iter()
        .flat_map(|(label, finals)| {
            finals
                .iter()
                .enumerate()
                .map(move |(seed, last)| run(label, 0.1, seed as u64, &[9.0, *last]))
        })
        .collect();
    judged(&runs)
}

fn plan(label: &str, settings: &[&str]) -> Planned {
    let settings =
        settings.iter().map(|spec| GridSetting::new(spec.to_string(), "constant".into())).collect();
    Planned { label: label.into(), series: label.into(), settings }
}

fn judged(runs: &[Run]) -> Vec<(Verdict, String)> {
    let experiment = experiment();
    let planned = ["A", "B", "C"].map(|label| plan(label, &["sgd:lr=0.1"])).to_vec();
    let curves = grade::curves(&planned, runs, &Selection::of(&experiment, "quick", &planned));
    grade::verdicts(&experiment, "quick", &curves)
        .into_iter()
        .map(|verdict| (verdict.verdict, verdict.margin))
        .collect()
}

#[test]
fn a_claim_is_held_if_its_interval_is_above_zero_not_held_if_below_and_undecided_otherwise() {
    let held = verdicts(&[1.0, 1.1, 0.9], &[2.0, 2.1, 1.9], &[9.0; 3]);
    assert_eq!(held[0].0, Verdict::Held);
    assert_eq!(verdicts(&[2.0, 2.1, 1.9], &[1.0, 1.1, 0.9], &[9.0; 3])[0].0, Verdict::NotHeld);
    assert_eq!(verdicts(&[1.0, 2.0, 1.5], &[1.2, 1.7, 1.8], &[9.0; 3])[0].0, Verdict::Undecided);
    // The differences are 1, 2 and 3: mean 2, standard deviation 1, half-width 4.303 / sqrt(3).
    let (verdict, margin) = &verdicts(&[0.0; 3], &[1.0, 2.0, 3.0], &[9.0; 3])[0];
    assert_eq!(
        (*verdict, margin.as_str()),
        (
            Verdict::Undecided,
            "margin +2, 95 % interval -0.4841 to +4.484 over 3 seeds; p 0.074, adjusted 0.15; about 5 seeds would probably decide it"
        )
    );
}

#[test]
fn similarity_is_relative_to_the_distance_to_the_third_series() {
    // A and B differ by 0.1, and C is 1 from their midpoint: the ratio 0.1 is below 0.25.
    assert_eq!(
        verdicts(&[1.0, 1.1, 1.2], &[1.1, 1.2, 1.3], &[2.05, 2.15, 2.25])[1].0,
        Verdict::Held
    );
    // A and B differ by 0.5: the ratio 0.5 is above 0.25.
    assert_eq!(
        verdicts(&[1.0, 1.1, 1.2], &[1.5, 1.6, 1.7], &[2.25, 2.35, 2.45])[1].0,
        Verdict::NotHeld
    );
}

#[test]
fn equal_margins_give_a_verdict_and_zero_margins_are_undecided() {
    assert_eq!(verdicts(&[1.0; 3], &[2.0; 3], &[9.0; 3])[0].0, Verdict::Held);
    assert_eq!(verdicts(&[1.0; 3], &[1.0; 3], &[9.0; 3])[0].0, Verdict::Undecided);
}

#[test]
fn one_seed_or_missing_runs_give_undecided() {
    assert_eq!(verdicts(&[1.0], &[2.0], &[9.0])[0].0, Verdict::Undecided);
    let (held, margin) = &verdicts(&[1.0; 3], &[], &[9.0; 3])[0];
    assert_eq!((*held, margin.as_str()), (Verdict::Undecided, "B: some of its runs are missing"));
}

#[test]
fn margins_are_paired_by_seed_and_a_diverged_run_gives_undecided() {
    let on = |series: &'static str, values: [(u64, f64); 2]| {
        values.map(|(seed, last)| run(series, 0.1, seed, &[9.0, last]))
    };
    let runs = [
        on("A", [(0, 1.0), (1, 5.0)]),
        on("B", [(0, 2.0), (2, 7.0)]),
        on("C", [(0, 3.0), (1, 3.0)]),
    ]
    .concat();
    assert_eq!(judged(&runs)[0].1, "margin +1 from 1 seed; an interval needs at least 2");
    let mut runs = on("A", [(0, 1.0), (1, 1.0)]).to_vec();
    runs.extend(on("B", [(0, 2.0), (1, 2.0)]));
    runs[3] = run("B", 0.1, 1, &[9.0]);
    assert_eq!(judged(&runs)[0], (Verdict::Undecided, "B diverged with seed 1".into()));
}

#[test]
fn a_grid_with_missing_runs_has_no_best_setting() {
    let experiment = experiment();
    let planned = experiment.planned(Scale::Quick, &Optimizers::default()).unwrap();
    let runs = [run("A", 0.1, 0, &[9.0, 1.0]), run("A", 0.3, 0, &[9.0, 2.0])];
    let choose = Selection { search: Some(1), ..Selection::of(&experiment, "quick", &planned) };
    let curve = grade::curves(&planned, &runs, &choose).remove(0);
    assert_eq!((curve.best, curve.missing), (None, 1));
    assert_eq!(curve.why_none(), "runs of 1 of 3 settings are missing");
}

#[test]
fn the_best_setting_has_the_lowest_metric_over_the_search_seeds_and_did_not_diverge() {
    let planned = experiment().planned(Scale::Quick, &Optimizers::default()).unwrap();
    let runs = [
        run("A", 0.1, 0, &[9.0, 8.0, 3.0]),
        run("A", 0.1, 1, &[9.0, 8.0, 3.0]),
        run("A", 0.3, 0, &[9.0, 3.0, 4.0]), // higher final loss, but lower mean
        run("A", 0.3, 1, &[9.0, 3.0, 90.0]),
        run("A", 1.0, 0, &[9.0, 1.0, 1.0]),
        run("A", 1.0, 1, &[9.0]), // diverged
    ];
    let best = |at, search| {
        let choose = Selection { metric: "train_loss".into(), at, search: Some(search) };
        let curve = grade::curves(&planned, &runs, &choose).remove(0);
        curve.chosen().map(|candidate| candidate.setting.optimizer.clone())
    };
    assert_eq!(best(Reduction::End, 2).as_deref(), Some("sgd:lr=0.1"));
    assert_eq!(best(Reduction::Mean, 2).as_deref(), Some("sgd:lr=0.1"));
    assert_eq!(
        best(Reduction::End, 1).as_deref(),
        Some("sgd:lr=1"),
        "the diverged seed is not a search seed"
    );
    let two = [plan("A", &["sgd:lr=0.1", "sgd:lr=0.3"])];
    let mean = Selection { metric: "train_loss".into(), at: Reduction::Mean, search: Some(1) };
    assert_eq!(
        grade::curves(&two, &runs, &mean)[0].chosen().unwrap().setting.optimizer,
        "sgd:lr=0.3"
    );
    let one = [plan("A", &["sgd:lr=1"])];
    let both = Selection { search: Some(2), ..mean };
    let all = Selection { search: None, ..both.clone() };
    let curve = grade::curves(&one, &runs[5..], &all).remove(0);
    assert_eq!((curve.best, curve.why_none().as_str()), (None, "diverged"));
    let curve = grade::curves(&[plan("A", &["sgd:lr=1", "sgd:lr=3"])], &runs, &both).remove(0);
    assert_eq!(curve.why_none(), "runs of 1 of 2 settings are missing");
}

#[test]
fn the_seeds_that_select_are_not_graded() {
    let experiment = experiment();
    let planned = experiment.planned(Scale::Quick, &Optimizers::default()).unwrap();
    let choose = Selection { search: Some(2), ..Selection::of(&experiment, "quick", &planned) };
    let mut runs = Vec::new();
    for (lr, last) in [(0.1, 1.0), (0.3, 2.0), (1.0, 3.0)] {
        runs.extend((0..2).map(|seed| run("A", lr, seed, &[9.0, last])));
    }
    runs.extend((2..5).map(|seed| run("A", 0.1, seed, &[9.0, 4.0])));
    // a series with one setting has only the graded seeds
    runs.extend((2..5).map(|seed| run("B", 0.1, seed, &[9.0, 3.0 - 0.1 * seed as f64])));
    runs.extend((2..5).map(|seed| run("C", 0.1, seed, &[9.0, 8.0])));
    let curves = grade::curves(&planned, &runs, &choose);
    let seeds = |runs: &[Run]| runs.iter().map(|run| run.header.seed).collect::<Vec<_>>();
    let chosen = curves[0].chosen().unwrap();
    assert_eq!(chosen.setting.optimizer, "sgd:lr=0.1");
    assert_eq!((seeds(&chosen.selecting), seeds(&chosen.runs)), (vec![0, 1], vec![2, 3, 4]));
    assert_eq!(seeds(&curves[1].chosen().unwrap().runs), [2, 3, 4]);
    let verdict = &grade::verdicts(&experiment, "quick", &curves)[0];
    assert_eq!(verdict.verdict, Verdict::NotHeld, "by seeds 0 and 1 it would be HELD");
    assert!(verdict.margin.contains("over 3 seeds"), "{}", verdict.margin);
}

#[test]
fn a_single_setting_with_a_diverged_seed_keeps_the_others() {
    let one = [plan("A", &["sgd:lr=1"])];
    let runs = [run("A", 1.0, 0, &[9.0]), run("A", 1.0, 1, &[9.0, 2.0])];
    let all = Selection { metric: "train_loss".into(), at: Reduction::End, search: None };
    let curve = grade::curves(&one, &runs, &all).remove(0);
    assert_eq!(curve.chosen().unwrap().diverged(), [0]);
}

#[test]
fn a_mean_is_rounded_to_the_precision_of_its_standard_deviation() {
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
        assert_eq!(downhill::lab::chart::with_spread(mean, sd), text);
    }
}

/// The settings of a grid with the final loss of each.
type Grid<'a> = &'a [(&'a str, f64)];

/// The verdict on a claim about grids. Each series has settings with final losses; an infinite loss
/// means that the run diverged.
fn of_grids(expect: &str, grids: &[(&str, Grid)]) -> (Verdict, String) {
    let toml = TOML.replace("sgd:lr=[0.1,0.3,1]", "l2:lambda=[0.01,0.1]|sgd:lr=[0.1,0.3,1]");
    let toml = format!(
        "{}claim = [{{ quote = \"\", source = \"\", expect = {expect} }}]",
        toml.split("claim =").next().unwrap()
    );
    let experiment = parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap();
    let planned: Vec<Planned> = grids
        .iter()
        .map(|(label, cells)| plan(label, &cells.iter().map(|cell| cell.0).collect::<Vec<_>>()))
        .collect();
    let mut runs = Vec::new();
    for (label, cells) in grids {
        for (optimizer, last) in *cells {
            let losses = [9.0, *last];
            let mut run = run(label, 0.1, 0, if last.is_finite() { &losses } else { &losses[..1] });
            run.header.optimizer = optimizer.to_string();
            runs.push(run);
        }
    }
    let choose = Selection::of(&experiment, "quick", &planned);
    let choose = Selection { search: choose.search.map(|_| 1), ..choose };
    let curves = grade::curves(&planned, &runs, &choose);
    let verdict = grade::verdicts(&experiment, "quick", &curves).remove(0);
    (verdict.verdict, verdict.margin)
}

#[test]
fn a_spread_is_maximum_minus_minimum_of_a_grid_and_infinite_if_a_setting_diverged() {
    let narrow: Grid = &[("sgd:lr=0.1", 1.0), ("sgd:lr=1", 1.25), ("sgd:lr=10", 1.5)];
    let at_most = |most: f64| {
        of_grids(
            &format!(r#"{{ kind = "spread", of = "A", at_most = {most:?} }}"#),
            &[("A", narrow)],
        )
    };
    assert_eq!(at_most(0.5), (Verdict::Pass, "1 to 1.5 over 3 settings".into()));
    assert_eq!(at_most(0.49).0, Verdict::Fail);
    let lost: Grid = &[("sgd:lr=0.1", 1.0), ("sgd:lr=1", f64::INFINITY)];
    let lost = of_grids(r#"{ kind = "spread", of = "A", at_least = 5.0 }"#, &[("A", lost)]);
    assert_eq!(lost, (Verdict::Pass, "1 to diverged over 2 settings".into()));
}

#[test]
fn a_chosen_setting_passes_within_a_factor_on_both_sides() {
    let cells: Grid = &[("sgd:lr=0.1", 2.0), ("sgd:lr=0.3", 1.0), ("sgd:lr=1", f64::INFINITY)];
    let chosen = |is: f64, factor: f64, cells| {
        let keys = format!("setting = \"lr\", is = {is:?}, factor = {factor:?}");
        of_grids(&format!("{{ kind = \"chosen\", of = \"A\", {keys} }}"), &[("A", cells)])
    };
    assert_eq!(chosen(0.2, 1.51, cells), (Verdict::Pass, "lr 0.3 of 3 settings".into()));
    assert_eq!(chosen(0.2, 1.49, cells).0, Verdict::Fail);
    assert_eq!(chosen(0.4, 1.35, cells).0, Verdict::Pass);
    assert_eq!(chosen(0.4, 1.3, cells).0, Verdict::Fail);
    assert_eq!(chosen(0.3, 1.0, cells).0, Verdict::Pass);
    let lost: Grid = &[("sgd:lr=0.1", f64::INFINITY), ("sgd:lr=0.3", f64::INFINITY)];
    let none = chosen(0.3, 1.0, lost);
    assert_eq!(none, (Verdict::Undecided, "A: diverged at every setting".into()));
}

#[test]
fn a_diverged_run_fails_values_and_upper_bounds() {
    let alone = |expect: &str, finals: Grid| {
        of_grids(&format!("{{ {expect}, of = \"A\" }}"), &[("A", finals)])
    };
    let diverged: Grid = &[("sgd:lr=0.1", f64::INFINITY)];
    let said = "A: diverged".to_string();
    assert_eq!(alone(r#"kind = "bound", at_most = 5.0"#, diverged), (Verdict::Fail, said.clone()));
    assert_eq!(
        alone(r#"kind = "value", is = 1.0, within = 1.0"#, diverged),
        (Verdict::Fail, said.clone())
    );
    assert_eq!(alone(r#"kind = "bound", at_least = 5.0"#, diverged), (Verdict::Pass, said));
    assert_eq!(alone(r#"kind = "bound", at_most = 5.0"#, &[]).0, Verdict::Undecided);
    assert_eq!(alone(r#"kind = "bound", at_most = 5.0"#, &[("sgd:lr=0.1", 4.0)]).0, Verdict::Pass);
    let seconds = alone(r#"kind = "bound", measure = "seconds", at_most = 5.0"#, diverged);
    assert_eq!(seconds.0, Verdict::Undecided, "the duration of a diverged run is unknown");
    let lost = alone(r#"kind = "spread", at_most = 5.0"#, diverged);
    assert_eq!(lost, (Verdict::Fail, "diverged to diverged over 1 settings".into()));
}

#[test]
fn cells_compare_only_the_settings_that_both_grids_have() {
    let a: Grid =
        &[("sgd:lr=0.1", 1.0), ("sgd:lr=1", 2.0), ("sgd:lr=10", 3.0), ("sgd:lr=100", 0.0)];
    let b: Grid = &[("sgd:lr=0.1", 2.0), ("sgd:lr=1", 2.01), ("sgd:lr=10", 1.0)];
    let share = |least: f64| {
        let expect =
            format!(r#"{{ kind = "cells", a = "A", b = "B", tie = 0.01, at_least = {least:?} }}"#);
        of_grids(&expect, &[("A", a), ("B", b)])
    };
    assert_eq!(
        share(0.6),
        (Verdict::Pass, "lower in 1, a tie in 1, higher in 1 of 3 settings".into())
    );
    assert_eq!(share(0.7).0, Verdict::Fail);
    // If both runs diverged, the result is a tie. If one diverged, it is higher than any loss.
    let (a, b): (Grid, Grid) = (
        &[("sgd:lr=0.1", f64::INFINITY), ("sgd:lr=1", f64::INFINITY)],
        &[("sgd:lr=0.1", f64::INFINITY), ("sgd:lr=1", 1e9)],
    );
    let expect = r#"{ kind = "cells", a = "A", b = "B", tie = 0.01, at_least = 1.0 }"#;
    assert_eq!(
        of_grids(expect, &[("A", a), ("B", b)]),
        (Verdict::Fail, "lower in 0, a tie in 1, higher in 1 of 2 settings".into())
    );
    assert_eq!(
        of_grids(expect, &[("A", b), ("B", a)]),
        (Verdict::Pass, "lower in 1, a tie in 1, higher in 0 of 2 settings".into())
    );
    let (a, b): (Grid, Grid) = (&[("sgd:lr=0.1", 1.0)], &[("sgd:lr=0.2", 1.0)]);
    assert_eq!(of_grids(expect, &[("A", a), ("B", b)]).0, Verdict::Undecided);
}

#[test]
fn a_slope_separates_coupled_from_independent_settings() {
    let grid = |best: &dyn Fn(f64) -> f64| -> Vec<(String, f64)> {
        let mut cells = Vec::new();
        for lr in [0.01, 0.1, 1.0] {
            for lambda in [0.0, 1e-3f64, 0.01, 0.1, 1.0, 10.0] {
                let loss = if lambda == 0.0 { 0.5 } else { 1.0 + (lambda / best(lr)).ln().abs() };
                cells.push((format!("l2:lambda={lambda}|sgd:lr={lr}"), loss));
            }
        }
        cells
    };
    let slope = |cells: &[(String, f64)], bound: &str| {
        let cells: Vec<(&str, f64)> =
            cells.iter().map(|(setting, loss)| (setting.as_str(), *loss)).collect();
        of_grids(
            &format!(r#"{{ kind = "slope", of = "A", x = "lr", y = "l2.lambda", {bound} }}"#),
            &[("A", &cells)],
        )
    };
    // lambda 0 is the best here, but has no logarithm and is ignored.
    let product = slope(&grid(&|lr| 0.01 / lr), "at_most = -0.9");
    assert_eq!(
        product,
        (Verdict::Pass, "slope -1: best l2.lambda 1 at 0.01, 0.1 at 0.1, 0.01 at 1".into())
    );
    assert_eq!(slope(&grid(&|_| 0.1), "at_least = -0.1, at_most = 0.1").0, Verdict::Pass);
    assert_eq!(slope(&grid(&|_| 0.1), "at_most = -0.1").0, Verdict::Fail);
    // If all losses are equal, the middle setting is the best.
    let flat = grid(&|_| 0.1).into_iter().map(|(setting, _)| (setting, 1.0)).collect::<Vec<_>>();
    assert_eq!(
        slope(&flat, "at_least = 0.0, at_most = 0.0").1,
        "slope +0: best l2.lambda 0.1 at 0.01, 0.1 at 0.1, 0.1 at 1"
    );
    let one: Vec<_> =
        grid(&|_| 0.1).into_iter().filter(|(setting, _)| setting.ends_with("lr=1")).collect();
    assert_eq!(slope(&one, "at_most = 0.0").0, Verdict::Undecided);
    // At the edge of the grid, the best setting may be outside the grid.
    let (held, found) = slope(&grid(&|lr| 0.1 / lr), "at_most = 0.0");
    let said = "2 values of lr inside the grid, a slope needs 3: best l2.lambda 1 at 0.1, 0.1 at 1; left out at the edge of the grid: 10 at 0.01";
    assert_eq!((held, found.as_str()), (Verdict::Undecided, said));
}

#[test]
fn a_claim_for_one_scale_is_undecided_at_other_scales() {
    let toml = TOML.replacen(r#"b = "B" } }"#, r#"b = "B" }, scale = "paper" }"#, 1);
    let experiment = parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap();
    let runs: Vec<Run> = ["A", "B", "C"]
        .iter()
        .flat_map(|label| (0..3).map(|seed| run(label, 0.1, seed, &[9.0, 1.0 + seed as f64])))
        .collect();
    let planned = ["A", "B", "C"].map(|label| plan(label, &["sgd:lr=0.1"])).to_vec();
    let curves = grade::curves(&planned, &runs, &Selection::of(&experiment, "quick", &planned));
    let verdict = &grade::verdicts(&experiment, "quick", &curves)[0];
    assert_eq!(
        (verdict.verdict, verdict.margin.as_str()),
        (Verdict::Undecided, "decided at --scale paper")
    );
    assert_ne!(grade::verdicts(&experiment, "paper", &curves)[0].margin, verdict.margin);
}

#[test]
fn a_grid_is_steadier_if_fewer_of_its_settings_diverge() {
    let (lost, fine): (Grid, Grid) = (
        &[("sgd:lr=0.1", 1.0), ("sgd:lr=1", f64::INFINITY)],
        &[("sgd:lr=0.1", 1.0), ("sgd:lr=1", 7.0)],
    );
    let steadier =
        |a, b| of_grids(r#"{ kind = "steadier", a = "A", b = "B" }"#, &[("A", a), ("B", b)]);
    assert_eq!(steadier(fine, lost), (Verdict::Pass, "0 against 1 of 2 settings".into()));
    // The initial loss is 9. A run with a higher final loss also counts as diverged.
    let other: Grid = &[("sgd:lr=0.1", 1.0), ("sgd:lr=3", 1.0)];
    let worse: Grid = &[("sgd:lr=0.1", 1.0), ("sgd:lr=1", 9.5)];
    assert_eq!(steadier(fine, worse).0, Verdict::Pass);
    assert_eq!(
        steadier(other, lost),
        (Verdict::Fail, "0 against 0 of 1 settings".into()),
        "only settings that both grids have"
    );
    assert_eq!((steadier(lost, fine).0, steadier(lost, lost).0), (Verdict::Fail, Verdict::Fail));
}

/// The verdict on a claim `reaches` for these training losses after each epoch, one list per seed.
fn of_curves(expect: &str, a: &[&[f64]], b: &[&[f64]]) -> (Verdict, String) {
    let claims = format!("claim = [{{ quote = \"\", source = \"\", expect = {expect} }}]");
    let toml = format!("{}{claims}", TOML.split("claim =").next().unwrap());
    let experiment = parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap();
    let series = [("A", a), ("B", b), ("C", b)];
    let runs = series.iter().flat_map(|(label, curves)| {
        curves.iter().enumerate().map(|(seed, losses)| run(label, 0.1, seed as u64, losses))
    });
    let planned = ["A", "B", "C"].map(|label| plan(label, &["sgd:lr=0.1"])).to_vec();
    let choose = Selection::of(&experiment, "quick", &planned);
    let curves = grade::curves(&planned, &runs.collect::<Vec<_>>(), &choose);
    let verdict = grade::verdicts(&experiment, "quick", &curves).remove(0);
    (verdict.verdict, verdict.margin)
}

#[test]
fn a_target_is_reached_between_two_epochs_and_never_is_infinite() {
    let within = |n: f64, a: &[&[f64]]| {
        let kind = r#"kind = "reaches", a = "A", target = 1.0"#;
        of_curves(&format!("{{ {kind}, within = {n:?} }}"), a, a)
    };
    // from 3 at step 1 to 0.5 at step 2: 1 is four fifths of the way
    let half: &[&[f64]] = &[&[9.0, 3.0, 0.5]];
    assert_eq!(within(1.8, half), (Verdict::Pass, "median 1.8 steps of 1 seed".into()));
    assert_eq!(within(1.79, half).0, Verdict::Fail);
    let never: &[&[f64]] = &[&[9.0, 3.0, 2.0], &[9.0, 1.0, 1.0], &[9.0, 5.0, 4.0]];
    assert_eq!(within(9.0, never), (Verdict::Fail, "median never of 3 seeds, 2 never".into()));
    // a run that diverges later has reached it
    assert_eq!(within(1.0, &[&[0.9]]).1, "A: diverged");
}

#[test]
fn the_series_that_reaches_a_target_first_in_most_seeds_is_ahead() {
    let expect = r#"{ kind = "reaches", a = "A", b = "B", target = 1.0, in = "epochs" }"#;
    let (fast, slow): (&[f64], &[f64]) = (&[9.0, 1.0, 0.5], &[9.0, 3.0, 2.0]);
    let of = |seeds: usize, a, b| of_curves(expect, &vec![a; seeds], &vec![b; seeds]);
    let (verdict, found) = of(6, fast, slow);
    let said =
        "A 1 epochs, B never; median margin +inf, 95 % interval +inf to +inf over 6 seeds; p 0.031";
    assert_eq!((verdict, found.as_str()), (Verdict::Held, said));
    assert_eq!(of(6, slow, fast).0, Verdict::NotHeld);
    let (verdict, found) = of(5, fast, slow);
    assert_eq!(verdict, Verdict::Undecided);
    assert!(found.ends_with("about 6 seeds would probably decide it"), "{found}");
    let (verdict, found) = of(6, slow, slow);
    assert_eq!(verdict, Verdict::Undecided, "infinite costs are equal");
    assert!(found.ends_with("it does not look decidable within 1000 seeds"), "{found}");
}

#[test]
fn claims_of_one_experiment_are_tested_together_and_looks_make_a_decision_harder() {
    let (a, b) = ([1.0, 1.2, 1.1, 1.3, 0.9], [1.5, 1.4, 1.7, 1.5, 1.6]);
    let mut experiment = experiment();
    let runs: Vec<Run> = [("A", a), ("B", b), ("C", [9.0; 5])]
        .iter()
        .flat_map(|(label, last)| {
            (0..5).map(|seed| run(label, 0.1, seed as u64, &[9.0, last[seed]])).collect::<Vec<_>>()
        })
        .collect();
    let planned = ["A", "B", "C"].map(|label| plan(label, &["sgd:lr=0.1"])).to_vec();
    let choose = Selection::of(&experiment, "quick", &planned);
    let curves = grade::curves(&planned, &runs, &choose);
    let both = grade::verdicts(&experiment, "quick", &curves);
    let evidence = both[0].evidence.unwrap();
    assert_eq!((both[0].verdict, evidence.pairs), (Verdict::Held, 5));
    let smaller = both[1].evidence.unwrap();
    assert!(smaller.p_value < evidence.p_value);
    assert!((smaller.adjusted_p / smaller.p_value - 2.0).abs() < 1e-9, "the smaller of two");
    experiment.until_decided = true;
    let claim = &grade::verdicts(&experiment, "quick", &curves)[0];
    assert_eq!((claim.verdict, claim.is_open), (Verdict::Undecided, true));
    assert!(claim.evidence.unwrap().adjusted_p > evidence.adjusted_p);
    experiment.claim.remove(0);
    experiment.until_decided = false;
    let alone = grade::verdicts(&experiment, "quick", &curves)[0].evidence.unwrap();
    assert_eq!((alone.adjusted_p, alone.p_value), (smaller.p_value, smaller.p_value));
}

#[test]
fn invalid_claims_are_rejected_before_anything_runs() {
    let rejected = |claim: &str| {
        let toml = format!(
            "{}claim = [{{ quote = \"\", source = \"\", {claim} }}]",
            TOML.split("claim =").next().unwrap()
        );
        parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap_err().to_string()
    };
    for (claim, said) in [
        (
            r#"expect = { kind = "ahead", a = "A", b = "B" }, scale = "sweep""#,
            "found sweep, expected a scale of this experiment",
        ),
        (
            r#"expect = { kind = "cells", a = "A", b = "B", tie = -3.0, at_least = 0.5 }"#,
            "found tie -3, at_least 0.5",
        ),
        (
            r#"expect = { kind = "cells", a = "A", b = "B", tie = 0.0, at_least = 7.0 }"#,
            "a fraction from 0 to 1",
        ),
        (r#"expect = { kind = "spread", of = "A" }"#, "at_least or at_most"),
        (
            r#"expect = { kind = "bound", of = "A", at_least = 2.0, at_most = 1.0 }"#,
            "found at least 2 and at most 1",
        ),
        (r#"expect = { kind = "bound", of = "A", at_least = nan }"#, "finite numbers"),
        (
            r#"expect = { kind = "value", of = "A", is = 1.0, within = -1.0 }"#,
            "the tolerance 0 or above",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", b = "B", target = 1.5, measure = "test_error" }"#,
            "expect.target: found 1.5, expected from 0 to 1, the range of test_error",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", b = "B", target = -0.1 }"#,
            "expect.target: found -0.1, expected at least 0, which train_loss can reach",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", b = "B", target = 0.1, in = "hours" }"#,
            "unknown value `hours`",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", b = "B", target = 0.9, measure = "test_accuracy" }"#,
            "expect.measure: found `test_accuracy`, expected one of train_loss",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", target = 0.1 }"#,
            "expect: found neither b nor within, expected one of them",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", target = 0.1, within = 0 }"#,
            "expect.within: found 0, expected a finite number above 0",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", b = "B", target = true }"#,
            "expected a number, or the name of a published curve in quotes",
        ),
        (
            r#"expect = { kind = "reaches", a = "A", b = "B", target = "fmnist_2c2d/Adm" }"#,
            "expect.target: found `fmnist_2c2d/Adm`, expected a number, or a problem",
        ),
        (
            r#"expect = { kind = "slope", of = "A", x = "lr", y = "lamda", at_most = 0.0 }"#,
            "found `lamda`, expected a setting of the grid of A: lr",
        ),
        (
            r#"expect = { kind = "chosen", of = "A", setting = "lambda", is = 0.1, factor = 2.0 }"#,
            "found `lambda`, expected a setting of the grid of A: lr",
        ),
        (
            r#"expect = { kind = "chosen", of = "A", setting = "lr", is = 0.0, factor = 2.0 }"#,
            "found 0 up to a factor of 2, expected finite numbers, the first above 0",
        ),
        (
            r#"expect = { kind = "chosen", of = "A", setting = "lr", is = 0.1, factor = 0.5 }"#,
            "found 0.1 up to a factor of 0.5, expected",
        ),
        (
            r#"expect = { kind = "slope", of = "Typo", x = "lr", y = "mu", at_most = 0.0 }"#,
            "unknown series `Typo`",
        ),
    ] {
        let error = rejected(claim);
        assert!(error.starts_with("t.toml, ") && error.contains(said), "{claim}: {error}");
    }
    let published = TOML.replace(
        r#"{ label = "B", optimizer = "sgd:lr=0.1" }"#,
        r#"{ label = "B", optimizer = "sgd:lr=0.1", published = "fmnist_2c2d/Adm" }"#,
    );
    let error =
        parse("t.toml".as_ref(), &published, &Optimizers::default()).unwrap_err().to_string();
    assert!(error.contains("published: found `fmnist_2c2d/Adm`"), "{error}");
}

#[test]
fn the_label_of_a_setting_names_its_dialect_and_its_weight_decay() {
    let labels = |spec: &str| -> Vec<String> {
        let toml = TOML.replace("sgd:lr=[0.1,0.3,1]", spec);
        let experiment = parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap();
        let planned = experiment.planned(Scale::Quick, &Optimizers::default()).unwrap();
        let settings: Vec<&GridSetting> = planned[0].settings.iter().collect();
        let swept = swept(&settings);
        settings.into_iter().map(|setting| setting.brief(&swept)).collect()
    };
    for (spec, label) in [
        ("adam:lr=0.1", "adam lr=0.1"),
        ("adam@torch:lr=0.1", "adam@torch lr=0.1"),
        ("adamw@torch:lr=0.1,lambda=0.03", "adamw@torch lr=0.1 lambda=0.03"),
        ("lion:lr=0.1", "lion lr=0.1"),
        ("adamw:lr=0.1,weight_decay=0.03", "adamw lr=0.1 weight_decay=0.03"),
        (
            "adamw:lr=0.1,weight_decay=0.03|group:params=vectors,weight_decay=0|cosine:warmup=5",
            "adamw|group:params=vectors,weight_decay=0|cosine:warmup=5 lr=0.1 weight_decay=0.03",
        ),
        ("lion:lr=0.1,lambda=2", "lion lr=0.1 lambda=2"),
        ("l2:lambda=0.03|nag@torch:lr=0.1|cosine", "l2|nag@torch|cosine l2.lambda=0.03 lr=0.1"),
        ("sgd:lr=0.1|decay:lambda=0.03", "sgd|decay lr=0.1 decay.lambda=0.03"),
    ] {
        assert_eq!(labels(spec), [label], "{spec}");
    }
    assert_eq!(labels("adam@keras:lr=[0.1,1]"), ["adam@keras lr=0.1", "adam@keras lr=1"]);
}

#[test]
fn the_label_of_a_setting_names_the_schedule_of_its_series() {
    let toml = TOML.replace("sgd:lr=[0.1,0.3,1]\"", "sgd:lr=0.1\", schedule = \"cosine\"");
    let experiment = parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap();
    let planned = experiment.planned(Scale::Quick, &Optimizers::default()).unwrap();
    let label = |i: usize| planned[i].settings[0].brief(&[]);
    assert_eq!([label(0), label(1)], ["sgd|cosine lr=0.1", "sgd lr=0.1"]);
}

#[test]
fn the_weight_decay_of_a_group_is_named_once() {
    let spec = "adamw:lr=0.1,lambda=0.03|group:params=vectors,weight_decay=0.2";
    let toml = TOML.replace("sgd:lr=[0.1,0.3,1]", spec);
    let experiment = parse("t.toml".as_ref(), &toml, &Optimizers::default()).unwrap();
    let planned = experiment.planned(Scale::Quick, &Optimizers::default()).unwrap();
    let label = planned[0].settings[0].brief(&[]);
    assert_eq!(label, "adamw|group:params=vectors,weight_decay=0.2 lr=0.1 lambda=0.03");
}
