//! Nesterov's acceleration on quadratics. With a constant mu NAG is classical momentum, with another mu along each direction; with a mu that
//! grows towards 1 its error falls like 1 / k^2 where that of gradient descent falls like 1 / k.

use super::{Ask, Found, drawn, exponent};
use crate::chart::{Chart, Line, Style, Table, short};
use crate::descent::{Recipe, Slope};
use crate::error::Result;

/// Directions of the wide quadratic: second derivatives from 1e-9 to 1, evenly on a logarithmic scale. A start of 1 along each gives every
/// stretch of that scale its share of the error, so that no step number is special and the rates of the theorems are reached.
const DIRECTIONS: usize = 400;
const FLATTEST: f64 = 1e-9;
const STEPS: usize = 3000;
/// The steps that the slopes are fitted to: past the first ones, and before the flattest direction is felt.
const FITTED: std::ops::RangeInclusive<f64> = 100.0..=3000.0;

pub fn study(ask: &Ask<'_>) -> Result<Found> {
    let mut found = Found::default();
    found.tables.push(identity(ask, &mut found.values)?);

    let curvatures: Vec<f64> = (0..DIRECTIONS).map(|i| FLATTEST.powf(1.0 - i as f64 / (DIRECTIONS - 1) as f64)).collect();
    let mut slope = |x: &[f64]| {
        let gradient: Vec<f64> = curvatures.iter().zip(x).map(|(curvature, x)| curvature * x).collect();
        (gradient.iter().zip(x).map(|(g, x)| g * x).sum::<f64>() / 2.0, gradient)
    };
    let start = vec![1.0; DIRECTIONS];
    let distance = DIRECTIONS as f64;
    // lr is 1 / L, and L is 1
    let sgd = ask.recipe("sgd:lr=1")?;
    let plain = values(&sgd, &start, &mut slope)?;
    let constant = values(&ask.recipe("nag:lr=1,mu=0.9")?, &start, &mut slope)?;
    let accelerated = accelerated(&sgd, &start, &mut slope)?;

    let mut chart = Chart { log_x: true, log_y: true, ..Chart::new("Error of a wide quadratic", "step k", "f(x_k) - minimum") };
    let ends = [1.0, STEPS as f64];
    // the theorems' bounds: |x_0 - x*|^2 L / 2k, and 2 L |x_0 - x*|^2 / (k + 1)^2
    let bounds: [fn(f64) -> f64; 2] = [|k| 1.0 / (2.0 * k), |k| 2.0 / ((k + 1.0) * (k + 1.0))];
    let mut rows = Vec::new();
    let curves = [
        ("gradient descent", ask.style("sgd"), plain, Some(bounds[0])),
        ("NAG, mu 0.9", ask.style("nag").next_dash(), constant, None),
        ("NAG, mu (k - 1) / (k + 2)", ask.style("nag"), accelerated, Some(bounds[1])),
    ];
    let last = |curve: &[(f64, f64)]| curve.last().map_or(f64::NAN, |(_, f)| *f);
    found.value("gradient descent / NAG at the end", last(&curves[0].2) / last(&curves[2].2));
    for (label, style, curve, bound) in curves {
        let fitted: Vec<(f64, f64)> = curve.iter().copied().filter(|(k, _)| FITTED.contains(k)).collect();
        let (power, end) = (exponent(&fitted), last(&curve));
        let share = bound.map(|bound| curve.iter().map(|(k, f)| f / (distance * bound(*k))).fold(0.0, f64::max));
        found.value(&format!("{label}: exponent of k"), power);
        if let Some(share) = share {
            found.value(&format!("{label}: largest share of its bound"), share);
        }
        rows.push(vec![label.into(), short(power), short(end), share.map_or("-".into(), short)]);
        chart.lines.push(Line::new(label, style, curve));
    }
    let names = ["1 / k\nbound of gradient descent", "1 / k^2\nbound of NAG"];
    for (n, (name, bound)) in names.into_iter().zip(bounds).enumerate() {
        let points = if n == 0 {
            ends.map(|k| (k, distance * bound(k))).to_vec()
        } else {
            drawn_steps().map(|k| (k, distance * bound(k))).collect()
        };
        chart.lines.push(Line::new(name, Style { color: 6, dash: n + 1 }, points));
    }
    found.charts.push(("acceleration", chart));
    found.tables.push(Table {
        title: "How fast the error falls".into(),
        head: ["", "exponent of k, steps 100 to 3000", "error after 3000 steps", "largest share of the theorem's bound"]
            .map(String::from)
            .to_vec(),
        rows,
        note: "400 directions with second derivatives from 1e-9 to 1, a start of 1 along each, lr 1. The exponent is the slope of log f \
               against log k. The bounds are those for any convex function: L |x_0 - x*|^2 / 2k and 2 L |x_0 - x*|^2 / (k + 1)^2. A \
               constant mu of 0.9 gains a factor, and in the end no power of k."
            .into(),
    });
    Ok(found)
}

/// NAG, and momentum with mu (1 - lr lambda), along single directions.
fn identity(ask: &Ask<'_>, values: &mut Vec<(String, Vec<f64>)>) -> Result<Table> {
    const MU: f64 = 0.9;
    let (mut rows, mut largest) = (Vec::new(), 0.0f64);
    for curvature in [0.001, 0.01, 0.1, 0.3, 0.5, 0.9] {
        let mut slope = |x: &[f64]| (curvature * x[0] * x[0] / 2.0, vec![curvature * x[0]]);
        let nag = ask.recipe(&format!("nag:lr=1,mu={MU}"))?.on_numbers(&[1.0]).path(1.0, 200, &mut slope)?;
        let momentum =
            ask.recipe(&format!("momentum:lr=1,mu={}", MU * (1.0 - curvature)))?.on_numbers(&[1.0]).path(1.0, 200, &mut slope)?;
        // relative to the larger of two places in succession: on its way back and forth x itself comes close to 0
        let size = |pair: &[Vec<f64>]| pair[0][0].abs().max(pair[1][0].abs());
        let apart = nag.windows(2).zip(momentum.windows(2)).map(|(nag, momentum)| (nag[1][0] - momentum[1][0]).abs() / size(momentum));
        let apart = apart.fold(0.0, f64::max);
        largest = largest.max(apart);
        rows.push([curvature, MU * (1.0 - curvature), apart].map(short).to_vec());
    }
    values.push(("NAG and momentum with mu (1 - lr lambda): largest relative difference".into(), vec![largest]));
    Ok(Table {
        title: "NAG with mu 0.9 and momentum with mu (1 - lr lambda)".into(),
        head: ["lr lambda", "mu of momentum", "largest relative difference in 200 steps"].map(String::from).to_vec(),
        rows,
        note: "On lambda x^2 / 2 from 1; NAG is followed at the point it hands out. What is left is the rounding of f64.".into(),
    })
}

/// The steps that are drawn and fitted.
fn drawn_steps() -> impl Iterator<Item = f64> {
    let mut next = 1.0;
    (1..=STEPS).filter(move |k| drawn(*k, &mut next) || *k == STEPS).map(|k| k as f64)
}

/// f after the steps that are drawn.
fn values(recipe: &Recipe, start: &[f64], slope: Slope<'_>) -> Result<Vec<(f64, f64)>> {
    let path = recipe.on_numbers(start).path(recipe.built.lr, STEPS, slope)?;
    Ok(drawn_steps().filter_map(|k| Some((k, slope(path.get(k as usize)?).0))).collect())
}

/// The same for the scheme with mu_k = (k - 1) / (k + 2). `nag` holds mu constant or lets it grow linearly, so that its step from the look-ahead
/// point is taken by `sgd` here, and the look-ahead is written down.
fn accelerated(sgd: &Recipe, start: &[f64], slope: Slope<'_>) -> Result<Vec<(f64, f64)>> {
    let (mut x, mut ahead, mut path) = (start.to_vec(), start.to_vec(), vec![slope(start).0]);
    for k in 1..=STEPS {
        let mut point = sgd.on_numbers(&ahead);
        point.step(sgd.built.lr, slope)?;
        let mu = (k as f64 - 1.0) / (k as f64 + 2.0);
        ahead = point.x().iter().zip(&x).map(|(new, old)| new + mu * (new - old)).collect();
        x = point.x().to_vec();
        path.push(slope(&x).0);
    }
    Ok(drawn_steps().filter_map(|k| Some((k, *path.get(k as usize)?))).collect())
}
