//! A report card: short diagnostic tasks on a handful of numbers, each with a pass mark that was reasoned out beforehand and stands beside
//! it in [`TASKS`].
//!
//! A card is a diagnosis on toy problems, not a ranking. It tells *what* an optimizer does and does not: leave a saddle, cross a plateau,
//! forget how large gradients were. Which one trains a network best it does not tell, and the number of passes is no score.
//!
//! An optimizer is judged at its best learning rate of [`RATES`], chosen for each task by the median of the seeds. That flatters: nobody
//! tunes a rate for each difficulty apart. So the rate stands beside each result, and a line that gives `lr` is judged at that one.
//!
//! ```
//! use downhill::card::cards;
//! use downhill::optim::Optimizers;
//!
//! let cards = cards(&["sgd:lr=0.01".parse()?], &Optimizers::default(), &|| ())?;
//! println!("{}: {} passed", cards[0].line, cards[0].passed());
//! # Ok::<(), downhill::Error>(())
//! ```

mod tasks;

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::chart::short;
use crate::descent::Recipe;
use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::schedule::{Moment, Pace, Schedule};
use crate::seed::Seed;
use crate::spec::{Given, Line, Setting};

pub use tasks::TASKS;

/// The learning rates that are tried, in half decades.
pub const RATES: [f64; 11] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

/// Seeds of each task: 0 up to this number.
pub const SEEDS: usize = 5;

/// So many of the seeds have to meet the mark.
pub const ENOUGH: usize = 4;

/// Farther from the origin than this is diverged, as is what is not finite: every task begins within ten.
const FAR: f64 = 1e9;

/// Steps of the shortest task.
const SHORTEST: usize = 100;

/// More optimizers than this are not asked for by a person.
const LINES_AT_MOST: usize = 200;

/// Optimizers that have no card, and why.
const LEFT_OUT: [(&str, &str); 1] =
    [("burn:muon", "it is for matrices; what it does to a list of numbers is burn's AdamW, which has a card of its own")];

/// What is to be known about a card.
const REMARKS: [(&str, &str); 1] = [("lazy_adam", "a list of numbers is no table with rows, so these are Adam's steps")];

/// A row of the table of tasks.
pub struct Task {
    /// name
    pub name: &'static str,
    /// what it asks, in a line
    pub question: &'static str,
    /// what is measured; less is better
    pub measured: &'static str,
    /// the largest value that passes
    pub mark: f64,
    /// the mark in words
    pub mark_in_words: &'static str,
    /// where the mark comes from
    pub why: &'static str,
    run: fn(&Bench<'_>) -> Result<Score>,
}

/// What one seed came to, in the order from good to bad.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Measured {
    /// a finite number; less is better
    Number(f64),
    /// what was to be reached was not
    NotReached,
    /// not finite, or far out
    Diverged,
    /// a step that could not be taken, and why
    NoStep(String),
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measured::Number(number) if number.abs() >= 0.01 => f.write_str(&short(format!("{number:.2e}").parse().unwrap_or(*number))),
            Measured::Number(number) if *number == 0.0 => f.write_str("0"),
            Measured::Number(number) => write!(f, "{number:.0e}"),
            Measured::NotReached => f.write_str("not reached"),
            Measured::Diverged => f.write_str("diverged"),
            Measured::NoStep(_) => f.write_str("no step"),
        }
    }
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// the learning rates chosen: one, or one for each half of a comparison
    pub rates: Vec<f64>,
    /// one for each seed
    pub seeds: Vec<Measured>,
}

impl Score {
    /// From good to bad.
    fn sorted(&self) -> Vec<&Measured> {
        let mut sorted: Vec<&Measured> = self.seeds.iter().collect();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        sorted
    }

    /// The median of the seeds.
    pub fn median(&self) -> &Measured {
        self.sorted().get(self.seeds.len() / 2).copied().unwrap_or(&Measured::NotReached)
    }

    /// The best and the worst seed.
    pub fn range(&self) -> (&Measured, &Measured) {
        let sorted = self.sorted();
        (sorted.first().copied().unwrap_or(&Measured::NotReached), sorted.last().copied().unwrap_or(&Measured::NotReached))
    }

    /// How many seeds meet the mark.
    pub fn met(&self, task: &Task) -> usize {
        self.seeds.iter().filter(|seed| matches!(seed, Measured::Number(value) if *value <= task.mark)).count()
    }

    /// Whether enough seeds meet the mark.
    pub fn passes(&self, task: &Task) -> bool {
        self.met(task) >= ENOUGH
    }

    /// `PASS`, `FAIL`, or `FAIL` and why there is no number.
    pub fn verdict(&self, task: &Task) -> String {
        match self.median() {
            _ if self.passes(task) => "PASS".into(),
            without @ (Measured::Diverged | Measured::NoStep(_)) => format!("FAIL {without}"),
            _ => "FAIL".into(),
        }
    }
}

/// An optimizer's card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// the optimizer as it was asked for
    pub line: String,
    /// the learning rate, where the line gives one
    pub fixed: Option<f64>,
    /// one for each of [`TASKS`], in their order; none where the optimizer has no card
    pub scores: Vec<Score>,
    /// why it has none, or what is to be known about it
    pub remark: Option<&'static str>,
}

impl Card {
    /// How many tasks were passed.
    pub fn passed(&self) -> usize {
        TASKS.iter().zip(&self.scores).filter(|(task, score)| score.passes(task)).count()
    }

    /// Why steps could not be taken: the tasks, and the reason.
    pub fn reasons(&self) -> Vec<(Vec<&'static str>, &str)> {
        let mut reasons: Vec<(Vec<&'static str>, &str)> = Vec::new();
        for (task, score) in TASKS.iter().zip(&self.scores) {
            let Measured::NoStep(reason) = score.median() else { continue };
            match reasons.iter_mut().find(|(_, known)| known == reason) {
                Some((tasks, _)) => tasks.push(task.name),
                None => reasons.push((vec![task.name], reason)),
            }
        }
        reasons
    }
}

/// The cards of these optimizers; each line may be a sweep. `tick` is called after each task of each card, from several threads; the cards
/// do not depend on how many there are.
///
/// # Errors
/// If a line cannot be read, names what there is not, or there are too many.
pub fn cards(lines: &[Line], optimizers: &Optimizers, tick: &(dyn Fn() + Sync)) -> Result<Vec<Card>> {
    let lines = expanded(lines)?;
    let mut cards = lines.iter().map(|line| blank(line, optimizers)).collect::<Result<Vec<Card>>>()?;
    let work: Vec<(usize, &Task)> = (0..cards.len())
        .filter(|n| left_out(&lines[*n], optimizers).is_none())
        .flat_map(|n| TASKS.iter().map(move |task| (n, task)))
        .collect();
    let settled: Vec<OnceLock<Best>> = lines.iter().map(|_| OnceLock::new()).collect();
    let done = |(n, task): &(usize, &Task)| {
        let score = (task.run)(&Bench { recipes: at_rates(&lines[*n], optimizers)?, settled: &settled[*n] });
        tick();
        score
    };
    let scores: Vec<Score> = work.par_iter().with_max_len(1).map(done).collect::<Result<_>>()?;
    work.iter().zip(scores).for_each(|((n, _), score)| cards[*n].scores.push(score));
    Ok(cards)
}

/// How many times [`cards`] calls its `tick`.
///
/// # Errors
/// As [`cards`].
pub fn ticks(lines: &[Line], optimizers: &Optimizers) -> Result<usize> {
    Ok(TASKS.len() * expanded(lines)?.iter().filter(|line| left_out(line, optimizers).is_none()).count())
}

/// Every line without its sweeps.
fn expanded(lines: &[Line]) -> Result<Vec<Line>> {
    let size = lines.iter().try_fold(0usize, |sum, line| sum.checked_add(line.size()?));
    match size {
        Some(size) if size <= LINES_AT_MOST => Ok(lines.iter().flat_map(Line::expand).collect()),
        _ => Err(Error::Asked(format!("cards of more than {LINES_AT_MOST} optimizers, expected fewer"))),
    }
}

/// A card before the tasks.
fn blank(line: &Line, optimizers: &Optimizers) -> Result<Card> {
    let recipe = Recipe::read(line, optimizers)?;
    let missing = left_out(line, optimizers);
    if missing.is_none() {
        let refused = |why: String| Err(Error::Asked(format!("no card for {line}: {why}")));
        let schedule = recipe.schedule.as_ref();
        if recipe.fits(SHORTEST).is_err() || schedule.is_some_and(|schedule| schedule.fits(SHORTEST).is_err()) {
            return refused(format!(
                "found gradients accumulated or a warm-up over more, expected at most the {SHORTEST} steps of the shortest task"
            ));
        }
        if schedule.is_some_and(Schedule::counts_passes) {
            return refused(
                "found a schedule that counts passes over data, expected one that counts steps, by per=step where it has that".into(),
            );
        }
    }
    let remark = REMARKS.iter().find(|(name, _)| *name == recipe.built.spec.name).map(|(_, remark)| *remark);
    let fixed = given(line, &recipe.built.spec.name).then_some(recipe.built.lr);
    Ok(Card { line: line.to_string(), fixed, scores: Vec::new(), remark: missing.or(remark) })
}

/// Why there is no card.
fn left_out(line: &Line, optimizers: &Optimizers) -> Option<&'static str> {
    let named = |name: &str| optimizers.find(name).is_ok() && line.0.iter().any(|spec| spec.name == name);
    LEFT_OUT.iter().find(|(name, _)| named(name)).map(|(_, why)| *why)
}

/// Whether a line gives its optimizer's learning rate.
fn given(line: &Line, optimizer: &str) -> bool {
    line.0.iter().any(|spec| spec.name == optimizer && spec.settings.iter().any(|(key, _)| key == Setting::LR.name))
}

/// An optimizer at each learning rate that is tried.
struct Bench<'a> {
    recipes: Vec<Recipe>,
    /// the best rate of the task that another one begins with, whichever of the two was first to need it
    settled: &'a OnceLock<Best>,
}

/// An optimizer at one learning rate, and a seed.
struct Run<'a> {
    recipe: &'a Recipe,
    seed: Seed,
}

/// The best learning rate by some measure.
#[derive(Clone)]
struct Best {
    /// its place on the bench
    place: usize,
    rate: f64,
    /// the measure, one for each seed
    seeds: Vec<Measured>,
}

/// An optimizer at the rate that its line gives, or else at each of [`RATES`].
fn at_rates(line: &Line, optimizers: &Optimizers) -> Result<Vec<Recipe>> {
    let own = Recipe::read(line, optimizers)?;
    if given(line, &own.built.spec.name) {
        return Ok(vec![own]);
    }
    let at = |rate: &f64| {
        let mut line = line.clone();
        // a rule is told its rate when it is made: some have settings that depend on it
        let optimizer = line.0.iter_mut().find(|spec| spec.name == own.built.spec.name);
        optimizer.into_iter().for_each(|spec| spec.settings.push((Setting::LR.name.into(), vec![rate.show()])));
        Recipe::read(&line, optimizers)
    };
    RATES.iter().map(at).collect()
}

impl Bench<'_> {
    /// Every seed at one rate.
    fn seeds(&self, place: usize, measure: impl Fn(&Run<'_>) -> Result<Measured>) -> Result<Vec<Measured>> {
        (0..SEEDS as u64).map(|seed| measure(&Run { recipe: &self.recipes[place], seed: Seed(seed) })).collect()
    }

    /// The rate with the best median; of equal ones the smallest.
    fn best(&self, measure: impl Fn(&Run<'_>) -> Result<Measured>) -> Result<Best> {
        let mut best: Option<(Measured, Best)> = None;
        for (place, recipe) in self.recipes.iter().enumerate() {
            let before = best.as_ref().map(|(median, _)| median);
            let Some(seeds) = self.better(recipe, before, &measure)? else { continue };
            let rate = recipe.built.lr;
            let score = Score { rates: vec![rate], seeds };
            best = Some((score.median().clone(), Best { place, rate, seeds: score.seeds }));
        }
        best.map(|(_, best)| best).ok_or_else(|| Error::Asked("no learning rate to try".into()))
    }

    /// The seeds at a rate whose median is better than `before`; nothing as soon as it cannot be.
    fn better(
        &self,
        recipe: &Recipe,
        before: Option<&Measured>,
        measure: impl Fn(&Run<'_>) -> Result<Measured>,
    ) -> Result<Option<Vec<Measured>>> {
        let mut seeds = Vec::new();
        for seed in 0..SEEDS as u64 {
            seeds.push(measure(&Run { recipe, seed: Seed(seed) })?);
            let behind = seeds.iter().filter(|seed| before.is_some_and(|before| *seed >= before)).count();
            if behind > SEEDS / 2 {
                return Ok(None);
            }
        }
        Ok(Some(seeds))
    }

    /// The best rate of the noisy bowl.
    fn settled(&self, measure: impl Fn(&Run<'_>) -> Result<Measured>) -> Result<Best> {
        if let Some(known) = self.settled.get() {
            return Ok(known.clone());
        }
        // two threads at once would come to the same
        let best = self.best(measure)?;
        Ok(self.settled.get_or_init(|| best).clone())
    }

    /// The score of a task that is its own measure.
    fn score(&self, measure: impl Fn(&Run<'_>) -> Result<Measured>) -> Result<Score> {
        let best = self.best(measure)?;
        Ok(Score { rates: vec![best.rate], seeds: best.seeds })
    }
}

/// Value and gradient at a point, in a step counted from 0. The same within a step, however often the method asks.
type Slope<'a> = &'a dyn Fn(usize, &[f64]) -> (f64, Vec<f64>);

impl Run<'_> {
    /// Takes so many steps; after each, `seen` is shown the point that the method hands out, and says whether it has seen enough. Returns
    /// what cut the descent short, if something did. For the schedule the steps are those of a whole run, of one epoch.
    fn descend(&self, start: &[f64], steps: usize, slope: Slope<'_>, seen: &mut dyn FnMut(&[f64]) -> bool) -> Result<Option<Measured>> {
        let pace = self.recipe.schedule.clone().map(Pace::new);
        let mut numbers = self.recipe.on_numbers(start);
        for t in 0..steps {
            let moment = Moment { step: t + 1, epoch: 1, batch: t + 1, steps };
            let lr = pace.as_ref().map_or(self.recipe.built.lr, |pace| pace.lr(self.recipe.built.lr, moment));
            match numbers.step(lr, &mut |x| slope(t, x)) {
                Err(Error::Step(why)) => return Ok(Some(Measured::NoStep(why))),
                done => done?,
            }
            let near = |x: &[f64]| x.iter().all(|x| x.abs() < FAR);
            let x = numbers.handed_out()?;
            if !near(numbers.x()) || !near(&x) {
                return Ok(Some(Measured::Diverged));
            }
            if seen(&x) {
                break;
            }
        }
        Ok(None)
    }
}
