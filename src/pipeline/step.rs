//! One training step: gradient transformations, the optimizer, and what follows it.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::config::PipelineConfig;
use super::gradients::Gradients;
use super::transforms::{Ema, Lookahead, Policy};
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::optim::{Method, evaluation_model};

/// A [`PipelineConfig`] with its state: that of the optimizer, accumulated gradients, averages.
pub struct Pipeline {
    pub(super) config: PipelineConfig,
    /// the optimizer with its state
    pub(super) method: Method,
    pub(super) accumulated: AccumulatedGradients,
    /// steps taken; a skipped step does not count
    pub(super) steps: u64,
    /// steps skipped because a gradient was not finite
    pub(super) skipped: u64,
    /// the slow weights of look-ahead
    pub(super) slow: Weights,
    /// the average of the weights
    pub(super) average: Weights,
}

/// The gradients of the batches since the last step.
#[derive(Default)]
pub(super) struct AccumulatedGradients {
    pub sum: Gradients,
    pub batches: usize,
}

impl PipelineConfig {
    /// A pipeline before its first step.
    pub fn begin(&self) -> Pipeline {
        Pipeline {
            config: self.clone(),
            method: self.optimizer.method.clone(),
            accumulated: AccumulatedGradients::default(),
            steps: 0,
            skipped: 0,
            slow: Weights::default(),
            average: Weights::default(),
        }
    }
}

impl Pipeline {
    /// The configuration it was made from.
    pub fn config(&self) -> &PipelineConfig {
        &self.config
    }

    /// Steps taken so far. Accumulated batches and skipped steps do not count.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Steps skipped so far because a gradient was not finite.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether the optimizer evaluates the loss itself, so that only
    /// [`step_with`](Pipeline::step_with) can step it.
    pub fn evaluates(&self) -> bool {
        matches!(self.method, Method::WholeModel(_))
    }

    /// Takes the gradients of a batch, and moves the model. The model stays as it is while
    /// gradients are accumulated and where a step is skipped.
    ///
    /// # Errors
    /// If a gradient is not finite and the pipeline has `nonfinite:policy=error`, if the learning
    /// rate is negative or not finite, or if the optimizer [evaluates](Pipeline::evaluates) the
    /// loss itself.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> Result<M> {
        check_lr(lr)?;
        if self.config.transforms.keep_gradients() {
            return self.optimizer_step(lr, model, gradients);
        }
        let gradients = Gradients::of(gradients, &model);
        let Some(mut gradients) = self.accumulate(gradients) else { return Ok(model) };
        if self.skips(&gradients, &model)? {
            self.skipped += 1;
            return Ok(model);
        }
        for bound in &self.config.transforms.clips {
            gradients.clip(*bound);
        }
        self.optimizer_step(lr, model, gradients.into_params())
    }

    /// The same for any optimizer. `loss` returns the loss of a model and its gradients. It has to
    /// be the same function each time within the step.
    ///
    /// # Errors
    /// As [`step`](Pipeline::step).
    pub fn step_with<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        loss: &mut dyn FnMut(&M) -> (f64, GradientsParams),
    ) -> Result<M> {
        if !self.evaluates() {
            let (_, gradients) = loss(&model);
            return self.step(lr, model, gradients);
        }
        let start = self.slow_start(&model);
        check_lr(lr)?;
        let Method::WholeModel(whole) = &mut self.method else { return Ok(model) };
        let model = whole.step(lr, model, loss)?;
        Ok(self.average_weights(model, start))
    }

    /// The model to evaluate and to save: the average of the weights if the pipeline has `ema`,
    /// else look-ahead's slow weights, else the evaluation parameters of the rule, which for most
    /// rules are the model itself. Averages and slow weights follow the weights in training. For
    /// `nag` these are the look-ahead point.
    ///
    /// # Errors
    /// If burn cannot write out the optimizer's state.
    pub fn evaluation_model<M: Module>(&self, model: &M) -> Result<M> {
        let model = model.clone();
        let transforms = &self.config.transforms;
        if self.steps > 0 && transforms.ema.is_some() {
            return Ok(self.average.put_into(model));
        }
        if self.steps > 0 && transforms.lookahead.is_some() {
            return Ok(self.slow.put_into(model));
        }
        match &self.method {
            Method::PerTensor { optimizer, rule: Some(rule) } => {
                evaluation_model(model, optimizer, rule.as_ref()).map_err(unreadable)
            }
            _ => Ok(model),
        }
    }

    /// The gradients of the next step. `None` while more batches have to be accumulated.
    fn accumulate(&mut self, gradients: Gradients) -> Option<Gradients> {
        let Some(accumulate) = &self.config.transforms.accumulate else { return Some(gradients) };
        self.accumulated.sum.add(gradients);
        self.accumulated.batches += 1;
        if self.accumulated.batches < accumulate.steps {
            return None;
        }
        let AccumulatedGradients { sum: mut mean, batches } = std::mem::take(&mut self.accumulated);
        mean.scale(1.0 / batches as f64);
        Some(mean)
    }

    /// Whether to skip the step of these gradients.
    fn skips<M: Module>(&self, gradients: &Gradients, model: &M) -> Result<bool> {
        let policy = self.config.transforms.nonfinite.as_ref().map(|nonfinite| nonfinite.policy);
        let Some(policy @ (Policy::Error | Policy::Skip)) = policy else { return Ok(false) };
        match gradients.nonfinite(model) {
            None => Ok(false),
            Some(_) if policy == Policy::Skip => Ok(true),
            Some(found) => Err(Error::Step(format!(
                "the gradient of {} contains {}, expected finite numbers",
                found.parameter, found.value
            ))),
        }
    }

    fn optimizer_step<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        gradients: GradientsParams,
    ) -> Result<M> {
        let start = self.slow_start(&model);
        let Method::PerTensor { optimizer, .. } = &mut self.method else {
            return Err(Error::Invalid(format!(
                "{} evaluates the loss itself: use step_with",
                self.config.optimizer.spec.name
            )));
        };
        let model = optimizer.step(lr, model, gradients);
        Ok(self.average_weights(model, start))
    }

    /// The weights before the first step, where look-ahead's slow weights start. `None` later on,
    /// and without look-ahead.
    fn slow_start<M: Module>(&self, model: &M) -> Option<Weights> {
        let starts = self.config.transforms.lookahead.is_some() && self.steps == 0;
        starts.then(|| Weights::of(model))
    }

    /// Look-ahead and moving average, after the optimizer has moved the weights.
    fn average_weights<M: Module>(&mut self, mut model: M, start: Option<Weights>) -> M {
        self.steps += 1;
        if let Some(Lookahead { k, alpha }) = self.config.transforms.lookahead {
            if let Some(start) = start {
                self.slow = start;
            }
            if self.steps.is_multiple_of(k as u64) {
                self.slow.approach(&model, alpha);
                model = self.slow.put_into(model);
            }
        }
        if let Some(Ema { decay }) = self.config.transforms.ema {
            match self.steps {
                1 => self.average = Weights::of(&model),
                _ => self.average.approach(&model, 1.0 - decay),
            }
        }
        model
    }
}

/// A negative or NaN learning rate would spoil the model without an error.
fn check_lr(lr: f64) -> Result<()> {
    if lr.is_finite() && lr >= 0.0 {
        return Ok(());
    }
    let expected = "0 or a finite number above";
    Err(Error::Step(format!("the learning rate is {lr}, expected {expected}")))
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("cannot read the optimizer's state: {error}"))
}
