//! A suite: the same optimizers on several problems, each with the same number of trials. One TOML
//! file says which. Its scores compare the optimizers across the problems.

mod bootstrap;
mod built_in;
mod charts;
mod check;
mod load;
mod page;
mod problem;
mod program;
mod results;
mod schema;
mod score;

pub use built_in::BUILT_IN;
pub use load::{load, parse};
pub use page::{SuitePage, Table, write};
pub use program::{RESULTS_FILE, SuiteRun, default_folder, run};
pub use results::{Beside, EntrantResult, GradedSeed, ProblemResult, SuiteResults, Trial};
pub use schema::{Entrant, Problem, Suite};
pub use score::{Standing, standings};
