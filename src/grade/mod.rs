//! From the runs of an experiment to the best settings and the verdict on each claim.

mod grids;
mod halving;
mod judgement;
mod outlook;
mod paired;
mod select;
mod sequential;
mod stats;
mod target;
mod verdict;

pub use halving::survivors;
pub use judgement::{Evidence, GradedClaim, Verdict};
pub use paired::{median, sorted};
pub use select::{Briefs, Candidate, Curve, Selection, curves};
pub use sequential::{MAX_SEEDS, look_seeds};
pub use stats::{half_width, mean, standard_deviation};
pub use target::Goal;
pub use verdict::{study_verdicts, verdicts};
