//! Averages of weights for any training loop: a moving average, and look-ahead.

use burn::module::Module;

use super::weights::Weights;

/// An exponential moving average of the weights of a model, to evaluate and to save:
///
/// ```text
/// average = weights                                     after the first step
/// average = decay average + (1 - decay) weights         after each later step
/// ```
///
/// There is no bias correction: the share of the first weights fades within about 1 / (1 - decay)
/// steps. Optax's `ema` corrects the bias by default; torch's `AveragedModel` with
/// `get_ema_multi_avg_fn` is the same as this.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use downhill::pipeline::EmaWeights;
///
/// let model = LinearConfig::new(2, 3).init(&Device::flex().autodiff());
/// let mut ema = EmaWeights::new(0.999);
/// // after each optimizer step:
/// ema.update(&model);
/// // to evaluate and to save:
/// let averaged = ema.model(&model);
/// // in another process, from the averaged model that was saved:
/// let ema = EmaWeights::resume(0.999, &averaged);
/// ```
#[derive(Clone)]
pub struct EmaWeights {
    decay: f64,
    /// empty before the first step
    pub(super) average: Weights,
}

impl EmaWeights {
    /// An average before the first step. `decay` is from 0 up to, but not including, 1.
    pub fn new(decay: f64) -> EmaWeights {
        EmaWeights::of(decay, Weights::default())
    }

    pub(super) fn of(decay: f64, average: Weights) -> EmaWeights {
        EmaWeights { decay, average }
    }

    /// An average that continues from an averaged model.
    pub fn resume<M: Module>(decay: f64, averaged: &M) -> EmaWeights {
        EmaWeights::of(decay, Weights::of(averaged))
    }

    /// Takes the weights after an optimizer step.
    pub fn update<M: Module>(&mut self, model: &M) {
        match self.average.0.is_empty() {
            true => self.average = Weights::of(model),
            false => self.average.approach(model, 1.0 - self.decay),
        }
    }

    /// The model with the averaged weights. It is the model itself before the first step.
    pub fn model<M: Module>(&self, model: &M) -> M {
        match self.average.0.is_empty() {
            true => model.clone(),
            false => self.average.put_into(model.clone()),
        }
    }
}

/// Look-ahead: every k steps, slow weights go a share of the way to the weights, which then start
/// again from the slow weights:
///
/// ```text
/// slow = slow + alpha (weights - slow);  weights = slow         every k steps
/// ```
///
/// Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", arXiv 1907.08610. The
/// optimizer state is kept at a slow step, as in the paper's default.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use downhill::pipeline::LookaheadWeights;
///
/// let mut model = LinearConfig::new(2, 3).init(&Device::flex().autodiff());
/// let mut lookahead = LookaheadWeights::new(5, 0.5, &model);
/// // after each optimizer step:
/// model = lookahead.update(model);
/// // to evaluate and to save:
/// let slow = lookahead.model(&model);
/// ```
#[derive(Clone)]
pub struct LookaheadWeights {
    k: u64,
    alpha: f64,
    pub(super) slow: Weights,
    pub(super) steps: u64,
}

impl LookaheadWeights {
    /// Slow weights that start at the weights of the model. `k` is at least 1; `alpha` is above 0.
    pub fn new<M: Module>(k: usize, alpha: f64, model: &M) -> LookaheadWeights {
        LookaheadWeights::resume(k, alpha, model, 0)
    }

    /// Slow weights that continue from a saved model with these weights, after so many steps.
    pub fn resume<M: Module>(k: usize, alpha: f64, slow: &M, steps: u64) -> LookaheadWeights {
        LookaheadWeights::of(k, alpha, Weights::of(slow), steps)
    }

    pub(super) fn of(k: usize, alpha: f64, slow: Weights, steps: u64) -> LookaheadWeights {
        LookaheadWeights { k: k.max(1) as u64, alpha, slow, steps }
    }

    /// Takes the model after an optimizer step, and returns the model for the next one.
    pub fn update<M: Module>(&mut self, model: M) -> M {
        self.steps += 1;
        if !self.steps.is_multiple_of(self.k) {
            return model;
        }
        self.slow.approach(&model, self.alpha);
        self.slow.put_into(model)
    }

    /// The model with the slow weights.
    pub fn model<M: Module>(&self, model: &M) -> M {
        self.slow.put_into(model.clone())
    }

    /// The optimizer steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}
