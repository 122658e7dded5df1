//! From a name or a path to a data set.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::archive::{self, Found, GZIP};
use super::known::{self, KNOWN, Known};
use super::prepare::{Prepare, Prepared};
use super::{BUNDLED, Dataset, Examples, cifar, imdb, mnist, text};
use crate::error::{Error, Result};
use crate::spec::unknown;

/// Whether a file of this name is there.
pub(super) type Has<'a> = dyn Fn(&str) -> bool + 'a;

/// What a folder or an archive may hold.
struct Layout {
    /// The known sets that have it.
    of: &'static [&'static str],
    /// Its official folder, if it has one.
    inside: &'static str,
    files: &'static [&'static str],
    /// Whether those that are there make a whole set: fewer may be something else beside one.
    whole: fn(&Has<'_>) -> bool,
    read: fn(&str, Found) -> Result<Dataset>,
}

const LAYOUTS: [Layout; 4] = [
    Layout { of: &["mnist", "fashion-mnist"], inside: "", files: mnist::FILES, whole: mnist::whole, read: mnist::read },
    Layout {
        of: &["cifar10"],
        inside: "cifar-10-batches-bin",
        files: &cifar::CIFAR10,
        whole: |has| cifar::CIFAR10[..6].iter().all(|file| has(file)),
        read: cifar::cifar10,
    },
    Layout {
        of: &["cifar100"],
        inside: "cifar-100-binary",
        files: &cifar::CIFAR100,
        whole: |has| cifar::CIFAR100[..2].iter().all(|file| has(file)),
        read: cifar::cifar100,
    },
    Layout {
        of: &["imdb"],
        inside: "aclImdb",
        files: &imdb::FILES,
        whole: |has| imdb::FILES.iter().all(|file| has(file)),
        read: imdb::read,
    },
];

const EXPECTED: &str = "the files of MNIST (train-images-idx3-ubyte and so on, plain or .gz), of CIFAR-10 or CIFAR-100 (data_batch_1.bin, train.bin \
                        and so on), of aclImdb (its bags of words), a .tar.gz of one of these, or one .csv of labels and texts";

/// A data set by its name, or from a folder or file: a bundled one, one that [was fetched](super::known), or a path with the files
/// of MNIST, CIFAR or IMDB, a tar.gz of them, or a CSV of labels and texts. A name goes before a folder that is called so: that is `./NAME`.
/// What stands behind it [is done](super::prepare) to the data: `cifar10|gcn|zca:eps=0.1`.
///
/// # Errors
/// If there is none, or the files are damaged.
pub fn load(name_or_path: &str) -> Result<Dataset> {
    match split(name_or_path)? {
        (data, Some(prepare)) => prepare.of(plain(data)?),
        (data, None) => plain(data),
    }
}

/// The same, and of images that are prepared also the training part as it was before, with what prepares them: for who changes images in between.
///
/// # Errors
/// As [`load`].
pub fn load_both(name_or_path: &str) -> Result<(Dataset, Option<(Examples, Prepared)>)> {
    let (data, Some(prepare)) = split(name_or_path)? else { return Ok((plain(name_or_path)?, None)) };
    let data = plain(data)?;
    let images = data.train.are_pixels().then(|| data.train.clone());
    let (data, prepared) = prepare.fit(data)?;
    Ok((data, images.map(|images| (images, prepared))))
}

/// The same as they are, whatever stands behind them.
///
/// # Errors
/// As [`load`].
pub fn load_unprepared(name_or_path: &str) -> Result<Dataset> {
    plain(split(name_or_path)?.0)
}

/// The data, and what is to be done to them: a mistake in that is found before the data are read. The `|` of a file's name divides nothing.
fn split(name_or_path: &str) -> Result<(&str, Option<Prepare>)> {
    match name_or_path.split_once('|') {
        Some((data, line)) if !Path::new(name_or_path).exists() => Ok((data.trim(), Some(Prepare::read(line)?))),
        _ => Ok((name_or_path, None)),
    }
}

/// These data, and done to them what is done to others: `cifar10` like `mnist-10k|gcn` is `cifar10|gcn`. Data with a line of their own keep it.
pub fn like(data: &str, others: &str) -> String {
    match others.split_once('|') {
        Some((_, prepared)) if !data.contains('|') => format!("{data}|{prepared}"),
        _ => data.into(),
    }
}

fn plain(name_or_path: &str) -> Result<Dataset> {
    if let Some(bundled) = BUNDLED.iter().find(|bundled| bundled.name == name_or_path) {
        return (bundled.load)();
    }
    if let Some(known) = known::known(name_or_path) {
        let folder = known::folder()?.join(known.name);
        if !folder.is_dir() {
            return Err(Error::Asked(missing(known, &folder)));
        }
        return of_known(known, &folder);
    }
    // one of the user's own, which `downhill fetch NAME --from PATH` took
    let own = known::own();
    if let Some((_, folder)) = own.iter().find(|(name, _)| name == name_or_path) {
        return path(folder);
    }
    if !Path::new(name_or_path).exists() {
        let names = BUNDLED.iter().map(|bundled| bundled.name).chain(KNOWN.iter().map(|known| known.name));
        let names = names.chain(own.iter().map(|(name, _)| name.as_str()));
        return Err(Error::Spec(unknown("data set, folder or file", name_or_path, names)));
    }
    path(Path::new(name_or_path))
}

/// A known set that is in this folder, complete.
pub(super) fn of_known(known: &Known, folder: &Path) -> Result<Dataset> {
    let mut data = path(folder)?;
    let found = ([data.train.len(), data.test.len()], data.classes);
    let published = (known.examples, known.classes);
    if found != published {
        let told = |([train, test], classes): ([usize; 2], usize)| {
            format!("{train} examples to train on and {test} to test on, in {classes} classes")
        };
        return Err(Error::content(folder, told(found), format!("those of {}, {}", known.name, told(published))));
    }
    data.name = known.name.into();
    if data.names.is_empty() {
        data.names = known.names.iter().map(ToString::to_string).collect();
    }
    Ok(data)
}

fn missing(known: &Known, folder: &Path) -> String {
    let (name, size) = (known.name, known.size() as f64 / 1e6);
    let files: Vec<&str> = known.files.iter().map(|file| file.name).collect();
    let (from, what) = match files.as_slice() {
        [one] => (*one, "the file, wherever it is, or its unpacked folder".to_string()),
        all => ("DIR", format!("a folder with {}", all.join(", "))),
    };
    format!(
        "{name} is not in {}: found nothing, expected that it was brought there by `downhill fetch {name}` ({size:.0} MB), \
         or without a network by `downhill fetch {name} --from {from}` ({what})",
        folder.display()
    )
}

/// The data at a path, whatever it is.
pub(super) fn path(path: &Path) -> Result<Dataset> {
    let name = path.canonicalize().map_err(Error::io("open", path))?;
    let name = name.file_name().map_or("data".into(), |name| name.to_string_lossy().into_owned());
    match look(path, None)? {
        Holds::Files(layout, found) => (layout.read)(&name, found),
        Holds::Csv(file) => text::read(&name, &file, &fs::read(&file).map_err(Error::io("read", &file))?),
    }
}

/// The files of a data set: names and contents.
#[cfg(feature = "fetch")]
pub(super) type Files = Vec<(String, Vec<u8>)>;

/// The files of the data set `name` at a path, as they are to lie in a folder of their own; and the folder, archive or table that they are from.
#[cfg(feature = "fetch")]
pub(super) fn files(path: &Path, name: &str) -> Result<(PathBuf, Files)> {
    match look(path, Some(name))? {
        Holds::Files(layout, found) => {
            let place = found.place().to_path_buf();
            // an archive may hold more
            let own = found.rest().into_iter().filter(|(name, _)| layout.files.contains(name));
            Ok((place, own.map(|(name, bytes)| (name.to_string(), bytes)).collect()))
        }
        Holds::Csv(file) => {
            let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((file, vec![(name, bytes)]))
        }
    }
}

enum Holds {
    Files(&'static Layout, Found),
    Csv(PathBuf),
}

/// The layout of which there are files; where there are several whole sets, that of the known set `name`.
fn layout(path: &Path, name: Option<&str>, has: impl Fn(&Layout, &str) -> bool) -> Result<Option<&'static Layout>> {
    let found: Vec<&Layout> = LAYOUTS.iter().filter(|layout| layout.files.iter().any(|file| has(layout, file))).collect();
    if let Some(own) = found.iter().find(|layout| name.is_some_and(|name| layout.of.contains(&name))) {
        return Ok(Some(own));
    }
    let whole: Vec<&Layout> = found.iter().copied().filter(|layout| (layout.whole)(&|file| has(layout, file))).collect();
    if whole.len() > 1 {
        let sets: Vec<&str> = whole.iter().flat_map(|layout| layout.of).copied().collect();
        let found = format!("files of several data sets ({})", sets.join(", "));
        return Err(Error::content(path, found, "those of one, in a folder or an archive of their own"));
    }
    Ok(whole.first().or(found.first()).copied())
}

/// What a path holds, by the names of its files; where it may be several, the known set `name`.
fn look(path: &Path, name: Option<&str>) -> Result<Holds> {
    if !path.is_dir() {
        return look_at_file(path, name);
    }
    let files = |layout: &Layout, place: &Path| layout.files.iter().filter(|file| place.join(file).is_file()).count();
    let place = |layout: &Layout| [path.join(layout.inside), path.to_path_buf()].into_iter().max_by_key(|place| files(layout, place));
    let has = |layout: &Layout, file: &str| place(layout).is_some_and(|place| place.join(file).is_file());
    if let Some(layout) = layout(path, name, has)? {
        return Ok(Holds::Files(layout, archive::folder(&place(layout).unwrap_or_default(), layout.files)?));
    }
    // one file that may be all
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io("read", path))? {
        let entry = entry.map_err(Error::io("read", path))?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if [".csv", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending)) {
            files.push(entry);
        }
    }
    match files.as_slice() {
        [one] => look_at_file(one, name),
        [] => Err(Error::content(path, "no data in it", EXPECTED)),
        several => Err(Error::content(path, format!("{} files that may be meant", several.len()), "one; name the file itself")),
    }
}

fn look_at_file(path: &Path, name: Option<&str>) -> Result<Holds> {
    if mnist::FILES.iter().any(|file| path.file_name().is_some_and(|name| name == *file)) {
        return Err(Error::content(path, "one file of a data set in MNIST's layout", "the folder that holds all of them"));
    }
    let mut first = [0; 2];
    let filled = File::open(path).and_then(|mut file| file.read(&mut first)).map_err(Error::io("read", path))?;
    if filled == 2 && first == GZIP {
        let wanted: Vec<&str> = LAYOUTS.iter().flat_map(|layout| layout.files).copied().collect();
        let found = archive::tar_gz(path, &wanted)?;
        return match layout(path, name, |_, file| found.has(file))? {
            Some(layout) => Ok(Holds::Files(layout, found)),
            None => Err(Error::content(path, "an archive of other files", EXPECTED)),
        };
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        return Ok(Holds::Csv(path.into()));
    }
    Err(Error::content(path, "a file of another kind", EXPECTED))
}

#[cfg(all(test, feature = "fetch"))]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_only_archive_in_a_folder_are_from_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.tar.gz");
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        tar.append_data(&mut header, "train.bin", &[1u8, 2, 3][..]).unwrap();
        fs::write(&path, tar.into_inner().unwrap().finish().unwrap()).unwrap();
        let (place, files) = super::files(folder.path(), "cifar100").unwrap();
        assert_eq!((place, files), (path, vec![("train.bin".to_string(), vec![1, 2, 3])]));
    }
}
