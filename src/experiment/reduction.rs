//! From the curve of a run to one value.

use serde::{Deserialize, Serialize};

/// Which value of a run is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// the value after the last epoch
    #[default]
    End,
    /// the mean over all epochs, which says how fast the run got there
    Mean,
}
