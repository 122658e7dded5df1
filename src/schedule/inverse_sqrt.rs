//! # inverse_sqrt: falls with the square root of time
//!
//! ```text
//! lr_t = lr / sqrt(t)
//!
//! t = steps (per=step) or epochs (per=epoch), 1 in the first
//! ```
//!
//! ## Differences
//! In "Attention Is All You Need" t includes the warm-up, so that the learning rate after it is lr
//! sqrt(warmup / t). Here t is 1 in the first step after the warm-up, as in every schedule. torch
//! has neither.
//!
//! ## Source
//! Kingma and Ba, "Adam", arXiv 1412.6980, theorem 4.1 and section 6.1.

use super::time::{Per, Time};

crate::settings! {
    /// lr/√t
    pub struct InverseSqrt {
        /// what t counts: step or epoch
        per: Per = Per::Step, Per::WORDS;
    }
}

impl InverseSqrt {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr / (time.count(self.per) as f64).sqrt()
    }
}
