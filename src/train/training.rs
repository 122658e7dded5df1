//! One training, from the initial model to the end of the run.

use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use serde::{Deserialize, Serialize};

use super::plan::{Moment, Plan, TrainObserver};
use super::problem::{Problem, Stop};
use crate::docs::counted;
use crate::error::{Error, Result, StepError};
use crate::pipeline::{LayerDiagnostics, Stepper};
use crate::record::{COMMIT, CurvePoint, Outcome, RunEnd, VALIDATION_LOSS};
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
    train_from(None, problem, model, plan, observer)
}

/// The same from a state that the observer [saved](TrainObserver::save), if there is one. It
/// continues bit for bit. Problem, initial model and plan are those of the training that was
/// saved.
///
/// # Errors
/// As [`train`], and if the state is not one of this training.
pub fn train_from<P: Problem>(
    state: Option<&[u8]>,
    problem: &mut P,
    model: P::Model,
    plan: &Plan,
    observer: &mut (impl TrainObserver + ?Sized),
) -> Result<(P::Model, RunEnd)> {
    let steps = plan.epochs * problem.steps();
    plan.fits(steps)?;
    let mut training = Training {
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
        point_due: true,
        start: Instant::now(),
        seconds_before: 0.0,
    };
    let model = match state {
        Some(state) => {
            let model = training.load(state, model)?;
            training.observer.resumed(training.now.step);
            model
        }
        None => training.problem.after_step(model, 0.0),
    };
    training.run(model)
}

/// The evaluation model and how the run ended.
type Ended<M> = (M, RunEnd);

pub(super) struct Training<'a, P: Problem, O: ?Sized> {
    problem: &'a mut P,
    pub(super) plan: &'a Plan,
    observer: &'a mut O,
    pub(super) pipeline: Stepper,
    pub(super) scheduler: Scheduler,
    pub(super) now: Progress,
    pub(super) epoch: EpochStats,
    pub(super) patience: Patience,
    /// epoch and model with the lowest validation loss, if early stopping keeps it
    pub(super) best: Option<(usize, P::Model)>,
    /// the evaluation model of the last point
    pub(super) measured: Option<P::Model>,
    /// whether the point of this epoch is still to be measured
    pub(super) point_due: bool,
    start: Instant,
    /// the time before the last resume
    pub(super) seconds_before: f64,
}

impl<P: Problem, O: TrainObserver + ?Sized> Training<'_, P, O> {
    fn run(mut self, mut model: P::Model) -> Result<Ended<P::Model>> {
        loop {
            if self.point_due {
                if let Break(ended) = self.measure(&model)? {
                    return Ok(ended);
                }
                self.point_due = false;
                self.save_if_due(Moment::Epoch, &model)?;
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

    /// One epoch, or the rest of it after a resume.
    fn epoch(&mut self, mut model: P::Model) -> Result<ControlFlow<Ended<P::Model>, P::Model>> {
        let steps = self.problem.steps();
        if self.now.step == self.now.epoch * steps {
            self.now = Progress { epoch: self.now.epoch + 1, batch: 0, ..self.now };
            self.epoch.begin();
        }
        for batch in self.now.batch + 1..=steps {
            self.now = Progress { step: self.now.step + 1, batch, ..self.now };
            model = match self.batch(model, steps)? {
                Continue(model) => model,
                ended => return Ok(ended),
            };
            if batch == steps {
                self.end_epoch();
            }
            if !self.observer.step() {
                self.offer_state(&model)?;
                let model = self.evaluation_model(&model)?;
                return Ok(Break(self.end(Outcome::Interrupted, model, None)));
            }
            if batch < steps {
                self.save_if_due(Moment::Step, &model)?;
            }
        }
        Ok(Continue(model))
    }

    fn end_epoch(&mut self) {
        // if every loss of an epoch was skipped, the schedule learns nothing from it
        if let Some(mean) = self.epoch.mean_loss {
            self.scheduler.observe(mean);
        }
        self.point_due = true;
    }

    fn save_if_due(&mut self, moment: Moment, model: &P::Model) -> Result<()> {
        if self.observer.save_is_due(moment) { self.offer_state(model) } else { Ok(()) }
    }

    fn offer_state(&mut self, model: &P::Model) -> Result<()> {
        let state = self.save(model)?;
        self.observer.save(&state)
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
        Ok(Continue(if moved { self.problem.after_step(model, lr) } else { model }))
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
            measures: measures.into(),
            seconds: self.seconds(),
        })
    }

    /// The time of the training, without pauses between an interruption and a resume.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds_before + self.start.elapsed().as_secs_f64()
    }

    /// The end of the run, with the model that early stopping kept, or else this one.
    fn end(
        &mut self,
        outcome: Outcome,
        model: P::Model,
        reason: Option<String>,
    ) -> Ended<P::Model> {
        let seconds = self.seconds();
        let (kept, model) = match self.best.take() {
            Some((epoch, best)) => (Some(epoch), best),
            None => (None, model),
        };
        let commit = COMMIT.map(String::from);
        (model, RunEnd { outcome, step: self.now.step, reason, kept, commit, seconds })
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
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct EpochStats {
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
