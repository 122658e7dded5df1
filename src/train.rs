//! The training loop; there is no other.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use crate::error::{Error, Result};
use crate::optim::{Built, handed_out};
use crate::record::{End, Outcome, Point};
use crate::schedule::{Moment, Schedule};

/// What there is to descend: a loss whose gradient moves the model, and what is measured along the way.
///
/// Training a classifier on batches is one (`classify.rs`); a surface without any data would be another.
pub trait Problem {
    /// What is moved.
    type Model: Module;

    /// Steps of one epoch.
    fn steps(&self) -> usize;

    /// The loss at this moment, penalties included. Called twice for the same moment, it must be the same function.
    fn loss(&mut self, model: &Self::Model, now: Moment) -> Tensor<1>;

    /// Named measurements of a model without autodiff. A number that is not finite ends the run as diverged.
    fn measure(&self, model: &Self::Model) -> BTreeMap<String, f64>;
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

/// Trains a model for `epochs` epochs. Returns the model to hand out, and how the run ended.
///
/// # Errors
/// If the watcher cannot write a point, or burn cannot read a number back from the device.
pub fn train<P: Problem>(
    problem: &mut P,
    mut model: P::Model,
    built: &Built,
    schedule: &Schedule,
    epochs: usize,
    watch: &mut impl Watch,
) -> Result<(P::Model, End)> {
    let start = Instant::now();
    let mut optimizer = built.optimizer.clone();
    let mut now = Moment { step: 0, epoch: 0, batch: 0 };
    let end =
        |outcome, now: Moment, reason: Option<String>| End { outcome, step: now.step, reason, seconds: start.elapsed().as_secs_f64() };
    let mut last = Last::default();

    loop {
        let out = hand_out(&model, &optimizer, built)?;
        let measures = problem.measure(&out.valid());
        if let Some((name, value)) = measures.iter().find(|(_, value)| !value.is_finite()) {
            let reason = format!("{name} is {value}");
            return Ok((out, end(Outcome::Diverged, now, Some(reason))));
        }
        watch.point(&Point {
            step: now.step,
            epoch: now.epoch,
            batch_loss: last.mean_loss,
            grad_norm: last.grad_norm,
            measures,
            seconds: start.elapsed().as_secs_f64(),
        })?;
        if now.epoch == epochs {
            return Ok((out, end(Outcome::Finished, now, None)));
        }

        now.epoch += 1;
        let (steps, mut sum) = (problem.steps(), 0.0);
        for batch in 1..=steps {
            now = Moment { step: now.step + 1, batch, ..now };
            let loss = problem.loss(&model, now);
            let value: f64 = number(loss.clone())?;
            if !value.is_finite() {
                return Ok((hand_out(&model, &optimizer, built)?, end(Outcome::Diverged, now, Some(format!("the loss is {value}")))));
            }
            sum += value;
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            if batch == steps {
                last = Last { mean_loss: Some(sum / steps as f64), grad_norm: finite(norm(&gradients, &model)?) };
            }
            model = optimizer.step(schedule.lr(built.lr, now), model, gradients);
            if !watch.step() {
                return Ok((hand_out(&model, &optimizer, built)?, end(Outcome::Interrupted, now, None)));
            }
        }
    }
}

fn hand_out<M: Module>(model: &M, optimizer: &ModuleOptimizer, built: &Built) -> Result<M> {
    handed_out(model.clone(), optimizer, built.rule.as_ref())
        .map_err(|error| Error::Asked(format!("cannot read the optimizer's state: {error}")))
}

/// What is known of the epoch before a point.
#[derive(Default)]
struct Last {
    mean_loss: Option<f64>,
    grad_norm: Option<f64>,
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
