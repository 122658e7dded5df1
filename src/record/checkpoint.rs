//! The checkpoint of a run that is not complete: `NAME.checkpoint` beside its record.
//!
//! The file starts with a line that names the format, then the sha256 of the rest. The rest is the
//! length of a JSON object in 8 bytes, that object, and the state of the training.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::header::Header;
use crate::error::{Error, Result};
use crate::files::{self, is_missing, place_durably};

const MAGIC: &[u8] = b"downhill checkpoint 1\n";
const HASH_LENGTH: usize = 32;
const LENGTH_LENGTH: usize = 8;

/// The largest checkpoint: larger than any file, because what was written has to be read again.
const MOST: u64 = 1 << 60;

/// What every error about a checkpoint recommends.
const START_AGAIN: &str = "delete it to start the run again";

/// The checkpoint beside the record `path`.
pub fn checkpoint_of(path: &Path) -> PathBuf {
    path.with_extension("checkpoint")
}

/// A checkpoint of a run.
#[derive(Debug, PartialEq)]
pub struct Checkpoint {
    /// which run it is
    pub run: RunIdentity,
    /// the length of the record at this moment, in bytes
    pub length: u64,
    /// the state of the training
    pub state: Vec<u8>,
}

/// What has to be equal for a run to continue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// settings, data, versions, and the fingerprint of the formula
    pub header: Header,
    /// whether the points contain diagnostics
    pub diagnose: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    run: RunIdentity,
    length: u64,
}

impl Checkpoint {
    /// Writes it beside the record `path`. At any moment, also after a loss of power, the file is
    /// the last checkpoint or this one.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn write(path: &Path, run: &RunIdentity, length: u64, state: &[u8]) -> Result<()> {
        let about = About { run: run.clone(), length };
        let about = serde_json::to_vec(&about).map_err(Error::failed("write a checkpoint"))?;
        let about_length = (about.len() as u64).to_le_bytes();
        let mut hash = Sha256::new();
        for part in [&about_length, about.as_slice(), state] {
            hash.update(part);
        }
        let parts = [MAGIC, &hash.finalize()[..], &about_length, &about, state];
        place_durably(&checkpoint_of(path), &parts)
    }

    /// Reads the checkpoint beside the record `path`, if there is one.
    ///
    /// # Errors
    /// If it is damaged, of another version of the format, or of another run.
    pub fn read(path: &Path, run: &RunIdentity) -> Result<Option<Checkpoint>> {
        let path = checkpoint_of(path);
        if is_missing(&path) {
            return Ok(None);
        }
        of_run(&files::read(&path, MOST)?, run).map(Some).map_err(|found| {
            Error::content(path, found, format!("a checkpoint of this run; {START_AGAIN}"))
        })
    }

    /// Why the file beside the record `path` is not a checkpoint of this run. `None` if it is one.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn difference(path: &Path, run: &RunIdentity) -> Result<Option<String>> {
        let bytes = files::read(&checkpoint_of(path), MOST)?;
        Ok(of_run(&bytes, run).err())
    }
}

/// The checkpoint in a file if it is one of this run, or what it is instead.
fn of_run(bytes: &[u8], run: &RunIdentity) -> std::result::Result<Checkpoint, String> {
    let checkpoint = parse(bytes)?;
    match difference(&checkpoint.run, run) {
        None => Ok(checkpoint),
        Some(difference) => Err(difference),
    }
}

/// The content of a file, or what it is instead of a checkpoint.
fn parse(bytes: &[u8]) -> std::result::Result<Checkpoint, String> {
    let damaged = || "a checkpoint that was truncated or changed".to_string();
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(match bytes.starts_with(b"downhill checkpoint ") {
            true => "a checkpoint of another version of downhill".into(),
            false => "no checkpoint".into(),
        });
    };
    let (hash, content) = rest.split_at_checked(HASH_LENGTH).ok_or_else(damaged)?;
    if Sha256::digest(content)[..] != *hash {
        return Err(damaged());
    }
    let (length, rest) = content.split_at_checked(LENGTH_LENGTH).ok_or_else(damaged)?;
    let length = u64::from_le_bytes(length.try_into().map_err(|_| damaged())?);
    let length = usize::try_from(length).map_err(|_| damaged())?;
    let (about, state) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let About { run, length } = serde_json::from_slice(about)
        .map_err(|_| "a checkpoint of another version of downhill".to_string())?;
    Ok(Checkpoint { run, length, state: state.to_vec() })
}

/// The first field in which two runs differ, in words. Two kinds of processor are no difference
/// here: whether they may be mixed is decided where runs are listed.
fn difference(found: &RunIdentity, expected: &RunIdentity) -> Option<String> {
    let fields = |run: &RunIdentity| -> Map<String, Value> {
        let header = serde_json::to_value(&run.header).ok();
        let mut fields = header.and_then(|json| json.as_object().cloned()).unwrap_or_default();
        fields.remove("processor");
        fields.insert("diagnostics".into(), run.diagnose.into());
        fields
    };
    let (key, found, expected) = first_difference(&fields(found), &fields(expected))?;
    Some(format!("a checkpoint of another run, with {key} = {found} instead of {expected}"))
}

/// The first key, also of an object within, whose values differ.
fn first_difference(
    found: &Map<String, Value>,
    expected: &Map<String, Value>,
) -> Option<(String, Value, Value)> {
    let (key, value) = expected.iter().find(|(key, value)| found.get(*key) != Some(value))?;
    let other = found.get(key).unwrap_or(&Value::Null);
    let within = match (other, value) {
        (Value::Object(other), Value::Object(value)) => first_difference(other, value),
        _ => None,
    };
    Some(within.unwrap_or_else(|| (key.clone(), other.clone(), value.clone())))
}
