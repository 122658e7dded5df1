//! A step from gradients to moved weights, with everything around the update rule: accumulation, clipping, weight decay, look-ahead,
//! averages, schedule.
//!
//! ```
//! use downhill::descent::Recipe;
//! use downhill::optim::Optimizers;
//!
//! let line = "clip_global:max=1|l2:lambda=1e-4|adam@torch:lr=1e-3|ema:decay=0.99|cosine:warmup=100".parse()?;
//! let mut descent = Recipe::read(&line, &Optimizers::default())?.begin();
//! // in the loop: model = descent.step(lr, model, gradients)?;
//! // to evaluate and save: descent.hand_out(&model)?
//! # Ok::<(), downhill::Error>(())
//! ```

mod diagnose;
mod gradient;
mod numbers;
mod parts;
mod state;
mod weights;

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::error::{Error, Result};
use crate::optim::{Method, handed_out};

pub use diagnose::Layer;
pub use numbers::Point;
pub use numbers::{Numbers, Slope};
pub use parts::{Accumulate, BEFORE, Bound, Clip, Decoupled, Ema, L2, Lookahead, Nonfinite, PARTS, Policy, Recipe};

use gradient::Gradients;
use weights::Weights;

/// An optimizer on its way: a [`Recipe`] with all that it remembers.
pub struct Descent {
    recipe: Recipe,
    /// the optimizer with its state
    method: Method,
    /// gradients of the batches since the last step, and of how many
    sum: (Gradients, usize),
    /// steps taken, each of which moved the weights
    steps: u64,
    /// steps left out because a gradient was not finite
    skipped: u64,
    /// the slow weights of look-ahead
    slow: Weights,
    /// the averages of the weights
    average: Weights,
}

impl Recipe {
    /// An optimizer that has not stepped yet.
    pub fn begin(&self) -> Descent {
        Descent {
            recipe: self.clone(),
            method: self.built.method.clone(),
            sum: (Gradients::default(), 0),
            steps: 0,
            skipped: 0,
            slow: Weights::default(),
            average: Weights::default(),
        }
    }
}

impl Descent {
    /// What it was made from.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Steps taken so far, each of which moved the weights.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Steps left out so far because a gradient was not finite.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether it evaluates the loss itself: then [`step_with`](Descent::step_with) is the way.
    pub fn evaluates(&self) -> bool {
        matches!(self.method, Method::Whole(_))
    }

    /// Takes a batch's gradients, and moves the model. While gradients are accumulated, and where a step is skipped, the model stays.
    ///
    /// # Errors
    /// If a gradient is not finite and the recipe has `nonfinite:policy=error`, or if the optimizer [evaluates](Descent::evaluates) the
    /// loss itself.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> Result<M> {
        checked(lr)?;
        if self.recipe.leaves_gradients_alone() {
            return self.move_by(lr, model, gradients);
        }
        let mut gradients = Gradients::of(gradients, &model);
        if let Some(accumulate) = &self.recipe.accumulate {
            let (sum, n) = &mut self.sum;
            sum.add(gradients);
            *n += 1;
            if *n < accumulate.steps {
                return Ok(model);
            }
            gradients = std::mem::take(sum);
            gradients.scale(1.0 / std::mem::take(n) as f64);
        }
        if let Some(nonfinite) = &self.recipe.nonfinite
            && nonfinite.policy != Policy::Propagate
            && let Some((parameter, value)) = gradients.nonfinite(&model)
        {
            if nonfinite.policy == Policy::Error {
                return Err(Error::Step(format!("the gradient of {parameter} holds {value}, expected finite numbers")));
            }
            self.skipped += 1;
            return Ok(model);
        }
        self.recipe.clips.iter().for_each(|bound| gradients.clip(*bound));
        self.move_by(lr, model, gradients.into_params())
    }

    fn move_by<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> Result<M> {
        let before = self.begin_slow(&model);
        let Method::PerTensor { optimizer, .. } = &mut self.method else {
            return Err(Error::Asked(format!("{} evaluates the loss itself: use step_with", self.recipe.built.spec.name)));
        };
        let model = optimizer.step(lr, model, gradients);
        Ok(self.follow(model, before))
    }

    /// The same for any optimizer: `loss` gives the loss of a model and its gradients, the same function each time within the step.
    ///
    /// # Errors
    /// As [`step`](Descent::step).
    pub fn step_with<M: Module>(&mut self, lr: f64, model: M, loss: &mut dyn FnMut(&M) -> (f64, GradientsParams)) -> Result<M> {
        if !self.evaluates() {
            let (_, gradients) = loss(&model);
            return self.step(lr, model, gradients);
        }
        let before = self.begin_slow(&model);
        checked(lr)?;
        let Method::Whole(whole) = &mut self.method else { return Ok(model) };
        let model = whole.step(lr, model, loss)?;
        Ok(self.follow(model, before))
    }

    /// The weights before the first step, from which look-ahead's slow weights start.
    fn begin_slow<M: Module>(&self, model: &M) -> Option<Weights> {
        (self.recipe.lookahead.is_some() && self.steps == 0).then(|| Weights::of(model))
    }

    /// What comes after the optimizer moved the weights.
    fn follow<M: Module>(&mut self, mut model: M, before: Option<Weights>) -> M {
        self.steps += 1;
        if let Some(Lookahead { k, alpha }) = self.recipe.lookahead {
            self.slow = before.unwrap_or_else(|| std::mem::take(&mut self.slow));
            if self.steps.is_multiple_of(k as u64) {
                self.slow.approach(&model, alpha);
                model = self.slow.put_into(model);
            }
        }
        if let Some(Ema { decay }) = self.recipe.ema {
            match self.steps {
                1 => self.average = Weights::of(&model),
                _ => self.average.approach(&model, 1.0 - decay),
            }
        }
        model
    }

    /// The model to evaluate and to save: the average of the weights, where the recipe has `ema`; else look-ahead's slow weights; else what
    /// the rule hands out, which for most is the model itself. Averages and slow weights follow the weights in training; of `nag` that is the
    /// look-ahead point.
    ///
    /// # Errors
    /// If burn cannot write out the optimizer's state.
    pub fn hand_out<M: Module>(&self, model: &M) -> Result<M> {
        let model = model.clone();
        if self.steps > 0 && self.recipe.ema.is_some() {
            return Ok(self.average.put_into(model));
        }
        if self.steps > 0 && self.recipe.lookahead.is_some() {
            return Ok(self.slow.put_into(model));
        }
        match &self.method {
            Method::PerTensor { optimizer, rule: Some(rule) } => handed_out(model, optimizer, rule.as_ref()).map_err(unreadable),
            _ => Ok(model),
        }
    }
}

/// A rate that is no number, or leads uphill, would spoil the model without a word.
fn checked(lr: f64) -> Result<()> {
    match lr.is_finite() && lr >= 0.0 {
        true => Ok(()),
        false => Err(Error::Step(format!("the learning rate is {lr}, expected 0 or a finite number above"))),
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Asked(format!("cannot read the optimizer's state: {error}"))
}
