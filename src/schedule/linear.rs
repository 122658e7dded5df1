//! # linear: falls along a line
//!
//! ```text
//! lr_k = lr (floor + (1 - floor) (1 - k / steps))    k < steps
//! lr_k = lr floor                                    afterwards
//!
//! k = completed steps, 0 in the first step
//! ```
//!
//! ## Differences
//! With steps=none the last step of the run is the one before the floor, as in Hugging Face's
//! linear schedule. torch's LinearLR is this schedule with start_factor=1, end_factor=floor and
//! total_iters=steps. Its own defaults, 1/3, 1 and 5, are a short warm-up.
//!
//! ## Source
//! Devlin et al., "BERT", arXiv 1810.04805, appendix A.2, with warm-up.

use super::time::{Time, interpolate};
use crate::spec::Allowed;

crate::settings! {
    /// Falls along a line.
    pub struct Linear {
        /// the learning rate at the end, as a share of lr
        floor: f64 = 0.0, Allowed::Share;
        /// steps to the end; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl Linear {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        lr * interpolate(1.0, self.floor, 1.0 - time.fraction(self.steps))
    }
}
