//! The page over all experiments below a folder.

mod entry;
mod matrix;
mod scan;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::page::render;
use crate::error::{Error, Result};
use crate::files::place;
use crate::optim::Optimizers;

/// What an index contains.
pub struct Index {
    /// the page
    pub page: PathBuf,
    /// number of experiments on it
    pub experiments: usize,
    /// folders whose results cannot be read, with the reason
    pub damaged: Vec<(String, String)>,
}

/// Writes `index.html` into a folder: every result folder below it with a picture and its
/// verdicts, and each optimizer across the experiments. Folders that are no results are left out.
///
/// # Errors
/// If the folder is itself a result folder, or there is none below it.
pub fn write_index(folder: &Path, optimizers: &Optimizers) -> Result<Index> {
    if scan::is_result(folder)? {
        let expected = "a folder whose subfolders contain results; give the folder above it";
        return Err(Error::content(folder, "the results of one experiment", expected));
    }
    let (mut entries, mut damaged) = (Vec::new(), Vec::new());
    for result in scan::results_below(folder)? {
        let name = scan::relative(folder, &result);
        match entry::entry(&result, &name, optimizers) {
            Ok(entry) => entries.push(entry),
            Err(error) => damaged.push((name, error.to_string())),
        }
    }
    if entries.is_empty() && damaged.is_empty() {
        let expected = "subfolders with records (*.jsonl) or pages of `downhill run`";
        return Err(Error::content(folder, "no results", expected));
    }
    let text = render(
        "index.html",
        include_str!("index.html"),
        &json!({
            "version": env!("CARGO_PKG_VERSION"),
            "entries": entries,
            "matrix": matrix::rows(&entries, optimizers),
            "damaged": damaged,
        }),
    )?;
    let page = folder.join("index.html");
    place(&page, text.as_bytes())?;
    Ok(Index { page, experiments: entries.len(), damaged })
}
