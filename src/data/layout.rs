//! The files of known data sets in a folder or an archive.

use std::path::Path;

use super::archive::FoundFiles;
use super::dataset::Dataset;
use super::{cifar, imdb, mnist};
use crate::error::{Error, Result};

/// Tells whether a file is present, by its name.
pub(super) type IsPresent<'a> = &'a dyn Fn(&str) -> bool;

/// The files of one or more known data sets, and how to read them.
pub(super) struct Layout {
    /// The known data sets with this layout.
    pub sets: &'static [&'static str],
    /// The name of the official folder, empty if there is none.
    pub folder: &'static str,
    /// All names that a file may have.
    pub files: &'static [&'static str],
    /// Whether the present files make a complete data set.
    pub is_complete: fn(IsPresent) -> bool,
    /// Reads the data set. The first argument is its name.
    pub read: fn(&str, FoundFiles) -> Result<Dataset>,
}

pub(super) const LAYOUTS: [Layout; 4] = [
    Layout {
        sets: &["mnist", "fashion-mnist"],
        folder: "",
        files: mnist::FILES,
        is_complete: mnist::is_complete,
        read: mnist::read,
    },
    Layout {
        sets: &["cifar10"],
        folder: "cifar-10-batches-bin",
        files: &cifar::CIFAR10,
        is_complete: |has| cifar::CIFAR10[..6].iter().all(|file| has(file)),
        read: cifar::cifar10,
    },
    Layout {
        sets: &["cifar100"],
        folder: "cifar-100-binary",
        files: &cifar::CIFAR100,
        is_complete: |has| cifar::CIFAR100[..2].iter().all(|file| has(file)),
        read: cifar::cifar100,
    },
    Layout {
        sets: &["imdb"],
        folder: "aclImdb",
        files: &imdb::FILES,
        is_complete: |has| imdb::FILES.iter().all(|file| has(file)),
        read: imdb::read,
    },
];

impl Layout {
    /// The layout of the files at a path, or `None` if no layout has files there. If several
    /// layouts have files there, the layout of the known set `name` is taken, otherwise the one
    /// that is complete.
    ///
    /// # Errors
    /// If several layouts are complete.
    pub fn choose(
        path: &Path,
        name: Option<&str>,
        has: impl Fn(&Layout, &str) -> bool,
    ) -> Result<Option<&'static Layout>> {
        let present: Vec<&Layout> = LAYOUTS
            .iter()
            .filter(|layout| layout.files.iter().any(|file| has(layout, file)))
            .collect();
        let named = |layout: &&&Layout| name.is_some_and(|name| layout.sets.contains(&name));
        if let Some(layout) = present.iter().find(named) {
            return Ok(Some(layout));
        }
        let complete: Vec<&Layout> = present
            .iter()
            .copied()
            .filter(|layout| (layout.is_complete)(&|file| has(layout, file)))
            .collect();
        if complete.len() > 1 {
            let sets: Vec<&str> = complete.iter().flat_map(|layout| layout.sets).copied().collect();
            return Err(Error::content(
                path,
                format!("files of several data sets ({})", sets.join(", ")),
                "the files of one set, in a folder or an archive of their own",
            ));
        }
        Ok(complete.first().or(present.first()).copied())
    }
}
