//! Studies with three seeds, against numbers that were derived or computed separately.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use downhill::lab::chart::BandPoint;
use downhill::lab::study::{StudyInput, StudyResult, find};
use downhill::optim::Optimizers;

/// The result of a study.
#[derive(Clone)]
struct Numbers(StudyResult);

/// Each study is run once, by the first test that needs it.
fn run(name: &str) -> Numbers {
    static KNOWN: Mutex<BTreeMap<String, Numbers>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    known.entry(name.into()).or_insert_with(|| compute(name)).clone()
}

fn compute(name: &str) -> Numbers {
    let result =
        find(name).unwrap()(&StudyInput { seeds: 3, optimizers: &Optimizers::default() }).unwrap();
    if std::env::var_os("SHOW").is_some() {
        for (value, numbers) in &result.values {
            println!("{name}: {value}: {numbers:?}");
        }
        for table in &result.tables {
            println!("{}\n{}", table.title, table.head.join(" | "));
            table.rows.iter().for_each(|row| println!("{}", row.join(" | ")));
        }
    }
    Numbers(result)
}

impl Numbers {
    fn all(&self, name: &str) -> &[f64] {
        let result = self.0.values.iter().find(|(known, _)| known == name);
        &result
            .unwrap_or_else(|| {
                panic!(
                    "no `{name}` among {:?}",
                    self.0.values.iter().map(|(name, _)| name).collect::<Vec<_>>()
                )
            })
            .1
    }

    fn mean(&self, name: &str) -> f64 {
        let all = self.all(name);
        all.iter().sum::<f64>() / all.len() as f64
    }

    fn is(&self, name: &str, expected: f64, within: f64) {
        let mean = self.mean(name);
        assert!(
            (mean - expected).abs() <= within,
            "{name}: {mean}, expected {expected} within {within}"
        );
    }
}

#[test]
fn every_study_has_numbers_with_unique_names_and_charts_that_can_be_drawn() {
    for name in ["averages", "steps", "wilson", "nesterov", "newton", "amsgrad"] {
        let Numbers(result) = run(name);
        let mut times = BTreeMap::new();
        for (value, numbers) in &result.values {
            *times.entry(value).or_insert(0) += 1;
            assert!(
                !numbers.is_empty() && numbers.iter().all(|number| number.is_finite()),
                "{name}, {value}: {numbers:?}"
            );
        }
        assert!(!times.is_empty() && times.values().all(|times| *times == 1), "{name}: {times:?}");
        assert!(!result.charts.is_empty() && !result.tables.is_empty(), "{name}");
        for (stem, chart) in &result.charts {
            assert_eq!(
                result.charts.iter().filter(|(other, _)| other == stem).count(),
                1,
                "{name}, {stem}"
            );
            for line in &chart.lines {
                assert!(line.points.len() > 1, "{name}, {stem}, {}", line.label);
                let fits = |point: &BandPoint| {
                    let BandPoint { x, y, low, high } = *point;
                    let (x_fits, y_fits) =
                        (!chart.log_x || x > 0.0, !chart.log_y || (y > 0.0 && low > 0.0));
                    x_fits && y_fits && [x, y, low, high].iter().all(|number| number.is_finite())
                };
                assert!(line.points.iter().all(fits), "{name}, {stem}, {}", line.label);
            }
        }
        for table in &result.tables {
            assert!(
                table.rows.iter().all(|row| row.len() == table.head.len()),
                "{name}, {}",
                table.title
            );
        }
    }
    assert!(find("averagess").is_err());
}

#[test]
fn adam_ends_at_the_worst_point_of_the_counterexamples_and_amsgrad_at_the_best() {
    let result = run("amsgrad");
    // computed separately, in numpy
    for (label, x, regret) in [
        ("online, Adam, alpha 0.5", 1.0, 0.228),
        ("online, AMSGrad, alpha 0.5", -0.997, 0.035),
        ("online, Adam, alpha 0.1", 1.0, 0.1995),
        ("online, AMSGrad, alpha 0.1", -0.495, 0.062),
        ("every third, Adam, alpha 0.5", 0.995, 0.672),
        ("every third, AMSGrad, alpha 0.5", -1.0, 0.011),
    ] {
        result.is(&format!("{label}: x"), x, 1e-3);
        result.is(&format!("{label}: average regret"), regret, 1e-3);
    }
    // for each seed, not only on average
    assert_eq!(result.all("stochastic, Adam, alpha 0.5: x").len(), 3);
    assert!(result.all("stochastic, Adam, alpha 0.5: x").iter().all(|x| *x > 0.95));
    assert!(result.all("stochastic, AMSGrad, alpha 0.5: x").iter().all(|x| *x < -0.95));
    for problem in ["online", "stochastic", "every third"] {
        let exponent = result
            .mean(&format!("{problem}, AMSGrad, alpha 0.5: exponent of t in the average regret"));
        assert!(exponent < -0.45, "{problem}: {exponent}");
    }
    // at +1 for ever it is 2 * 0.2
    result.is("stochastic, Adam, alpha 0.5: average regret by the mean slope", 0.4, 0.02);
}

#[test]
fn adaptive_methods_fit_the_synthetic_problem_and_predict_the_more_frequent_class() {
    let result = run("wilson");
    let rates = result.all("base rate").to_vec();
    for (label, adaptive) in
        [("SGD", false), ("momentum", false), ("AdaGrad", true), ("RMSProp", true), ("Adam", true)]
    {
        assert!(
            result.all(&format!("{label}: training loss")).iter().all(|loss| *loss < 1e-20),
            "{label}"
        );
        let expected = if adaptive { rates.clone() } else { vec![1.0; rates.len()] };
        assert_eq!(result.all(&format!("{label}: test accuracy")), expected, "{label}");
    }
    assert!(rates.iter().all(|rate| (0.5..0.7).contains(rate)), "{rates:?}");
}

#[test]
fn nag_is_momentum_with_another_mu_along_each_direction_and_gains_a_power_of_k() {
    let result = run("nesterov");
    assert!(
        result.mean("NAG and momentum with mu (1 - lr lambda): largest relative difference")
            < 1e-13
    );
    result.is("gradient descent: exponent of k", -1.0, 0.05);
    result.is("NAG, mu (k - 1) / (k + 2): exponent of k", -2.0, 0.05);
    for label in ["gradient descent", "NAG, mu (k - 1) / (k + 2)"] {
        assert!(result.mean(&format!("{label}: largest share of its bound")) < 1.0, "{label}");
    }
}

#[test]
fn newton_doubles_the_digits_and_does_not_always_decrease_f() {
    let result = run("newton");
    for (step, error) in [(1, 8.6e-2), (2, 2.5e-3), (3, 2.1e-6), (4, 1.6e-12)] {
        result.is(&format!("sqrt(2): error after step {step}"), error, 0.03 * error);
    }
    result.is("sqrt(2): last error / square of the one before", 1.0 / 8f64.sqrt(), 1e-4);
    for (step, f) in [24.2, 4.73, 1412.0, 0.056, 0.313, 1.9e-11, 3.4e-20].into_iter().enumerate() {
        result.is(&format!("Rosenbrock: f after step {step}"), f, 0.03 * f);
    }
    assert!(result.mean("Rosenbrock: largest rise of f in a step") > 1000.0);
    assert!(result.mean("Rosenbrock: largest rise of f in a step, with a line search") <= 0.0);
}

#[test]
fn one_gradient_reaches_the_bound_of_adams_paper_and_several_exceed_it() {
    let result = run("steps");
    result.is("one gradient after zeros: longest step / lr", 0.1 / 0.001f64.sqrt(), 1e-6);
    let most = result.mean("the same / sqrt(1 - beta1^2 / beta2)");
    assert!((most - 7.27).abs() < 0.01);
    result.is("gradients that grow by beta2 / beta1 after zeros: longest step / lr", most, 1e-6);
    let equal = result.mean("equal gradients after zeros: longest step / lr");
    assert!(3.17 < equal && equal < most, "{equal}");
}

#[test]
fn adagrads_rate_vanishes_with_the_root_of_time_and_rmsprops_stays() {
    let result = run("steps");
    result.is("AdaGrad: exponent of t in its rate under equal gradients", -0.5, 1e-6);
    result.is("RMSProp: exponent of t in its rate under equal gradients", 0.0, 1e-3);
    result.is("AdaGrad: share of steps at which its rate rose, noisy gradients", 0.0, 0.0);
    assert!(result.mean("RMSProp: share of steps at which its rate rose, noisy gradients") > 0.1);
}
