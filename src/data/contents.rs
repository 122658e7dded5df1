//! What a path contains: files of a known layout, or a CSV file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::archive::{self, FoundFiles, GZIP};
use super::layout::{LAYOUTS, Layout};
use super::mnist;
use crate::error::{Error, Result};
use crate::files::open;

const EXPECTED: &str = "the files of MNIST (train-images-idx3-ubyte and so on, plain or .gz), of \
                        CIFAR-10 or CIFAR-100 (data_batch_1.bin, train.bin and so on), of aclImdb \
                        (its bags of words), a .tar.gz of one of these, or one .csv of labels and \
                        texts";

pub(super) enum Contents {
    /// The files of a layout.
    Files(&'static Layout, FoundFiles),
    /// The path of a CSV file.
    Csv(PathBuf),
}

impl Contents {
    /// What a path contains, according to the names of its files. If several data sets are there,
    /// the known set `name` is taken.
    pub fn of(path: &Path, name: Option<&str>) -> Result<Contents> {
        if path.is_dir() { of_folder(path, name) } else { of_file(path, name) }
    }
}

fn of_folder(path: &Path, name: Option<&str>) -> Result<Contents> {
    let has = |layout: &Layout, file: &str| folder_of(layout, path).join(file).is_file();
    if let Some(layout) = Layout::choose(path, name, has)? {
        let found = archive::folder(&folder_of(layout, path), layout.files)?;
        return Ok(Contents::Files(layout, found));
    }
    match candidates(path)?.as_slice() {
        [one] => of_file(one, name),
        [] => Err(Error::content(path, "no data set", EXPECTED)),
        several => Err(Error::content(
            path,
            format!("{} files that may contain data", several.len()),
            "one, or the path of one of them",
        )),
    }
}

/// The folder with more files of a layout: the path itself, or the official folder in it.
fn folder_of(layout: &Layout, path: &Path) -> PathBuf {
    let count =
        |folder: &PathBuf| layout.files.iter().filter(|file| folder.join(file).is_file()).count();
    let (official, itself) = (path.join(layout.folder), path.to_path_buf());
    if count(&official) > count(&itself) { official } else { itself }
}

/// The files of a folder that may contain a whole data set.
fn candidates(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if [".csv", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending)) {
            files.push(entry);
        }
    }
    Ok(files)
}

fn of_file(path: &Path, name: Option<&str>) -> Result<Contents> {
    if mnist::FILES.iter().any(|file| path.file_name().is_some_and(|name| name == *file)) {
        return Err(Error::content(
            path,
            "one file of a data set in MNIST's layout",
            "the folder that contains all of them",
        ));
    }
    let mut first = [0; 2];
    let filled = open(path)?.read(&mut first).map_err(Error::io("read", path))?;
    if filled == 2 && first == GZIP {
        let wanted: Vec<&str> = LAYOUTS.iter().flat_map(|layout| layout.files).copied().collect();
        let found = archive::tar_gz(path, &wanted)?;
        return match Layout::choose(path, name, |_, file| found.has(file))? {
            Some(layout) => Ok(Contents::Files(layout, found)),
            None => Err(Error::content(path, "an archive without these files", EXPECTED)),
        };
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        return Ok(Contents::Csv(path.into()));
    }
    Err(Error::content(path, "a file of an unknown format", EXPECTED))
}
