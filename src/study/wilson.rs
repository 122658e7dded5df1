//! A problem on which adaptive methods fit the training set as well as others, but do not
//! generalize: section 3.3 of "The marginal value of adaptive gradient methods". One coordinate is
//! the class, two are always 1, and each example has a few coordinates that no other example has.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::input::{StudyInput, StudyResult};
use crate::chart::{Chart, PlotLine, Table, short};
use crate::error::Result;
use crate::pipeline::PipelineConfig;
use crate::seed::{Purpose, Seed};

/// The probability of class +1.
const P: f64 = 0.6;
const TRAINING: usize = 60;
const TEST: usize = 500;
/// The number of coordinates that all examples share.
const SHARED: usize = 3;
/// The number of coordinates that only one example has. For class +1 the first of them is 1, for
/// class -1 all of them are 1.
const OWN: usize = 5;
/// The training loss at which training stops.
const FITTED: f64 = 1e-20;
/// The maximum number of steps. All optimizers need fewer.
const STEPS: usize = 5000;

/// An optimizer that is compared.
struct Series {
    label: &'static str,
    spec: &'static str,
    /// factor of the learning rate after each step
    decay: f64,
}

/// The largest second derivative is at most 60 + 2 * 60 + 5, so a learning rate of 0.008
/// converges. eps is 0, so all coordinates are scaled in the same way. RMSProp gets a decaying
/// learning rate, because with a constant one it oscillates around the minimum.
const SERIES: [Series; 5] = [
    Series { label: "SGD", spec: "sgd:lr=0.008", decay: 1.0 },
    Series { label: "momentum", spec: "momentum:lr=0.008,mu=0.9", decay: 1.0 },
    Series { label: "AdaGrad", spec: "adagrad:lr=0.1,eps=0", decay: 1.0 },
    Series { label: "RMSProp", spec: "rmsprop:lr=0.02,eps=0", decay: 0.98 },
    Series { label: "Adam", spec: "adam:lr=0.02,eps=0", decay: 1.0 },
];

/// The classes of the examples.
struct Draw {
    training: Vec<f64>,
    test: Vec<f64>,
}

impl Draw {
    fn new(generator: &mut ChaCha8Rng) -> Draw {
        let mut classes =
            |n| (0..n).map(|_| if generator.random_bool(P) { 1.0 } else { -1.0 }).collect();
        Draw { training: classes(TRAINING), test: classes(TEST) }
    }
}

pub(super) fn study(input: &StudyInput<'_>) -> Result<StudyResult> {
    let mut result = StudyResult::default();
    let draws: Vec<Draw> = (0..input.seeds)
        .map(|seed| Draw::new(&mut Seed(seed as u64).generator(Purpose::Examples, 0)))
        .collect();
    let positive = |classes: &[f64]| share(classes.iter().map(|y| *y > 0.0));
    let training = draws.iter().map(|draw| positive(&draw.training)).collect();
    result.seed_values("share of +1 in training", training);
    let rates: Vec<f64> = draws.iter().map(|draw| positive(&draw.test)).collect();
    let base_rate = result.seed_values("base rate", rates.clone());

    let mut losses = Chart {
        log_x: true,
        log_y: true,
        ..Chart::new("All optimizers fit the training set", "step", "training loss")
    };
    let mut outputs = Chart {
        log_x: true,
        ..Chart::new("Output for a new example of class -1", "step", "output: correct below 0")
    };
    let mut rows = Vec::new();
    for series in &SERIES {
        let config = input.config(series.spec)?;
        let runs: Vec<FittedRun> =
            draws.iter().map(|draw| train(&config, series, draw)).collect::<Result<_>>()?;
        if let Some(first) = runs.first() {
            let style = input.style(&config.optimizer.spec.name);
            losses.lines.push(PlotLine::new(series.label, style, first.losses()));
            outputs.lines.push(PlotLine::new(series.label, style, first.outputs()));
        }
        rows.push(summarize(&mut result, series, &runs, &rates, base_rate));
    }
    result.charts.extend([("losses", losses), ("outputs", outputs)]);
    result.tables.push(table(rows));
    Ok(result)
}

fn table(rows: Vec<Vec<String>>) -> Table {
    let head =
        ["", "optimizer", "steps", "largest training loss", "test accuracy", "share of +1 in test"];
    Table {
        title: "Training loss and test accuracy".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note: "The loss is least squares. Each step uses all training examples. The weights start \
               at 0, and training ends when the training loss is below 1e-20. The numbers are \
               means over the seeds. We chose the learning rates. They are constant, except for \
               RMSProp, whose learning rate is multiplied by 0.98 after each step; with a constant \
               one it ends at a distance of about lr from the minimum. eps is 0, so only the \
               gradients scale an adaptive step. The theorem requires more examples of class +1 \
               than of -1 in the training set."
            .into(),
    }
}

/// A training run.
struct FittedRun {
    path: Vec<PathPoint>,
    accuracy: f64,
}

/// The measurements at one step.
struct PathPoint {
    step: f64,
    /// training loss before the step
    loss: f64,
    /// output for a new example of class -1 before the step
    output: f64,
}

impl FittedRun {
    fn last_loss(&self) -> f64 {
        self.path.last().map_or(f64::NAN, |point| point.loss)
    }

    /// The losses to draw. A logarithmic axis cannot show a loss of 0.
    fn losses(&self) -> Vec<(f64, f64)> {
        let positive = self.path.iter().filter(|point| point.loss > 0.0);
        positive.map(|point| (point.step, point.loss)).collect()
    }

    fn outputs(&self) -> Vec<(f64, f64)> {
        self.path.iter().map(|point| (point.step, point.output)).collect()
    }
}

fn train(config: &PipelineConfig, series: &Series, draw: &Draw) -> Result<FittedRun> {
    let mut point = config.on_vector(&[0.0; SHARED + OWN * TRAINING]);
    let (mut lr, mut path) = (config.optimizer.lr, Vec::new());
    for step in 1..=STEPS {
        let mut loss = f64::NAN;
        let output = output(-1.0, point.x());
        point.step(lr, &mut |w| {
            let (value, gradient) = squares(&draw.training, w);
            loss = value;
            (value, gradient)
        })?;
        path.push(PathPoint { step: step as f64, loss, output });
        if loss < FITTED {
            break;
        }
        lr *= series.decay;
    }
    // the weights of the coordinates that only a new example has are still 0
    let accuracy = share(draw.test.iter().map(|y| y * output(*y, point.x()) > 0.0));
    Ok(FittedRun { path, accuracy })
}

/// Adds the numbers of an optimizer to the result, and returns its row of the table.
fn summarize(
    result: &mut StudyResult,
    series: &Series,
    runs: &[FittedRun],
    rates: &[f64],
    base_rate: f64,
) -> Vec<String> {
    let label = series.label;
    let losses: Vec<f64> = runs.iter().map(FittedRun::last_loss).collect();
    let steps = runs.iter().map(|run| run.path.len() as f64).collect();
    let accuracies: Vec<f64> = runs.iter().map(|run| run.accuracy).collect();
    let gains = accuracies.iter().zip(rates).map(|(accuracy, rate)| accuracy - rate).collect();
    let largest = largest_or_nan(&losses);
    result.seed_values(&format!("{label}: training loss"), losses);
    let steps = result.seed_values(&format!("{label}: steps"), steps);
    let accuracy = result.seed_values(&format!("{label}: test accuracy"), accuracies);
    result.seed_values(&format!("{label}: accuracy minus base rate"), gains);
    vec![
        label.into(),
        format!("`{}`", series.spec),
        short(steps),
        short(largest),
        short(accuracy),
        short(base_rate),
    ]
}

/// The largest number; NaN counts as larger than any other.
fn largest_or_nan(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(0.0, |largest: f64, number| {
        if number > largest || number.is_nan() { number } else { largest }
    })
}

/// The output for an example of class y, as far as it comes from the shared coordinates.
fn output(y: f64, w: &[f64]) -> f64 {
    y * w[0] + w[1] + w[2]
}

/// Half the sum of squared errors, and its gradient.
fn squares(classes: &[f64], w: &[f64]) -> (f64, Vec<f64>) {
    let (mut loss, mut gradient) = (0.0, vec![0.0; w.len()]);
    for (i, y) in classes.iter().enumerate() {
        let first = SHARED + OWN * i;
        let own = first..first + if *y > 0.0 { 1 } else { OWN };
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
