//! Data in MNIST's layout: the bundled digits, or images and labels as IDX files.

use std::path::{Path, PathBuf};

use super::archive::Found;
use super::idx::{self, Idx};
use super::source::Has;
use super::{Dataset, Examples, Inputs};
use crate::error::{Error, Result};

const CLASSES: usize = 10;

/// A file's names, the first that is there being taken: compressed, plain, and plain as some programs unpack it.
type Names = [&'static str; 3];

macro_rules! names {
    ($what:literal, $rank:literal) => {
        [concat!($what, "-idx", $rank, "-ubyte.gz"), concat!($what, "-idx", $rank, "-ubyte"), concat!($what, ".idx", $rank, "-ubyte")]
    };
}

/// Images and labels of each part, or of all in one.
const PAIRS: [[Names; 2]; 3] = [
    [names!("train-images", "3"), names!("train-labels", "1")],
    [names!("t10k-images", "3"), names!("t10k-labels", "1")],
    [names!("images", "3"), names!("labels", "1")],
];
const TRAIN: [Names; 2] = PAIRS[0];
const TEST: [Names; 2] = PAIRS[1];
const ALL: [Names; 2] = PAIRS[2];
/// Which of the names is plain.
const PLAIN: usize = 1;

/// Every name that one of the files may have.
pub const FILES: &[&str] = PAIRS.as_flattened().as_flattened();

/// Whether files of these names make a data set: both parts, or all in one.
pub(super) fn whole(has: &Has<'_>) -> bool {
    let pair = |pair: [Names; 2]| pair.iter().all(|names| names.iter().any(|name| has(name)));
    pair(TRAIN) && pair(TEST) || pair(ALL)
}

/// The first 10,000 training digits of MNIST, from inside the program.
///
/// # Errors
/// Never, unless the program was built from a changed file.
pub fn bundled() -> Result<Dataset> {
    const IMAGES: &[u8] = include_bytes!("../../datasets/mnist-10k/images-idx3-ubyte.gz");
    const LABELS: &[u8] = include_bytes!("../../datasets/mnist-10k/labels-idx1-ubyte.gz");
    let name = "mnist-10k";
    let all = examples(&Path::new(name).join(ALL[0][PLAIN]), IMAGES, &Path::new(name).join(ALL[1][PLAIN]), LABELS)?;
    split(name, Path::new(name), all)
}

/// The first of a file's names that was found.
fn find(found: &Found, names: Names) -> Option<&'static str> {
    names.into_iter().find(|name| found.has(name))
}

/// Files that are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, or
/// only `images-idx3-ubyte` and `labels-idx1-ubyte`, whose last fifth is then the test part. Each may be plain or end in `.gz`.
///
/// # Errors
/// If a file is missing, is no IDX file of the right kind, or images and labels do not fit together.
pub fn read(name: &str, mut found: Found) -> Result<Dataset> {
    let place = found.place().to_path_buf();
    let path = place.as_path();
    let mut read = |[images, labels]: [Names; 2]| -> Result<Option<(PathBuf, Examples)>> {
        let (Some(images), Some(labels)) = (find(&found, images), find(&found, labels)) else { return Ok(None) };
        let ((images, pixels), (labels, classes)) = (found.take(images)?, found.take(labels)?);
        let both = examples(&images, &pixels, &labels, &classes)?;
        Ok(Some((images, both)))
    };
    let Some((_, train)) = read(TRAIN)? else {
        let Some((_, all)) = read(ALL)? else {
            let [train, labels, all, all_labels] = [TRAIN[0], TRAIN[1], ALL[0], ALL[1]].map(|names| names[PLAIN]);
            let expected = format!("{train}(.gz) with {labels}(.gz), and the same for t10k; or {all}(.gz) with {all_labels}(.gz)");
            return Err(Error::content(path, "no such pair of files", expected));
        };
        return split(name, path, all);
    };
    let Some((images, test)) = read(TEST)? else {
        let expected = format!("{}(.gz) and {}(.gz)", TEST[0][PLAIN], TEST[1][PLAIN]);
        return Err(Error::content(path, "training files without test files", expected));
    };
    if train.shape != test.shape {
        return Err(Error::content(images, format!("images of {:?}", test.shape), format!("the training images' size, {:?}", train.shape)));
    }
    Ok(Dataset { name: name.into(), classes: CLASSES, names: Vec::new(), train, test, fingerprint: None })
}

/// The first four fifths to train on, the rest to test on.
fn split(name: &str, path: &Path, all: Examples) -> Result<Dataset> {
    if all.len() < 5 {
        return Err(Error::content(path, format!("{} images", all.len()), "at least 5, since a fifth becomes the test part"));
    }
    let at = all.len() - all.len() / 5;
    let (train, test) = (all.part(0..at), all.part(at..all.len()));
    Ok(Dataset { name: name.into(), classes: CLASSES, names: Vec::new(), train, test, fingerprint: None })
}

fn examples(images_path: &Path, images: &[u8], labels_path: &Path, labels: &[u8]) -> Result<Examples> {
    let Idx { dims, bytes: pixels } = idx::read(images_path, images, 3)?;
    let labels = idx::read(labels_path, labels, 1)?.bytes;
    if dims.contains(&0) {
        return Err(Error::content(images_path, format!("images of {dims:?}"), "at least one image of at least one pixel"));
    }
    if labels.len() != dims[0] {
        return Err(Error::content(labels_path, format!("{} labels", labels.len()), format!("one for each of the {} images", dims[0])));
    }
    if let Some(at) = labels.iter().position(|label| usize::from(*label) >= CLASSES) {
        return Err(Error::content(labels_path, format!("label {} at example {at}", labels[at]), format!("0 to {}", CLASSES - 1)));
    }
    Ok(Examples { shape: dims[1..].to_vec(), inputs: Inputs::Pixels(pixels), labels })
}
