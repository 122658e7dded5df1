//! One training step at a given learning rate: gradient transformations, the optimizer, and what
//! follows it.

use std::sync::Arc;

use burn::module::{Module, ParamGroup};
use burn::optim::GradientsParams;

use super::averages::{EmaWeights, LookaheadWeights};
use super::config::PipelineConfig;
use super::filters::Filters;
use super::gradients::{Gradients, NonfiniteGradient};
use super::groups::group_of;
use super::optimizer_state::refused_by_burn;
use super::transforms::{Ema, Lookahead, Policy};
use crate::error::{Error, Result, StepError};
use crate::optim::{DynRule, Method, evaluation_model};

/// A [`PipelineConfig`] with its state: that of the optimizer, accumulated gradients, averages. It
/// takes the learning rate of each step; a [`Pipeline`](super::Pipeline) has its own.
pub struct Stepper {
    pub(super) config: PipelineConfig,
    /// the optimizer with its state
    pub(super) method: Method,
    pub(super) accumulated: AccumulatedGradients,
    /// gradients of earlier steps
    pub(super) filters: Filters,
    /// steps taken; a skipped step does not count
    pub(super) steps: u64,
    /// steps skipped because a gradient was not finite
    pub(super) skipped: u64,
    /// the parameter groups of the model; `None` before the first step
    pub(super) groups: Option<Vec<ModelGroup>>,
    /// `None` before the first step, and without `lookahead`
    pub(super) lookahead: Option<LookaheadWeights>,
    /// `None` without `ema`
    pub(super) ema: Option<EmaWeights>,
}

/// A parameter group of a model.
pub(super) struct ModelGroup {
    pub group: ParamGroup,
    pub rule: Arc<dyn DynRule>,
}

/// The gradients of the batches since the last step.
#[derive(Default)]
pub(super) struct AccumulatedGradients {
    pub sum: Gradients,
    pub batches: usize,
}

impl PipelineConfig {
    /// The pipeline before its first step.
    pub fn begin(&self) -> Stepper {
        Stepper {
            config: self.clone(),
            method: self.optimizer.method.clone(),
            accumulated: AccumulatedGradients::default(),
            filters: Filters::default(),
            steps: 0,
            skipped: 0,
            groups: None,
            lookahead: None,
            ema: self.transforms.ema.as_ref().map(|Ema { decay }| EmaWeights::new(*decay)),
        }
    }
}

impl Stepper {
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

    /// Whether the optimizer or `sam` evaluates the loss itself, so that only
    /// [`step_with`](Stepper::step_with) can step it.
    pub fn evaluates(&self) -> bool {
        self.config.transforms.sam.is_some() || matches!(self.method, Method::WholeModel(_))
    }

    /// Takes the gradients of a batch, and moves the model. The model stays as it is while
    /// gradients are accumulated and where a step is skipped.
    ///
    /// # Errors
    /// If a gradient is not finite and the pipeline has `nonfinite:policy=error`, if the learning
    /// rate is negative or not finite, or if the optimizer [evaluates](Stepper::evaluates) the
    /// loss itself.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> Result<M> {
        match self.config.transforms.sam {
            Some(_) => Err(Error::NeedsLoss { optimizer: "sam".into() }),
            None => self.gradient_step(lr, model, gradients),
        }
    }

    fn gradient_step<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        gradients: GradientsParams,
    ) -> Result<M> {
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
        self.filters.apply(&self.config.transforms.filters, &mut gradients);
        for bound in &self.config.transforms.clips {
            gradients.clip(*bound);
        }
        self.optimizer_step(lr, model, gradients.into_params())
    }

    /// The same for any optimizer. `loss` returns the loss of a model and its gradients. It has to
    /// be the same function each time within the step.
    ///
    /// # Errors
    /// As [`step`](Stepper::step).
    pub fn step_with<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        loss: &mut dyn FnMut(&M) -> (f64, GradientsParams),
    ) -> Result<M> {
        if !matches!(self.method, Method::WholeModel(_)) {
            let (_, mut gradients) = loss(&model);
            if let Some(sam) = &self.config.transforms.sam {
                (_, gradients) = loss(&sam.uphill(&model, gradients));
            }
            return self.gradient_step(lr, model, gradients);
        }
        check_lr(lr)?;
        self.start(&model)?;
        let Method::WholeModel(whole) = &mut self.method else { return Ok(model) };
        let model = whole.step(lr, model, loss)?;
        Ok(self.average_weights(model))
    }

    /// The model to evaluate and to save: the average of the weights if the pipeline has `ema`,
    /// else look-ahead's slow weights, else the evaluation parameters of the rule, which for most
    /// rules are the model itself. Averages and slow weights follow the weights in training. For
    /// `nag` these are the look-ahead point.
    ///
    /// # Errors
    /// If burn cannot write out the optimizer's state.
    pub fn evaluation_model<M: Module>(&self, model: &M) -> Result<M> {
        if let Some(ema) = self.ema.as_ref().filter(|_| self.steps > 0) {
            return Ok(ema.model(model));
        }
        if let Some(lookahead) = self.lookahead.as_ref().filter(|_| self.steps > 0) {
            return Ok(lookahead.model(model));
        }
        match &self.method {
            Method::PerTensor { optimizer, rule: Some(rule) } => {
                evaluation_model(model.clone(), optimizer, rule.as_ref()).map_err(refused_by_burn)
            }
            _ => Ok(model.clone()),
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
            Some(NonfiniteGradient { parameter, value }) => {
                Err(StepError::NonfiniteGradient { parameter, value }.into())
            }
        }
    }

    fn optimizer_step<M: Module>(
        &mut self,
        lr: f64,
        model: M,
        gradients: GradientsParams,
    ) -> Result<M> {
        self.start(&model)?;
        let model = match &mut self.method {
            Method::PerTensor { optimizer, .. } => optimizer.step(lr, model, gradients),
            Method::Joint(joint) => joint.step(lr, model, gradients),
            Method::WholeModel(_) => {
                let optimizer = self.config.optimizer.spec.name.clone();
                return Err(Error::NeedsLoss { optimizer });
            }
        };
        Ok(self.average_weights(model))
    }

    /// What depends on the model, before the first step: the parameter groups, and look-ahead's
    /// slow weights, which start at the initial weights.
    fn start<M: Module>(&mut self, model: &M) -> Result<()> {
        self.attach_groups(model)?;
        if let (0, Some(Lookahead { k, alpha })) = (self.steps, &self.config.transforms.lookahead) {
            self.lookahead = Some(LookaheadWeights::new(*k, *alpha, model));
        }
        Ok(())
    }

    /// Finds the parameters of each group in the model, and gives them their rule.
    pub(super) fn attach_groups<M: Module>(&mut self, model: &M) -> Result<()> {
        if self.groups.is_some() {
            return Ok(());
        }
        let mut groups = Vec::new();
        for configured in &self.config.groups {
            let (group, rule) = (group_of(&configured.params, model)?, configured.rule.clone());
            groups.push(ModelGroup { group, rule });
        }
        if let Method::PerTensor { optimizer, .. } = &mut self.method {
            for ModelGroup { group, rule } in &groups {
                *optimizer = rule.add_to(optimizer.clone(), group.clone());
            }
        }
        self.groups = Some(groups);
        Ok(())
    }

    /// Look-ahead and moving average, after the optimizer has moved the weights.
    fn average_weights<M: Module>(&mut self, mut model: M) -> M {
        self.steps += 1;
        if let Some(lookahead) = &mut self.lookahead {
            model = lookahead.update(model);
        }
        if let Some(ema) = &mut self.ema {
            ema.update(&model);
        }
        model
    }
}

/// A negative or NaN learning rate would spoil the model without an error.
fn check_lr(lr: f64) -> Result<()> {
    if lr.is_finite() && lr >= 0.0 {
        return Ok(());
    }
    Err(StepError::LearningRate(lr).into())
}
