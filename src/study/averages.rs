//! Exponentially weighted moving averages: v = beta v + (1 - beta) theta, with and without the bias
//! correction 1 / (1 - beta^t), their weights, and the same for Adam's moments.

use rand::RngExt;

use super::input::{StudyInput, StudyResult};
use crate::chart::{Chart, PlotLine, Style, Table, short};
use crate::error::Result;
use crate::seed::{Purpose, Seed};

/// The number of days in the chart.
const DAYS: usize = 200;
const BETA: f64 = 0.9;

pub(super) fn study(input: &StudyInput<'_>) -> Result<StudyResult> {
    let mut result = StudyResult::default();
    first_average(&mut result);
    result.charts.push(("averages", chart_of_averages()));
    weights(&mut result);
    moments(input, &mut result)?;
    Ok(result)
}

/// The example of S0: one observation of 40.
fn first_average(result: &mut StudyResult) {
    let first = (1.0 - BETA) * 40.0;
    result.value("first average, not corrected", first);
    result.value("first average, corrected", first / (1.0 - BETA));
}

/// An observation a day: a yearly wave with noise, and its averages.
fn chart_of_averages() -> Chart {
    let mut generator = Seed(0).generator(Purpose::Noise, 0);
    let wave = |day: usize| 40.0 - 25.0 * (std::f64::consts::TAU * day as f64 / 365.0).cos();
    let days: Vec<f64> =
        (0..DAYS).map(|day| wave(day) + generator.random_range(-8.0..8.0)).collect();
    let mut chart =
        Chart::new("Averages of noisy observations", "day t", "observation, and its averages");
    chart.lines.push(PlotLine {
        marks: true,
        joined: false,
        ..PlotLine::new("observations", Style::other(3), by_day(&days))
    });
    for (beta, style) in [(0.9, Style::other(0)), (0.98, Style::other(1))] {
        let (plain, corrected) = averages(&days, beta);
        let label = format!("beta {beta}\ncorrected");
        chart.lines.push(PlotLine::new(&label, style, by_day(&corrected)));
        let label = format!("beta {beta}\nnot corrected");
        chart.lines.push(PlotLine::new(&label, style.next_dash(), by_day(&plain)));
    }
    chart
}

fn by_day(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(t, value)| (t as f64 + 1.0, *value)).collect()
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

/// The weight of each observation in an average.
fn weights(result: &mut StudyResult) {
    let mut chart = Chart::new(
        "Weight of an observation, relative to the newest",
        "steps since the observation",
        "beta^i",
    );
    let mut rows = Vec::new();
    for (n, beta) in [0.5, 0.9, 0.98, 0.999].into_iter().enumerate() {
        let window = 1.0 / (1.0 - beta);
        let (weight, share) = (f64::powf(beta, window), 1.0 - f64::powf(beta, window));
        if beta < 0.999 {
            let points = (0..=100).map(|i| (i as f64, f64::powi(beta, i)));
            let style = Style::other([2, 0, 1][n]);
            chart.lines.push(PlotLine::new(&format!("beta {beta}"), style, points));
        }
        result.value(&format!("weight at the window's end, beta {beta}"), weight);
        result.value(&format!("share of the window, beta {beta}"), share);
        rows.push([beta, window, weight, share, 1.0 - beta].map(short).to_vec());
    }
    let level = (-1.0f64).exp();
    let points = [(0.0, level), (100.0, level)];
    chart.lines.push(PlotLine::new("1 / e", Style::other(7), points));
    result.charts.push(("weights", chart));
    let head = [
        "beta",
        "window",
        "beta^window",
        "share of the weight in the window",
        "weight of the newest",
    ];
    result.tables.push(Table {
        title: "The window 1 / (1 - beta)".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note: "S0 says that observations older than the window have weights below 1 / e. The \
               weights themselves, (1 - beta) beta^i, are all below 1 / e if beta is above 0.64. \
               The weight relative to the newest, beta^i, falls to about 1 / e at the window's \
               end."
            .into(),
    });
}

/// The averages of Adam under a constant gradient of 1, after each step.
#[derive(Default)]
struct Moments {
    m: Vec<(f64, f64)>,
    sqrt_v: Vec<(f64, f64)>,
    /// step / lr
    step: Vec<(f64, f64)>,
}

/// Adam's moments under a constant gradient of 1. With bias correction both are 1 in every step.
fn moments(input: &StudyInput<'_>, result: &mut StudyResult) -> Result<()> {
    let config = input.config("adam")?;
    let (adam, lr) = (input.style("adam"), config.optimizer.lr);
    let mut point = config.on_vector(&[0.0]);
    let (mut moments, mut largest) = (Moments::default(), 0.0f64);
    for t in 1..=100 {
        let before = point.x()[0];
        point.step(lr, &mut |_| (0.0, vec![1.0]))?;
        let state = |name: &str| point.state(name).map_or(f64::NAN, |numbers| numbers[0]);
        let step = (before - point.x()[0]) / lr;
        moments.m.push((t as f64, state("m")));
        moments.sqrt_v.push((t as f64, state("v").sqrt()));
        moments.step.push((t as f64, step));
        largest = largest.max((step - 1.0).abs());
    }
    result.value("step of Adam / lr under a constant gradient, furthest from 1", largest);
    let Moments { m, sqrt_v, step } = moments;
    let uncorrected: Vec<(f64, f64)> =
        m.iter().zip(&sqrt_v).map(|((t, m), (_, root))| (*t, m / root)).collect();
    result.value("first step / lr without the corrections", uncorrected[0].1);
    let mut chart = Chart::new(
        "Adam's moments while every gradient is 1",
        "step t",
        "relative to the gradient",
    );
    let lines = [
        ("step / lr\nwith both corrections", adam, step),
        ("m / sqrt(v)\nstep / lr without them", Style::other(1), uncorrected),
        ("m", Style::other(0), m),
        ("sqrt(v)", Style::other(2), sqrt_v),
    ];
    for (label, style, points) in lines {
        chart.lines.push(PlotLine::new(label, style, points));
    }
    result.charts.push(("moments", chart));
    Ok(())
}
