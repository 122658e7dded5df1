//! # one_cycle: up to the learning rate and far down again
//!
//! ```text
//! lr_k goes  from lr / div_factor  to lr                                  while k <= top
//!            from lr               to lr / (div_factor final_div_factor)  while k <= steps - 1; then it stays there
//!
//! k = steps that are over, 0 in the first; top = pct_start steps - 1
//! a way from a to b, after the part p of it:  b + (a - b) (1 + cos(pi p)) / 2    anneal=cosine (default)
//!                                             b + (a - b) (1 - p)                anneal=linear
//! ```
//!
//! ## Differences
//! torch's OneCycleLR calls lr max_lr and `steps` total_steps. It also moves the momentum the other way (cycle_momentum) and has a form of
//! three phases; these are not here. A warm-up ends at lr / div_factor, where the cycle begins.
//!
//! ## Source
//! Smith and Topin, "Super-Convergence", arXiv 1708.07120; torch.optim.lr_scheduler.OneCycleLR.

use super::pace::{Time, part};
use super::{between, half_wave};
use crate::spec::Allowed;

/// The way of [`OneCycle`] from one learning rate to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anneal {
    /// half a wave
    Cosine,
    /// a line
    Linear,
}
crate::words!(Anneal { Cosine = "cosine", Linear = "linear" });

crate::settings! {
    /// Up to the learning rate and far down again.
    pub struct OneCycle {
        /// share of the steps on the way up
        pct_start: f64 = 0.3, Allowed::Share;
        /// the first learning rate is lr over this
        div_factor: f64 = 25.0, Allowed::AtLeast(1.0);
        /// the last learning rate is the first over this
        final_div_factor: f64 = 1e4, Allowed::AtLeast(1.0);
        /// the way between them: cosine or linear
        anneal: Anneal = Anneal::Cosine, Anneal::WORDS;
        /// steps of the cycle; none: all after the warm-up
        steps: Option<usize> = None, Allowed::Count;
    }
}

impl OneCycle {
    pub(super) fn lr(&self, lr: f64, time: Time) -> f64 {
        let (over, steps) = ((time.step - 1) as f64, self.steps.unwrap_or(time.steps) as f64);
        let top = self.pct_start * steps - 1.0;
        let first = 1.0 / self.div_factor;
        let ([from, to], gone) = if over <= top {
            ([first, 1.0], part(over, top))
        } else {
            ([1.0, first / self.final_div_factor], part(over - top, steps - 1.0 - top))
        };
        let left = match self.anneal {
            Anneal::Cosine => half_wave(gone),
            Anneal::Linear => 1.0 - gone,
        };
        lr * between(from, to, left)
    }
}
