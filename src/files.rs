//! Files: atomic writes, locks, hashes and searches.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::docs::hex;
use crate::error::{Error, Result};

/// Writes a file atomically: at any moment it has its old or its new content. Missing folders are
/// created.
///
/// # Errors
/// If the disk refuses.
pub fn place(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    // the message must not name the temporary file
    let plain = |error: std::io::Error| Error::io("write", path)(error.kind().into());
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(plain)?;
    temporary.as_file_mut().write_all(content).map_err(Error::io("write", path))?;
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
/// first, which the next call replaces.
///
/// # Errors
/// If the disk refuses.
pub fn place_durably(path: &Path, content: &[u8]) -> Result<()> {
    make_folder(path.parent().unwrap_or(Path::new(".")))?;
    let new = new_of(path);
    remove(&new)?; // if it is a link, its target is not written to
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(content)?;
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
    /// If the file cannot be created.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        // opened without truncating it, so a link of this name does no harm
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(Error::io("create", path))?;
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
    let mut file = fs::File::open(path).map_err(Error::io("open", path))?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(Error::io("read", path))? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&chunk[..n]),
        }
    }
}

/// All files with this extension in a folder and its subfolders, sorted by path; or the file itself
/// if the path is a file.
///
/// # Errors
/// If a folder cannot be read.
pub fn below(path: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.into()]);
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
