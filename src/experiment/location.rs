//! Where an error of an experiment is: a key or a part of its file.

use std::path::Path;

use crate::error::Error;

/// An error about a key of the file.
pub(super) struct Location<'a>(pub &'a Path);

impl Location<'_> {
    pub fn wrong(&self, key: &str, found: impl Into<String>, expected: &str) -> Error {
        Error::content(format!("{}, {key}", self.0.display()), found, expected)
    }

    /// For `map_err`: an error that names its key.
    pub fn within_file(&self) -> impl Fn(Error) -> Error {
        let place = self.0.display().to_string();
        move |error| error.within(&place)
    }

    /// For `map_err`: an error in this part of the file.
    pub fn within(&self, part: &str) -> impl Fn(Error) -> Error {
        let place = format!("{}, {part}", self.0.display());
        move |error| error.within(&place)
    }
}
