//! Studies: statements of theory, checked with the update rules on plain numbers, without a
//! training loop. Each study is a file, its `mod` line below, and a row in `table.rs`. The claims
//! about its numbers are in the TOML of the experiment.

mod amsgrad;
mod averages;
mod fit;
mod input;
mod nesterov;
mod newton;
mod noise;
mod steps;
mod table;
mod wilson;

pub use input::{StudyInput, StudyResult};
pub use table::{STUDIES, Study, find};
