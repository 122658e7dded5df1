//! Records for other programs.

mod tensorboard;
mod tidy;

pub use tensorboard::write_tensorboard;
pub use tidy::write_csv;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files::below;
use crate::record::{self, Run};

/// A record with its file.
pub struct Record {
    /// where it was read
    pub file: PathBuf,
    /// the run
    pub run: Run,
}

/// All complete records below a folder, of one or several experiments.
///
/// # Errors
/// If there are none, or one is damaged.
pub fn records(folder: &Path) -> Result<Vec<Record>> {
    let files = below(folder, "jsonl")?;
    if files.is_empty() {
        return Err(Error::content(folder, "no records", "*.jsonl files somewhere below"));
    }
    let read = |file: PathBuf| Ok(Record { run: record::read(&file)?, file });
    files.into_iter().map(read).collect()
}
