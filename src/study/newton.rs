//! Newton's method: each step doubles the number of correct digits of a root, and a full step may
//! increase f.

use super::input::{StudyInput, StudyResult};
use crate::chart::{Chart, PlotLine, Style, Table, short};
use crate::error::Result;
use crate::optim::newton::{LineSearch, Newton, Path, Smooth, root};

/// Steps of Newton's method towards sqrt(2). One more would reach the rounding of f64.
const ROOT_STEPS: usize = 4;
/// The steps of Newton's method in the valley.
const VALLEY_STEPS: usize = 6;
/// The maximum number of steps of gradient descent.
const DESCENT_STEPS: usize = 100;
/// Steps are counted until the error is at most this.
const SMALL: f64 = 1e-11;

pub(super) fn study(input: &StudyInput<'_>) -> Result<StudyResult> {
    let mut result = StudyResult::default();
    let errors: Vec<f64> =
        root(|x| (x * x - 2.0, 2.0 * x), 1.0, ROOT_STEPS).into_iter().map(error).collect();
    root_table(&errors, &mut result);
    digits(input, &errors, &mut result)?;
    valley(input, &mut result);
    Ok(result)
}

fn error(x: f64) -> f64 {
    (x - std::f64::consts::SQRT_2).abs()
}

/// The error after each step of Newton's method.
fn root_table(errors: &[f64], result: &mut StudyResult) {
    let mut rows = Vec::new();
    for (step, pair) in errors.windows(2).enumerate() {
        let (step, before, error) = (step + 1, pair[0], pair[1]);
        let (digits, ratio) = (error.log10() / before.log10(), error / (before * before));
        result.value(&format!("sqrt(2): error after step {step}"), error);
        if step > 1 {
            result.value(&format!("sqrt(2): digits after step {step} / digits before"), digits);
        }
        rows.push(vec![step.to_string(), short(error), short(-error.log10()), short(ratio)]);
        if step == ROOT_STEPS {
            result.value("sqrt(2): last error / square of the one before", ratio);
        }
    }
    let head = ["step", "error", "correct digits", "error / square of the previous error"];
    result.tables.push(Table {
        title: "sqrt(2), as the root of x^2 - 2, from 1".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note:
            "In the limit, an error is f'' / 2 f' = 1 / sqrt(8) = 0.3536 times the square of the \
               previous error."
                .into(),
    });
}

/// The correct digits of Newton's method and of gradient descent.
fn digits(input: &StudyInput<'_>, errors: &[f64], result: &mut StudyResult) -> Result<()> {
    let mut chart = Chart::new("Correct digits of sqrt(2)", "step", "-log10 |x - sqrt(2)|");
    chart.y_max = Some(13.0);
    chart.lines.push(PlotLine {
        marks: true,
        ..PlotLine::new("Newton", input.style("newton"), correct_digits(errors))
    });
    let style = input.style("sgd");
    for (lr, style) in [(0.1, style), (0.3, style.next_dash())] {
        let errors = descent_errors(input, lr)?;
        let name = format!("sqrt(2): steps of gradient descent to an error of 1e-11, lr {lr}");
        result.value(&name, steps_to_small(&errors));
        let drawn: Vec<f64> =
            errors.into_iter().take_while(|error| *error > 1e-13).take(51).collect();
        let label = format!("gradient descent\nlr {lr}");
        chart.lines.push(PlotLine::new(&label, style, correct_digits(&drawn)));
    }
    result.value("sqrt(2): steps of Newton to an error of 1e-11", steps_to_small(errors));
    result.charts.push(("digits", chart));
    Ok(())
}

/// The error after each step of gradient descent on f = x^3 / 3 - 2 x, whose minimum is the root.
fn descent_errors(input: &StudyInput<'_>, lr: f64) -> Result<Vec<f64>> {
    let mut objective = |x: &[f64]| (x[0].powi(3) / 3.0 - 2.0 * x[0], vec![x[0] * x[0] - 2.0]);
    let point = input.config(&format!("sgd:lr={lr}"))?.on_vector(&[1.0]);
    let path = point.path(lr, DESCENT_STEPS, &mut objective)?;
    Ok(path.into_iter().map(|x| error(x[0])).collect())
}

fn correct_digits(errors: &[f64]) -> Vec<(f64, f64)> {
    errors.iter().enumerate().map(|(step, error)| (step as f64, -error.log10())).collect()
}

/// The number of steps until the error is small; infinite if it never is.
fn steps_to_small(errors: &[f64]) -> f64 {
    let steps = errors.iter().position(|error| *error < SMALL);
    steps.map_or(f64::INFINITY, |steps| steps as f64)
}

/// Rosenbrock's valley with full steps, and with a line search, with which f never increases.
fn valley(input: &StudyInput<'_>, result: &mut StudyResult) {
    let minimize = |line_search, steps| {
        let newton =
            Newton::new().with_line_search(line_search).with_tolerance(0.0).with_steps(steps);
        newton.minimize(&mut Rosenbrock, vec![-1.2, 1.0])
    };
    let full = minimize(LineSearch::None, VALLEY_STEPS);
    let searched = minimize(LineSearch::Backtracking, 4 * VALLEY_STEPS);
    for (step, point) in full.points.iter().enumerate() {
        result.value(&format!("Rosenbrock: f after step {step}"), point.f);
    }
    result.value("Rosenbrock: largest rise of f in a step", rise(&full));
    result.value("Rosenbrock: largest rise of f in a step, with a line search", rise(&searched));
    result.tables.push(valley_table(&full, &searched));
    let mut chart = Chart { log_y: true, ..Chart::new("Rosenbrock's valley", "step", "f") };
    let style = input.style("newton");
    chart.lines.push(valley_line("full steps", &full, style));
    chart.lines.push(valley_line("with a line search", &searched, Style { dash: 0, ..style }));
    result.charts.push(("valley", chart));
}

fn valley_table(full: &Path, searched: &Path) -> Table {
    let cell =
        |path: &Path, step: usize| path.points.get(step).map_or("-".into(), |point| short(point.f));
    let steps = searched.points.len().max(full.points.len());
    let rows =
        (0..steps).map(|step| vec![step.to_string(), cell(full, step), cell(searched, step)]);
    Table {
        title: "f in Rosenbrock's valley, from (-1.2, 1)".into(),
        head: ["step", "full steps", "with a line search"].map(String::from).to_vec(),
        rows: rows.collect(),
        note: "The second derivatives are exact. The line search halves a step until f falls. It \
               ends when f is of the size of its rounding error."
            .into(),
    }
}

fn valley_line(label: &str, path: &Path, style: Style) -> PlotLine {
    let points = path.points.iter().enumerate().map(|(step, point)| (step as f64, point.f));
    // f is 0 at the minimum, which a logarithmic axis cannot show
    let positive = points.filter(|(_, f)| *f > 0.0);
    PlotLine { marks: true, ..PlotLine::new(label, style, positive) }
}

/// The largest increase of f in a single step; negative if it never increases.
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
        vec![
            vec![1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0, -400.0 * x[0]],
            vec![-400.0 * x[0], 200.0],
        ]
    }
}
