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
    /// A saved optimizer state that cannot be taken up.
    #[error("this is not the optimizer's state: {0}")]
    State(#[from] StateError),
    /// A step that cannot be taken: the run has failed, whatever was asked.
    #[error("{0}")]
    Step(String),
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

/// Why a saved optimizer state cannot be taken up.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StateError {
    /// Another kind of file.
    #[error("it does not begin as a state that downhill saved")]
    Foreign,
    /// A file that is not what was written.
    #[error("it was cut or changed after it was saved")]
    Damaged,
    /// Saved by another optimizer.
    #[error("it was saved by `{found}`, and this is `{expected}`")]
    OtherOptimizer {
        /// the line that saved it
        found: String,
        /// the line that is to go on
        expected: String,
    },
    /// Saved with another model.
    #[error("it was saved with parameters of {found}, and this model has {expected}")]
    OtherModel {
        /// shapes in the file
        found: String,
        /// shapes of the model
        expected: String,
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
