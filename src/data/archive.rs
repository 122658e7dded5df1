//! Files by their names, out of a folder, or out of a tar.gz that somebody else made.
//!
//! An archive is never unpacked as it wants: it is read from front to back, and of its entries only those whose names were asked for are
//! kept, in memory. So no path of it leads anywhere, and nothing is linked. A wanted name that is a link, or that is there twice, and any
//! path with `..` or from the root are refused. A size in a header is not believed, the checksum at the very end is read, and the whole
//! may not expand beyond what gzip can hold, nor beyond 4 GiB, and no file of it beyond 512 MiB.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::Archive;

use crate::error::{Error, Result};

/// No gzip stream expands further than this, so a file cannot claim more than it could hold.
pub(super) const GZIP_AT_MOST: usize = 1040;
const AT_MOST: u64 = 4 << 30;
/// The largest file that is wanted of any archive has 153 MB.
const FILE_AT_MOST: u64 = 512 << 20;
/// The first bytes of gzip.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The files that were found.
#[derive(Debug)]
pub struct Found {
    place: PathBuf,
    files: BTreeMap<&'static str, Vec<u8>>,
}

impl Found {
    /// The folder or the archive.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Whether a file of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Takes out a file that has to be there, with a path for errors.
    ///
    /// # Errors
    /// If it is not.
    pub fn take(&mut self, name: &str) -> Result<(PathBuf, Vec<u8>)> {
        match self.files.remove(name) {
            Some(bytes) => Ok((self.place.join(name), bytes)),
            None => Err(Error::content(&self.place, format!("no {name}"), format!("a file {name}"))),
        }
    }

    /// All that is left, with the names.
    pub fn rest(self) -> BTreeMap<&'static str, Vec<u8>> {
        self.files
    }
}

/// Those of the `wanted` files that are in a folder.
///
/// # Errors
/// If one is there and cannot be read.
pub fn folder(place: &Path, wanted: &[&'static str]) -> Result<Found> {
    let mut files = BTreeMap::new();
    for name in wanted {
        let path = place.join(name);
        if path.is_file() {
            files.insert(*name, fs::read(&path).map_err(Error::io("read", &path))?);
        }
    }
    Ok(Found { place: place.into(), files })
}

/// Those of the `wanted` files that are in a tar.gz, in whatever folder of it.
///
/// # Errors
/// If it is damaged, or of the kind that is refused.
pub fn tar_gz(path: &Path, wanted: &[&'static str]) -> Result<Found> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    read(path, file, length, wanted)
}

/// The same from any reader of `length` bytes; `path` is for errors.
///
/// # Errors
/// As [`tar_gz`].
pub fn read(path: &Path, file: impl Read, length: u64, wanted: &[&'static str]) -> Result<Found> {
    let wrong = |found: String| Error::content(path, found, "a sound tar.gz");
    let broken = |error: io::Error| wrong(format!("a broken archive ({error})"));
    let limit = length.saturating_mul(GZIP_AT_MOST as u64).min(AT_MOST);
    let mut archive = Archive::new(MultiGzDecoder::new(file).take(limit));
    let mut files = BTreeMap::new();
    // raw: long names and sparse files of other tars would be put together from what the archive says
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path_bytes().into_owned();
        let name = String::from_utf8_lossy(&name);
        if Path::new(&*name).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(wrong(format!("the path {name:?}, which leads out of the archive")));
        }
        // pax and GNU put what they know of a file before it, under a name that may end as the file's
        let kind = entry.header().entry_type();
        if kind.is_pax_local_extensions() || kind.is_pax_global_extensions() || kind.is_gnu_longname() || kind.is_gnu_longlink() {
            continue;
        }
        let Some(wanted) =
            wanted.iter().find(|wanted| name.strip_suffix(**wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')))
        else {
            continue;
        };
        if !kind.is_file() {
            return Err(wrong(format!("{name} as a link or worse ({kind:?})")));
        }
        let size = entry.header().size().map_err(broken)?;
        let mut bytes = Vec::new();
        if size > FILE_AT_MOST {
            return Err(wrong(format!("{name} of {size} bytes; no file of these is larger than {FILE_AT_MOST}")));
        }
        entry.read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 != size {
            return Err(wrong(format!("{} bytes of {name}, whose header says {size}", bytes.len())));
        }
        if files.insert(*wanted, bytes).is_some() {
            return Err(wrong(format!("{wanted} twice")));
        }
    }
    // the checksum of gzip stands at the end
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(broken)?;
    if rest.limit() == 0 {
        return Err(wrong(format!("more than {limit} bytes in it")));
    }
    Ok(Found { place: path.into(), files })
}
