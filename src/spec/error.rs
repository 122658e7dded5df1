//! Errors of specs.

use thiserror::Error;

use super::names::suggestion;
use crate::text::shown;

/// What is wrong with a spec.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SpecError {
    /// The text does not have the form `name@dialect:key=value`.
    #[error("`{}` is not a spec: expected {expected}", shown(.spec))]
    Syntax {
        /// the text
        spec: String,
        /// what is missing
        expected: &'static str,
    },
    /// A name that does not exist.
    #[error("unknown {kind} `{}`; {}", shown(.found), suggestion(.found, .known))]
    Unknown {
        /// `optimizer`, `model`, `setting of adam`, ...
        kind: String,
        /// the given name
        found: String,
        /// the names that exist
        known: Vec<String>,
    },
    /// A value of the wrong type, or outside of its range.
    #[error("{owner}: {key} is `{}`, expected {expected}", shown(.found))]
    Value {
        /// what the setting belongs to
        owner: String,
        /// the setting
        key: String,
        /// the given value
        found: String,
        /// the allowed values
        expected: String,
    },
    /// A sweep where only one value is allowed, a setting that is given twice, or specs that cannot
    /// be combined.
    #[error("`{}`: {problem}", shown(.spec))]
    Several {
        /// the text
        spec: String,
        /// what occurs more than once, or cannot be combined
        problem: String,
    },
}

impl SpecError {
    /// The error with the key that was written, where that is an alias of a setting's name.
    #[doc(hidden)]
    pub fn about(self, written: &str) -> SpecError {
        match self {
            SpecError::Value { owner, found, expected, .. } => {
                SpecError::Value { owner, key: written.into(), found, expected }
            }
            other => other,
        }
    }
}

/// The error for the name `found` that is not one of `known`.
pub fn unknown<'a>(kind: &str, found: &str, known: impl IntoIterator<Item = &'a str>) -> SpecError {
    SpecError::Unknown {
        kind: kind.into(),
        found: found.into(),
        known: known.into_iter().map(String::from).collect(),
    }
}
