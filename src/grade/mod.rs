//! From the runs of an experiment to the best settings and the verdict on each claim.

mod grids;
mod judgement;
mod paired;
mod select;
mod stats;
mod verdict;

pub use judgement::{Evidence, GradedClaim, Verdict};
pub use select::{Briefs, Candidate, Curve, Selection, curves};
pub use stats::{half_width, mean, standard_deviation};
pub use verdict::{study_verdicts, verdicts};
