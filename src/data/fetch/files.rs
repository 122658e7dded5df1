//! The two ways to get a data set: to download it, or to import local files.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::download::Download;
use super::install::{Installed, install, lock, remove};
use super::options::{FetchObserver, FetchOptions};
use crate::data::BUNDLED;
use crate::data::known::{self, KnownDataset, Official};
use crate::data::source;
use crate::docs::hex;
use crate::error::{Error, Result};
use crate::files::{make_folder, sha256};

/// Downloads a known data set into the folder `CACHE/NAME`. A complete data set that is already
/// there is kept.
///
/// # Errors
/// If no address provides the right files; the error says which file to put where. If another
/// process is fetching the same data set. If a file cannot be written.
pub fn fetch(
    known: &KnownDataset,
    cache: &Path,
    options: &FetchOptions,
    observer: &impl FetchObserver,
) -> Result<Installed> {
    let _lock = lock(known.name, cache)?;
    let folder = cache.join(known.name);
    if folder.is_dir() {
        match source::of_known(known, &folder) {
            Ok(data) => return Ok(Installed { folder, data, before: true, remark: None }),
            Err(error) => observer.message(&format!("{error}; downloading it again")),
        }
    }
    let part = cache.join(format!("{}.part", known.name));
    make_folder(&part)?;
    let download = Download::new(known, &part, options, observer);
    let files: Result<Vec<PathBuf>> = known.files.iter().map(|file| download.file(file)).collect();
    let files = files.inspect_err(|error| {
        // where no address has the file, the folder stays: the user is asked to put it there
        if matches!(error, Error::Io { .. }) {
            remove_empty(&part);
        }
    })?;
    let from = if let [one] = files.as_slice() { one } else { &part };
    let content = source::files(from, known.name)?;
    let read = |folder: &Path| source::of_known(known, folder);
    let installed = install(known.name, from, content, cache, read)?;
    remove(&part)?;
    Ok(installed)
}

/// Removes empty files, and then the folder if nothing is left to resume from.
fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.metadata().is_ok_and(|found| found.is_file() && found.len() == 0) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(folder); // fails if it is not empty
}

/// Imports the files at a path, in any format that [`load`](crate::data::load) reads, into the
/// folder `CACHE/NAME`. They replace a data set that is already there. An unknown name becomes the
/// name of the user's own data set.
///
/// # Errors
/// If the files are damaged, or are not all files of a known data set. If the name is not allowed.
/// If another process is fetching the same data set.
pub fn import(name: &str, from: &Path, cache: &Path) -> Result<Installed> {
    if !known::is_word(name) || BUNDLED.iter().any(|bundled| bundled.name == name) {
        let expected =
            "a word of letters, digits, `-` and `_` that is not the name of a bundled set";
        return Err(Error::value("the name of a data set", format!("`{name}`"), expected));
    }
    let _lock = lock(name, cache)?;
    let (content, known) = (source::files(from, name)?, known::known(name));
    let remark = match known {
        Some(known) => checksum_remark(known, &content.source, &content.files)?,
        None => None,
    };
    let installed = install(name, from, content, cache, |folder| match known {
        Some(known) => source::of_known(known, folder),
        None => source::at_path(folder),
    })?;
    let part = cache.join(format!("{name}.part"));
    if part.is_dir() {
        remove(&part)?;
    }
    Ok(Installed { remark, ..installed })
}

/// Why the files from a folder or an archive may differ from the published ones, or `None` if they
/// are the same byte for byte. Only compressed files have a published SHA-256.
///
/// # Errors
/// If a file cannot be read.
pub fn checksum_remark(
    known: &KnownDataset,
    from: &Path,
    files: &[(String, Vec<u8>)],
) -> Result<Option<String>> {
    let counts = format!(
        "the number of examples is that of {}, but their content was not checked",
        known.name
    );
    let found = published_files(known, from, files)?;
    let different = found.iter().find(|(official, found)| official.sha256 != found);
    Ok(match different {
        Some((official, found)) => Some(format!(
            "{}: found sha256 {found}, published is {}; {counts}",
            official.name, official.sha256
        )),
        None if found.len() < known.files.len() => {
            Some(format!("unpacked files have no published sha256; {counts}"))
        }
        None => None,
    })
}

/// The files that have a published SHA-256, with the SHA-256 that was found.
fn published_files(
    known: &KnownDataset,
    from: &Path,
    files: &[(String, Vec<u8>)],
) -> Result<Vec<(&'static Official, String)>> {
    if let [archive] = known.files
        && from.is_file()
    {
        return Ok(vec![(archive, sha256(from)?)]);
    }
    let official = |name: &str| known.files.iter().find(|official| official.name == name);
    let hashed = files
        .iter()
        .filter_map(|(name, bytes)| Some((official(name)?, hex(&Sha256::digest(bytes)))));
    Ok(hashed.collect())
}
