//! # linear: falls along a line
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 - k / steps))    k < steps
//! lr_k = lr floor                                    from then on
//!
//! k = steps that are over, 0 in the first
//! ```
//!
//! ## Differences
//! Over the whole run the last step is the one before the floor, as in Hugging Face's linear schedule. torch's LinearLR is this with
//! start_factor=1, end_factor=floor and total_iters=steps; its own defaults, 1/3, 1 and 5, are a short warm-up.
//!
//! ## Source
//! Devlin et al., "BERT", arXiv 1810.04805, appendix A.2, with warm-up.

use super::between;
use super::pace::Time;
use crate::spec::Allowed;

crate::settings! {
    /// Falls along a line.
    pub struct Linear {
        /// what is left of the learning rate at the end, as a share of it
        floor: f64 = 0.0, Allowed::Share;
        /// steps to the end; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl Linear {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * between(1.0, self.floor, 1.0 - time.gone(self.steps))
    }
}
