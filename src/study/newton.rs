//! Newton's method: the correct digits of a root double with each step, and a full step need not lead down.

use super::{Ask, Found};
use crate::chart::{Chart, Line, Style, Table, short};
use crate::error::Result;
use crate::optim::newton::{LineSearch, Newton, Path, Smooth, root};

/// Steps of Newton's method towards sqrt(2); one more would be at the rounding of f64.
const TO_ROOT: usize = 4;
/// Its steps across the valley.
const ACROSS: usize = 6;
/// At most, for gradient descent.
const DOWN: usize = 100;

pub fn study(ask: &Ask<'_>) -> Result<Found> {
    let mut found = Found::default();
    let errors: Vec<f64> = root(|x| (x * x - 2.0, 2.0 * x), 1.0, TO_ROOT).into_iter().map(error).collect();
    let mut rows = Vec::new();
    for (step, pair) in errors.windows(2).enumerate() {
        let (step, digits, ratio) = (step + 1, pair[1].log10() / pair[0].log10(), pair[1] / (pair[0] * pair[0]));
        found.value(&format!("sqrt(2): error after step {step}"), pair[1]);
        if step > 1 {
            found.value(&format!("sqrt(2): digits after step {step} / digits before"), digits);
        }
        rows.push(vec![step.to_string(), short(pair[1]), short(-pair[1].log10()), short(ratio)]);
        if step == TO_ROOT {
            found.value("sqrt(2): last error / square of the one before", ratio);
        }
    }
    found.tables.push(Table {
        title: "sqrt(2), as the root of x^2 - 2, from 1".into(),
        head: ["step", "error", "correct digits", "error / square of the one before"].map(String::from).to_vec(),
        rows,
        note: "In the limit an error is f'' / 2 f' = 1 / sqrt(8) = 0.3536 times the square of the one before.".into(),
    });

    let mut chart = Chart::new("Correct digits of sqrt(2)", "step", "-log10 |x - sqrt(2)|");
    chart.y_max = Some(13.0);
    let digits = |errors: &[f64]| errors.iter().enumerate().map(|(step, error)| (step as f64, -error.log10())).collect::<Vec<_>>();
    chart.lines.push(Line { marks: true, ..Line::new("Newton", ask.style("newton"), digits(&errors)) });
    // the same equation as a minimum, so that gradient descent can be asked as well: f = x^3 / 3 - 2 x
    for (n, lr) in [0.1, 0.3].into_iter().enumerate() {
        let recipe = ask.recipe(&format!("sgd:lr={lr}"))?;
        let path = recipe.on_numbers(&[1.0]).path(lr, DOWN, &mut |x| (x[0].powi(3) / 3.0 - 2.0 * x[0], vec![x[0] * x[0] - 2.0]))?;
        let errors: Vec<f64> = path.into_iter().map(|x| error(x[0])).collect();
        let steps = errors.iter().position(|error| *error < 1e-11).map_or(f64::INFINITY, |steps| steps as f64);
        found.value(&format!("sqrt(2): steps of gradient descent to an error of 1e-11, lr {lr}"), steps);
        let shown: Vec<f64> = errors.into_iter().take_while(|error| *error > 1e-13).take(51).collect();
        let style = if n == 0 { ask.style("sgd") } else { ask.style("sgd").next_dash() };
        chart.lines.push(Line::new(&format!("gradient descent\nlr {lr}"), style, digits(&shown)));
    }
    let steps = errors.iter().position(|error| *error < 1e-11).map_or(f64::INFINITY, |steps| steps as f64);
    found.value("sqrt(2): steps of Newton to an error of 1e-11", steps);
    found.charts.push(("digits", chart));

    // across Rosenbrock's valley with all of each step, and with as much of it as leads down
    let across = |line_search, steps| {
        let newton = Newton::new().with_line_search(line_search).with_tolerance(0.0).with_steps(steps);
        newton.minimize(&mut Rosenbrock, vec![-1.2, 1.0])
    };
    let (full, searched) = (across(LineSearch::None, ACROSS), across(LineSearch::Backtracking, 4 * ACROSS));
    for (step, point) in full.points.iter().enumerate() {
        found.value(&format!("Rosenbrock: f after step {step}"), point.f);
    }
    found.value("Rosenbrock: largest rise of f in a step", rise(&full));
    found.value("Rosenbrock: largest rise of f in a step, with a line search", rise(&searched));
    let cell = |path: &Path, step: usize| path.points.get(step).map_or("-".into(), |point| short(point.f));
    let rows =
        (0..searched.points.len().max(full.points.len())).map(|step| vec![step.to_string(), cell(&full, step), cell(&searched, step)]);
    found.tables.push(Table {
        title: "f on the way across Rosenbrock's valley, from (-1.2, 1)".into(),
        head: ["step", "full steps", "with a line search"].map(String::from).to_vec(),
        rows: rows.collect(),
        note: "Exact second derivatives. The line search halves a step until f falls, and ends where f is at its rounding error.".into(),
    });
    let mut chart = Chart { log_y: true, ..Chart::new("Across Rosenbrock's valley", "step", "f") };
    for (label, path, style) in
        [("full steps", full, ask.style("newton")), ("with a line search", searched, Style { dash: 0, ..ask.style("newton") })]
    {
        // at the minimum itself f is 0, which a logarithmic axis has no place for
        let points = path.points.iter().enumerate().filter(|(_, point)| point.f > 0.0).map(|(step, point)| (step as f64, point.f));
        chart.lines.push(Line { marks: true, ..Line::new(label, style, points) });
    }
    found.charts.push(("valley", chart));
    Ok(found)
}

fn error(x: f64) -> f64 {
    (x - std::f64::consts::SQRT_2).abs()
}

/// How far f went up in a single step; below zero if it never did.
fn rise(path: &Path) -> f64 {
    path.points.windows(2).map(|pair| pair[1].f - pair[0].f).fold(f64::NEG_INFINITY, f64::max)
}

/// 100 (y - x^2)^2 + (1 - x)^2
struct Rosenbrock;

impl Smooth for Rosenbrock {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (100.0 * b * b + a * a, vec![-400.0 * x[0] * b - 2.0 * a, 200.0 * b])
    }

    fn hessian(&mut self, x: &[f64]) -> Vec<Vec<f64>> {
        vec![vec![1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0, -400.0 * x[0]], vec![-400.0 * x[0], 200.0]]
    }
}
