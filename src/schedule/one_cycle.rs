//! # one_cycle: rises to the learning rate and falls far below it
//!
//! ```text
//! lr_k goes  from lr / div_factor  to lr                                  while k <= top
//!            from lr               to lr / (div_factor final_div_factor)  while k <= steps - 1
//! lr_k = lr / (div_factor final_div_factor)                               afterwards
//!
//! k = completed steps, 0 in the first step; top = pct_start steps - 1
//! from a to b, at the fraction p:  b + (a - b) (1 + cos(pi p)) / 2    anneal=cosine (default)
//!                                  b + (a - b) (1 - p)                anneal=linear
//! ```
//!
//! ## Differences
//! In torch's OneCycleLR lr is max_lr and `steps` is total_steps. torch also moves the momentum in
//! the opposite direction (cycle_momentum) and has a form with three phases; this schedule has
//! neither. A warm-up ends at lr / div_factor, where the cycle starts.
//!
//! ## Source
//! Smith and Topin, "Super-Convergence", arXiv 1708.07120; torch.optim.lr_scheduler.OneCycleLR.

use super::time::{Time, cosine_decay, fraction, interpolate};
use crate::spec::Allowed;

/// How [`OneCycle`] goes from one learning rate to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anneal {
    /// along half a wave of the cosine
    Cosine,
    /// along a line
    Linear,
}
crate::words!(Anneal { Cosine = "cosine", Linear = "linear" });

crate::settings! {
    /// Rises to the learning rate and falls far below it.
    pub struct OneCycle {
        /// share of the steps in which the learning rate rises
        pct_start: f64 = 0.3, Allowed::Share;
        /// the first learning rate is lr divided by this
        div_factor: f64 = 25.0, Allowed::AtLeast(1.0);
        /// the last learning rate is the first one divided by this
        final_div_factor: f64 = 1e4, Allowed::AtLeast(1.0);
        /// the shape of rise and fall: cosine or linear
        anneal: Anneal = Anneal::Cosine, Anneal::WORDS;
        /// steps of the cycle; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl OneCycle {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        let (done, steps) = ((time.step - 1) as f64, self.steps.unwrap_or(time.steps) as f64);
        let top = self.pct_start * steps - 1.0;
        let first = 1.0 / self.div_factor;
        let ([from, to], fraction) = if done <= top {
            ([first, 1.0], fraction(done, top))
        } else {
            ([1.0, first / self.final_div_factor], fraction(done - top, steps - 1.0 - top))
        };
        let remaining = match self.anneal {
            Anneal::Cosine => cosine_decay(fraction),
            Anneal::Linear => 1.0 - fraction,
        };
        lr * interpolate(from, to, remaining)
    }
}
