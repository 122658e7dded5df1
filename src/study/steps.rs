//! The length of steps: bounds on Adam's steps, and AdaGrad's effective learning rate, which
//! vanishes, whereas that of RMSProp does not.

use rand::RngExt;

use super::fit::{DrawnSteps, exponent};
use super::input::{StudyInput, StudyResult};
use crate::chart::{Chart, PlotLine, Style, Table, short};
use crate::error::Result;
use crate::pipeline::PipelineConfig;
use crate::seed::{Purpose, Seed};

/// Adam with its default settings, but without eps, so that only the rule is measured.
const ADAM: &str = "adam:lr=0.001,beta1=0.9,beta2=0.999,eps=0";
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
/// The number of zero gradients before the first nonzero one. After them the bias corrections are
/// 1 to nine digits.
const ZEROS: usize = 20_000;
/// The number of steps after the zero gradients.
const AFTER: usize = 300;
/// The number of steps of the other rules.
const STEPS: usize = 10_000;

pub(super) fn study(input: &StudyInput<'_>) -> Result<StudyResult> {
    let mut result = StudyResult::default();
    adams_longest_step(input, &mut result)?;
    vanishing_rates(input, &mut result)?;
    Ok(result)
}

/// Adam after many zero gradients, as the weight of a rare feature has them.
fn adams_longest_step(input: &StudyInput<'_>, result: &mut StudyResult) -> Result<()> {
    let config = input.config(ADAM)?;
    let growth = BETA2 / BETA1;
    let mut chart = Chart {
        log_x: true,
        ..Chart::new("Adam's steps after 20,000 gradients of zero", "step after them", "step / lr")
    };
    let mut rows = Vec::new();
    let gradients: [(&str, &dyn Fn(usize) -> f64); 3] = [
        ("one gradient", &|t| if t == 1 { 1.0 } else { 0.0 }),
        ("equal gradients", &|_| 1.0),
        ("gradients that grow by beta2 / beta1", &|t| growth.powi(t as i32)),
    ];
    for (n, (label, gradient)) in gradients.into_iter().enumerate() {
        let lengths = lengths_after_zeros(&config, gradient)?;
        let (t, longest) = longest_step(&lengths);
        result.value(&format!("{label} after zeros: longest step / lr"), longest);
        rows.push(vec![label.into(), short(longest), short(t)]);
        let legend = label.replacen(" that ", "\nthat ", 1);
        chart.lines.push(PlotLine::new(&legend, Style::other(n), lengths));
    }
    let claimed = (1.0 - BETA1) / (1.0 - BETA2).sqrt();
    let bounds = [
        ("(1 - beta1) / sqrt(1 - beta2)", claimed),
        ("the same / sqrt(1 - beta1^2 / beta2)", claimed / (1.0 - BETA1 / growth).sqrt()),
    ];
    for (n, (label, height)) in bounds.into_iter().enumerate() {
        result.value(label, height);
        let legend = label.replacen(" / ", "\n/ ", 1);
        let style = Style { color: 6, dash: n + 1 };
        let points = [(1.0, height), (AFTER as f64, height)];
        chart.lines.push(PlotLine::new(&legend, style, points));
    }
    result.charts.push(("adam", chart));
    result.tables.push(Table {
        title: "Adam's longest step after 20,000 gradients of zero".into(),
        head: ["gradients after the zeros", "longest step / lr", "at step"]
            .map(String::from)
            .to_vec(),
        rows,
        note: "beta1 is 0.9, beta2 is 0.999. A single gradient reaches the paper's bound of 3.162 \
               lr. Several gradients exceed it. By Cauchy's inequality no step is longer than \
               7.271 lr, and growing gradients reach that."
            .into(),
    });
    Ok(())
}

/// |step| / lr of each step after the zero gradients.
fn lengths_after_zeros(
    config: &PipelineConfig,
    gradient: &dyn Fn(usize) -> f64,
) -> Result<Vec<(f64, f64)>> {
    let lr = config.optimizer.lr;
    let mut point = config.on_vector(&[0.0]);
    let mut lengths = Vec::new();
    for t in 1..=ZEROS + AFTER {
        let g = if t > ZEROS { gradient(t - ZEROS) } else { 0.0 };
        let before = point.x()[0];
        point.step(lr, &mut |_| (0.0, vec![g]))?;
        if t > ZEROS {
            lengths.push(((t - ZEROS) as f64, (point.x()[0] - before).abs() / lr));
        }
    }
    Ok(lengths)
}

/// Number and length of the longest step; the first of several.
fn longest_step(lengths: &[(f64, f64)]) -> (f64, f64) {
    let mut longest = (0.0, 0.0);
    for step in lengths {
        if step.1 > longest.1 {
            longest = *step;
        }
    }
    longest
}

/// The effective learning rate, step / gradient, of AdaGrad and RMSProp over time.
fn vanishing_rates(input: &StudyInput<'_>, result: &mut StudyResult) -> Result<()> {
    let mut chart = Chart {
        log_x: true,
        log_y: true,
        ..Chart::new("Step / gradient, relative to lr", "step t", "step / (lr gradient)")
    };
    let mut rows = Vec::new();
    for (label, name) in [("AdaGrad", "adagrad"), ("RMSProp", "rmsprop")] {
        let config = input.config(&format!("{name}:lr=0.01"))?;
        let even = rates(&config, &mut || 1.0)?;
        let mut generator = Seed(0).generator(Purpose::Noise, 0);
        // of either sign, and not close to zero
        let noisy = rates(&config, &mut || {
            generator.random_range(0.1..2.0) * if generator.random_bool(0.5) { 1.0 } else { -1.0 }
        })?;
        rows.push(summarize_rates(result, label, &even, &noisy));
        let style = input.style(name);
        let legend = format!("{label}\ngradients of 1");
        chart.lines.push(PlotLine::new(&legend, style, drawn(even)));
        let legend = format!("{label}\nnoisy gradients");
        chart.lines.push(PlotLine::new(&legend, style.next_dash(), drawn(noisy)));
    }
    result.charts.push(("rates", chart));
    let head = [
        "",
        "exponent of t, gradients of 1",
        "share of steps at which the rate rose, noisy gradients",
        "rate / lr after 10,000 noisy gradients",
    ];
    result.tables.push(Table {
        title: "The effective learning rate of AdaGrad and RMSProp".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note: "The rate is the effective learning rate, step / gradient. The exponent is fitted \
               to steps 100 to 10,000. Noisy gradients have a random sign and a size drawn \
               uniformly from 0.1 to 2."
            .into(),
    });
    Ok(())
}

/// Adds the numbers of a rule to the result, and returns its row of the table.
fn summarize_rates(
    result: &mut StudyResult,
    label: &str,
    even: &[(f64, f64)],
    noisy: &[(f64, f64)],
) -> Vec<String> {
    let late: Vec<(f64, f64)> = even.iter().copied().filter(|(t, _)| *t >= 100.0).collect();
    let power = exponent(&late);
    result.value(&format!("{label}: exponent of t in its rate under equal gradients"), power);
    let rises = noisy.windows(2).filter(|pair| pair[1].1 > pair[0].1).count();
    let rose = rises as f64 / (noisy.len() - 1) as f64;
    result.value(&format!("{label}: share of steps at which its rate rose, noisy gradients"), rose);
    let last = noisy.last().map_or(f64::NAN, |(_, rate)| *rate);
    result.value(&format!("{label}: rate / lr after 10,000 noisy gradients"), last);
    vec![label.into(), short(power), short(rose), short(last)]
}

/// step / (lr gradient) at each step.
fn rates(config: &PipelineConfig, gradient: &mut dyn FnMut() -> f64) -> Result<Vec<(f64, f64)>> {
    let lr = config.optimizer.lr;
    let mut point = config.on_vector(&[0.0]);
    let mut rates = Vec::new();
    for t in 1..=STEPS {
        let (before, g) = (point.x()[0], gradient());
        point.step(lr, &mut |_| (0.0, vec![g]))?;
        rates.push((t as f64, (before - point.x()[0]) / (lr * g)));
        // each step starts at the same point, so that rounding is the same
        point.project(|_| 0.0);
    }
    Ok(rates)
}

fn drawn(rates: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut drawn = DrawnSteps::new();
    rates.into_iter().filter(|(t, _)| drawn.contains(*t as usize)).collect()
}
