//! Loads a data set by its name or path.

use std::path::Path;
#[cfg(feature = "fetch")]
use std::path::PathBuf;

use super::bundled::BUNDLED;
use super::contents::Contents;
use super::dataset::{Dataset, Examples};
use super::known::{self, KNOWN, KnownDataset};
use super::prepare::{Prepare, Prepared};
use super::{corpus, csv_numbers, text};
use crate::error::{DataError, Error, Result};
use crate::files::{MAX_DATA, read};
use crate::spec::unknown;

/// Loads a data set by name, or from a folder or file. The name is that of a bundled data set or of
/// one that [was fetched](super::known). A path contains the files of MNIST, CIFAR or IMDB, a
/// tar.gz of them, or a CSV file of labels and texts or numbers. A name takes precedence over a folder of the
/// same name; the folder is `./NAME`. A spec after the name [prepares](super::prepare) the data:
/// `cifar10|gcn|zca:eps=0.1`.
///
/// # Errors
/// If there is no such data set, or its files are damaged.
pub fn load(name_or_path: &str) -> Result<Dataset> {
    match split(name_or_path)? {
        (data, Some(prepare)) => prepare.of(unprepared(data)?),
        (data, None) => unprepared(data),
    }
}

/// Like [`load`]. For prepared images it also returns the unprepared training set with the fitted
/// preparations, so that a caller can augment the images before they are prepared.
///
/// # Errors
/// As [`load`].
pub fn load_both(name_or_path: &str) -> Result<(Dataset, Option<(Examples, Prepared)>)> {
    let (data, Some(prepare)) = split(name_or_path)? else {
        return Ok((unprepared(name_or_path)?, None));
    };
    let data = unprepared(data)?;
    let images = data.train.are_pixels().then(|| data.train.clone());
    let (data, prepared) = prepare.fit(data)?;
    Ok((data, images.map(|images| (images, prepared))))
}

/// Like [`load`], without the preparations that the spec names.
///
/// # Errors
/// As [`load`].
pub fn load_unprepared(name_or_path: &str) -> Result<Dataset> {
    unprepared(split(name_or_path)?.0)
}

/// Loads a CSV file of numbers, to predict one of its columns: the one of this name or number, or
/// else the last. The path may have [preparations](super::prepare) of the other columns:
/// `houses.csv|standardise`.
///
/// # Errors
/// If there is no such file, or it contains something else.
pub fn load_targets(name_or_path: &str, column: Option<&str>) -> Result<Dataset> {
    match split(name_or_path)? {
        (data, Some(prepare)) => prepare.of(unprepared_targets(data, column)?),
        (data, None) => unprepared_targets(data, column),
    }
}

fn unprepared_targets(name_or_path: &str, column: Option<&str>) -> Result<Dataset> {
    let own = known::own();
    let imported = own.iter().find(|(name, _)| name == name_or_path);
    let path = imported.map_or(Path::new(name_or_path), |(_, folder)| folder);
    let expected = "the path of a .csv of numbers";
    if !path.exists() {
        let has_classes = BUNDLED.iter().any(|bundled| bundled.name == name_or_path)
            || known::known(name_or_path).is_some();
        let found = if has_classes { "classes to predict" } else { "no such file" };
        return Err(Error::content(format!("data {name_or_path}"), found, expected));
    }
    match Contents::of(path, None)? {
        Contents::Files(..) => Err(Error::content(path, "classes to predict", expected)),
        Contents::Csv(file) => {
            let bytes = read(&file, MAX_DATA)?;
            csv_numbers::read_targets(&name_of(path)?, &file, &bytes, column)
        }
    }
}

/// Splits into the data and their preparations. An error in the preparations is found before the
/// data are read. A `|` in the name of an existing file does not split.
fn split(name_or_path: &str) -> Result<(&str, Option<Prepare>)> {
    match name_or_path.split_once('|') {
        Some((data, preparations)) if !Path::new(name_or_path).exists() => {
            Ok((data.trim(), Some(Prepare::read(preparations)?)))
        }
        _ => Ok((name_or_path, None)),
    }
}

/// Checks the preparations of data, without reading the data.
pub(crate) fn check(name_or_path: &str) -> Result<()> {
    split(name_or_path).map(|_| ())
}

/// These data with the preparations of other data: `cifar10` like `mnist-10k|gcn` is `cifar10|gcn`.
/// Data that have preparations keep them.
pub fn like(data: &str, others: &str) -> String {
    match others.split_once('|') {
        Some((_, preparations)) if !data.contains('|') => format!("{data}|{preparations}"),
        _ => data.into(),
    }
}

fn unprepared(name_or_path: &str) -> Result<Dataset> {
    if let Some(bundled) = BUNDLED.iter().find(|bundled| bundled.name == name_or_path) {
        return (bundled.load)();
    }
    if let Some(known) = known::known(name_or_path) {
        let folder = known::folder()?.join(known.name);
        if !folder.is_dir() {
            return Err(DataError::NotFetched {
                name: known.name.into(),
                folder,
                files: known.files.iter().map(|file| file.name.into()).collect(),
                bytes: known.size(),
            }
            .into());
        }
        return of_known(known, &folder);
    }
    let own = known::own();
    if let Some((_, folder)) = own.iter().find(|(name, _)| name == name_or_path) {
        return at_path(folder);
    }
    if corpus::check_name(name_or_path).is_ok() {
        let expected = "labelled examples; a text is for `gpt`";
        return Err(Error::content(format!("data {name_or_path}"), "a text", expected));
    }
    if !Path::new(name_or_path).exists() {
        let names =
            BUNDLED.iter().map(|bundled| bundled.name).chain(KNOWN.iter().map(|known| known.name));
        let names = names.chain(own.iter().map(|(name, _)| name.as_str()));
        return Err(Error::Spec(unknown("data set, folder or file", name_or_path, names)));
    }
    at_path(Path::new(name_or_path))
}

/// The known data set in this folder.
///
/// # Errors
/// If it is incomplete or damaged.
pub(super) fn of_known(known: &KnownDataset, folder: &Path) -> Result<Dataset> {
    let mut data = at_path(folder)?;
    let found = ([data.train.len(), data.test.len()], data.classes);
    let published = (known.examples, known.classes);
    if found != published {
        let text = |([train, test], classes): ([usize; 2], usize)| {
            format!("{train} examples to train on and {test} to test on, in {classes} classes")
        };
        return Err(Error::content(
            folder,
            text(found),
            format!("those of {}, {}", known.name, text(published)),
        ));
    }
    data.name = known.name.into();
    if data.names.is_empty() {
        data.names = known.names.iter().map(ToString::to_string).collect();
    }
    Ok(data)
}

/// The data set at a path.
pub(super) fn at_path(path: &Path) -> Result<Dataset> {
    let name = name_of(path)?;
    match Contents::of(path, None)? {
        Contents::Files(layout, found) => (layout.read)(&name, found),
        Contents::Csv(file) => {
            let bytes = read(&file, MAX_DATA)?;
            match csv_numbers::read_classes(&name, &file, &bytes)? {
                Some(numbers) => Ok(numbers),
                None => text::read(&name, &file, &bytes),
            }
        }
    }
}

/// The last component of a path.
fn name_of(path: &Path) -> Result<String> {
    let name = path.canonicalize().map_err(Error::io("open", path))?;
    Ok(name.file_name().map_or("data".into(), |name| name.to_string_lossy().into_owned()))
}

/// The files of a data set.
#[cfg(feature = "fetch")]
pub(super) struct Files {
    /// The folder, archive or CSV file that contains them.
    pub source: PathBuf,
    /// Names, as in the folder of a data set, and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

/// The files of the data set `name` at a path.
#[cfg(feature = "fetch")]
pub(super) fn files(path: &Path, name: &str) -> Result<Files> {
    match Contents::of(path, Some(name))? {
        Contents::Files(layout, found) => {
            let source = found.path().to_path_buf();
            // an archive may contain more
            let own =
                found.into_files().into_iter().filter(|(name, _)| layout.files.contains(name));
            let files = own.map(|(name, bytes)| (name.to_string(), bytes)).collect();
            Ok(Files { source, files })
        }
        Contents::Csv(file) => {
            let bytes = read(&file, MAX_DATA)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Files { source: file, files: vec![(name, bytes)] })
        }
    }
}

#[cfg(all(test, feature = "fetch"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_source_of_the_files_in_the_only_archive_of_a_folder_is_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.tar.gz");
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        tar.append_data(&mut header, "train.bin", &[1u8, 2, 3][..]).unwrap();
        fs::write(&path, tar.into_inner().unwrap().finish().unwrap()).unwrap();
        let Files { source, files } = super::files(folder.path(), "cifar100").unwrap();
        assert_eq!((source, files), (path, vec![("train.bin".to_string(), vec![1, 2, 3])]));
    }
}
