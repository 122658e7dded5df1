//! Whether records have changed since the last look.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::files::below;

/// The records below folders, with their sizes and times.
#[derive(Default)]
pub struct Watch {
    folders: Vec<PathBuf>,
    seen: Option<Vec<(PathBuf, u64, Option<SystemTime>)>>,
}

impl Watch {
    /// Watches these folders.
    ///
    /// # Errors
    /// If one does not exist.
    pub fn new(folders: &[PathBuf]) -> Result<Watch> {
        match folders.iter().find(|folder| !folder.is_dir()) {
            Some(other) => Err(Error::content(other, "no folder", "a folder with records")),
            None => Ok(Watch { folders: folders.to_vec(), seen: None }),
        }
    }

    /// Whether a record was added, changed or removed since the last call; true at the first one.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn changed(&mut self) -> Result<bool> {
        let mut found = Vec::new();
        for folder in &self.folders {
            for extension in ["jsonl", "part"] {
                found.extend(below(folder, extension)?.into_iter().map(|file| {
                    // a file may be gone by now
                    let metadata = file.metadata().ok();
                    let size = metadata.as_ref().map_or(0, std::fs::Metadata::len);
                    (file, size, metadata.and_then(|metadata| metadata.modified().ok()))
                }));
            }
        }
        let changed = self.seen.as_ref() != Some(&found);
        self.seen = Some(found);
        Ok(changed)
    }
}
