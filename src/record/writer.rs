//! Writing a record. While the run lasts it is `NAME.part`; a complete run is renamed to
//! `NAME.jsonl`, so such a file is always whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::file::RecordLine;
use super::header::Header;
use crate::error::{Error, Result};
use crate::files::{self, place_durably, sync_folder};

/// The record of a run that is not complete, beside the complete record `path`.
pub fn part_of(path: &Path) -> PathBuf {
    path.with_extension("part")
}

/// Writes a run line by line. Each line goes to the operating system at once.
pub struct Writer {
    /// the complete record
    path: PathBuf,
    /// the record so far
    part: PathBuf,
    file: File,
    length: u64,
}

impl Writer {
    /// Starts the record that will be `path`. What is there of an earlier, incomplete run is
    /// replaced.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Writer> {
        let part = part_of(path);
        // a new file: a link of that name, or the file of a process that lost this run, is not
        // written to
        let file = files::create(&part)?;
        let mut writer = Writer { path: path.into(), part, file, length: 0 };
        let written = writer.write(&RecordLine::Header(Box::new(header.clone())));
        written.inspect_err(|_| writer.abandon())?; // no half line stays
        Ok(writer)
    }

    /// Continues the record that will be `path` after its first `length` bytes.
    ///
    /// # Errors
    /// If the record so far is shorter, or cannot be read or written.
    pub fn resume(path: &Path, length: u64) -> Result<Writer> {
        let part = part_of(path);
        let mut kept = Vec::new();
        if !files::is_missing(&part) {
            let file = files::open(&part)?;
            file.take(length).read_to_end(&mut kept).map_err(Error::io("read", &part))?;
        }
        if (kept.len() as u64) < length {
            let expected = format!(
                "at least {length}, as at the checkpoint beside it; delete the checkpoint to start \
                 the run again"
            );
            return Err(Error::content(&part, format!("{} bytes", kept.len()), expected));
        }
        place_durably(&part, &[&kept])?;
        let file = OpenOptions::new().append(true).open(&part);
        let file = file.map_err(Error::io("write", &part))?;
        Ok(Writer { path: path.into(), part, file, length })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// For example, if the disk is full.
    pub fn write(&mut self, line: &RecordLine) -> Result<()> {
        let mut json = serde_json::to_string(line).map_err(Error::failed("write a record"))?;
        json.push('\n');
        self.file.write_all(json.as_bytes()).map_err(Error::io("write", &self.part))?;
        self.length += json.len() as u64;
        Ok(())
    }

    /// The number of bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io("write", &self.part))
    }

    /// Makes it the complete record.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn finish(&self) -> Result<()> {
        fs::rename(&self.part, &self.path).map_err(Error::io("write", &self.path))?;
        sync_folder(&self.path);
        Ok(())
    }

    /// Deletes the record so far.
    pub fn abandon(&self) {
        let _ = fs::remove_file(&self.part);
    }
}
