//! The errors of this crate. Each message is one sentence that names the file or key, what was
//! found and what was expected.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::spec::SpecError;

/// Any error of this crate. The command prints it and exits with code 2.
#[derive(Debug, Error)]
pub enum Error {
    /// An invalid spec.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file or folder with unexpected content.
    #[error("{}: found {found}, expected {expected}", .path.display())]
    Content {
        /// the file or folder
        path: PathBuf,
        /// what it contains
        found: String,
        /// what it should contain
        expected: String,
    },
    /// A saved optimizer state from which this optimizer cannot resume.
    #[error("cannot resume from the saved optimizer state: {0}")]
    State(#[from] StateError),
    /// A step that cannot be taken. The run has failed.
    #[error("{0}")]
    Step(String),
    /// An invalid request.
    #[error("{0}")]
    Invalid(String),
    /// An error of the operating system.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// the operation: `read`, `create`, ...
        doing: &'static str,
        /// the file or folder
        path: PathBuf,
        /// the error of the operating system
        source: std::io::Error,
    },
}

/// Why an optimizer cannot resume from a saved state.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StateError {
    /// Data of another kind.
    #[error("it is not an optimizer state that downhill saved")]
    Foreign,
    /// Data that is not what was written.
    #[error("it was truncated or changed after it was saved")]
    Damaged,
    /// A state of another optimizer.
    #[error("it was saved by `{found}`, and this optimizer is `{expected}`")]
    OtherOptimizer {
        /// the pipeline spec that was saved
        found: String,
        /// the pipeline spec that should resume
        expected: String,
    },
    /// A state for another model.
    #[error("it was saved with parameters of {found}, and this model has parameters of {expected}")]
    OtherModel {
        /// the shapes in the saved state
        found: String,
        /// the shapes in this model
        expected: String,
    },
}

/// A result with the error of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn content(
        path: impl AsRef<Path>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Error {
        Error::Content {
            path: path.as_ref().into(),
            found: found.into(),
            expected: expected.into(),
        }
    }

    pub(crate) fn io(
        doing: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { doing, path, source }
    }
}
