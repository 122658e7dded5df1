//! Installs the files of a data set in its folder, completely or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::Dataset;
use crate::data::source::Files;
use crate::error::{Error, Result};
use crate::files::{self, Lock, make_folder};

/// A data set in its folder.
#[derive(Debug)]
pub struct Installed {
    /// `CACHE/NAME`.
    pub folder: PathBuf,
    /// The data set that the folder contains.
    pub data: Dataset,
    /// Whether it was there before.
    pub before: bool,
    /// Why the files may differ from the published ones, or `None` if they do not.
    pub remark: Option<String>,
}

/// Locks a data set for this process.
pub(super) fn lock(name: &str, cache: &Path) -> Result<Lock> {
    make_folder(cache)?;
    let path = cache.join(format!("{name}.lock"));
    let lock = Lock::take(&path)?
        .ok_or_else(|| Error::Locked { doing: format!("fetching {name}"), path })?;
    let (folder, old) = (cache.join(name), cache.join(format!("{name}.old")));
    if folder.exists() && !folder.is_dir() {
        return Err(Error::content(
            folder,
            "a file",
            "a folder, because the data are stored there",
        ));
    }
    // a process was killed between the two renames in `install`
    if old.is_dir() && !folder.exists() {
        fs::rename(&old, &folder).map_err(Error::io("move", &old))?;
    }
    Ok(lock)
}

/// Writes the files into a new folder, reads the data set there, and moves the folder to
/// `CACHE/NAME`. Errors name the folder or file `from` which the files come.
pub(super) fn install(
    name: &str,
    from: &Path,
    content: Files,
    cache: &Path,
    read: impl Fn(&Path) -> Result<Dataset>,
) -> Result<Installed> {
    let ready = cache.join(format!("{name}.ready"));
    remove(&ready)?;
    let written = write(&ready, content).and_then(|()| {
        let data = read(&ready).map_err(|error| with_original_path(error, &ready, from))?;
        let folder = replace(name, &ready, cache)?;
        let data = Dataset { name: name.into(), ..data }; // not that of the folder `ready`
        Ok(Installed { folder, data, before: false, remark: None })
    });
    // on a full disk, nothing half written stays
    written.inspect_err(|_| drop(remove(&ready)))
}

fn write(folder: &Path, content: Files) -> Result<()> {
    content.files.into_iter().try_for_each(|(file, bytes)| files::place(&folder.join(file), &bytes))
}

/// Moves the folder `ready` to `CACHE/NAME`, which it returns.
fn replace(name: &str, ready: &Path, cache: &Path) -> Result<PathBuf> {
    let (folder, old) = (cache.join(name), cache.join(format!("{name}.old")));
    if folder.exists() {
        remove(&old)?;
        fs::rename(&folder, &old).map_err(Error::io("move", &folder))?;
    }
    let moved = fs::rename(ready, &folder).map_err(Error::io("move", ready));
    moved.inspect_err(|_| drop(fs::rename(&old, &folder)))?;
    remove(&old)?;
    Ok(folder)
}

/// Removes a folder, if there is one.
pub(super) fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::io("remove", folder))?;
    }
    Ok(())
}

/// Replaces the path of a copy in `ready` by the path of its original in `from`.
fn with_original_path(error: Error, ready: &Path, from: &Path) -> Error {
    let Error::Content { path, found, expected } = error else { return error };
    let is_from =
        |file: &Path| file.as_os_str().is_empty() || from.file_name() == Some(file.as_os_str());
    let file = path.strip_prefix(ready).ok().filter(|file| !is_from(file));
    // it is in the archive, or directly in the folder
    let original = file.map(|file| from.join(file)).filter(|file| from.is_file() || file.is_file());
    Error::Content { path: original.unwrap_or_else(|| from.into()), found, expected }
}
