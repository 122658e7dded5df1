//! Data in MNIST's layout: the bundled digits, or images and labels as IDX files.

use std::path::{Path, PathBuf};

use super::archive::FoundFiles;
use super::dataset::{Dataset, Examples, Inputs};
use super::idx::{self, Idx};
use crate::error::{Error, Result};

const CLASSES: usize = 10;

/// The names that a file may have; the first one that exists is read. They are the compressed name,
/// the plain name, and the plain name that some programs write.
type Names = [&'static str; 3];

macro_rules! names {
    ($what:literal, $rank:literal) => {
        [
            concat!($what, "-idx", $rank, "-ubyte.gz"),
            concat!($what, "-idx", $rank, "-ubyte"),
            concat!($what, ".idx", $rank, "-ubyte"),
        ]
    };
}

/// Images and labels of the training set, of the test set, or of both in one.
const PAIRS: [[Names; 2]; 3] = [
    [names!("train-images", "3"), names!("train-labels", "1")],
    [names!("t10k-images", "3"), names!("t10k-labels", "1")],
    [names!("images", "3"), names!("labels", "1")],
];
const TRAIN: [Names; 2] = PAIRS[0];
const TEST: [Names; 2] = PAIRS[1];
const ALL: [Names; 2] = PAIRS[2];
/// The index of the plain name.
const PLAIN: usize = 1;

/// All names that a file may have.
pub const FILES: &[&str] = PAIRS.as_flattened().as_flattened();

/// Whether the present files make a data set: training set and test set, or both in one.
pub(super) fn is_complete(has: &dyn Fn(&str) -> bool) -> bool {
    let pair = |pair: [Names; 2]| pair.iter().all(|names| names.iter().any(|name| has(name)));
    pair(TRAIN) && pair(TEST) || pair(ALL)
}

/// The first 10,000 training digits of MNIST, compiled into the program.
///
/// # Errors
/// Only if the program was built from a damaged file.
pub fn bundled() -> Result<Dataset> {
    const IMAGES: &[u8] = include_bytes!("../../datasets/mnist-10k/images-idx3-ubyte.gz");
    const LABELS: &[u8] = include_bytes!("../../datasets/mnist-10k/labels-idx1-ubyte.gz");
    let name = "mnist-10k";
    let [images, labels] = ALL.map(|names| Path::new(name).join(names[PLAIN]));
    split(name, Path::new(name), examples(&images, IMAGES, &labels, LABELS)?)
}

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`; or only `images-idx3-ubyte` and `labels-idx1-ubyte`, the last fifth of
/// which is the test set. Each file may be plain or end in `.gz`.
///
/// # Errors
/// If a file is missing, is not an IDX file of the right kind, or images and labels do not match.
pub fn read(name: &str, mut found: FoundFiles) -> Result<Dataset> {
    let path = found.path().to_path_buf();
    let Some((_, train)) = pair(&mut found, TRAIN)? else {
        let Some((_, all)) = pair(&mut found, ALL)? else {
            let [train, labels, all, all_labels] =
                [TRAIN[0], TRAIN[1], ALL[0], ALL[1]].map(|names| names[PLAIN]);
            let expected = format!(
                "{train}(.gz) with {labels}(.gz), and the same for t10k; or {all}(.gz) with \
                 {all_labels}(.gz)"
            );
            return Err(Error::content(path, "no such pair of files", expected));
        };
        return split(name, &path, all);
    };
    let Some((images, test)) = pair(&mut found, TEST)? else {
        let expected = format!("{}(.gz) and {}(.gz)", TEST[0][PLAIN], TEST[1][PLAIN]);
        return Err(Error::content(path, "training files without test files", expected));
    };
    if train.shape != test.shape {
        return Err(Error::content(
            images,
            format!("images of {:?}", test.shape),
            format!("the training images' size, {:?}", train.shape),
        ));
    }
    Ok(dataset(name, train, test))
}

fn dataset(name: &str, train: Examples, test: Examples) -> Dataset {
    let name = name.into();
    Dataset { name, classes: CLASSES, names: Vec::new(), train, test, fingerprint: None }
}

/// The first four fifths become the training set, the rest the test set.
fn split(name: &str, path: &Path, all: Examples) -> Result<Dataset> {
    if all.len() < 5 {
        return Err(Error::content(
            path,
            format!("{} images", all.len()),
            "at least 5, because a fifth becomes the test set",
        ));
    }
    let n = all.len() - all.len() / 5;
    Ok(dataset(name, all.slice(0..n), all.slice(n..all.len())))
}

/// The examples of a pair of files with the path of the images, or `None` if a file is missing.
fn pair(found: &mut FoundFiles, pair: [Names; 2]) -> Result<Option<(PathBuf, Examples)>> {
    let [images, labels] = pair.map(|names| names.into_iter().find(|name| found.has(name)));
    let (Some(images), Some(labels)) = (images, labels) else {
        return Ok(None);
    };
    let ((images_path, images), (labels_path, labels)) = (found.take(images)?, found.take(labels)?);
    let examples = examples(&images_path, &images, &labels_path, &labels)?;
    Ok(Some((images_path, examples)))
}

fn examples(
    images_path: &Path,
    images: &[u8],
    labels_path: &Path,
    labels: &[u8],
) -> Result<Examples> {
    let Idx { dims, bytes: pixels } = idx::read(images_path, images, 3)?;
    let labels = idx::read(labels_path, labels, 1)?.bytes;
    if dims.contains(&0) {
        return Err(Error::content(
            images_path,
            format!("images of {dims:?}"),
            "at least one image of at least one pixel",
        ));
    }
    if labels.len() != dims[0] {
        return Err(Error::content(
            labels_path,
            format!("{} labels", labels.len()),
            format!("one for each of the {} images", dims[0]),
        ));
    }
    if let Some(at) = labels.iter().position(|label| usize::from(*label) >= CLASSES) {
        return Err(Error::content(
            labels_path,
            format!("label {} at example {at}", labels[at]),
            format!("0 to {}", CLASSES - 1),
        ));
    }
    Ok(Examples {
        shape: dims[1..].to_vec(),
        inputs: Inputs::Pixels(pixels),
        labels: labels.into(),
    })
}
