//! The counterexamples to Adam in the AMSGrad paper. The losses are linear on [-1, 1]. A rare steep
//! gradient outweighs all others, but Adam forgets it too soon.

use rand::RngExt;
use rayon::prelude::*;

use super::fit::{DrawnSteps, exponent};
use super::input::{StudyInput, StudyResult};
use crate::chart::{BandPoint, Chart, PlotLine, Style, Table, short};
use crate::error::Result;
use crate::pipeline::PipelineConfig;
use crate::seed::{Purpose, Seed};

/// A loss f_t(x) = slope_t x. Its mean slope is positive, so the best point is -1.
struct Problem {
    name: &'static str,
    /// file names of the two charts, without extension: x, and the regret
    stems: [&'static str; 2],
    /// settings of both optimizers
    settings: &'static str,
    alphas: &'static [f64],
    start: f64,
    steps: usize,
    /// slope_t, t from 1
    slopes: fn(Seed) -> Box<dyn FnMut(usize) -> f64>,
    /// the mean of slope_t
    mean_slope: f64,
    /// whether slopes are random
    random: bool,
}

const PROBLEMS: [Problem; 3] = [
    Problem {
        name: "online",
        stems: ["online-x", "online-regret"],
        settings: "beta1=0.9,beta2=0.99",
        alphas: &[0.5, 0.1],
        start: 0.0,
        steps: 1_000_000,
        slopes: |_| Box::new(|t| if t % 101 == 1 { 1010.0 } else { -10.0 }),
        mean_slope: 10.0 / 101.0,
        random: false,
    },
    Problem {
        name: "stochastic",
        stems: ["stochastic-x", "stochastic-regret"],
        settings: "beta1=0.9,beta2=0.99",
        alphas: &[0.5],
        start: 0.0,
        // after 10^6 steps AMSGrad has not converged: x differs between the seeds
        steps: 10_000_000,
        slopes: |seed| {
            let mut generator = seed.generator(Purpose::Noise, 0);
            Box::new(move |_| if generator.random_bool(0.01) { 1010.0 } else { -10.0 })
        },
        mean_slope: 0.2,
        random: true,
    },
    Problem {
        name: "every third",
        stems: ["third-x", "third-regret"],
        settings: "beta1=0,beta2=0.1",
        alphas: &[0.5],
        start: 1.0,
        steps: 10_000,
        slopes: |_| Box::new(|t| if t % 3 == 1 { 3.0 } else { -1.0 }),
        mean_slope: 1.0 / 3.0,
        random: false,
    },
];

pub(super) fn study(input: &StudyInput<'_>) -> Result<StudyResult> {
    let mut result = StudyResult::default();
    let mut rows = Vec::new();
    for problem in &PROBLEMS {
        let mut charts = problem.charts();
        for (n, alpha) in problem.alphas.iter().enumerate() {
            for (label, name) in [("Adam", "adam"), ("AMSGrad", "amsgrad")] {
                let config =
                    input.config(&format!("{name}@paper:lr={alpha},{}", problem.settings))?;
                let runs = problem.runs(&config, input.seeds)?;
                let style = input.style(name);
                let style = if n == 0 { style } else { style.next_dash() };
                charts.add(&format!("{label}\nalpha {alpha}"), style, problem, &runs);
                let key = format!("{}, {label}, alpha {alpha}", problem.name);
                rows.push(summarize(&mut result, key, problem, &runs));
            }
        }
        result.charts.extend(problem.stems.into_iter().zip([charts.x, charts.regret]));
    }
    result.tables.push(table(rows));
    Ok(result)
}

fn table(rows: Vec<Vec<String>>) -> Table {
    let head = ["problem, optimizer", "x", "average regret", "by the mean slope", "exponent of t"];
    Table {
        title: "After the last step".into(),
        head: head.map(String::from).to_vec(),
        rows,
        note: "10^6 steps from 0 for `online`, 10^7 from 0 for `stochastic`, 10^4 from 1 for \
               `every third`. The learning rate is alpha / sqrt(t), and x is projected onto [-1, \
               1] after each step. The best point is -1, the worst is +1. The average regret uses \
               the slopes of the run. The next column uses the mean slope instead, because the \
               number of rare steep slopes changes the average regret by some tenths. If x stays \
               at +1, the regret by the mean slope is 20 / 101, 0.4 and 2 / 3 for the three \
               problems. The exponent is fitted to the average regret over the last nine tenths of \
               the steps, with the mean slope if the slopes are random. If R_t grows like sqrt(t), \
               it is -0.5. For `stochastic` the numbers are means over the seeds."
            .into(),
    }
}

/// A point of a run.
struct RegretPoint {
    t: usize,
    /// x after the step
    x: f64,
    /// R_t / t
    regret: f64,
    /// the same with the mean slope instead of the slopes of the run
    mean_slope_regret: f64,
}

/// The points of a run. The last point belongs to the last step.
type RegretCurve = Vec<RegretPoint>;

impl Problem {
    fn charts(&self) -> ProblemCharts {
        let regret = if self.random { "average regret by the mean slope" } else { REGRET };
        let title = |what: &str| format!("{}: {what}", self.name);
        let caption = match self.random {
            true => "Mean over the seeds; the band is ± one standard deviation.",
            false => "",
        };
        ProblemCharts {
            x: Chart {
                log_x: true,
                caption: caption.into(),
                ..Chart::new(&title("x"), "step t", "x")
            },
            regret: Chart {
                log_x: true,
                log_y: true,
                caption: caption.into(),
                ..Chart::new(&title("regret relative to x = -1"), "step t", regret)
            },
        }
    }

    /// The regret that is drawn and fitted. For random slopes it uses the mean slope, because the
    /// first few random slopes would dominate all others.
    fn regret(&self) -> fn(&RegretPoint) -> f64 {
        match self.random {
            true => |point: &RegretPoint| point.mean_slope_regret,
            false => |point: &RegretPoint| point.regret,
        }
    }

    /// One run for each seed, or a single run if no slopes are random.
    fn runs(&self, config: &PipelineConfig, seeds: usize) -> Result<Vec<RegretCurve>> {
        let seeds = if self.random { seeds } else { 1 };
        (0..seeds).into_par_iter().map(|seed| self.run(config, Seed(seed as u64))).collect()
    }

    fn run(&self, config: &PipelineConfig, seed: Seed) -> Result<RegretCurve> {
        let mut slopes = (self.slopes)(seed);
        let mut point = config.on_vector(&[self.start]);
        let (mut regret, mut distance) = (0.0, 0.0);
        let (mut drawn, mut curve) = (DrawnSteps::new(), Vec::new());
        for t in 1..=self.steps {
            let (slope, x) = (slopes(t), point.x()[0]);
            regret += slope * (x + 1.0);
            distance += x + 1.0;
            let lr = config.optimizer.lr / (t as f64).sqrt();
            point.step(lr, &mut |x| (slope * x[0], vec![slope]))?;
            point.project(|x| x.clamp(-1.0, 1.0));
            if drawn.contains(t) || t == self.steps {
                curve.push(RegretPoint {
                    t,
                    x: point.x()[0],
                    regret: regret / t as f64,
                    mean_slope_regret: self.mean_slope * distance / t as f64,
                });
            }
        }
        Ok(curve)
    }
}

const REGRET: &str = "average regret R_t / t";

/// The charts of a problem.
struct ProblemCharts {
    x: Chart,
    regret: Chart,
}

impl ProblemCharts {
    fn add(&mut self, label: &str, style: Style, problem: &Problem, runs: &[RegretCurve]) {
        self.x.lines.push(banded(label, style, runs, |point| point.x));
        self.regret.lines.push(banded(label, style, runs, problem.regret()));
    }
}

/// Adds the numbers of an optimizer to the result, and returns its row of the table.
fn summarize(
    result: &mut StudyResult,
    key: String,
    problem: &Problem,
    runs: &[RegretCurve],
) -> Vec<String> {
    let last = |number: fn(&RegretPoint) -> f64| -> Vec<f64> {
        runs.iter().filter_map(|run| run.last().map(number)).collect()
    };
    let exponents = runs.iter().map(|run| regret_exponent(problem, run)).collect();
    let numbers = [
        ("x", last(|point| point.x)),
        ("average regret", last(|point| point.regret)),
        ("average regret by the mean slope", last(|point| point.mean_slope_regret)),
        ("exponent of t in the average regret", exponents),
    ];
    let mut row = vec![key.clone()];
    for (name, values) in numbers {
        row.push(short(result.seed_values(&format!("{key}: {name}"), values)));
    }
    row
}

/// The exponent of t in the average regret, from the last nine tenths of the steps.
fn regret_exponent(problem: &Problem, run: &[RegretPoint]) -> f64 {
    let regret = problem.regret();
    let late = run.iter().filter(|point| 10 * point.t >= problem.steps);
    let points: Vec<(f64, f64)> = late.map(|point| (point.t as f64, regret(point))).collect();
    exponent(&points)
}

/// The mean of the runs, with a band of one standard deviation.
fn banded(
    label: &str,
    style: Style,
    runs: &[RegretCurve],
    number: fn(&RegretPoint) -> f64,
) -> PlotLine {
    let points = runs.first().into_iter().flatten().enumerate().map(|(i, point)| {
        let values: Vec<f64> = runs.iter().map(|run| number(&run[i])).collect();
        BandPoint::of_values(point.t as f64, &values)
    });
    let points = points.collect();
    PlotLine { points, ..PlotLine::new(label, style, Vec::new()) }
}
