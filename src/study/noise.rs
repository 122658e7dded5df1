//! The noise of a mini-batch: how far its gradient is from that of all examples, against its size. The problem is S2's, y = x1 + 2 x2.

use rand::RngExt;
use rand::seq::SliceRandom;

use super::{Ask, Found, exponent};
use crate::chart::{Chart, Line, Style, Table, short};
use crate::error::Result;
use crate::seed::{Purpose, Seed};

const N: usize = 1000;
const DRAWS: usize = 4000;
const SIZES: [usize; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];

pub fn study(_: &Ask<'_>) -> Result<Found> {
    let mut generator = Seed(0).generator(Purpose::Examples, 0);
    // the gradient of one example's loss at theta = 0 is -y x
    let gradients: Vec<[f64; 2]> = (0..N)
        .map(|_| {
            let x = [generator.random_range(1.1..10.4), generator.random_range(1.1..10.4)];
            let y: f64 = x[0] + 2.0 * x[1];
            x.map(|x| -y * x)
        })
        .collect();
    let all = mean(&gradients);
    let apart = |of: [f64; 2]| (of[0] - all[0]).hypot(of[1] - all[1]);
    let single = (gradients.iter().map(|g| apart(*g).powi(2)).sum::<f64>() / N as f64).sqrt();

    let mut generator = Seed(0).generator(Purpose::Order, 0);
    let (mut found, mut rows) = (Found::default(), Vec::new());
    let (mut measured, mut expected, mut furthest) = (Vec::new(), Vec::new(), 0.0f64);
    for size in SIZES {
        let mut places: Vec<usize> = (0..N).collect();
        let mut squares = 0.0;
        for _ in 0..DRAWS {
            let (drawn, _) = places.partial_shuffle(&mut generator, size);
            let batch: Vec<[f64; 2]> = drawn.iter().map(|place| gradients[*place]).collect();
            squares += apart(mean(&batch)).powi(2);
        }
        let noise = (squares / DRAWS as f64).sqrt();
        // drawn without putting back, so that all of them together have no noise
        let theory = single * ((N - size) as f64 / (N - 1) as f64 / size as f64).sqrt();
        furthest = furthest.max((noise / theory - 1.0).abs());
        measured.push((size as f64, noise));
        expected.push((size as f64, theory));
        rows.push([size as f64, noise, theory, noise / theory].map(short).to_vec());
    }
    let few: Vec<(f64, f64)> = measured.iter().copied().filter(|(size, _)| *size <= 50.0).collect();
    found.value("exponent of the batch size in the noise, 1 to 50", exponent(&few));
    found.value("noise against theory, furthest from 1", furthest);
    let mut chart = Chart {
        log_x: true,
        log_y: true,
        ..Chart::new("Noise of the gradient against the batch", "examples in a batch", "noise of the gradient")
    };
    chart.lines.push(Line { marks: true, joined: false, ..Line::new("measured", Style::other(1), measured) });
    chart.lines.push(Line::new("s sqrt((n - b) / (n - 1) / b)", Style::other(0), expected));
    found.charts.push(("noise", chart));
    found.tables.push(Table {
        title: "Noise of the gradient".into(),
        head: ["batch", "measured", "theory", "ratio"].map(String::from).to_vec(),
        rows,
        note: format!("The root of the mean square of the distance to the gradient of all {N} examples, at theta = 0, over {DRAWS} batches of each size."),
    });
    Ok(found)
}

fn mean(gradients: &[[f64; 2]]) -> [f64; 2] {
    let n = gradients.len() as f64;
    [0, 1].map(|i| gradients.iter().map(|g| g[i]).sum::<f64>() / n)
}
