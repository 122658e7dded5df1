//! The noise of mini-batches: the distance between the gradient of a batch and that of all
//! examples, for each batch size. The problem is that of S2, y = x1 + 2 x2.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::fit::exponent;
use super::input::{StudyInput, StudyResult};
use crate::chart::{Chart, PlotLine, Style, Table, short};
use crate::error::Result;
use crate::seed::{Purpose, Seed};

const N: usize = 1000;
const DRAWS: usize = 4000;
const SIZES: [usize; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];

pub(super) fn study(_: &StudyInput<'_>) -> Result<StudyResult> {
    let gradients = example_gradients();
    let mean = mean(&gradients);
    let squares = gradients.iter().map(|g| distance(*g, mean).powi(2));
    let deviation = (squares.sum::<f64>() / N as f64).sqrt();

    let mut generator = Seed(0).generator(Purpose::Order, 0);
    let (mut measured, mut expected) = (Vec::new(), Vec::new());
    let (mut rows, mut furthest) = (Vec::new(), 0.0f64);
    for size in SIZES {
        let noise = batch_noise(&gradients, mean, size, &mut generator);
        // drawn without replacement, so a batch of all examples has no noise
        let theory = deviation * ((N - size) as f64 / (N - 1) as f64 / size as f64).sqrt();
        furthest = furthest.max((noise / theory - 1.0).abs());
        measured.push((size as f64, noise));
        expected.push((size as f64, theory));
        rows.push([size as f64, noise, theory, noise / theory].map(short).to_vec());
    }
    let few: Vec<(f64, f64)> = measured.iter().copied().filter(|(size, _)| *size <= 50.0).collect();
    let mut result = StudyResult::default();
    result.value("exponent of the batch size in the noise, 1 to 50", exponent(&few));
    result.value("noise against theory, furthest from 1", furthest);
    result.charts.push(("noise", chart(measured, expected)));
    result.tables.push(table(rows));
    Ok(result)
}

/// The gradient of each example's loss at theta = 0, which is -y x.
fn example_gradients() -> Vec<[f64; 2]> {
    let mut generator = Seed(0).generator(Purpose::Examples, 0);
    let mut gradient = || {
        let x = [generator.random_range(1.1..10.4), generator.random_range(1.1..10.4)];
        let y: f64 = x[0] + 2.0 * x[1];
        x.map(|x| -y * x)
    };
    (0..N).map(|_| gradient()).collect()
}

/// The root mean square distance between batch gradients and their mean, over many batches.
fn batch_noise(
    gradients: &[[f64; 2]],
    all: [f64; 2],
    size: usize,
    generator: &mut ChaCha8Rng,
) -> f64 {
    let mut order: Vec<usize> = (0..N).collect();
    let mut squares = 0.0;
    for _ in 0..DRAWS {
        let (drawn, _) = order.partial_shuffle(generator, size);
        let batch: Vec<[f64; 2]> = drawn.iter().map(|example| gradients[*example]).collect();
        squares += distance(mean(&batch), all).powi(2);
    }
    (squares / DRAWS as f64).sqrt()
}

fn mean(gradients: &[[f64; 2]]) -> [f64; 2] {
    let n = gradients.len() as f64;
    [0, 1].map(|i| gradients.iter().map(|g| g[i]).sum::<f64>() / n)
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn chart(measured: Vec<(f64, f64)>, expected: Vec<(f64, f64)>) -> Chart {
    let mut chart = Chart {
        log_x: true,
        log_y: true,
        ..Chart::new(
            "Noise of the gradient against the batch size",
            "examples in a batch",
            "noise of the gradient",
        )
    };
    chart.lines.push(PlotLine {
        marks: true,
        joined: false,
        ..PlotLine::new("measured", Style::other(1), measured)
    });
    chart.lines.push(PlotLine::new("s sqrt((n - b) / (n - 1) / b)", Style::other(0), expected));
    chart
}

fn table(rows: Vec<Vec<String>>) -> Table {
    Table {
        title: "Noise of the gradient".into(),
        head: ["batch", "measured", "theory", "ratio"].map(String::from).to_vec(),
        rows,
        note: format!(
            "The noise is the root mean square distance between the gradient of a batch and that \
             of all {N} examples, at theta = 0, over {DRAWS} batches of each size."
        ),
    }
}
