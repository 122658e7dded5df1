//! The folder of an experiment's results.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::docs::hex;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::files::{Lock, MAX_TEXT, make_folder, place, read_text};

/// Keeps a second process out of a folder of records, as long as the lock is held.
pub(super) fn lock(folder: &Path) -> Result<Lock> {
    let taken = || {
        let expected = "to be the only one; wait for it, or give another --out";
        Error::content(folder, "another downhill process that writes here", expected)
    };
    Lock::take(&folder.join(".lock"))?.ok_or_else(taken)
}

/// Writes the experiment's file into a folder. A file that is there already with another text,
/// which someone may have changed by hand, is kept as `experiment-HASH.toml`.
///
/// # Errors
/// If the folder contains another experiment, or a file that is not an experiment, or cannot be
/// written.
pub fn claim_folder(folder: &Path, experiment: &Experiment) -> Result<()> {
    make_folder(folder)?;
    let toml = experiment.toml()?;
    let copy = folder.join("experiment.toml");
    let Some(text) = read_if_there(&copy)? else { return place(&copy, toml.as_bytes()) };
    if text == toml {
        return Ok(());
    }
    let expected = format!("the results of {}, or a new folder", experiment.name);
    match toml::from_str::<Experiment>(&text) {
        Err(_) => Err(Error::content(copy, "no experiment", expected)),
        Ok(other) if other.name != experiment.name => {
            Err(Error::content(folder, format!("the results of {}", other.name), expected))
        }
        Ok(_) => {
            let hash = &hex(&Sha256::digest(&text))[..8];
            place(&folder.join(format!("experiment-{hash}.toml")), text.as_bytes())?;
            place(&copy, toml.as_bytes())
        }
    }
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    read_text(path, MAX_TEXT).map(Some)
}
