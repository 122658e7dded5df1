//! What can go wrong, each in one sentence that names the file or key, what was found and what was expected.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::spec::SpecError;

/// Any error of this crate: bad input, or a disk that does not obey. The command ends with exit code 2.
#[derive(Debug, Error)]
pub enum Error {
    /// A spec that cannot be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file or folder whose content is not what it should be.
    #[error("{}: found {found}, expected {expected}", .path.display())]
    Content {
        /// the file
        path: PathBuf,
        /// what it holds
        found: String,
        /// what it should hold
        expected: String,
    },
    /// Something asked for that cannot be done.
    #[error("{0}")]
    Asked(String),
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// `read`, `create`, ...
        doing: &'static str,
        /// the file
        path: PathBuf,
        /// its reason
        source: std::io::Error,
    },
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn content(path: impl AsRef<Path>, found: impl Into<String>, expected: impl Into<String>) -> Error {
        Error::Content { path: path.as_ref().into(), found: found.into(), expected: expected.into() }
    }

    pub(crate) fn io(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { doing, path, source }
    }
}
