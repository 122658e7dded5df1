//! # inverse_sqrt: falls with the square root of time
//!
//! ```text
//! lr_t = lr / sqrt(t)
//!
//! t = steps (per=step) or epochs (per=epoch), 1 in the first
//! ```
//!
//! ## Differences
//! The schedule of "Attention Is All You Need" goes on counting through the warm-up, lr sqrt(warmup / t) after it. Here t begins with 1
//! after the warm-up, as the time of every schedule. torch has neither.
//!
//! ## Source
//! Kingma and Ba, "Adam", arXiv 1412.6980, theorem 4.1 and section 6.1.

use super::Per;
use super::pace::Time;

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
