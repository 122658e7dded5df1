//! Nesterov's acceleration on quadratics. With a constant mu, NAG is classical momentum with
//! another mu along each direction. With a mu that grows towards 1, its error falls like 1 / k^2,
//! where that of gradient descent falls like 1 / k.

use super::fit::{DrawnSteps, exponent};
use super::input::{StudyInput, StudyResult};
use crate::chart::{Chart, PlotLine, Style, Table, short};
use crate::error::Result;
use crate::pipeline::{GradientFn, PipelineConfig};

/// The number of directions of the wide quadratic. Their second derivatives are spaced evenly from
/// 1e-9 to 1 on a logarithmic scale, and the start is 1 along each. All scales therefore contribute
/// equally to the error, and the exponents of the theorems are reached.
const DIRECTIONS: usize = 400;
const FLATTEST: f64 = 1e-9;
const STEPS: usize = 3000;
/// Exponents are fitted to these steps, after the first ones and before the flattest direction
/// matters.
const FITTED: std::ops::RangeInclusive<f64> = 100.0..=3000.0;

pub(super) fn study(input: &StudyInput<'_>) -> Result<StudyResult> {
    let mut result = StudyResult::default();
    identity(input, &mut result)?;
    acceleration(input, &mut result)?;
    Ok(result)
}

/// NAG, and momentum with mu (1 - lr lambda), along single directions.
fn identity(input: &StudyInput<'_>, result: &mut StudyResult) -> Result<()> {
    const MU: f64 = 0.9;
    let (mut rows, mut largest) = (Vec::new(), 0.0f64);
    for curvature in [0.001, 0.01, 0.1, 0.3, 0.5, 0.9] {
        let mu = MU * (1.0 - curvature);
        let path = |spec: String| -> Result<Vec<Vec<f64>>> {
            let mut objective = |x: &[f64]| (curvature * x[0] * x[0] / 2.0, vec![curvature * x[0]]);
            input.config(&spec)?.on_vector(&[1.0]).path(1.0, 200, &mut objective)
        };
        let nag = path(format!("nag:lr=1,mu={MU}"))?;
        let momentum = path(format!("momentum:lr=1,mu={mu}"))?;
        let difference = relative_difference(&nag, &momentum);
        largest = largest.max(difference);
        rows.push([curvature, mu, difference].map(short).to_vec());
    }
    result.value("NAG and momentum with mu (1 - lr lambda): largest relative difference", largest);
    let head = ["lr lambda", "mu of momentum", "largest relative difference in 200 steps"];
    result.tables.push(Table {
        title: "NAG with mu 0.9 and momentum with mu (1 - lr lambda)".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note: "The problem is lambda x^2 / 2 from x = 1. The path of NAG uses its evaluation \
               parameters. The remaining difference is rounding in f64."
            .into(),
    });
    Ok(())
}

/// The largest difference of two paths in one dimension. It is relative to the larger of two
/// successive points, because a point that oscillates comes close to 0.
fn relative_difference(path: &[Vec<f64>], reference: &[Vec<f64>]) -> f64 {
    let pairs = path.windows(2).zip(reference.windows(2));
    let differences = pairs.map(|(path, reference)| {
        let size = reference[0][0].abs().max(reference[1][0].abs());
        (path[1][0] - reference[1][0]).abs() / size
    });
    differences.fold(0.0, f64::max)
}

/// The bound of a theorem, relative to |x_0 - x*|^2 and with L = 1, for step k.
type TheoremBound = fn(f64) -> f64;

/// L |x_0 - x*|^2 / 2k
const DESCENT_BOUND: TheoremBound = |k| 1.0 / (2.0 * k);
/// 2 L |x_0 - x*|^2 / (k + 1)^2
const NAG_BOUND: TheoremBound = |k| 2.0 / ((k + 1.0) * (k + 1.0));
/// |x_0 - x*|^2
const SQUARED_DISTANCE: f64 = DIRECTIONS as f64;

/// The error of a method on the wide quadratic.
struct ErrorCurve {
    label: &'static str,
    style: Style,
    /// step and error
    points: Vec<(f64, f64)>,
    bound: Option<TheoremBound>,
}

impl ErrorCurve {
    fn last(&self) -> f64 {
        self.points.last().map_or(f64::NAN, |(_, error)| *error)
    }

    fn exponent(&self) -> f64 {
        let fitted: Vec<(f64, f64)> =
            self.points.iter().copied().filter(|(k, _)| FITTED.contains(k)).collect();
        exponent(&fitted)
    }

    /// The largest error divided by the bound of the theorem. `None` if there is no theorem.
    fn share_of_bound(&self) -> Option<f64> {
        let bound = self.bound?;
        let shares = self.points.iter().map(|(k, error)| error / (SQUARED_DISTANCE * bound(*k)));
        Some(shares.fold(0.0, f64::max))
    }
}

fn acceleration(input: &StudyInput<'_>, result: &mut StudyResult) -> Result<()> {
    let [descent, constant, accelerated] = error_curves(input)?;
    result.value("gradient descent / NAG at the end", descent.last() / accelerated.last());
    let mut chart = Chart {
        log_x: true,
        log_y: true,
        ..Chart::new("Error on a wide quadratic", "step k", "f(x_k) - minimum")
    };
    let mut rows = Vec::new();
    for curve in [descent, constant, accelerated] {
        let (label, power, last) = (curve.label, curve.exponent(), curve.last());
        let share = curve.share_of_bound();
        result.value(&format!("{label}: exponent of k"), power);
        if let Some(share) = share {
            result.value(&format!("{label}: largest share of its bound"), share);
        }
        rows.push(vec![label.into(), short(power), short(last), share.map_or("-".into(), short)]);
        chart.lines.push(PlotLine::new(label, curve.style, curve.points));
    }
    let ends = [1.0, STEPS as f64].map(|k| (k, SQUARED_DISTANCE * DESCENT_BOUND(k)));
    let style = |dash| Style { color: 6, dash };
    chart.lines.push(PlotLine::new("1 / k\nbound of gradient descent", style(1), ends));
    let points = drawn_steps().map(|k| (k, SQUARED_DISTANCE * NAG_BOUND(k)));
    chart.lines.push(PlotLine::new("1 / k^2\nbound of NAG", style(2), points));
    result.charts.push(("acceleration", chart));
    result.tables.push(table(rows));
    Ok(())
}

fn table(rows: Vec<Vec<String>>) -> Table {
    let head = [
        "",
        "exponent of k, steps 100 to 3000",
        "error after 3000 steps",
        "largest share of the theorem's bound",
    ];
    Table {
        title: "How fast the error falls".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note: "400 directions with second derivatives from 1e-9 to 1, a start of 1 along each, lr \
               1. The exponent is the slope of log f against log k. The bounds hold for any convex \
               function: L |x_0 - x*|^2 / 2k and 2 L |x_0 - x*|^2 / (k + 1)^2. A constant mu of \
               0.9 improves the error by a factor, but not the exponent of k."
            .into(),
    }
}

/// Gradient descent, NAG with a constant mu, and NAG with a growing mu. lr is 1 / L, and L is 1.
fn error_curves(input: &StudyInput<'_>) -> Result<[ErrorCurve; 3]> {
    let curvatures: Vec<f64> =
        (0..DIRECTIONS).map(|i| FLATTEST.powf(1.0 - i as f64 / (DIRECTIONS - 1) as f64)).collect();
    let mut objective = |x: &[f64]| {
        let gradient: Vec<f64> =
            curvatures.iter().zip(x).map(|(curvature, x)| curvature * x).collect();
        (gradient.iter().zip(x).map(|(g, x)| g * x).sum::<f64>() / 2.0, gradient)
    };
    let start = vec![1.0; DIRECTIONS];
    let (sgd, nag) = (input.config("sgd:lr=1")?, input.config("nag:lr=1,mu=0.9")?);
    Ok([
        ErrorCurve {
            label: "gradient descent",
            style: input.style("sgd"),
            points: errors(&sgd, &start, &mut objective)?,
            bound: Some(DESCENT_BOUND),
        },
        ErrorCurve {
            label: "NAG, mu 0.9",
            style: input.style("nag").next_dash(),
            points: errors(&nag, &start, &mut objective)?,
            bound: None,
        },
        ErrorCurve {
            label: "NAG, mu (k - 1) / (k + 2)",
            style: input.style("nag"),
            points: accelerated_errors(&sgd, &start, &mut objective)?,
            bound: Some(NAG_BOUND),
        },
    ])
}

/// The steps that are drawn and fitted.
fn drawn_steps() -> impl Iterator<Item = f64> {
    let mut drawn = DrawnSteps::new();
    (1..=STEPS).filter(move |k| drawn.contains(*k) || *k == STEPS).map(|k| k as f64)
}

/// The error after each drawn step.
fn errors(
    config: &PipelineConfig,
    start: &[f64],
    objective: GradientFn<'_>,
) -> Result<Vec<(f64, f64)>> {
    let path = config.on_vector(start).path(config.optimizer.lr, STEPS, objective)?;
    Ok(drawn_steps().filter_map(|k| Some((k, objective(path.get(k as usize)?).0))).collect())
}

/// The same with mu_k = (k - 1) / (k + 2), which `nag` does not have. The look-ahead point is
/// computed here, and `sgd` takes the step from it.
fn accelerated_errors(
    sgd: &PipelineConfig,
    start: &[f64],
    objective: GradientFn<'_>,
) -> Result<Vec<(f64, f64)>> {
    let (mut x, mut ahead) = (start.to_vec(), start.to_vec());
    let mut errors = vec![objective(start).0];
    for k in 1..=STEPS {
        let mut point = sgd.on_vector(&ahead);
        point.step(sgd.optimizer.lr, objective)?;
        let mu = (k as f64 - 1.0) / (k as f64 + 2.0);
        ahead = point.x().iter().zip(&x).map(|(new, old)| new + mu * (new - old)).collect();
        x = point.x().to_vec();
        errors.push(objective(&x).0);
    }
    Ok(drawn_steps().filter_map(|k| Some((k, *errors.get(k as usize)?))).collect())
}
