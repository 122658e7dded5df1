//! CIFAR-10 and CIFAR-100 in the binary version: colour images of 32 x 32, one file of records a batch.
//!
//! ```text
//! CIFAR-10:   1 byte class; 1024 bytes red, 1024 green, 1024 blue, row by row
//! CIFAR-100:  1 byte coarse class, 1 byte fine class; the same. The fine class, of 100, is used.
//! ```

use std::path::PathBuf;

use super::archive::Found;
use super::{Dataset, Examples, Inputs};
use crate::error::{Error, Result};

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;

/// The files of CIFAR-10.
pub const CIFAR10: [&str; 7] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
    "batches.meta.txt",
];
/// The files of CIFAR-100.
pub const CIFAR100: [&str; 3] = ["train.bin", "test.bin", "fine_label_names.txt"];

/// CIFAR-10 from its files; the names of the classes may be missing.
///
/// # Errors
/// If another file is missing, or damaged.
pub fn cifar10(name: &str, mut found: Found) -> Result<Dataset> {
    let mut train = Part::new(1, 10);
    for batch in &CIFAR10[..5] {
        train.add(found.take(batch)?)?;
    }
    let mut test = Part::new(1, 10);
    test.add(found.take(CIFAR10[5])?)?;
    dataset(name, found, CIFAR10[6], train, test)
}

/// CIFAR-100 from its files; the names of the classes may be missing.
///
/// # Errors
/// If another file is missing, or damaged.
pub fn cifar100(name: &str, mut found: Found) -> Result<Dataset> {
    let (mut train, mut test) = (Part::new(2, 100), Part::new(2, 100));
    train.add(found.take(CIFAR100[0])?)?;
    test.add(found.take(CIFAR100[1])?)?;
    dataset(name, found, CIFAR100[2], train, test)
}

fn dataset(name: &str, mut found: Found, names: &str, train: Part, test: Part) -> Result<Dataset> {
    let classes = train.classes;
    let names = if found.has(names) {
        let (path, bytes) = found.take(names)?;
        let text = String::from_utf8_lossy(&bytes);
        let names: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(classes + 1).map(String::from).collect();
        if names.len() != classes {
            return Err(Error::content(path, format!("{} names", names.len()), format!("{classes}, one a line")));
        }
        names
    } else {
        Vec::new()
    };
    Ok(Dataset { name: name.into(), classes, names, train: train.examples(), test: test.examples(), fingerprint: None })
}

/// Records read so far.
struct Part {
    /// Bytes before the pixels, the last of which is the class.
    before: usize,
    classes: usize,
    labels: Vec<u8>,
    pixels: Vec<u8>,
}

impl Part {
    fn new(before: usize, classes: usize) -> Part {
        Part { before, classes, labels: Vec::new(), pixels: Vec::new() }
    }

    fn add(&mut self, (path, bytes): (PathBuf, Vec<u8>)) -> Result<()> {
        let record = self.before + PIXELS;
        if bytes.is_empty() || bytes.len() % record != 0 {
            return Err(Error::content(path, format!("{} bytes", bytes.len()), format!("records of {record} bytes, at least one")));
        }
        let n = bytes.len() / record;
        self.labels.reserve_exact(n);
        self.pixels.reserve_exact(n * PIXELS);
        for (at, record) in bytes.chunks_exact(record).enumerate() {
            let label = record[self.before - 1];
            if usize::from(label) >= self.classes {
                return Err(Error::content(path, format!("class {label} in record {at}"), format!("0 to {}", self.classes - 1)));
            }
            self.labels.push(label);
            self.pixels.extend_from_slice(&record[self.before..]);
        }
        Ok(())
    }

    fn examples(self) -> Examples {
        Examples { shape: SHAPE.to_vec(), inputs: Inputs::Pixels(self.pixels), labels: self.labels }
    }
}
