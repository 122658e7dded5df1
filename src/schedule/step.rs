//! # step: multiplied by gamma every so many epochs or steps
//!
//! ```text
//! lr_k = lr gamma^floor(k / every)
//!
//! k = epochs (per=epoch) or steps (per=step) that are over, 0 in the first
//! ```
//!
//! ## Differences
//! torch's StepLR is this with `every` called step_size, and with no default for it; 30 is that of the example in its documentation.
//! gamma is at most 1.
//!
//! ## Source
//! torch.optim.lr_scheduler.StepLR.

use super::Per;
use super::pace::Time;
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by gamma every so many epochs or steps.
    pub struct Step {
        /// epochs or steps from one drop to the next
        every: usize = 30, Allowed::Count;
        /// what is left of the learning rate at each drop
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
