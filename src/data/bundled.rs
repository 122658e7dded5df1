//! The data sets that are compiled into the program.

use super::dataset::Dataset;
use super::mnist;
use crate::error::Result;

/// A data set that is compiled into the program.
pub struct Bundled {
    /// The name on the command line.
    pub name: &'static str,
    /// A description in one line.
    pub docs: &'static str,
    pub(super) load: fn() -> Result<Dataset>,
}

/// All bundled data sets.
pub const BUNDLED: &[Bundled] = &[Bundled {
    name: "mnist-10k",
    docs: "10,000 handwritten digits, 28 x 28 grey: 8,000 to train on, 2,000 to test on \
           (CC BY-SA 3.0)",
    load: mnist::bundled,
}];
