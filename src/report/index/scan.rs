//! The result folders below a folder.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Result folders are at most this deep: `out/EXPERIMENT/SCALE-DATA-DEVICE`, and a few more.
const DEPTH: usize = 8;

/// Whether a folder contains the results of one experiment or training.
pub fn is_result(folder: &Path) -> Result<bool> {
    let has_records = |folder: &Path| -> Result<bool> {
        let is_record = |path: &PathBuf| {
            path.extension().is_some_and(|found| found == "jsonl" || found == "part")
        };
        Ok(entries(folder)?.iter().any(is_record))
    };
    let runs = folder.join("runs");
    Ok(folder.join("experiment.toml").is_file()
        || has_records(folder)?
        || (runs.is_dir() && has_records(&runs)?))
}

/// The result folders, sorted by their paths. Links and hidden folders are not followed.
pub fn results_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    for path in entries(folder)? {
        if !path.is_dir() || path.is_symlink() || is_hidden(&path) {
            continue;
        }
        if is_result(&path)? {
            found.push(path);
        } else if depth > 0 {
            collect(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = std::fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> =
        paths.collect::<std::io::Result<_>>().map_err(Error::io("read", folder))?;
    paths.sort();
    Ok(paths)
}

/// The path of a result folder below the folder of the index, with slashes.
pub fn relative(folder: &Path, result: &Path) -> String {
    let path = result.strip_prefix(folder).unwrap_or(result);
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}
