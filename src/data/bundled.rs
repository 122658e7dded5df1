//! The data sets that are compiled into the program.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::dataset::Dataset;
use super::{mnist, text};
use crate::error::{Error, Result};

/// A data set that is compiled into the program.
pub struct Bundled {
    /// The name on the command line.
    pub name: &'static str,
    /// A description in one line.
    pub docs: &'static str,
    pub(super) load: fn() -> Result<Dataset>,
}

/// All bundled data sets.
pub const BUNDLED: &[Bundled] = &[
    Bundled {
        name: "mnist-10k",
        docs: "10,000 handwritten digits, 28 x 28 grey: 8,000 to train on, 2,000 to test on \
               (CC BY-SA 3.0)",
        load: mnist::bundled,
    },
    Bundled {
        name: "speeches",
        docs: "2,850 speeches of ten characters of Shakespeare, as bags of words: 2,271 to train \
               on, 579 to test on (public domain)",
        load: speeches,
    },
];

/// At most three lines of one speech, with the character who speaks.
fn speeches() -> Result<Dataset> {
    const TABLE: &[u8] = include_bytes!("../../datasets/speeches/speeches.csv.gz");
    let mut table = Vec::new();
    let mut archive = GzDecoder::new(TABLE);
    archive.read_to_end(&mut table).map_err(Error::failed("read the speeches"))?;
    text::read("speeches", Path::new("speeches.csv"), &table)
}
