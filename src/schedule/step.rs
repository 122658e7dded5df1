//! # step: multiplied by gamma at regular intervals
//!
//! ```text
//! lr_k = lr gamma^floor(k / every)
//!
//! k = completed epochs (per=epoch) or steps (per=step), 0 in the first
//! ```
//!
//! ## Differences
//! In torch's StepLR `every` is step_size and has no default; 30 is the value of the example in its
//! documentation. Here gamma is at most 1.
//!
//! ## Source
//! torch.optim.lr_scheduler.StepLR.

use super::time::{Per, Time};
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by gamma at regular intervals.
    pub struct Step {
        /// epochs or steps between drops
        every: usize = 30, Allowed::Count;
        /// factor of the learning rate at each drop
        gamma: f64 = 0.1, Allowed::Share;
        /// what is counted: step or epoch
        per: Per = Per::Epoch, Per::WORDS;
    }
}

impl Step {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * self.gamma.powf(((time.count(self.per) - 1) / self.every) as f64)
    }
}
