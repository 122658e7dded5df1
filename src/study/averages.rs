//! Exponentially weighted moving averages: v = beta v + (1 - beta) theta, with and without the correction 1 / (1 - beta^t), their weights, and
//! the same on Adam's moments.

use rand::RngExt;

use super::{Ask, Found};
use crate::chart::{Chart, Line, Style, Table, short};
use crate::error::Result;
use crate::seed::{Purpose, Seed};

/// Days of the picture.
const DAYS: usize = 200;
const BETA: f64 = 0.9;

pub fn study(ask: &Ask<'_>) -> Result<Found> {
    let mut found = Found::default();

    // the document's own example: one observation of 40
    let first = (1.0 - BETA) * 40.0;
    found.value("first average, not corrected", first);
    found.value("first average, corrected", first / (1.0 - BETA));

    // an observation each day: a yearly wave and what the run's own generator adds
    let mut generator = Seed(0).generator(Purpose::Noise, 0);
    let wave = |day: usize| 40.0 - 25.0 * (std::f64::consts::TAU * day as f64 / 365.0).cos();
    let days: Vec<f64> = (0..DAYS).map(|day| wave(day) + generator.random_range(-8.0..8.0)).collect();
    let mut chart = Chart::new("Averages of noisy observations", "day t", "observation, and its averages");
    let points = days.iter().enumerate().map(|(t, value)| (t as f64 + 1.0, *value));
    chart.lines.push(Line { marks: true, joined: false, ..Line::new("observations", Style::other(3), points) });
    for (n, beta) in [0.9, 0.98].into_iter().enumerate() {
        let (plain, corrected) = averages(&days, beta);
        let days = |values: Vec<f64>| values.into_iter().enumerate().map(|(t, value)| (t as f64 + 1.0, value)).collect::<Vec<_>>();
        let style = Style::other([0, 1][n]);
        chart.lines.push(Line::new(&format!("beta {beta}\ncorrected"), style, days(corrected)));
        chart.lines.push(Line::new(&format!("beta {beta}\nnot corrected"), style.next_dash(), days(plain)));
    }
    found.charts.push(("averages", chart));

    // what each observation weighs
    let mut chart = Chart::new("What an observation weighs, relative to the newest", "steps since it was made", "beta^i");
    let mut rows = Vec::new();
    for (n, beta) in [0.5, 0.9, 0.98, 0.999].into_iter().enumerate() {
        let window = 1.0 / (1.0 - beta);
        let (weight, share) = (f64::powf(beta, window), 1.0 - f64::powf(beta, window));
        if beta < 0.999 {
            chart.lines.push(Line::new(
                &format!("beta {beta}"),
                Style::other([2, 0, 1][n]),
                (0..=100).map(|i| (i as f64, f64::powi(beta, i))),
            ));
        }
        found.value(&format!("weight at the window's end, beta {beta}"), weight);
        found.value(&format!("share of the window, beta {beta}"), share);
        rows.push([beta, window, weight, share, 1.0 - beta].map(short).to_vec());
    }
    chart.lines.push(Line::new("1 / e", Style::other(7), [(0.0, (-1.0f64).exp()), (100.0, (-1.0f64).exp())]));
    found.charts.push(("weights", chart));
    found.tables.push(Table {
        title: "The window 1 / (1 - beta)".into(),
        head: ["beta", "window", "beta^window", "share of all weight within it", "weight of the newest"].map(String::from).to_vec(),
        rows,
        note: "The document says that what is older than the window weighs less than 1 / e. The weights themselves, (1 - beta) beta^i, are below 1 / e \
               from the newest on for beta above 0.64; what falls to about 1 / e at the window's end is the weight relative to the newest."
            .into(),
    });

    // Adam's moments under a constant gradient of 1: corrected, both are 1 from the first step on
    let recipe = ask.recipe("adam")?;
    let (adam, lr) = (ask.style("adam"), recipe.built.lr);
    let mut point = recipe.on_numbers(&[0.0]);
    let (mut m, mut v, mut moved, mut largest) = (Vec::new(), Vec::new(), Vec::new(), 0.0f64);
    for t in 1..=100 {
        let before = point.x()[0];
        point.step(lr, &mut |_| (0.0, vec![1.0]))?;
        let of = |name: &str| point.remembers(name).map_or(f64::NAN, |memory| memory[0]);
        m.push((t as f64, of("m")));
        v.push((t as f64, of("v").sqrt()));
        moved.push((t as f64, (before - point.x()[0]) / lr));
        largest = largest.max(((before - point.x()[0]) / lr - 1.0).abs());
    }
    found.value("step of Adam / lr under a constant gradient, furthest from 1", largest);
    let uncorrected = m.iter().zip(&v).map(|((t, m), (_, v))| (*t, m / v)).collect::<Vec<_>>();
    found.value("first step / lr without the corrections", uncorrected[0].1);
    let mut chart = Chart::new("Adam's moments while every gradient is 1", "step t", "relative to the gradient");
    chart.lines.push(Line::new("step / lr\nwith both corrections", adam, moved));
    chart.lines.push(Line::new("m / sqrt(v)\nstep / lr without them", Style::other(1), uncorrected));
    chart.lines.push(Line::new("m", Style::other(0), m));
    chart.lines.push(Line::new("sqrt(v)", Style::other(2), v));
    found.charts.push(("moments", chart));
    Ok(found)
}

/// v_t, and v_t / (1 - beta^t).
fn averages(observations: &[f64], beta: f64) -> (Vec<f64>, Vec<f64>) {
    let mut v = 0.0;
    let step = |(i, theta): (usize, &f64)| {
        v = beta * v + (1.0 - beta) * theta;
        (v, v / (1.0 - beta.powi(i as i32 + 1)))
    };
    observations.iter().enumerate().map(step).unzip()
}
