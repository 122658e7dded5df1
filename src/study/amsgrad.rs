//! The counterexamples to Adam in the AMSGrad paper: losses that are straight lines on [-1, 1], where one rare steep gradient says more than
//! all that come between, and Adam forgets it too soon.

use rand::RngExt;
use rayon::prelude::*;

use super::{Ask, Found, drawn, exponent, mean};
use crate::chart::{Banded, Chart, Line, Style, Table, short};
use crate::descent::Recipe;
use crate::error::Result;
use crate::seed::{Purpose, Seed};

/// A loss f_t(x) = slope_t x. Its mean slope is above zero, so that the best point is -1.
struct Problem {
    name: &'static str,
    /// stems of the pictures: x, and the regret
    stems: [&'static str; 2],
    /// settings of both optimizers
    settings: &'static str,
    alphas: &'static [f64],
    start: f64,
    steps: usize,
    /// slope_t, t from 1
    slopes: fn(Seed) -> Box<dyn FnMut(usize) -> f64>,
    /// what slope_t is on average
    mean_slope: f64,
    drawn: bool,
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
        drawn: false,
    },
    Problem {
        name: "stochastic",
        stems: ["stochastic-x", "stochastic-regret"],
        settings: "beta1=0.9,beta2=0.99",
        alphas: &[0.5],
        start: 0.0,
        // after 10^6 AMSGrad is still on its way, at another place in each draw
        steps: 10_000_000,
        slopes: |seed| {
            let mut generator = seed.generator(Purpose::Noise, 0);
            Box::new(move |_| if generator.random_bool(0.01) { 1010.0 } else { -10.0 })
        },
        mean_slope: 0.2,
        drawn: true,
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
        drawn: false,
    },
];

pub fn study(ask: &Ask<'_>) -> Result<Found> {
    let mut found = Found::default();
    let mut rows = Vec::new();
    for problem in &PROBLEMS {
        let [mut places, mut regrets] = ["x", "average regret R_t / t"].map(|y| {
            let title = format!("{}: {}", problem.name, if y == "x" { "where it is" } else { "what it cost against staying at -1" });
            let y = if y != "x" && problem.drawn { "average regret by the mean slope" } else { y };
            Chart { log_x: true, log_y: y != "x", ..Chart::new(&title, "step t", y) }
        });
        for (n, alpha) in problem.alphas.iter().enumerate() {
            for (label, name) in [("Adam", "adam"), ("AMSGrad", "amsgrad")] {
                let recipe = ask.recipe(&format!("{name}:lr={alpha},{}", problem.settings))?;
                let seeds = if problem.drawn { ask.seeds } else { 1 };
                let runs = (0..seeds).into_par_iter().map(|seed| play(problem, &recipe, Seed(seed as u64))).collect::<Result<Vec<_>>>()?;

                let style = if n == 0 { ask.style(name) } else { ask.style(name).next_dash() };
                // of drawn slopes the mean ones: what is drawn at first hides all that follows
                let cost = if problem.drawn { |at: &At| at.expected } else { |at: &At| at.regret };
                places.lines.push(banded(&format!("{label}\nalpha {alpha}"), style, &runs, |at| at.x));
                regrets.lines.push(banded(&format!("{label}\nalpha {alpha}"), style, &runs, cost));
                let last = |number: fn(&At) -> f64| runs.iter().filter_map(|run| run.last().map(number)).collect::<Vec<_>>();
                let power = |run: &Vec<At>| {
                    let late = run.iter().filter(|at| 10 * at.t >= problem.steps);
                    exponent(&late.map(|at| (at.t as f64, if problem.drawn { at.expected } else { at.regret })).collect::<Vec<_>>())
                };
                let who = format!("{}, {label}, alpha {alpha}", problem.name);
                rows.push(vec![
                    who.clone(),
                    short(found.of_seeds(&format!("{who}: x"), last(|at| at.x))),
                    short(found.of_seeds(&format!("{who}: average regret"), last(|at| at.regret))),
                    short(found.of_seeds(&format!("{who}: average regret by the mean slope"), last(|at| at.expected))),
                    short(found.of_seeds(&format!("{who}: exponent of t in the average regret"), runs.iter().map(power).collect())),
                ]);
            }
        }
        found.charts.extend(problem.stems.into_iter().zip([places, regrets]));
    }
    found.tables.push(Table {
        title: "After the last step".into(),
        head: ["problem, optimizer", "x", "average regret", "by the mean slope", "exponent of t in it"].map(String::from).to_vec(),
        rows,
        note: "10^6 steps from 0 online, 10^7 from 0 stochastic, 10^4 from 1 for `every third`; steps of alpha / sqrt(t), and x put back into [-1, 1] \
               after each. The best point is -1, the worst +1. The average regret counts the slopes that came, the next column their mean: how \
               many of the rare steep ones are drawn moves the first by some tenths. Where x is +1 for ever the regret by the mean slope is 20 / \
               101, 0.4 and 2 / 3. The exponent is fitted to the last nine tenths of the steps, where the slopes are drawn to the regret by the \
               mean slope; a regret R_t that grows like sqrt(t) has -0.5. Of the stochastic problem the numbers are means over the seeds."
            .into(),
    });
    Ok(found)
}

/// A moment of a run.
struct At {
    t: usize,
    /// where the step led
    x: f64,
    /// R_t / t
    regret: f64,
    /// the same with the mean slope in place of those that came
    expected: f64,
}

/// A whole run; the last step is the last of what is returned.
fn play(problem: &Problem, recipe: &Recipe, seed: Seed) -> Result<Vec<At>> {
    let mut slopes = (problem.slopes)(seed);
    let mut point = recipe.on_numbers(&[problem.start]);
    let (mut regret, mut way, mut next, mut path) = (0.0, 0.0, 1.0, Vec::new());
    for t in 1..=problem.steps {
        let (slope, x) = (slopes(t), point.x()[0]);
        regret += slope * (x + 1.0);
        way += x + 1.0;
        point.step(recipe.built.lr / (t as f64).sqrt(), &mut |x| (slope * x[0], vec![slope]))?;
        point.project(|x| x.clamp(-1.0, 1.0));
        if drawn(t, &mut next) || t == problem.steps {
            path.push(At { t, x: point.x()[0], regret: regret / t as f64, expected: problem.mean_slope * way / t as f64 });
        }
    }
    Ok(path)
}

/// The mean over the runs, between the lowest and the highest.
fn banded(label: &str, style: Style, runs: &[Vec<At>], number: fn(&At) -> f64) -> Line {
    let points = runs.first().into_iter().flatten().enumerate().map(|(i, at)| -> Banded {
        let all: Vec<f64> = runs.iter().map(|run| number(&run[i])).collect();
        (at.t as f64, mean(&all), all.iter().copied().fold(f64::INFINITY, f64::min), all.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    });
    let points = points.collect();
    Line { points, ..Line::new(label, style, Vec::new()) }
}
