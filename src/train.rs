//! The training loop; there is no other.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::about::counted;
use crate::descent::{Layer, Recipe};
use crate::error::{Error, Result};
use crate::record::{End, Outcome, Point, VALIDATION_LOSS};
use crate::regularizer::EarlyStopping;
use crate::regularizer::early_stopping::Patience;
use crate::schedule::{Moment, Pace, Schedule};
use crate::seed::Seed;

/// What there is to descend: a loss whose gradient moves the model, and what is measured along the way.
///
/// Training a classifier on batches is one (`problem/classify.rs`); a surface without any data is another.
pub trait Problem {
    /// What is moved.
    type Model: Module;

    /// With what this seed draws: the order of examples, noise.
    #[must_use]
    fn seeded(self, seed: Seed) -> Self
    where
        Self: Sized,
    {
        let _ = seed;
        self
    }

    /// Steps of one epoch.
    fn steps(&self) -> usize;

    /// The loss at this moment, penalties included. Called twice for the same moment, it must be the same function.
    fn loss(&mut self, model: &Self::Model, now: Moment) -> Tensor<1>;

    /// What is done to a model that the optimizer has moved, with the learning rate of that step: proximal steps, constraints. The loop also asks
    /// for it with a rate of 0, for the model it begins with and for each that is handed out: then it is for constraints only.
    #[must_use]
    fn after_step(&self, model: Self::Model, lr: f64) -> Self::Model {
        let _ = lr;
        model
    }

    /// Named measurements of a model without autodiff. A number that is not finite ends the run as diverged.
    fn measure(&self, model: &Self::Model, now: Moment) -> BTreeMap<String, f64>;

    /// Whether the run is over before its last epoch.
    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let _ = measures;
        None
    }
}

/// Why a run is over before its last epoch.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// it has arrived
    Done,
    /// it has diverged, for this reason
    Lost(String),
}

/// Who follows a run.
pub trait Watch {
    /// A point of the curve, before the first epoch and after each.
    ///
    /// # Errors
    /// If it cannot be written; the run ends with that error.
    fn point(&mut self, point: &Point) -> Result<()>;

    /// After each step. False ends the run as interrupted.
    fn step(&mut self) -> bool;
}

/// How a model is trained.
#[derive(Clone)]
pub struct Plan {
    /// the optimizer and what stands around it
    pub recipe: Recipe,
    /// what the learning rate is multiplied by
    pub schedule: Schedule,
    /// passes over the data
    pub epochs: usize,
    /// whether the points tell what the last step of each epoch did to every parameter
    pub diagnose: bool,
    /// when to stop by the validation loss, which the problem then has to measure
    pub early_stopping: Option<EarlyStopping>,
}

impl Plan {
    /// Whether a run of this many batches is long enough for the schedule and for one step.
    ///
    /// # Errors
    /// If it is not.
    pub fn fits(&self, batches: usize) -> Result<()> {
        self.recipe.fits(batches)?;
        self.schedule.fits(batches)
    }
}

/// Trains a model. Returns the model to hand out, and how the run ended.
///
/// # Errors
/// If the schedule does not fit the run, the watcher cannot write a point, or burn cannot read a number back from the device. A step that
/// cannot be taken is no error but the end of a run that diverged; then the model is that of the last point, or that which early stopping
/// has kept.
pub fn train<P: Problem>(problem: &mut P, mut model: P::Model, plan: &Plan, watch: &mut (impl Watch + ?Sized)) -> Result<(P::Model, End)> {
    let start = Instant::now();
    let mut descent = plan.recipe.begin();
    let mut now = Moment { step: 0, epoch: 0, batch: 0, steps: plan.epochs * problem.steps() };
    plan.fits(now.steps)?;
    let mut pace = Pace::new(plan.schedule.clone());
    let end = |outcome, now: Moment, reason: Option<String>| End {
        outcome,
        step: now.step,
        reason,
        kept: None,
        seconds: start.elapsed().as_secs_f64(),
    };
    let mut last = Last::default();
    let (mut patience, mut best) = (Patience::default(), None);
    model = problem.after_step(model, 0.0);

    loop {
        // an average of weights, or a look-ahead, may lie outside of what constrains each of them
        let out = problem.after_step(descent.hand_out(&model)?, 0.0);
        let measures = problem.measure(&out.valid(), now);
        if let Some((name, value)) = measures.iter().find(|(_, value)| !value.is_finite()) {
            let reason = format!("{name} is {value}");
            return Ok(best_or(best, out, end(Outcome::Diverged, now, Some(reason))));
        }
        let stop = problem.stop(&measures);
        let mut impatient = None;
        if let (Some(rule), Some(loss)) = (&plan.early_stopping, measures.get(VALIDATION_LOSS)) {
            if patience.is_lowest(*loss, rule) && rule.restore {
                best = Some((now.epoch, out.clone()));
            }
            impatient = patience.is_over(rule).then(|| {
                let lower = match rule.min_delta {
                    0.0 => "lower validation loss".into(),
                    by => format!("validation loss lower by more than {by}"),
                };
                format!("no {lower} in {}", counted(rule.patience, "pass", "passes"))
            });
        }
        watch.point(&Point {
            step: now.step,
            epoch: now.epoch,
            batch_loss: last.mean_loss,
            grad_norm: last.grad_norm,
            measures,
            layers: std::mem::take(&mut last.layers),
            seconds: start.elapsed().as_secs_f64(),
        })?;
        if let Some(Stop::Lost(reason)) = stop {
            return Ok(best_or(best, out, end(Outcome::Diverged, now, Some(reason))));
        }
        if stop == Some(Stop::Done) || impatient.is_some() || now.epoch == plan.epochs {
            return Ok(best_or(best, out, end(Outcome::Finished, now, impatient)));
        }

        now.epoch += 1;
        let (steps, mut sum, mut counted) = (problem.steps(), 0.0, 0);
        for batch in 1..=steps {
            now = Moment { step: now.step + 1, batch, ..now };
            let loss = problem.loss(&model, now);
            let value: f64 = number(loss.clone())?;
            // a recipe that skips such steps looks at the gradients, and leaves the loss out of the mean
            if !value.is_finite() && !plan.recipe.skips() {
                let out = problem.after_step(descent.hand_out(&model)?, 0.0);
                return Ok(best_or(best, out, end(Outcome::Diverged, now, Some(format!("the loss is {value}")))));
            }
            (sum, counted) = if value.is_finite() { (sum + value, counted + 1) } else { (sum, counted) };
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            let lr = pace.lr(plan.recipe.built.lr, now);
            // one of these batches takes the last step of the epoch
            let before = (plan.diagnose && batch + plan.recipe.batches_a_step() > steps).then(|| model.clone());
            let steps_before = descent.steps();
            if batch == steps {
                last.mean_loss = finite(sum / counted as f64);
                last.grad_norm = finite(norm(&gradients, &model)?);
            }
            let moved = if descent.evaluates() {
                descent.step_with(lr, model, &mut |model: &P::Model| {
                    let loss = problem.loss(model, now);
                    (loss.clone().into_scalar(), GradientsParams::from_grads(loss.backward(), model))
                })
            } else {
                descent.step(lr, model, gradients)
            };
            model = match moved {
                Err(Error::Step(reason)) => return Ok(best_or(best, out, end(Outcome::Diverged, now, Some(reason)))),
                moved => moved?,
            };
            if let Some(before) = before.filter(|_| descent.steps() > steps_before) {
                last.layers = descent.diagnose(lr, &before, &model)?;
            }
            // not while gradients are accumulated, and not where a step was skipped
            if descent.steps() > steps_before {
                model = problem.after_step(model, lr);
            }
            if !watch.step() {
                let out = problem.after_step(descent.hand_out(&model)?, 0.0);
                return Ok(best_or(best, out, end(Outcome::Interrupted, now, None)));
            }
        }
        // an epoch whose every loss was skipped says nothing about progress
        if let Some(mean) = last.mean_loss {
            pace.observe(mean);
        }
    }
}

/// The model of the lowest validation loss where early stopping has kept one, however the run ended.
fn best_or<M>(best: Option<(usize, M)>, out: M, end: End) -> (M, End) {
    match best {
        Some((epoch, model)) => (model, End { kept: Some(epoch), ..end }),
        None => (out, end),
    }
}

/// What is known of the epoch before a point.
#[derive(Default)]
struct Last {
    mean_loss: Option<f64>,
    grad_norm: Option<f64>,
    layers: Vec<Layer>,
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

fn number(tensor: Tensor<1>) -> Result<f64> {
    tensor.try_into_scalar::<f64>().map_err(|error| Error::Asked(format!("cannot read a number back from the device: {error}")))
}

/// The Euclidean norm of all gradients together.
fn norm<M: Module>(gradients: &GradientsParams, model: &M) -> Result<f64> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        sums: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(g) = self.gradients.get::<D>(param.id) {
                self.sums.push((g.clone() * g).sum());
            }
        }
    }
    let mut squares = Squares { gradients, sums: Vec::new() };
    model.visit(&mut squares);
    Ok(squares.sums.into_iter().map(number).sum::<Result<f64>>()?.sqrt())
}
