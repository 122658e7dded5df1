//! # exponential: multiplied by gamma after every epoch or step
//!
//! ```text
//! lr_k = lr gamma^k
//!
//! k = epochs (per=epoch) or steps (per=step) that are over, 0 in the first
//! ```
//!
//! ## Differences
//! torch's ExponentialLR is this without a default for gamma. gamma is at most 1: for a test of rising learning rates train several times.
//!
//! ## Source
//! torch.optim.lr_scheduler.ExponentialLR.

use super::Per;
use super::pace::Time;
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by gamma after every epoch or step.
    pub struct Exponential {
        /// what is left of the learning rate after each
        gamma: f64 = 0.95, Allowed::Share;
        /// what is counted: step or epoch
        per: Per = Per::Epoch, Per::WORDS;
    }
}

impl Exponential {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * self.gamma.powf((time.count(self.per) - 1) as f64)
    }
}
