//! From the runs of an experiment to the best settings and the verdict on each claim.

mod grids;
mod halving;
mod judgement;
mod select;
mod stats;
mod verdict;

pub use halving::survivors;
pub use judgement::{GradedClaim, Verdict};
pub use select::{Briefs, Candidate, Curve, Selection, curves};
pub use stats::{half_width, mean, standard_deviation};
pub use verdict::{study_verdicts, verdicts};
