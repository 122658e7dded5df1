//! # exponential: multiplied by gamma after every epoch or step
//!
//! ```text
//! lr_k = lr gamma^k
//!
//! k = completed epochs (per=epoch) or steps (per=step), 0 in the first
//! ```
//!
//! ## Differences
//! torch's ExponentialLR has no default for gamma. Here gamma is at most 1, so that this is no
//! learning-rate range test: train once for each learning rate instead.
//!
//! ## Source
//! torch.optim.lr_scheduler.ExponentialLR.

use super::time::{Per, Time};
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by gamma after every epoch or step.
    pub struct Exponential {
        /// factor of the learning rate after each
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
