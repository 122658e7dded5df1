//! One training, from the initial model to the end of the run.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::plan::{Plan, TrainObserver};
use super::problem::{Problem, Stop};
use crate::docs::counted;
use crate::error::{Error, Result, StepError};
use crate::pipeline::{LayerDiagnostics, Stepper};
use crate::record::{CurvePoint, Outcome, RunEnd, VALIDATION_LOSS};
use crate::regularizer::EarlyStopping;
use crate::regularizer::early_stopping::Patience;
use crate::schedule::{Progress, Scheduler};

/// Trains a model. Returns the evaluation model and how the run ended.
///
/// # Errors
/// If the schedule does not fit the run, the observer cannot write a point, or burn cannot read a
/// number from the device. A step that cannot be taken is not an error: the run ends as diverged,
/// with the model of the last point or the one that early stopping kept.
pub fn train<P: Problem>(
    problem: &mut P,
    model: P::Model,
    plan: &Plan,
    observer: &mut (impl TrainObserver + ?Sized),
) -> Result<(P::Model, RunEnd)> {
    let steps = plan.epochs * problem.steps();
    plan.fits(steps)?;
    let training = Training {
        problem,
        plan,
        observer,
        pipeline: plan.pipeline.begin(),
        scheduler: Scheduler::new(plan.schedule.clone()),
        now: Progress { step: 0, epoch: 0, batch: 0, steps },
        epoch: EpochStats::default(),
        patience: Patience::default(),
        best: None,
        measured: None,
        start: Instant::now(),
    };
    training.run(model)
}

/// The evaluation model and how the run ended.
type Ended<M> = (M, RunEnd);

struct Training<'a, P: Problem, O: ?Sized> {
    problem: &'a mut P,
    plan: &'a Plan,
    observer: &'a mut O,
    pipeline: Stepper,
    scheduler: Scheduler,
    now: Progress,
    epoch: EpochStats,
    patience: Patience,
    /// epoch and model with the lowest validation loss, if early stopping keeps it
    best: Option<(usize, P::Model)>,
    /// the evaluation model of the last point
    measured: Option<P::Model>,
    start: Instant,
}

impl<P: Problem, O: TrainObserver + ?Sized> Training<'_, P, O> {
    fn run(mut self, model: P::Model) -> Result<Ended<P::Model>> {
        let mut model = self.problem.after_step(model, 0.0);
        loop {
            if let Break(ended) = self.measure(&model)? {
                return Ok(ended);
            }
            model = match self.epoch(model)? {
                Continue(model) => model,
                Break(ended) => return Ok(ended),
            };
        }
    }

    /// Measures the evaluation model, writes a point, and decides whether the run ends here.
    fn measure(&mut self, model: &P::Model) -> Result<ControlFlow<Ended<P::Model>>> {
        let model = self.evaluation_model(model)?;
        let measures = self.problem.measure(&model.valid(), self.now);
        if let Some((name, value)) = measures.iter().find(|(_, value)| !value.is_finite()) {
            let reason = format!("{name} is {value}");
            return Ok(Break(self.end(Outcome::Diverged, model, Some(reason))));
        }
        let stop = self.problem.stop(&measures);
        let out_of_patience = self.early_stopping(&measures, &model);
        self.write_point(measures)?;
        let last = self.now.epoch == self.plan.epochs;
        match stop {
            Some(Stop::Lost(reason)) => Ok(Break(self.end(Outcome::Diverged, model, Some(reason)))),
            None if !last && out_of_patience.is_none() => {
                self.measured = Some(model);
                Ok(Continue(()))
            }
            _ => Ok(Break(self.end(Outcome::Finished, model, out_of_patience))),
        }
    }

    /// One epoch.
    fn epoch(&mut self, mut model: P::Model) -> Result<ControlFlow<Ended<P::Model>, P::Model>> {
        self.now.epoch += 1;
        self.epoch.begin();
        let steps = self.problem.steps();
        for batch in 1..=steps {
            self.now = Progress { step: self.now.step + 1, batch, ..self.now };
            model = match self.batch(model, steps)? {
                Continue(model) => model,
                ended => return Ok(ended),
            };
        }
        // if every loss of an epoch was skipped, the schedule learns nothing from it
        if let Some(mean) = self.epoch.mean_loss {
            self.scheduler.observe(mean);
        }
        Ok(Continue(model))
    }

    /// One batch: loss, gradients, optimizer step, constraints.
    fn batch(
        &mut self,
        model: P::Model,
        steps: usize,
    ) -> Result<ControlFlow<Ended<P::Model>, P::Model>> {
        let loss = self.problem.loss(&model, self.now);
        let value = number(loss.clone())?;
        // a pipeline that skips non-finite gradients also leaves the loss out of the mean
        if !value.is_finite() && !self.plan.pipeline.skips() {
            let model = self.evaluation_model(&model)?;
            return Ok(Break(self.end(
                Outcome::Diverged,
                model,
                Some(format!("the loss is {value}")),
            )));
        }
        self.epoch.add(value);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        if self.now.batch == steps {
            self.epoch.finish(norm(&gradients, &model)?);
        }
        let lr = self.scheduler.lr(self.plan.pipeline.optimizer.lr, self.now);
        // one of the last batches takes the last step of the epoch, if gradients are accumulated
        let may_be_last = self.now.batch + self.plan.pipeline.batches_a_step() > steps;
        let before = (self.plan.diagnose && may_be_last).then(|| model.clone());
        let steps_before = self.pipeline.steps();
        let model = match self.step(lr, model, gradients) {
            Err(Error::Step(error)) => return Ok(Break(self.end_at_last_point(error)?)),
            moved => moved?,
        };
        let moved = self.pipeline.steps() > steps_before;
        if let Some(before) = before.filter(|_| moved) {
            self.epoch.layers = self.pipeline.diagnose(lr, &before, &model)?;
        }
        let model = if moved { self.problem.after_step(model, lr) } else { model };
        if !self.observer.step() {
            let model = self.evaluation_model(&model)?;
            return Ok(Break(self.end(Outcome::Interrupted, model, None)));
        }
        Ok(Continue(model))
    }

    /// An optimizer step. Methods that evaluate the loss themselves get it as a function.
    fn step(&mut self, lr: f64, model: P::Model, gradients: GradientsParams) -> Result<P::Model> {
        if !self.pipeline.evaluates() {
            return self.pipeline.step(lr, model, gradients);
        }
        let (problem, now) = (&mut *self.problem, self.now);
        self.pipeline.step_with(lr, model, &mut |model: &P::Model| {
            let loss = problem.loss(model, now);
            (loss.clone().into_scalar(), GradientsParams::from_grads(loss.backward(), model))
        })
    }

    /// The model to evaluate and to save. An average of weights, or slow weights, may violate a
    /// constraint that each of the weights met, so constraints are applied again.
    fn evaluation_model(&self, model: &P::Model) -> Result<P::Model> {
        Ok(self.problem.after_step(self.pipeline.evaluation_model(model)?, 0.0))
    }

    /// Updates early stopping. Returns the reason to stop, if there is one.
    fn early_stopping(
        &mut self,
        measures: &BTreeMap<String, f64>,
        model: &P::Model,
    ) -> Option<String> {
        let rule = self.plan.early_stopping.as_ref()?;
        let loss = measures.get(VALIDATION_LOSS)?;
        if self.patience.is_lowest(*loss, rule) && rule.restore {
            self.best = Some((self.now.epoch, model.clone()));
        }
        self.patience.is_over(rule).then(|| out_of_patience(rule))
    }

    fn write_point(&mut self, measures: BTreeMap<String, f64>) -> Result<()> {
        self.observer.point(&CurvePoint {
            step: self.now.step,
            epoch: self.now.epoch,
            batch_loss: self.epoch.mean_loss,
            grad_norm: self.epoch.grad_norm,
            layers: std::mem::take(&mut self.epoch.layers),
            measures,
            seconds: self.start.elapsed().as_secs_f64(),
        })
    }

    /// The end of the run, with the model that early stopping kept, or else this one.
    fn end(
        &mut self,
        outcome: Outcome,
        model: P::Model,
        reason: Option<String>,
    ) -> Ended<P::Model> {
        let seconds = self.start.elapsed().as_secs_f64();
        let (kept, model) = match self.best.take() {
            Some((epoch, best)) => (Some(epoch), best),
            None => (None, model),
        };
        (model, RunEnd { outcome, step: self.now.step, reason, kept, seconds })
    }

    /// The end of a run whose step failed. The step took the model, so the model of the last point
    /// is returned.
    fn end_at_last_point(&mut self, error: StepError) -> Result<Ended<P::Model>> {
        let reason = error.to_string();
        let model = self.measured.take().ok_or(error)?;
        Ok(self.end(Outcome::Diverged, model, Some(reason)))
    }
}

fn out_of_patience(rule: &EarlyStopping) -> String {
    let lower = match rule.min_delta {
        0.0 => "lower validation loss".into(),
        by => format!("validation loss lower by more than {by}"),
    };
    format!("no {lower} in {}", counted(rule.patience, "epoch", "epochs"))
}

/// What is known about an epoch.
#[derive(Default)]
struct EpochStats {
    sum: f64,
    finite_losses: usize,
    /// of the last finished epoch
    mean_loss: Option<f64>,
    grad_norm: Option<f64>,
    layers: Vec<LayerDiagnostics>,
}

impl EpochStats {
    fn begin(&mut self) {
        (self.sum, self.finite_losses) = (0.0, 0);
    }

    fn add(&mut self, loss: f64) {
        if loss.is_finite() {
            self.sum += loss;
            self.finite_losses += 1;
        }
    }

    fn finish(&mut self, grad_norm: f64) {
        let finite = |x: f64| x.is_finite().then_some(x);
        self.mean_loss = finite(self.sum / self.finite_losses as f64);
        self.grad_norm = finite(grad_norm);
    }
}

fn number(tensor: Tensor<1>) -> Result<f64> {
    tensor.try_into_scalar::<f64>().map_err(Error::failed("read a number from the device"))
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
