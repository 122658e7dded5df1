//! Adafactor against recorded steps of PyTorch, Keras and Optax, on a matrix and on a vector.
#![cfg(feature = "lab")]

#[allow(dead_code)] // other tests use the rest
mod places;

use std::collections::BTreeMap;

use burn::tensor::DType;
use places::{Places, Shapes, begin};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    theta0: BTreeMap<String, Vec<f64>>,
    grads: BTreeMap<String, Vec<Vec<f64>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    kind: String,
    framework: String,
    line: String,
    theta: Vec<Vec<f64>>,
}

const SHAPES: Shapes = ([5], [3, 4], [2, 3, 4], [1; 4]);

fn recorded() -> Recorded {
    let text = std::fs::read_to_string("tests/golden/adafactor.json").unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The largest error of a step, relative to the parameter.
fn apart(file: &Recorded, line: &str, case: &Case) -> f64 {
    let (start, which) = (&file.theta0[&case.kind], usize::from(case.kind == "matrix"));
    let mut numbers = [vec![0.5; 5], vec![0.5; 12], vec![0.5; 24], vec![0.5]];
    numbers[which] = start.clone();
    let mut places = Places::at(&numbers, &SHAPES, DType::F64);
    let mut pipeline = begin(line);
    let lr: f64 = line.split(['=', ',']).nth(1).unwrap().parse().unwrap();
    let mut largest: f64 = 0.0;
    for (t, (g, theta)) in file.grads[&case.kind].iter().zip(&case.theta).enumerate() {
        let mut some = [None; 4];
        some[which] = Some(&g[..]);
        let gradients = places.gradients(some);
        places = pipeline.step(if t < 20 { lr } else { lr / 10.0 }, places, gradients).unwrap();
        for (ours, theirs) in places.numbers()[which].iter().zip(theta) {
            largest = largest.max((ours - theirs).abs() / theirs.abs());
        }
    }
    largest
}

#[test]
fn every_recorded_case_is_replayed_to_1e_10() {
    let file = recorded();
    assert_eq!(file.cases.len(), 12);
    for case in &file.cases {
        let apart = apart(&file, &case.line, case);
        assert!(apart < 1e-10, "{} {}: {}, {apart:e}", case.framework, case.kind, case.line);
    }
}

/// The recorded gradients are larger: their mean square is above eps.
#[test]
fn the_mean_of_the_rows_has_eps_as_its_least_value_in_torch() {
    let (eps, lr) = (f64::from(f32::EPSILON), 0.1);
    let g: Vec<f64> = (1..=12).map(|i| 1e-5 * f64::from(i)).collect();
    let numbers = [vec![0.5; 5], vec![0.5; 12], vec![0.5; 24], vec![0.5]];
    let mut places = Places::at(&numbers, &SHAPES, DType::F64);
    let gradients = places.gradients([None, Some(&g[..]), None, None]);
    let mut pipeline = begin(&format!("adafactor@torch:lr={lr},clip=1e6"));
    places = pipeline.step(lr, places, gradients).unwrap();

    let square = |row: usize, column: usize| g[4 * row + column].powi(2);
    let rows: Vec<f64> =
        (0..3).map(|row| (0..4).map(|column| square(row, column)).sum::<f64>() / 4.0).collect();
    let mean = rows.iter().sum::<f64>() / 3.0;
    assert!(mean < eps, "{mean:e}");
    for (i, moved) in places.numbers()[1].iter().enumerate() {
        let columns = (0..3).map(|row| square(row, i % 4)).sum::<f64>() / 3.0;
        let v = (rows[i / 4] * columns / eps).max(eps * eps);
        let expected = 0.5 - lr * 0.5 * g[i] / v.sqrt(); // the root mean square of x is 0.5
        assert!((moved - expected).abs() < 1e-12, "{i}: {moved} and {expected}");
    }
}

/// A case that another formula replays as well would prove nothing.
#[test]
fn a_replay_with_another_setting_fails() {
    let file = recorded();
    let lines = [
        ("matrix", "decay_rate=0.8"),
        ("vector", "decay_rate=0.8"),
        ("matrix", "clip=1"),
        ("matrix", "least_rms=1e-3"),
        ("vector", "eps_use=added,eps=1e-3"),
        ("matrix", "eps_use=least,eps=1e-30"),
        ("matrix", "min_size=4"),
        ("matrix", "relative_step=no"),
        ("matrix", "scale_parameter=no"),
    ];
    for (kind, change) in lines {
        // the second cases of torch and Keras have other settings than the defaults
        let cases = file.cases.iter().filter(|case| case.kind == kind && case.framework != "optax");
        let case = cases.into_iter().filter(|case| case.line.contains("lr=0.5")).nth(1).unwrap();
        let keys: Vec<&str> = change.split(',').filter_map(|one| one.split('=').next()).collect();
        let (name, settings) = case.line.split_once(':').unwrap();
        let kept =
            settings.split(',').filter(|one| !keys.contains(&one.split('=').next().unwrap()));
        let line = format!("{name}:{},{change}", kept.collect::<Vec<_>>().join(","));
        let apart = apart(&file, &line, case);
        assert!(apart > 1e-8, "{line} agrees with {}: {apart:e}", case.line);
    }
}

/// A tensor of more than two dimensions is a batch of matrices with one root mean square.
#[test]
fn a_batch_of_equal_matrices_moves_like_each_of_them() {
    let start = [vec![0.1; 5], (0..12).map(|i| i as f64 / 7.0).collect(), vec![], vec![0.5]];
    let start = [start[0].clone(), start[1].clone(), start[1].repeat(2), start[3].clone()];
    let mut places = Places::at(&start, &SHAPES, DType::F64);
    let mut pipeline = begin("adafactor");
    for t in 0..20 {
        let g: Vec<f64> = (0..12).map(|i| ((t * 5 + i * 3) as f64).sin()).collect();
        let twice = g.repeat(2);
        let gradients = places.gradients([None, Some(&g[..]), Some(&twice[..]), None]);
        places = pipeline.step(0.1, places, gradients).unwrap();
        let [_, matrix, batch, _] = places.numbers();
        for (i, x) in batch.iter().enumerate() {
            assert!((x - matrix[i % 12]).abs() < 1e-14, "step {t}, element {i}");
        }
    }
}
