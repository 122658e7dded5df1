//! # constant: the learning rate stays as it is
//!
//! ```text
//! lr_t = lr
//! ```
//!
//! ## Differences
//! torch's ConstantLR is something else: a lower learning rate for a number of epochs first.
//! `constant:warmup=N` is Hugging Face's constant schedule with warm-up, which begins with 0 where this begins with lr / N.
//!
//! ## Source
//! Linear warm-up: Goyal et al., "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.2.

use super::pace::Time;

crate::settings! {
    /// The learning rate stays as it is.
    pub struct Constant {}
}

impl Constant {
    pub(super) fn lr(&self, lr: f64, _: Time) -> f64 {
        lr
    }
}
