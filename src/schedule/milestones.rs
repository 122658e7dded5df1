//! # milestones: multiplied by gamma after each of some epochs or steps
//!
//! ```text
//! lr_k = lr gamma^(how many of `at` are <= k)
//!
//! k = completed epochs (per=epoch) or steps (per=step), 0 in the first
//! ```
//!
//! ## Differences
//! In torch's MultiStepLR `at` is milestones, which has no default, may be in any order and may
//! repeat numbers. Here gamma is at most 1.
//!
//! ## Source
//! Goyal et al., "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 5.1: 30-60-80;
//! torch.optim.lr_scheduler.MultiStepLR.

use super::time::{Per, Time};
use crate::spec::Allowed;

crate::settings! {
    /// Multiplied by gamma after each of some epochs or steps.
    pub struct Milestones {
        /// completed epochs or steps at each drop
        at: Vec<usize> = vec![30, 60, 80], Allowed::Rising;
        /// factor of the learning rate at each drop
        gamma: f64 = 0.1, Allowed::Share;
        /// what is counted: step or epoch
        per: Per = Per::Epoch, Per::WORDS;
    }
}

impl Milestones {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        let drops = self.at.iter().filter(|at| **at < time.count(self.per)).count();
        lr * self.gamma.powf(drops as f64)
    }
}
