//! The folder of an experiment's results.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::docs::hex;
use crate::error::{Error, Result};
use crate::experiment::{Experiment, Scale};
use crate::files::{make_folder, place};

/// The default folder of the results, without data and device.
pub fn default_folder(experiment: &Experiment, scale: Scale) -> PathBuf {
    Path::new("out").join(&experiment.name).join(scale.name())
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
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(Error::io("read", path)),
    }
}
