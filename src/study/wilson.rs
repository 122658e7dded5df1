//! A problem on which adaptive methods fit the training examples as well as others do, and learn nothing: section 3.3 of "The marginal value
//! of adaptive gradient methods". One coordinate holds the class, two are always 1, and each example has a few that no other has.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Ask, Found};
use crate::chart::{Chart, Line, Table, short};
use crate::error::Result;
use crate::seed::{Purpose, Seed};

/// How often the class is +1.
const P: f64 = 0.6;
const TRAINING: usize = 60;
const TEST: usize = 500;
/// The coordinates that all examples have.
const SHARED: usize = 3;
/// The coordinates of each example alone: of class +1 the first is 1, of class -1 all are.
const OWN: usize = 5;
/// A training loss at which the examples are fitted, and a number of steps by which it has been reached.
const FITTED: f64 = 1e-20;
const STEPS: usize = 5000;

/// What is compared, and what is left of the learning rate after each step.
///
/// The largest second derivative is at most 60 + 2 * 60 + 5, so that steps of 0.008 converge. Without eps all coordinates are scaled alike;
/// at a constant rate RMSProp goes back and forth around the minimum.
const OPTIMIZERS: [(&str, &str, f64); 5] = [
    ("SGD", "sgd:lr=0.008", 1.0),
    ("momentum", "momentum:lr=0.008,mu=0.9", 1.0),
    ("AdaGrad", "adagrad:lr=0.1,eps=0", 1.0),
    ("RMSProp", "rmsprop:lr=0.02,eps=0", 0.98),
    ("Adam", "adam:lr=0.02,eps=0", 1.0),
];

pub fn study(ask: &Ask<'_>) -> Result<Found> {
    let mut found = Found::default();
    let mut losses = Chart { log_x: true, log_y: true, ..Chart::new("All of them fit the training examples", "step", "training loss") };
    let mut outputs = Chart { log_x: true, ..Chart::new("What a new example of class -1 gets", "step", "output: right below 0") };
    let draws: Vec<_> = (0..ask.seeds).map(|seed| draw(&mut Seed(seed as u64).generator(Purpose::Examples, 0))).collect();
    let rates: Vec<f64> = draws.iter().map(|(_, test)| share(test.iter().map(|y| *y > 0.0))).collect();
    found.of_seeds("share of +1 in training", draws.iter().map(|(training, _)| share(training.iter().map(|y| *y > 0.0))).collect());
    let base = found.of_seeds("base rate", rates.clone());

    let mut rows = Vec::new();
    for (label, line, decay) in OPTIMIZERS {
        let recipe = ask.recipe(line)?;
        let (mut accuracies, mut ends, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (seed, (training, test)) in draws.iter().enumerate() {
            let mut point = recipe.on_numbers(&[0.0; SHARED + OWN * TRAINING]);
            let (mut lr, mut path) = (recipe.built.lr, Vec::new());
            for step in 1..=STEPS {
                let mut reached = f64::NAN;
                let output = output(-1.0, point.x());
                point.step(lr, &mut |w| {
                    let (loss, gradient) = squares(training, w);
                    reached = loss;
                    (loss, gradient)
                })?;
                path.push((step as f64, reached, output));
                if reached < FITTED {
                    break;
                }
                lr *= decay;
            }
            // its own coordinates are new to the optimizer: nothing has moved their weights from 0
            accuracies.push(share(test.iter().map(|y| y * output(*y, point.x()) > 0.0)));
            ends.push(path.last().map_or(f64::NAN, |(_, loss, _)| *loss));
            steps.push(path.len() as f64);
            if seed == 0 {
                let style = ask.style(&recipe.built.spec.name);
                // a loss of 0 has no place on a logarithmic axis
                losses.lines.push(Line::new(
                    label,
                    style,
                    path.iter().filter(|(_, loss, _)| *loss > 0.0).map(|(step, loss, _)| (*step, *loss)),
                ));
                outputs.lines.push(Line::new(label, style, path.iter().map(|(step, _, output)| (*step, *output))));
            }
        }
        let gains = accuracies.iter().zip(&rates).map(|(accuracy, rate)| accuracy - rate).collect();
        let largest = ends.iter().copied().fold(0.0, |largest: f64, end| if end > largest || end.is_nan() { end } else { largest });
        found.of_seeds(&format!("{label}: training loss"), ends);
        let steps = found.of_seeds(&format!("{label}: steps"), steps);
        let accuracy = found.of_seeds(&format!("{label}: test accuracy"), accuracies);
        found.of_seeds(&format!("{label}: accuracy minus base rate"), gains);
        rows.push(vec![label.into(), format!("`{line}`"), short(steps), short(largest), short(accuracy), short(base)]);
    }
    found.charts.extend([("losses", losses), ("outputs", outputs)]);
    let head = ["", "optimizer", "steps", "largest training loss", "test accuracy", "share of +1 in test"];
    found.tables.push(Table {
        title: "Fitted, and then asked about new examples".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note:
            "Least squares, all training examples in each step, from weights of 0, until the training loss is below 1e-20; means over the \
               seeds. The learning rates are ours: constant, but for RMSProp multiplied by 0.98 after each step; with a constant one it ends at a \
               distance of about lr from the minimum. eps is 0, so that an adaptive step is scaled by gradients alone. The theorem asks for more examples of class +1 than of -1 in training."
                .into(),
    });
    Ok(found)
}

/// Classes of the training examples, and of those for the test.
fn draw(generator: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
    let mut classes = |n| (0..n).map(|_| if generator.random_bool(P) { 1.0 } else { -1.0 }).collect();
    (classes(TRAINING), classes(TEST))
}

/// Of an example of class y, as far as it comes from what all examples share.
fn output(y: f64, w: &[f64]) -> f64 {
    y * w[0] + w[1] + w[2]
}

/// Half the sum of squared errors, and its gradient.
fn squares(classes: &[f64], w: &[f64]) -> (f64, Vec<f64>) {
    let (mut loss, mut gradient) = (0.0, vec![0.0; w.len()]);
    for (i, y) in classes.iter().enumerate() {
        let own = SHARED + OWN * i..SHARED + OWN * i + if *y > 0.0 { 1 } else { OWN };
        let error = output(*y, w) + w[own.clone()].iter().sum::<f64>() - y;
        loss += error * error / 2.0;
        gradient[0] += error * y;
        gradient[1] += error;
        gradient[2] += error;
        gradient[own].iter_mut().for_each(|g| *g += error);
    }
    (loss, gradient)
}

fn share(of: impl ExactSizeIterator<Item = bool>) -> f64 {
    let n = of.len() as f64;
    of.filter(|yes| *yes).count() as f64 / n
}
