//! The errors of this crate. Each message is one sentence that names the file or key, what was
//! found and what was expected.

#[cfg(feature = "lab")]
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;

use crate::spec::{SpecError, other_optimizer};
use crate::text::shown;

/// Any error of this crate. The command prints it and exits with code 2.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// An invalid spec.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file or folder with unexpected content.
    #[error("{}: found {}, expected {expected}", shown_path(.path), shown(.found))]
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
    #[error(transparent)]
    Step(#[from] StepError),
    /// An optimizer that evaluates the loss itself, where only gradients are given.
    #[error("{optimizer} evaluates the loss itself, expected `step_with` and a loss")]
    NeedsLoss {
        /// the name of the optimizer
        optimizer: String,
    },
    /// A schedule that needs the length of the run.
    #[error(
        "{schedule}: the length of the run is not known, expected {}",
        match .key.as_str() {
            "steps" => "the setting steps=N, or `with_run(epochs, batches_per_epoch)`",
            _ => "`with_run(epochs, batches_per_epoch)`, because it counts epochs",
        }
    )]
    RunLength {
        /// the spec of the schedule
        schedule: String,
        /// the setting that needs it: `steps` or `per`
        key: String,
    },
    /// A model that has too many parameters for a method.
    #[error(
        "{optimizer} computes the Hessian of all parameters: this model has {found}, expected at \
         most {most}; newton_cg needs no Hessian"
    )]
    TooManyParameters {
        /// the name of the optimizer
        optimizer: String,
        /// the parameters of the model
        found: usize,
        /// the largest number that is allowed
        most: usize,
    },
    /// A parameter group that is added to a pipeline that has taken batches.
    #[error(
        "with_group: found {batches} batches taken, expected a pipeline before its first batch"
    )]
    GroupAfterStart {
        /// the batches taken
        batches: usize,
    },
    /// A parameter group that contains no parameter of the model.
    #[error("group: params is `{params}`, which is no parameter of this model; it has {known}")]
    EmptyGroup {
        /// the pattern
        params: String,
        /// the paths of the model's parameters
        known: String,
    },
    /// A key, an option or a setting with an invalid value.
    #[error("{}: found {}, expected {expected}", shown(.key), shown(.found))]
    Value {
        /// the key of a file, the option of the command, or the name of the setting
        key: String,
        /// its value
        found: String,
        /// the allowed values
        expected: String,
    },
    /// A key that needs another key.
    #[error("{key}: found `{found}` without {needed}, expected both; a usual {needed} is 0.1")]
    Without {
        /// the key of a file, or the option of the command
        key: String,
        /// its value
        found: String,
        /// the fraction that has to be given too
        needed: String,
    },
    /// Two things that do not fit together: data and a model, data and an augmentation, a pipeline
    /// and the length of a task.
    #[error("{}: found {}, expected {expected}", shown(.what), shown(.found))]
    Mismatch {
        /// the part that has requirements, such as the spec of a model
        what: String,
        /// what it was given
        found: String,
        /// what it requires
        expected: String,
    },
    /// An operation that failed in another library.
    #[error("cannot {doing}: {reason}")]
    Failed {
        /// the operation: `make a PNG`, ...
        doing: String,
        /// the error of the library
        reason: String,
    },
    /// An error about results of a program that may have rules and tasks of its own.
    #[error("{error}; `{command}` made these records and writes their page")]
    OfProgram {
        /// the error
        error: Box<Error>,
        /// the command of the program
        command: String,
    },
    /// An error with the place where it occurred, such as a case in a file.
    #[error("{}: {error}", shown(.place))]
    At {
        /// the place
        place: String,
        /// the error
        error: Box<Error>,
    },
    /// A data set that is not on this machine.
    #[cfg(feature = "lab")]
    #[error(transparent)]
    Data(#[from] DataError),
    /// A device that cannot be used.
    #[cfg(feature = "lab")]
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file that another process has locked.
    #[error("another process is {doing} and has locked {}; wait until it ends", shown_path(.path))]
    Locked {
        /// what the other process does
        doing: String,
        /// the locked file
        path: PathBuf,
    },
    /// A run that another process has taken over.
    #[cfg(feature = "lab")]
    #[error(
        "{}: another process has taken over this run, because this one did not answer for two \
         minutes",
        .path.display()
    )]
    LeaseLost {
        /// the lease
        path: PathBuf,
    },
    /// An error of the operating system.
    #[error("cannot {doing} {}: {source}", shown_path(.path))]
    Io {
        /// the operation: `read`, `create`, ...
        doing: &'static str,
        /// the file or folder
        path: PathBuf,
        /// the error of the operating system
        source: std::io::Error,
    },
}

/// Why a step cannot be taken.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum StepError {
    /// A gradient that is not finite, with `nonfinite:policy=error`.
    #[error("the gradient of {parameter} contains {value}, expected finite numbers")]
    NonfiniteGradient {
        /// the path of the parameter
        parameter: String,
        /// an element that is not finite
        value: f64,
    },
    /// A learning rate that is negative or not finite.
    #[error("the learning rate is {0}, expected 0 or a finite number above")]
    LearningRate(f64),
    /// A linear system or a line search without solution.
    #[error("a Newton step: {0}")]
    Newton(String),
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
    /// A state that burn cannot write or read.
    #[error("burn cannot write or read it: {0}")]
    Burn(String),
    /// A record of another optimizer of burn, some of whose states have no place here.
    #[error("it has the state of {found} parameters, and this optimizer can read {read} of them")]
    Unreadable {
        /// the parameters in the record
        found: usize,
        /// those whose state was read
        read: usize,
    },
    /// A state of another schedule.
    #[error(
        "it was saved with the schedule `{found}`, and this pipeline has the schedule `{expected}`"
    )]
    OtherSchedule {
        /// the spec of the schedule that was saved
        found: String,
        /// that of the pipeline that should resume
        expected: String,
    },
    /// A state of another optimizer.
    #[error("{}", other_optimizer(found, expected))]
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

/// Why a data set is not on this machine.
#[cfg(feature = "lab")]
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DataError {
    /// A known data set that was not fetched.
    #[error(
        "{name} is not in {}; run `downhill fetch {name}` to download it ({:.0} MB), or \
         `downhill fetch {name} --from {}",
        .folder.display(),
        *.bytes as f64 / 1e6,
        match .files.as_slice() {
            [one] => format!("{one}` to import it (the path of this file or of its unpacked folder)"),
            all => format!("DIR` to import it (a folder with {})", all.join(", ")),
        }
    )]
    NotFetched {
        /// its name
        name: String,
        /// the folder where it would be
        folder: PathBuf,
        /// its files
        files: Vec<String>,
        /// the size of all files together
        bytes: u64,
    },
    /// A file that no address provides.
    #[error(
        "{file} could not be downloaded ({}); put {} into {} and run the same command again, or \
         run `downhill fetch {name} --from PATH` if the files are on this machine",
        .reasons.join("; "),
        .missing.join(", "),
        .folder.display()
    )]
    Download {
        /// the name of the data set
        name: String,
        /// the file
        file: String,
        /// the addresses, each with the reason
        reasons: Vec<String>,
        /// all files of the data set that are missing, each with its size and SHA-256
        missing: Vec<String>,
        /// the folder where they belong
        folder: PathBuf,
    },
}

/// Why a device cannot be used.
#[cfg(feature = "lab")]
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeviceError {
    /// A device whose crate feature is off.
    #[error(
        "device {device} is not compiled into this program; build it with `cargo build --release \
         --features {device}`"
    )]
    NotCompiled {
        /// the name of the device, which is also the name of the feature
        device: String,
    },
    /// A device that this machine does not have.
    #[error(
        "device {device}: found no GPU adapter on this machine, expected one; or use --device flex"
    )]
    NotFound {
        /// the name of the device
        device: String,
    },
}

/// A path as a message shows it.
fn shown_path(path: &std::path::Path) -> String {
    shown(&path.display().to_string())
}

/// A result with the error of this crate.
pub type Result<T> = std::result::Result<T, Error>;

// only the lab reads and writes files
#[cfg(feature = "lab")]
impl Error {
    /// A key, an option or a setting with an invalid value.
    pub fn value(
        key: impl Into<String>,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Error {
        Error::Value { key: key.into(), found: found.to_string(), expected: expected.into() }
    }

    /// Something that does not fit `what`, which requires `expected`.
    pub fn mismatch(
        what: impl ToString,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Error {
        Error::Mismatch { what: what.to_string(), found: found.into(), expected: expected.into() }
    }

    /// For `map_err`: an operation that failed in another library.
    pub fn failed<E: ToString>(doing: impl Into<String>) -> impl Fn(E) -> Error {
        let doing = doing.into();
        move |reason| Error::Failed { doing: doing.clone(), reason: reason.to_string() }
    }

    /// This error with the file, or the part of a file, that contains the key which it names. An
    /// error that names no key gets the place as in [`at`](Error::at).
    #[must_use]
    pub fn within(self, place: impl std::fmt::Display) -> Error {
        let key = |key| format!("{place}, {key}");
        match self {
            Error::Value { key: own, found, expected } => {
                Error::Value { key: key(own), found, expected }
            }
            Error::Without { key: own, found, needed } => {
                Error::Without { key: key(own), found, needed }
            }
            Error::At { place: own, error } => Error::At { place: key(own), error },
            other => other.at(place.to_string()),
        }
    }

    /// This error with the place where it occurred.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Error {
        Error::At { place: place.into(), error: Box::new(self) }
    }
}

#[cfg(feature = "lab")]
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
