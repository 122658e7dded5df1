//! # L-BFGS: quasi-Newton with limited memory, burn's
//!
//! ```text
//! x = x - t H g,  H from the last differences of x and g
//! ```
//!
//! ## Differences
//! burn's is a port of torch's. The line search is off by default there; it is on here. One step is
//! up to max_iter iterations, each of which evaluates the loss of the same batch.
//!
//! ## Source
//! burn 0.22.1, `LBFGSConfig`; Liu & Nocedal, "On the limited memory BFGS method", 1989.

use burn::optim::{LBFGS, LBFGSConfig, LineSearchFn};

use crate::spec::Allowed;

/// How [`Lbfgs`] finds the length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LbfgsLineSearch {
    /// the length is lr
    None,
    /// the strong Wolfe conditions
    StrongWolfe,
}
crate::words!(LbfgsLineSearch { None = "none", StrongWolfe = "strong_wolfe" });

crate::settings! {
    /// burn's L-BFGS.
    pub struct Lbfgs {
        /// the maximum number of iterations in one step
        max_iter: usize = 20, Allowed::Count;
        /// the number of past differences that are kept
        history: usize = 100, Allowed::Count;
        /// it stops when no gradient is larger
        tolerance_grad: f64 = 1e-7, Allowed::NotNegative;
        /// it stops when neither loss nor parameters change by more
        tolerance_change: f64 = 1e-9, Allowed::NotNegative;
        /// how the length of a step is found
        line_search: LbfgsLineSearch = LbfgsLineSearch::StrongWolfe, LbfgsLineSearch::WORDS;
    }
}

impl Lbfgs {
    /// burn's optimizer.
    pub(super) fn init(&self) -> LBFGS {
        let line_search = match self.line_search {
            LbfgsLineSearch::None => LineSearchFn::None,
            LbfgsLineSearch::StrongWolfe => LineSearchFn::StrongWolfe,
        };
        LBFGSConfig::new()
            .with_max_iter(self.max_iter)
            .with_history_size(self.history)
            .with_line_search_fn(line_search)
            .with_tolerance_grad(self.tolerance_grad)
            .with_tolerance_change(self.tolerance_change)
            .init()
    }
}
