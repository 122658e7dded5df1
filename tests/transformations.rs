//! Gradient transformations compared with transcriptions of their papers, on several parameters.
#![cfg(feature = "lab")]

#[allow(dead_code)] // other tests use the rest
mod places;

use burn::optim::GradientsParams;
use burn::tensor::DType;
use downhill::pipeline::Stepper;
use places::{Four, Places, Shapes, begin, lengths};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SHAPES: Shapes = ([7], [3, 4], [2, 1, 3], [1, 2, 1, 2]);
const STEPS: usize = 40;

/// The parameters, and the gradients of each step. Elements differ in size.
fn numbers(seed: u64) -> (Four, Vec<Four>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut four = |size: f64| {
        lengths(&SHAPES).map(|n| {
            let one = |i| size * 10f64.powi(-(i as i32 % 4)) * random.random_range(-1.0..1.0);
            (0..n).map(one).collect::<Vec<f64>>()
        })
    };
    (four(2.0), (0..STEPS).map(|_| four(0.5)).collect())
}

fn lr(t: usize) -> f64 {
    if t < 10 { 0.01 * (t + 1) as f64 } else { 0.02 }
}

/// Compares the parameters after each step with those of `expected`, which gets the number of the
/// step from 0 and moves the parameters by its gradients.
fn compare(line: &str, seed: u64, mut expected: impl FnMut(usize, &mut Four, &Four)) {
    let (start, steps) = numbers(seed);
    let mut places = Places::at(&start, &SHAPES, DType::F64);
    let (mut pipeline, mut x) = (begin(line), start);
    for (t, g) in steps.iter().enumerate() {
        let gradients = places.all_gradients(g);
        places = pipeline.step(lr(t), places, gradients).unwrap();
        expected(t, &mut x, g);
        near(line, t, &places.numbers(), &x);
    }
}

fn near(line: &str, t: usize, found: &Four, expected: &Four) {
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        let apart = (found - expected).abs();
        assert!(apart <= 1e-12, "{line}, step {}: {found}, expected {expected}", t + 1);
    }
}

/// Adam's moments of all elements.
#[derive(Default)]
struct Moments {
    m: Vec<f64>,
    v: Vec<f64>,
}

impl Moments {
    /// m_hat / (sqrt(v_hat) + eps) of one parameter.
    fn adam(&mut self, t: usize, g: &[f64]) -> Vec<f64> {
        self.m.resize(g.len(), 0.0);
        self.v.resize(g.len(), 0.0);
        let t = t as i32 + 1;
        (0..g.len())
            .map(|i| {
                self.m[i] = 0.9 * self.m[i] + 0.1 * g[i];
                self.v[i] = 0.999 * self.v[i] + 0.001 * g[i] * g[i];
                let v_hat = self.v[i] / (1.0 - 0.999f64.powi(t));
                self.m[i] / (1.0 - 0.9f64.powi(t)) / (v_hat.sqrt() + 1e-8)
            })
            .collect()
    }
}

/// Liang et al., algorithm 1 with alpha of the paper (`count`) or of the authors' code.
fn cautious(update: &[f64], g: &[f64], count: bool) -> Vec<f64> {
    let agrees: Vec<bool> = update.iter().zip(g).map(|(u, g)| u * g > 0.0).collect();
    let (n, moving) = (g.len() as f64, agrees.iter().filter(|agrees| **agrees).count() as f64);
    let alpha = if count { n / (moving + 1.0) } else { 1.0 / (moving / n).max(1e-3) };
    update.iter().zip(agrees).map(|(u, agrees)| if agrees { alpha * u } else { 0.0 }).collect()
}

#[test]
fn cautious_is_the_algorithm_of_its_paper_and_of_its_code() {
    for (setting, count) in [("", false), (":scale=count", true)] {
        let mut moments: [Moments; 4] = Default::default();
        compare(&format!("adam|cautious{setting}"), 1, |t, x, g| {
            for which in 0..4 {
                let update = cautious(&moments[which].adam(t, &g[which]), &g[which], count);
                x[which].iter_mut().zip(update).for_each(|(x, u)| *x -= lr(t) * u);
            }
        });
    }
}

/// c_adamw.py of the authors decays all elements, those too that the mask keeps in place.
#[test]
fn cautious_leaves_decoupled_weight_decay_as_it_is() {
    let lines = [
        "adam|cautious|decay:lambda=0.3",
        "adamw:lambda=0.3|cautious",
        "adamw:lambda=0.1|cautious|decay:lambda=0.2",
        "adam|cautious|decay:lambda=0.1|group:params=one+two+three+four,weight_decay=0.3",
    ];
    for line in lines {
        let mut moments: [Moments; 4] = Default::default();
        compare(line, 2, |t, x, g| {
            for which in 0..4 {
                let update = cautious(&moments[which].adam(t, &g[which]), &g[which], false);
                x[which].iter_mut().zip(update).for_each(|(x, u)| *x -= lr(t) * (u + 0.3 * *x));
            }
        });
    }
}

/// Chen et al., algorithm 1: x - lr (u + lambda x) where u x >= 0, else x - lr u.
#[test]
fn cautious_decay_spares_the_elements_that_move_away_from_zero() {
    let lines = [
        ("adam|decay:lambda=0.3,cautious=yes", 0.0),
        ("adamw:lambda=0.1|decay:lambda=0.3,cautious=yes", 0.1),
        (
            "adam|decay:lambda=0.1,cautious=yes|group:params=one+two+three+four,weight_decay=0.3",
            0.0,
        ),
    ];
    for (line, own) in lines {
        let (mut moments, mut spared): ([Moments; 4], usize) = Default::default();
        compare(line, 9, |t, x, g| {
            for which in 0..4 {
                let update = moments[which].adam(t, &g[which]);
                for (x, u) in x[which].iter_mut().zip(update) {
                    let decay = if u * *x >= 0.0 { 0.3 * *x } else { 0.0 };
                    spared += usize::from(decay == 0.0);
                    *x -= lr(t) * (u + own * *x + decay);
                }
            }
        });
        assert!(spared > 100, "{line}: only {spared}");
    }
}

/// Where the step is 0, the whole parameter decays, as in the paper.
#[test]
fn cautious_decay_decays_what_does_not_move() {
    let start = [vec![1.0, -1.0], vec![2.0], vec![-3.0], vec![4.0]];
    let shapes = ([2], [1, 1], [1, 1, 1], [1, 1, 1, 1]);
    let mut places = Places::at(&start, &shapes, DType::F64);
    let gradients = places.all_gradients(&start.each_ref().map(|x| vec![0.0; x.len()]));
    places = begin("sgd|decay:lambda=0.5,cautious=yes").step(0.1, places, gradients).unwrap();
    assert_eq!(places.numbers().concat(), [0.95, -0.95, 1.9, -2.85, 3.8]);
}

#[test]
fn cautious_updates_with_cautious_decay_are_refused() {
    let line = "adam|cautious|decay:cautious=yes";
    let read = downhill::pipeline::PipelineConfig::read(
        &line.parse().unwrap(),
        &downhill::optim::Optimizers::default(),
    );
    let error = read.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("cautious and decay:cautious=yes"), "{error}");
}

/// Where every element agrees, nothing is masked.
#[test]
fn cautious_sgd_is_sgd() {
    compare("sgd|cautious", 3, |t, x, g| {
        for (x, g) in x.iter_mut().flatten().zip(g.iter().flatten()) {
            *x -= lr(t) * g;
        }
    });
}

/// Lee et al., algorithm 2, with SGD.
#[test]
fn grokfast_ema_adds_a_moving_average_of_the_gradients() {
    let mut average: Option<Four> = None;
    compare("grokfast_ema:alpha=0.8,lambda=3|sgd", 4, |t, x, g| {
        let before = average.clone().unwrap_or_else(|| g.clone());
        let mut now = before;
        for which in 0..4 {
            for (i, g) in g[which].iter().enumerate() {
                now[which][i] = 0.8 * now[which][i] + 0.2 * g;
                x[which][i] -= lr(t) * (g + 3.0 * now[which][i]);
            }
        }
        average = Some(now);
    });
}

/// Lee et al., algorithm 1, with SGD.
#[test]
fn grokfast_ma_adds_the_mean_of_the_window_when_it_is_full() {
    let (_, all) = numbers(5);
    compare("grokfast_ma:window=4,lambda=2|sgd", 5, |t, x, g| {
        for which in 0..4 {
            for (i, g) in g[which].iter().enumerate() {
                let window = (t + 1).saturating_sub(4)..t + 1;
                let sum: f64 = all[window].iter().map(|g| g[which][i]).sum();
                let added = if t + 1 >= 4 { 2.0 * sum / 4.0 } else { 0.0 };
                x[which][i] -= lr(t) * (g + added);
            }
        }
    });
}

/// Yuan et al., the corrected gradient c_t and its clip, with the gradient of the step before
/// instead of a second one, as mars.py of the authors computes it.
#[test]
fn mars_corrects_the_gradient_by_its_change() {
    for (settings, max, first) in
        [("", 1.0, true), (",max=none,correct_first=no", f64::INFINITY, false)]
    {
        let mut before: Option<Four> = None;
        let line = format!("mars:gamma=0.1,beta1=0.9{settings}|sgd");
        compare(&line, 6, |t, x, g| {
            for which in 0..4 {
                let zeros = vec![0.0; g[which].len()];
                let last = match &before {
                    Some(before) => &before[which],
                    None if first => &zeros,
                    None => &g[which],
                };
                let change = g[which].iter().zip(last).map(|(g, last)| g - last);
                let c: Vec<f64> = g[which]
                    .iter()
                    .zip(change)
                    .map(|(g, change)| g + 0.1 * 0.9 / (1.0 - 0.9) * change)
                    .collect();
                let norm = c.iter().map(|c| c * c).sum::<f64>().sqrt();
                let factor = if norm > max { max / norm } else { 1.0 };
                x[which].iter_mut().zip(c).for_each(|(x, c)| *x -= lr(t) * factor * c);
            }
            before = Some(g.clone());
        });
    }
}

/// The gradient of the sum of c x^4 / 4 + x^2 / 2, where c differs between elements.
fn gradient(x: &Four) -> Four {
    x.each_ref().map(|x| {
        x.iter().enumerate().map(|(i, x)| (1.0 + i as f64) * x.powi(3) + x).collect::<Vec<f64>>()
    })
}

fn loss(places: &Places) -> (f64, GradientsParams) {
    (0.0, places.all_gradients(&gradient(&places.numbers())))
}

/// Foret et al., algorithm 1, and Kwon et al. (arXiv 2102.11600) with T = |w| as the normalization.
#[test]
fn sam_takes_the_gradient_uphill() {
    for adaptive in [false, true] {
        let (mut x, _) = numbers(7);
        let mut places = Places::at(&x, &SHAPES, DType::F64);
        let word = if adaptive { "yes" } else { "no" };
        let line = format!("sam:rho=0.2,adaptive={word}|sgd");
        let mut pipeline: Stepper = begin(&line);
        assert!(pipeline.evaluates());
        for t in 0..STEPS {
            let g = gradient(&x);
            let weight = |x: f64| if adaptive { x.abs() } else { 1.0 };
            let elements = || x.iter().flatten().zip(g.iter().flatten());
            let norm = elements().map(|(x, g)| (weight(*x) * g).powi(2)).sum::<f64>().sqrt();
            let mut uphill = x.clone();
            for (x, g) in uphill.iter_mut().flatten().zip(g.iter().flatten()) {
                *x += 0.2 * weight(*x).powi(2) * g / norm;
            }
            let lr = 0.1 * lr(t);
            for (x, g) in x.iter_mut().flatten().zip(gradient(&uphill).iter().flatten()) {
                *x -= lr * g;
            }
            places = pipeline.step_with(lr, places, &mut |places| loss(places)).unwrap();
            near(&line, t, &places.numbers(), &x);
        }
        let gradients = places.all_gradients(&gradient(&x));
        let error = pipeline.step(0.1, places, gradients).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("sam") && error.contains("loss"), "{error}");
    }
}

/// A parameter without gradient in a step keeps what is remembered of it.
#[test]
fn filters_remember_each_parameter_by_itself() {
    let (start, steps) = numbers(8);
    for filter in ["grokfast_ema:alpha=0.8", "grokfast_ma:window=2", "mars"] {
        let line = format!("{filter}|sgd");
        let path = |present: &dyn Fn(usize) -> bool| {
            let mut places = Places::at(&start, &SHAPES, DType::F64);
            let mut pipeline = begin(&line);
            for (t, g) in steps.iter().enumerate() {
                let mut some = g.each_ref().map(|g| Some(&g[..]));
                if !present(t) {
                    some[1] = None;
                }
                let gradients = places.gradients(some);
                places = pipeline.step(0.1, places, gradients).unwrap();
            }
            places.numbers()
        };
        let (all, gaps) = (path(&|_| true), path(&|t| t % 3 > 0));
        assert_eq!(all[0], gaps[0], "{line}: the other parameters");
        assert_ne!(all[1], gaps[1], "{line}");
    }
}
