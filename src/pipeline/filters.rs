//! Gradient transformations that remember earlier gradients: Grokfast and MARS.

use std::collections::VecDeque;

use burn::module::ParamId;
use burn::tensor::Tensor;

use super::gradients::{Gradient, Gradients, clip_factor};
use crate::spec::{Allowed, YES_OR_NO};

crate::settings! {
    /// Grokfast with a moving average: the slow part of the gradients is amplified.
    pub struct GrokfastEma {
        /// decay rate of the average; it starts at the first gradient
        alpha: f64 = 0.98, Allowed::Decay;
        /// g + lambda average
        lambda: f64 = 2.0, Allowed::NotNegative;
    }
}

crate::settings! {
    /// Grokfast with a window: the mean of the last gradients is amplified.
    pub struct GrokfastMa {
        /// gradients in the mean; the pipeline keeps all of them
        window: usize = 100, Allowed::Count;
        /// g + lambda mean, from the step on at which the window is full
        lambda: f64 = 5.0, Allowed::NotNegative;
    }
}

crate::settings! {
    /// MARS: the gradient is corrected by its change since the step before.
    pub struct Mars {
        /// strength of the correction
        gamma: f64 = 0.025, Allowed::NotNegative;
        /// beta1 of the optimizer: g + gamma beta1 / (1 - beta1) (g - g of the step before)
        beta1: f64 = 0.95, Allowed::Decay;
        /// the largest norm of a parameter's corrected gradient; none: no bound
        max: Option<f64> = Some(1.0), Allowed::Positive;
        /// correct the first gradient too, as if the one before was 0
        correct_first: bool = true, YES_OR_NO;
    }
}

/// Which of these transformations a pipeline has.
#[derive(Clone, Default, PartialEq)]
pub(super) struct FilterSettings {
    pub grokfast_ema: Option<GrokfastEma>,
    pub grokfast_ma: Option<GrokfastMa>,
    pub mars: Option<Mars>,
}

impl FilterSettings {
    /// How many gradients are remembered.
    pub fn copies(&self) -> usize {
        let window = self.grokfast_ma.as_ref().map_or(0, |grokfast| grokfast.window);
        window + usize::from(self.grokfast_ema.is_some()) + usize::from(self.mars.is_some())
    }
}

/// What the transformations remember.
#[derive(Clone, Default)]
pub(super) struct Filters {
    /// the average, or the window, oldest first
    pub grokfast: History,
    /// the gradient of the step before
    pub mars: History,
}

/// Earlier gradients, or averages of them, of each parameter.
#[derive(Clone, Default)]
pub(super) struct History(pub(super) Vec<(ParamId, VecDeque<Tensor<1>>)>);

impl History {
    fn of(&mut self, id: ParamId) -> &mut VecDeque<Tensor<1>> {
        let place = self.0.iter().position(|(other, _)| *other == id).unwrap_or_else(|| {
            self.0.push((id, VecDeque::new()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }
}

impl Filters {
    /// Applies those transformations that the pipeline has.
    pub fn apply(&mut self, settings: &FilterSettings, gradients: &mut Gradients) {
        for Gradient { id, g, .. } in &mut gradients.0 {
            if let Some(grokfast) = &settings.grokfast_ema {
                *g = grokfast.filtered(g.clone(), self.grokfast.of(*id));
            }
            if let Some(grokfast) = &settings.grokfast_ma {
                *g = grokfast.filtered(g.clone(), self.grokfast.of(*id));
            }
            if let Some(mars) = &settings.mars {
                *g = mars.corrected(g.clone(), self.mars.of(*id));
            }
        }
    }
}

impl GrokfastEma {
    fn filtered(&self, g: Tensor<1>, kept: &mut VecDeque<Tensor<1>>) -> Tensor<1> {
        let average = match kept.pop_front() {
            Some(average) => average * self.alpha + g.clone() * (1.0 - self.alpha),
            None => g.clone(),
        };
        kept.push_back(average.clone());
        g + average * self.lambda
    }
}

impl GrokfastMa {
    fn filtered(&self, g: Tensor<1>, kept: &mut VecDeque<Tensor<1>>) -> Tensor<1> {
        if kept.len() == self.window {
            kept.pop_front();
        }
        kept.push_back(g.clone());
        match kept.iter().cloned().reduce(|sum, g| sum + g) {
            Some(sum) if kept.len() == self.window => g + sum * (self.lambda / self.window as f64),
            _ => g,
        }
    }
}

impl Mars {
    fn corrected(&self, g: Tensor<1>, kept: &mut VecDeque<Tensor<1>>) -> Tensor<1> {
        let factor = self.gamma * self.beta1 / (1.0 - self.beta1);
        let before = kept.pop_front();
        kept.push_back(g.clone());
        let corrected = match before {
            Some(before) => g.clone() + (g - before) * factor,
            None if self.correct_first => g * (1.0 + factor),
            None => g,
        };
        match self.max {
            Some(max) => {
                let squared_norm = corrected.clone().square().sum();
                corrected * clip_factor(squared_norm, max)
            }
            None => corrected,
        }
    }
}
