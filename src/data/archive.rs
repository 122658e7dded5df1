//! Reads files by name, from a folder or from an untrusted tar.gz archive.
//!
//! An archive is not unpacked to the disk. It is read once, and only the files with requested names
//! are kept in memory. So no path of the archive is used, and no link is created. An archive is
//! rejected if a requested file is a link, if a requested file occurs twice, or if a path is
//! absolute or contains `..`. The size in a header is checked against the data, and the checksum at
//! the end is verified. A file may not be larger than 512 MiB, and the content may not be larger
//! than 4 GiB or than 64 times the archive (at least 64 MiB); both are checked before memory is allocated.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::error::{Error, Result};
use crate::files::{self, MAX_DATA};
use crate::memory::shown;

/// The largest content of a gzip file, for each of its bytes. MNIST has 5, reviews have 3; gzip
/// itself allows 1032.
const MAX_RATIO: u64 = 64;
/// This much content is accepted at any ratio.
const ANY_RATIO: u64 = 64 << 20;
/// The same for a gzip file inside an archive, which cannot be compressed again.
const MAX_NESTED_RATIO: u64 = 2;
const ANY_NESTED_RATIO: u64 = 1 << 20;
/// The largest file in an archive. The largest one of the known data sets has 153 MB.
const MAX_FILE: u64 = 512 << 20;
/// The first bytes of gzip.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The requested files that were found, with their contents.
#[derive(Debug)]
pub struct FoundFiles {
    path: PathBuf,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl FoundFiles {
    /// The folder or the archive.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file of this name was found.
    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Removes a file and returns its path, for error messages, and its content.
    ///
    /// # Errors
    /// If it was not found.
    pub fn take(&mut self, name: &str) -> Result<(PathBuf, Vec<u8>)> {
        match self.files.remove(name) {
            Some(bytes) => Ok((self.path.join(name), bytes)),
            None => Err(Error::content(&self.path, format!("no {name}"), format!("a file {name}"))),
        }
    }

    /// All files that were not taken: names and contents.
    pub fn into_files(self) -> BTreeMap<&'static str, Vec<u8>> {
        self.files
    }
}

/// The `wanted` files that are in a folder.
///
/// # Errors
/// If one of them exists but cannot be read.
pub fn folder(path: &Path, wanted: &[&'static str]) -> Result<FoundFiles> {
    let mut files = BTreeMap::new();
    for name in wanted {
        let file = path.join(name);
        if file.is_file() {
            files.insert(*name, files::read(&file, MAX_DATA)?);
        }
    }
    Ok(FoundFiles { path: path.into(), files })
}

/// The `wanted` files that are in a tar.gz archive, in any of its folders.
///
/// # Errors
/// If the archive is damaged or rejected.
pub fn tar_gz(path: &Path, wanted: &[&'static str]) -> Result<FoundFiles> {
    let file = files::open(path)?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    read(path, file, length, wanted)
}

/// Like [`tar_gz`], from any reader of `length` bytes; `path` is for errors.
///
/// # Errors
/// As [`tar_gz`].
pub fn read(
    path: &Path,
    file: impl Read,
    length: u64,
    wanted: &[&'static str],
) -> Result<FoundFiles> {
    let wrong = |found: String| unsound(path, found);
    let broken = |error: io::Error| wrong(format!("a broken archive ({error})"));
    let limit = unpacked_limit(length);
    let mut archive = Archive::new(MultiGzDecoder::new(file).take(limit));
    let mut found = BTreeMap::new();
    let mut left = limit;
    // raw entries: the tar crate would otherwise trust the archive's long names and sparse files
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if leads_out(&name) {
            return Err(wrong(format!("the path {name:?}, which points outside the archive")));
        }
        if is_metadata(entry.header().entry_type()) {
            continue;
        }
        let Some(wanted) = wanted.iter().find(|wanted| ends_with_path(&name, wanted)) else {
            continue;
        };
        let most = if name.ends_with(".gz") { nested_limit(length) } else { MAX_FILE };
        let bytes = content(path, &name, entry, most.min(left))?;
        left -= bytes.len() as u64;
        if found.insert(*wanted, bytes).is_some() {
            return Err(wrong(format!("{wanted} twice")));
        }
    }
    // gzip's checksum is at the end
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(broken)?;
    if rest.limit() == 0 {
        let found =
            format!("more than {} of content in an archive of {length} bytes", shown(limit));
        return Err(wrong(found));
    }
    Ok(FoundFiles { path: path.into(), files: found })
}

/// The largest content of a gzip file of `length` bytes. A file of zeros claims a thousand times its
/// size; data do not.
pub(super) fn unpacked_limit(length: u64) -> u64 {
    length.saturating_mul(MAX_RATIO).clamp(ANY_RATIO, MAX_DATA)
}

/// The largest gzip file in an archive of `length` bytes.
fn nested_limit(length: u64) -> u64 {
    length.saturating_mul(MAX_NESTED_RATIO).clamp(ANY_NESTED_RATIO, MAX_FILE)
}

fn unsound(path: &Path, found: String) -> Error {
    Error::content(path, found, "an intact tar.gz")
}

/// Whether a path is absolute or contains `..`.
fn leads_out(path: &str) -> bool {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !Path::new(path).components().all(inside)
}

/// Whether an entry describes the next entry. pax and GNU tar write such entries, with names that
/// may end in the name of the file.
fn is_metadata(kind: EntryType) -> bool {
    kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
        || kind.is_gnu_longname()
        || kind.is_gnu_longlink()
}

/// Whether the last components of `path` are `name`.
fn ends_with_path(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// The content of a wanted file, at most `most` bytes.
fn content(path: &Path, name: &str, mut entry: Entry<'_, impl Read>, most: u64) -> Result<Vec<u8>> {
    let wrong = |found: String| unsound(path, found);
    let broken = |error: io::Error| wrong(format!("a broken archive ({error})"));
    let kind = entry.header().entry_type();
    if !kind.is_file() {
        return Err(wrong(format!("{name} that is not a regular file ({kind:?})")));
    }
    let size = entry.header().size().map_err(broken)?;
    if size > most {
        let expected = format!("at most {} in an archive of this size", shown(most));
        return Err(Error::content(
            path.join(name),
            format!("a size of {}", shown(size)),
            expected,
        ));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 != size {
        return Err(wrong(format!("{} bytes of {name}, whose header says {size}", bytes.len())));
    }
    Ok(bytes)
}
