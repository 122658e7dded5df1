//! Files: written whole or not at all, found below a folder.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file so that at any moment the old or the new content is there, never a part. The folder is made if it is missing.
///
/// # Errors
/// If the disk refuses.
pub fn place(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    // without the name of the temporary file, which nobody asked for
    let plain = |error: std::io::Error| Error::io("write", path)(error.kind().into());
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(plain)?;
    beside.as_file_mut().write_all(content).map_err(Error::io("write", path))?;
    let file = beside.persist(path).map_err(|error| plain(error.error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // a temporary file is for its owner alone; a result is not
        file.set_permissions(fs::Permissions::from_mode(0o644)).map_err(Error::io("write", path))?;
    }
    Ok(())
}

/// Makes a folder and those above it, where they are missing.
///
/// # Errors
/// If a file is in the way, or the disk refuses.
pub fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| match folder.ancestors().find(|above| above.is_file()) {
        Some(file) => Error::content(file, "a file", "a folder, or nothing"),
        None => Error::io("create", folder)(error),
    })
}

/// Keeps other processes from what a file stands for, until it is dropped. The file stays, empty.
pub struct Lock(fs::File);

impl Lock {
    /// The lock of this file, or `None` while another process has it. A file system without locks is no reason not to work.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        let file = fs::File::create(path).map_err(Error::io("create", path))?;
        Ok(if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) { None } else { Some(Self(file)) })
    }
}

impl Drop for Lock {
    // Closing the file would do, but for a child process that another thread is just starting: until it has become another program it holds
    // a copy of the open file, and with it the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// All files with this extension below a folder, or the file itself, in the order of their names.
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
