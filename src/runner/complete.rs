//! Which runs are on the disk already, and what `--fresh` does to them.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::lease::{Attempt, Leases};
use crate::error::{Error, Result};
use crate::files::{new_of, open, remove};
use crate::record::{self, Header, Run, checkpoint_of, part_of};

/// Which runs need not be made.
#[derive(Clone, Debug, Default)]
pub(super) struct Complete {
    /// the moment before which a run counts as not made
    pub since: Option<SystemTime>,
    /// whether runs of other kinds of processors count
    pub any_processor: bool,
}

impl Complete {
    /// The run of this header, if it is on the disk and complete. A record that cannot be read is
    /// made again.
    pub fn run(&self, path: &Path, header: &Header) -> Option<Run> {
        if let Some(since) = self.since {
            fs::metadata(path).ok()?.modified().ok().filter(|changed| *changed > since)?;
        }
        record::read(path).ok().filter(|run| run.is_complete() && self.is_same(&run.header, header))
    }

    fn is_same(&self, found: &Header, expected: &Header) -> bool {
        match self.any_processor {
            true => *found == Header { processor: found.processor.clone(), ..expected.clone() },
            false => found == expected,
        }
    }
}

/// `--fresh`: a file whose time says from when on runs count. It stays until all runs are made, so
/// that the same command continues after a kill. Old records stay until the new ones replace them.
pub(super) struct Fresh {
    marker: PathBuf,
}

impl Fresh {
    pub fn at(marker: PathBuf) -> Fresh {
        Fresh { marker }
    }

    /// That of all runs of an experiment.
    pub fn of_folder(folder: &Path) -> Fresh {
        Fresh::at(folder.join("runs").join(".fresh"))
    }

    /// Begins, if `wanted` and not begun before: deletes what is there of incomplete runs. Returns
    /// the moment from which on runs count.
    pub fn begin(
        &self,
        wanted: bool,
        records: impl Iterator<Item = PathBuf>,
    ) -> Result<Option<SystemTime>> {
        if wanted && !self.marker.exists() {
            let leases = Leases::new();
            for record in records {
                forget_incomplete(&record, &leases)?;
            }
            match OpenOptions::new().write(true).create_new(true).open(&self.marker) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => drop(open(&self.marker)?),
                created => drop(created.map_err(Error::io("create", &self.marker))?),
            }
        }
        Ok(self.since())
    }

    /// The moment from which on runs count, if `--fresh` began and has not ended.
    pub fn since(&self) -> Option<SystemTime> {
        fs::metadata(&self.marker).and_then(|marker| marker.modified()).ok()
    }

    /// All runs are made.
    pub fn end(&self) -> Result<()> {
        remove(&self.marker)
    }
}

/// Deletes checkpoint and record of a run that is not complete, unless another process makes it.
fn forget_incomplete(record: &Path, leases: &Leases) -> Result<()> {
    let (checkpoint, part) = (checkpoint_of(record), part_of(record));
    let files = [new_of(&checkpoint), checkpoint, new_of(&part), part];
    if !files.iter().any(|file| file.exists()) {
        return Ok(());
    }
    if let Attempt::Taken(_lease) = leases.take(record)? {
        files.iter().try_for_each(|file| remove(file))?;
    }
    Ok(())
}
