//! # constant: the learning rate does not change
//!
//! ```text
//! lr_t = lr
//! ```
//!
//! ## Differences
//! torch's ConstantLR is a different schedule: a lower learning rate for some epochs at the start.
//! `constant:warmup=N` is Hugging Face's constant schedule with warm-up. That starts at 0, this at
//! lr / N.
//!
//! ## Source
//! Linear warm-up: Goyal et al., "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.2.

use super::time::Time;

crate::settings! {
    /// The learning rate does not change.
    pub struct Constant {}
}

impl Constant {
    pub(super) fn lr(&self, lr: f64, _: Time) -> f64 {
        lr
    }
}
