//! Optimizers that estimate their learning rate from sums over all parameters of the model.
#![cfg(feature = "lab")]

#[allow(dead_code)] // other tests use the rest
mod places;

use std::path::Path;

use burn::tensor::DType;
use downhill::lab::verify::{Tolerance, read};
use downhill::optim::{DAdaptAdam, JointOptimizer, Optimizers, Prodigy};
use downhill::pipeline::{ParamVector, PipelineConfig};
use places::{Four, Places, Shapes, begin, config, lengths};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SHAPES: Shapes = ([7], [3, 4], [2, 1, 3], [1, 2, 1, 2]);
const STEPS: usize = 40;

/// The parameters, and the gradients of each step, whose means are not 0: d grows where they agree.
fn numbers(seed: u64) -> (Four, Vec<Four>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut four = |size: f64, mean: f64| {
        lengths(&SHAPES).map(|n| {
            let one =
                |i| size * 10f64.powi(-(i as i32 % 4)) * (mean + random.random_range(-1.0..1.0));
            (0..n).map(one).collect::<Vec<f64>>()
        })
    };
    (four(2.0, 0.0), (0..STEPS).map(|_| four(0.5, 0.8)).collect())
}

fn lr(t: usize) -> f64 {
    if t < 10 { 0.1 * (t + 1) as f64 } else { 0.7 }
}

#[test]
fn every_recorded_case_is_replayed() {
    for (file, cases) in [("learning_rate_free", 20), ("modern", 35)] {
        let path = format!("tests/golden/{file}.json");
        let recorded = read(Path::new(&path)).unwrap();
        let replays =
            recorded.replay(Path::new(&path), &Optimizers::default(), Tolerance::default());
        let replays = replays.unwrap();
        assert_eq!(replays.len(), cases);
        for replay in replays {
            assert!(replay.agrees(), "{}: {:?}", replay.case, replay.double);
        }
    }
}

/// Prodigy for all elements, from the paper: algorithm 3 with beta3 = sqrt(beta2), and k = 1.
struct Paper {
    d: f64,
    r: f64,
    x0: Vec<f64>,
    m: Vec<f64>,
    v: Vec<f64>,
    s: Vec<f64>,
}

impl Paper {
    fn step(&mut self, gamma: f64, x: &mut [f64], g: &[f64]) {
        let (d, root) = (self.d, 0.999f64.sqrt());
        let product: f64 = (0..x.len()).map(|i| g[i] * (self.x0[i] - x[i])).sum();
        self.r = root * self.r + (1.0 - root) * gamma * d * d * product;
        for i in 0..x.len() {
            self.m[i] = 0.9 * self.m[i] + 0.1 * d * g[i];
            self.v[i] = 0.999 * self.v[i] + 0.001 * d * d * g[i] * g[i];
            self.s[i] = root * self.s[i] + (1.0 - root) * gamma * d * d * g[i];
            x[i] -= gamma * d * self.m[i] / (self.v[i].sqrt() + d * 1e-5);
        }
        self.d = d.max(self.r / self.s.iter().map(|s| s.abs()).sum::<f64>());
    }
}

#[test]
fn prodigy_is_the_algorithm_of_its_paper() {
    let (start, steps) = numbers(1);
    let mut x: Vec<f64> = start.concat();
    let zeros = || vec![0.0; x.len()];
    let mut paper = Paper { d: 1e-3, r: 0.0, x0: x.clone(), m: zeros(), v: zeros(), s: zeros() };
    let mut places = Places::at(&start, &SHAPES, DType::F64);
    let mut pipeline = begin("prodigy@paper:d0=1e-3,eps=1e-5");
    for (t, g) in steps.iter().enumerate() {
        let gradients = places.all_gradients(g);
        places = pipeline.step(lr(t), places, gradients).unwrap();
        paper.step(lr(t), &mut x, &g.concat());
        for (found, expected) in places.numbers().concat().iter().zip(&x) {
            let apart = (found - expected).abs();
            assert!(
                apart <= 1e-12 * expected.abs().max(1.0),
                "step {}: {found}, {expected}",
                t + 1
            );
        }
    }
    assert!(paper.d > 0.01, "d has grown to {} only", paper.d);
}

/// The sums go over all parameters: it makes no difference how the elements are divided.
#[test]
fn a_model_of_four_parameters_moves_like_one_vector() {
    for line in [
        "prodigy:d0=1e-3",
        "prodigy@optax:d0=1e-3,lambda=0.1,growth=1.2,d_coef=2,safeguard_warmup=yes",
        "clip_global:max=0.3|prodigy:d0=1e-3,decouple=no,lambda=0.1|ema:decay=0.5",
        "dadapt_adam:d0=1e-3",
        "accumulate:steps=2|dadapt_adam@optax:d0=1e-3,lambda=0.1,growth=1.2|lookahead:k=3",
    ] {
        let (start, steps) = numbers(2);
        let mut places = Places::at(&start, &SHAPES, DType::F64);
        let mut vector = ParamVector::at(&start.concat(), DType::F64);
        let (mut ours, mut theirs) = (begin(line), begin(line));
        for (t, g) in steps.iter().enumerate() {
            let gradients = places.all_gradients(g);
            places = ours.step(lr(t), places, gradients).unwrap();
            let gradients = vector.gradients(&g.concat(), DType::F64);
            vector = theirs.step(lr(t), vector, gradients).unwrap();
            for (a, b) in places.numbers().concat().iter().zip(vector.numbers()) {
                assert!((a - b).abs() <= 1e-11 * b.abs(), "{line}, step {}: {a}, {b}", t + 1);
            }
        }
        assert_ne!(start.concat(), vector.numbers());
    }
}

/// `prodigyopt` and `dadaptation` skip a parameter without gradient, and its s is not in |s|.
#[test]
fn a_parameter_without_gradient_stays_and_is_not_counted() {
    let (start, steps) = numbers(3);
    for optimizer in ["prodigy", "dadapt_adam"] {
        let line = format!("{optimizer}:d0=1e-2");
        let mut places = Places::at(&start, &SHAPES, DType::F64);
        let mut vector = ParamVector::at(&start[0], DType::F64);
        let (mut ours, mut theirs) = (begin(&line), begin(&line));
        for g in &steps {
            let gradients = places.gradients([Some(&g[0]), None, None, None]);
            places = ours.step(1.0, places, gradients).unwrap();
            let gradients = vector.gradients(&g[0], DType::F64);
            vector = theirs.step(1.0, vector, gradients).unwrap();
        }
        assert_eq!(places.numbers()[0], vector.numbers(), "{optimizer}");
        assert_eq!(places.numbers()[1..], start[1..], "{optimizer}");
    }
}

#[test]
fn without_any_gradient_above_zero_nothing_moves() {
    let (start, steps) = numbers(4);
    let zeros = start.each_ref().map(|x| vec![0.0; x.len()]);
    for line in ["prodigy", "prodigy@optax:eps=0", "dadapt_adam", "dadapt_adam@optax:eps=0"] {
        let mut places = Places::at(&start, &SHAPES, DType::F64);
        let mut pipeline = begin(line);
        for _ in 0..3 {
            let gradients = places.all_gradients(&zeros);
            places = pipeline.step(1.0, places, gradients).unwrap();
            assert_eq!(places.numbers(), start, "{line}");
        }
        let gradients = places.all_gradients(&steps[0]);
        places = pipeline.step(1.0, places, gradients).unwrap();
        assert!(places.numbers().iter().flatten().all(|x| x.is_finite()), "{line}");
        assert_ne!(places.numbers(), start, "{line}");
    }
}

/// The largest d after some steps.
fn largest_d(mut optimizer: JointOptimizer) -> f64 {
    let (start, steps) = numbers(5);
    let mut places = Places::at(&start, &SHAPES, DType::F64);
    let mut before = optimizer.estimate().d;
    for g in &steps {
        let gradients = places.all_gradients(g);
        places = optimizer.step(1.0, places, gradients);
        let d = optimizer.estimate().d;
        assert!(d >= before, "d falls from {before} to {d}");
        before = d;
    }
    before
}

#[test]
fn d_never_falls_and_grows_by_no_more_than_growth() {
    let free = [largest_d(Prodigy::new().init()), largest_d(DAdaptAdam::new().init())];
    let bounded = [
        largest_d(Prodigy::new().with_growth(Some(1.05)).init()),
        largest_d(DAdaptAdam::new().with_growth(Some(1.05)).init()),
    ];
    // Prodigy's first estimates above d0 are not bounded
    let most = 1e-6 * 1.05f64.powi(STEPS as i32);
    for (free, bounded) in free.into_iter().zip(bounded) {
        assert!(free > 1e-3 && bounded < free, "{free:e} without a bound, {bounded:e} with one");
    }
    assert!(bounded[1] <= most * (1.0 + 1e-12), "{:e}, at most {most:e}", bounded[1]);
    assert!(bounded[0] > most, "{:e}, above {most:e}", bounded[0]);
}

/// From 131,072 elements on, the sums are added up on several threads.
#[test]
fn the_sums_of_a_large_parameter_are_those_of_a_plain_loop() {
    let n = 300_007;
    let x: Vec<f64> = (0..n).map(|i| (i % 101) as f64 / 50.0 - 1.0).collect();
    let g: Vec<f64> = (0..n).map(|i| (i % 89) as f64 / 40.0 - 1.0).collect();
    for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F64, 1e-12)] {
        let mut vector = ParamVector::at(&x, dtype);
        let mut optimizer = Prodigy::new().with_d0(0.1).init();
        for _ in 0..2 {
            let gradients = vector.gradients(&g, dtype);
            vector = optimizer.step(1.0, vector, gradients);
        }
        // after a step x0 - x is 0.1 m / (sqrt(v) + 0.1 eps)
        let moved = |g: f64| 0.1 * 0.01 * g / (0.001f64.sqrt() * 0.1 * g.abs() + 1e-9);
        let product: f64 = g.iter().filter(|g| **g != 0.0).map(|g| g * moved(*g)).sum();
        let expected = 0.1 * product;
        let found = optimizer.estimate().numerator;
        assert!((found / expected - 1.0).abs() < tolerance, "{dtype:?}: {found}, {expected}");
    }
}

#[test]
fn a_saved_state_continues_bit_for_bit_and_another_optimizer_refuses_it() {
    let (start, steps) = numbers(6);
    let run = |mut optimizer: JointOptimizer, mut places: Places, steps: &[Four]| {
        for g in steps {
            let gradients = places.all_gradients(g);
            places = optimizer.step(1.0, places, gradients);
        }
        (optimizer, places)
    };
    let fresh = || [Prodigy::new().init(), DAdaptAdam::new().init()];
    for (which, optimizer) in fresh().into_iter().enumerate() {
        let places = Places::at(&start, &SHAPES, DType::F32);
        let (optimizer, places) = run(optimizer, places, &steps[..9]);
        let bytes = optimizer.into_bytes().unwrap();
        let [prodigy, dadapt] = fresh();
        let (own, other) = if which == 0 { (prodigy, dadapt) } else { (dadapt, prodigy) };
        let loaded = own.from_bytes(bytes.clone()).unwrap().expect("its own state");
        assert_eq!(loaded.estimate(), optimizer.estimate());
        let (one, end) = run(optimizer, places.clone(), &steps[9..]);
        let (two, again) = run(loaded, places, &steps[9..]);
        assert_eq!(end.numbers(), again.numbers());
        assert_eq!(&one.into_bytes().unwrap()[..], &two.into_bytes().unwrap()[..]);
        assert!(other.from_bytes(bytes).unwrap().is_none(), "another optimizer's state");
    }
}

#[test]
fn what_cannot_be_around_it_is_one_sentence() {
    for name in ["prodigy", "dadapt_adam"] {
        for line in [
            format!("l2|{name}"),
            format!("{name}|cautious"),
            format!("{name}|decay"),
            format!("{name}|group:lr_scale=0.1"),
        ] {
            let read = PipelineConfig::read(&line.parse().unwrap(), &Optimizers::default());
            let error = read.map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("lambda"), "{line}: {error}");
            assert_eq!(error.lines().count(), 1, "{line}: {error}");
        }
    }
    assert_eq!(config("prodigy").copies(), 4);
}
