//! An experiment: one TOML file with the task, the series, their grids, and the claims that are
//! checked.

mod added;
mod builder;
mod built_in;
mod check;
mod check_target;
mod claim;
mod load;
mod location;
mod plan;
mod reduction;
mod schema;
mod setting;
mod target;
mod toml_error;
mod trials;

pub mod published;

pub use built_in::BUILT_IN;
pub use claim::{Expect, SECONDS};
pub use load::{load, load_file, parse};
pub use plan::Planned;
pub use reduction::Reduction;
pub use schema::{Added, Claim, Difference, Experiment, Extent, Metric, Rung, Scale, Series};
pub use setting::{GridSetting, swept};
pub use target::{CostUnit, Target};
pub(crate) use toml_error::explain;
pub(crate) use trials::{allowed, has_range};
