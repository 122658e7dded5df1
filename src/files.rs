//! Files: bounded reads, atomic writes, locks, hashes and searches.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::docs::hex;
use crate::error::{Error, Result};
use crate::memory::{available, shown};

/// The largest text that is read: an experiment, a command.
pub const MAX_TEXT: u64 = 16 << 20;
/// The largest file of data.
pub const MAX_DATA: u64 = 4 << 30;

/// Below this size it is not asked how much memory is left.
const SMALL: u64 = 16 << 20;

/// Opens a regular file to read it. Anything else is refused: a pipe may never end, and a device
/// never does.
///
/// # Errors
/// If there is no such file, or it is not a regular one.
pub fn open(path: &Path) -> Result<fs::File> {
    // asked before it is opened, because opening a pipe waits for a writer
    let found = fs::metadata(path).map_err(|error| match fs::read_link(path) {
        Ok(_) => Error::content(path, "a symbolic link to nothing", "a regular file"),
        Err(_) => Error::io("read", path)(error),
    })?;
    check_regular(path, &found)?;
    let file = fs::File::open(path).map_err(Error::io("read", path))?;
    check_regular(path, &file.metadata().map_err(Error::io("read", path))?)?;
    Ok(file)
}

fn check_regular(path: &Path, found: &fs::Metadata) -> Result<()> {
    match found.is_file() {
        true => Ok(()),
        false => Err(Error::content(path, kind(found.file_type()), "a regular file")),
    }
}

/// What a file that is not regular is.
fn kind(found: fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if found.is_fifo() {
            return "a pipe";
        } else if found.is_socket() {
            return "a socket";
        } else if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    match (found.is_dir(), found.is_symlink()) {
        (true, _) => "a folder",
        (_, true) => "a symbolic link",
        _ => "a special file",
    }
}

/// Opens a regular file of at most `most` bytes to read it.
///
/// # Errors
/// If it is not a regular file, or is larger.
pub fn open_at_most(path: &Path, most: u64) -> Result<fs::File> {
    let file = open(path)?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    match length > most {
        true => {
            let found = format!("a file of {}", shown(length));
            Err(Error::content(path, found, format!("at most {}", shown(most))))
        }
        false => Ok(file),
    }
}

/// Reads a regular file of at most `most` bytes into memory.
///
/// # Errors
/// If it is not a regular file, is larger, or does not fit into the available memory.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = open_at_most(path, most)?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    let too_large = |found: &str, expected: &str| {
        Err(Error::content(path, format!("a file of {found}"), expected))
    };
    let available = if length > SMALL { available() } else { None };
    if let Some(available) = available.filter(|available| length > *available) {
        let expected = format!("at most the {} of memory that are available", shown(available));
        return too_large(&shown(length), &expected);
    }
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(length as usize);
    reserved.map_err(Error::failed(format!("read {}", path.display())))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    match bytes.len() as u64 > most {
        true => too_large("a length that grows", &format!("at most {}", shown(most))),
        false => Ok(bytes),
    }
}

/// Reads a regular file of UTF-8 text, as [`read`] does.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::content(path, format!("a byte at {at} that is not UTF-8"), "UTF-8 text")
    })
}

/// Whether nothing has this name. A symbolic link to nothing is something.
pub fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Creates an empty file in place of what has this name. A symbolic link is replaced; the file that
/// it points to stays as it is.
///
/// # Errors
/// If the disk refuses.
pub fn create(path: &Path) -> Result<fs::File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("replace", path)(error)),
        _ => fs::File::create_new(path).map_err(Error::io("create", path)),
    }
}

/// Opens a file to write on in it, or creates it. A symbolic link is refused.
///
/// # Errors
/// If there is something other than a regular file, or the disk refuses.
#[cfg(feature = "fetch")]
pub fn open_to_append(path: &Path) -> Result<fs::File> {
    open_or_create(path, fs::OpenOptions::new().append(true), "write")
}

/// Opens what has this name with these options, or creates it. Nothing is created or opened
/// through a symbolic link.
fn open_or_create(path: &Path, options: &fs::OpenOptions, doing: &'static str) -> Result<fs::File> {
    let file = match fs::File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            check_regular(path, &fs::symlink_metadata(path).map_err(Error::io(doing, path))?)?;
            options.open(path)
        }
        created => created,
    };
    file.map_err(Error::io(doing, path))
}

/// Writes a file atomically: at any moment it has its old or its new content. Missing folders are
/// created.
///
/// # Errors
/// If the disk refuses.
pub fn place(path: &Path, content: &[u8]) -> Result<()> {
    place_written(path, |file| file.write_all(content))
}

/// As [`place`], with a function that writes the content.
///
/// # Errors
/// If the disk refuses, or the function fails.
pub fn place_written(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    // the message must not name the temporary file
    let plain = |error: std::io::Error| Error::io("write", path)(error.kind().into());
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(plain)?;
    write(temporary.as_file_mut()).map_err(Error::io("write", path))?;
    let file = temporary.persist(path).map_err(|error| plain(error.error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // only the owner can read a temporary file; a result is for everyone
        file.set_permissions(fs::Permissions::from_mode(0o644))
            .map_err(Error::io("write", path))?;
    }
    Ok(())
}

/// Writes a file that only this process writes, and waits until it is on the disk: after a kill or
/// a loss of power it has its old or its new content. The new content is written to `PATH.new`
/// first, which the next call replaces. The content comes in parts, so that a large one needs no copy.
///
/// # Errors
/// If the disk refuses.
pub fn place_durably(path: &Path, parts: &[&[u8]]) -> Result<()> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    let new = new_of(path);
    let mut file = create(&new)?;
    let mut write = || {
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&new))).map_err(Error::io("write", path))?;
    sync_folder(path);
    Ok(())
}

/// Where [`place_durably`] writes first.
pub fn new_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".new");
    name.into()
}

/// Waits until the folder of this file is on the disk, and with it the new name of a file. Not
/// every system can do that for a folder, so it is not an error if it fails.
pub fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent() {
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Removes a file, if it exists.
///
/// # Errors
/// If the disk refuses.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::io("delete", path)),
    }
}

/// Creates a folder and its parents, where they are missing.
///
/// # Errors
/// If a file of that name exists, or the disk refuses.
pub fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| {
        match folder.ancestors().find(|parent| parent.is_file()) {
            Some(file) => Error::content(file, "a file", "a folder, or nothing"),
            None => Error::io("create", folder)(error),
        }
    })
}

/// A lock against other processes, released when it is dropped. The lock file remains, empty.
pub struct Lock(fs::File);

impl Lock {
    /// Locks this file, or returns `None` if another process has locked it. On a file system
    /// without locks it always succeeds.
    ///
    /// # Errors
    /// If the file cannot be created, or is not a regular one.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        let file = open_or_create(path, fs::OpenOptions::new().write(true), "lock")?;
        let is_locked = matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock));
        Ok(if is_locked { None } else { Some(Self(file)) })
    }
}

impl Drop for Lock {
    // Closing the file is not enough. If another thread is just starting a child process, that
    // process has a copy of the open file, and with it the lock, until it calls exec.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// The SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// If the file cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut file = open(path)?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(Error::io("read", path))? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&chunk[..n]),
        }
    }
}

/// All files with this extension in a folder and its subfolders, sorted by path; or the path itself
/// if it is not a folder.
///
/// # Errors
/// If a folder cannot be read.
pub fn below(path: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    if path.exists() && !path.is_dir() {
        return Ok(vec![path.into()]); // whoever reads it refuses what is not a regular file
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io("read", path))? {
        let entry = entry.map_err(Error::io("read", path))?.path();
        if entry.is_dir() && !entry.is_symlink() {
            files.extend(below(&entry, extension)?);
        } else if entry.extension().is_some_and(|found| found == extension) {
            files.push(entry);
        }
    }
    files.sort();
    Ok(files)
}
