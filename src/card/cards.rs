//! The cards of optimizers.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::score::{Measured, Score};
use super::task::CardTask;
use super::tasks::TASKS;
use super::tuner::{TunedRate, Tuner, gives_lr};
use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::schedule::Schedule;
use crate::spec::SpecLine;

/// The number of steps of the shortest task.
const SHORTEST: usize = 100;

/// More optimizers than this are most likely a mistake.
const MOST_OPTIMIZERS: usize = 200;

/// A note about an optimizer.
struct Remark {
    optimizer: &'static str,
    text: &'static str,
}

/// Optimizers that have no card, and why.
const WITHOUT_CARD: [Remark; 1] = [Remark {
    optimizer: "burn:muon",
    text: "no card, because it is for matrices; on a vector it is burn's AdamW, which has a card",
}];

/// What to know about the card of an optimizer.
const REMARKS: [Remark; 1] = [Remark {
    optimizer: "lazy_adam",
    text: "the tasks have no rows to skip, so the results are those of adam",
}];

/// An optimizer's card.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// the pipeline spec as it was given
    pub line: String,
    /// the learning rate, if the spec sets it
    pub fixed: Option<f64>,
    /// one for each of [`TASKS`], in their order; empty if the optimizer has no card
    pub scores: Vec<Score>,
    /// why it has no card, or what to know about it
    pub remark: Option<&'static str>,
}

impl Card {
    /// How many tasks were passed.
    pub fn passed(&self) -> usize {
        TASKS.iter().zip(&self.scores).filter(|(task, score)| score.passes(task)).count()
    }

    /// The reasons for steps that could not be taken, each with its tasks.
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

/// The cards of these optimizers. A spec may be a grid. `tick` is called after each task of each
/// card, from several threads. The cards do not depend on the number of threads.
///
/// # Errors
/// If a spec cannot be read or contains an unknown name, or if there are too many.
pub fn cards(
    lines: &[SpecLine],
    optimizers: &Optimizers,
    tick: &(dyn Fn() + Sync),
) -> Result<Vec<Card>> {
    let lines = expanded(lines)?;
    let mut cards =
        lines.iter().map(|line| blank(line, optimizers)).collect::<Result<Vec<Card>>>()?;
    let best_on_noise: Vec<OnceLock<TunedRate>> = lines.iter().map(|_| OnceLock::new()).collect();
    let run = |(n, task): &(usize, &CardTask)| {
        let tuner = Tuner::new(&lines[*n], optimizers, &best_on_noise[*n])?;
        let score = (task.run)(&tuner);
        tick();
        score
    };
    let jobs = jobs(&lines, optimizers);
    let scores: Vec<Score> = jobs.par_iter().with_max_len(1).map(run).collect::<Result<_>>()?;
    for ((n, _), score) in jobs.iter().zip(scores) {
        cards[*n].scores.push(score);
    }
    Ok(cards)
}

/// How many times [`cards`] calls its `tick`.
///
/// # Errors
/// As [`cards`].
pub fn ticks(lines: &[SpecLine], optimizers: &Optimizers) -> Result<usize> {
    Ok(jobs(&expanded(lines)?, optimizers).len())
}

/// Every task of every optimizer that has a card. Optimizers are given by their place in `lines`.
fn jobs(lines: &[SpecLine], optimizers: &Optimizers) -> Vec<(usize, &'static CardTask)> {
    (0..lines.len())
        .filter(|n| why_without_card(&lines[*n], optimizers).is_none())
        .flat_map(|n| TASKS.iter().map(move |task| (n, task)))
        .collect()
}

/// The specs, with every grid replaced by its settings.
fn expanded(lines: &[SpecLine]) -> Result<Vec<SpecLine>> {
    let size = lines.iter().try_fold(0usize, |sum, line| sum.checked_add(line.size()?));
    match size {
        Some(size) if size <= MOST_OPTIMIZERS => {
            Ok(lines.iter().flat_map(SpecLine::expand).collect())
        }
        _ => {
            let found = format!("more than {MOST_OPTIMIZERS} optimizers");
            let expected = format!("at most {MOST_OPTIMIZERS}");
            Err(Error::mismatch("the cards", found, expected))
        }
    }
}

/// A card without scores.
fn blank(line: &SpecLine, optimizers: &Optimizers) -> Result<Card> {
    let config = PipelineConfig::read(line, optimizers)?;
    let without_card = why_without_card(line, optimizers);
    if without_card.is_none() {
        check_fits(line, &config)?;
    }
    let name = &config.optimizer.spec.name;
    let remark = REMARKS.iter().find(|remark| remark.optimizer == name);
    Ok(Card {
        line: line.to_string(),
        fixed: gives_lr(line, name).then_some(config.optimizer.lr),
        scores: Vec::new(),
        remark: without_card.or(remark.map(|remark| remark.text)),
    })
}

/// Checks that the tasks are long enough for the pipeline, and that its schedule counts steps.
fn check_fits(line: &SpecLine, config: &PipelineConfig) -> Result<()> {
    let refused = |found: &str, expected: String| {
        Err(Error::mismatch(format!("the card of {line}"), found, expected))
    };
    let schedule = config.schedule.as_ref();
    if config.fits(SHORTEST).is_err()
        || schedule.is_some_and(|schedule| schedule.fits(SHORTEST).is_err())
    {
        return refused(
            "gradient accumulation or a warm-up that is too long",
            format!("at most the {SHORTEST} steps of the shortest task"),
        );
    }
    if schedule.is_some_and(Schedule::counts_epochs) {
        return refused(
            "a schedule that counts epochs",
            "one that counts steps, such as exponential:per=step".into(),
        );
    }
    Ok(())
}

/// Why an optimizer has no card. `None` if it has one.
fn why_without_card(line: &SpecLine, optimizers: &Optimizers) -> Option<&'static str> {
    let is_named = |remark: &&Remark| {
        optimizers.find(remark.optimizer).is_ok()
            && line.0.iter().any(|spec| spec.name == remark.optimizer)
    };
    WITHOUT_CARD.iter().find(is_named).map(|remark| remark.text)
}
