//! Checkpoints that no run continues, because version, formula or plan have changed since.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;

use crate::record::Checkpoint;
use crate::task::Job;

/// A remark about the checkpoints beside these runs that have the name of one of them, except for
/// the key. `None` if there are none.
pub(super) fn remark<'a>(jobs: impl Iterator<Item = &'a Job>) -> Option<String> {
    let (mut stems, mut by_name, mut folder) = (HashSet::new(), HashMap::new(), None);
    for job in jobs {
        folder = job.path.parent();
        let stem = job.path.file_stem().unwrap_or_default();
        by_name.insert(without_key(stem), job);
        stems.insert(stem);
    }
    let files = std::fs::read_dir(folder?).ok()?; // there is nothing before the first run
    let mut outdated = Vec::new();
    for path in files.filter_map(|file| Some(file.ok()?.path())) {
        let stem = path.file_stem().unwrap_or_default();
        let is_checkpoint = path.extension().is_some_and(|extension| extension == "checkpoint");
        if is_checkpoint && !stems.contains(stem) {
            outdated.extend(by_name.get(&without_key(stem)).map(|job| (path.clone(), *job)));
        }
    }
    outdated.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (first, job) = outdated.first()?;
    let why = Checkpoint::difference(&first.with_extension("jsonl"), &job.identity()).ok()??;
    let others = match outdated.len() - 1 {
        0 => String::new(),
        others => format!(" (and {others} more)"),
    };
    Some(format!(
        "{}{others} stays as it is: it is {why}. This run starts at step 0",
        first.display()
    ))
}

/// The name of a record up to its key.
fn without_key(stem: &OsStr) -> String {
    let stem = stem.to_string_lossy();
    stem.rsplit_once('-').map_or_else(String::new, |(name, _)| name.to_string())
}
