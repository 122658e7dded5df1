//! CIFAR-10 and CIFAR-100 in the binary version: colour images of 32 x 32. Each file is a sequence
//! of records.
//!
//! ```text
//! CIFAR-10:   1 byte class; 1024 bytes red, 1024 green, 1024 blue, row by row
//! CIFAR-100:  1 byte coarse class; 1 byte fine class; the same pixels
//! ```
//!
//! The label of CIFAR-100 is the fine class, one of 100.

use std::path::PathBuf;

use super::archive::FoundFiles;
use super::dataset::{Dataset, Examples, Inputs};
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

/// Reads CIFAR-10. The file with the names of the classes may be missing.
///
/// # Errors
/// If another file is missing, or a file is damaged.
pub fn cifar10(name: &str, mut found: FoundFiles) -> Result<Dataset> {
    let mut train = Records::new(1, 10);
    for batch in &CIFAR10[..5] {
        train.add(found.take(batch)?)?;
    }
    let mut test = Records::new(1, 10);
    test.add(found.take(CIFAR10[5])?)?;
    dataset(name, found, CIFAR10[6], train, test)
}

/// Reads CIFAR-100. The file with the names of the classes may be missing.
///
/// # Errors
/// If another file is missing, or a file is damaged.
pub fn cifar100(name: &str, mut found: FoundFiles) -> Result<Dataset> {
    let (mut train, mut test) = (Records::new(2, 100), Records::new(2, 100));
    train.add(found.take(CIFAR100[0])?)?;
    test.add(found.take(CIFAR100[1])?)?;
    dataset(name, found, CIFAR100[2], train, test)
}

fn dataset(
    name: &str,
    mut found: FoundFiles,
    names: &str,
    train: Records,
    test: Records,
) -> Result<Dataset> {
    let classes = train.classes;
    let names =
        if found.has(names) { class_names(found.take(names)?, classes)? } else { Vec::new() };
    Ok(Dataset {
        name: name.into(),
        classes,
        names,
        train: train.examples(),
        test: test.examples(),
        fingerprint: None,
    })
}

/// The names in a file with one name per line.
fn class_names((path, bytes): (PathBuf, Vec<u8>), classes: usize) -> Result<Vec<String>> {
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<String> = lines.take(classes + 1).map(String::from).collect();
    if names.len() != classes {
        return Err(Error::content(
            path,
            format!("{} names", names.len()),
            format!("{classes}, one per line"),
        ));
    }
    Ok(names)
}

/// The records that were read so far.
struct Records {
    /// Bytes before the pixels. The last of them is the class.
    label_bytes: usize,
    classes: usize,
    labels: Vec<u8>,
    pixels: Vec<u8>,
}

impl Records {
    fn new(label_bytes: usize, classes: usize) -> Records {
        Records { label_bytes, classes, labels: Vec::new(), pixels: Vec::new() }
    }

    fn add(&mut self, (path, bytes): (PathBuf, Vec<u8>)) -> Result<()> {
        let record = self.label_bytes + PIXELS;
        if bytes.is_empty() || bytes.len() % record != 0 {
            return Err(Error::content(
                path,
                format!("{} bytes", bytes.len()),
                format!("records of {record} bytes, at least one"),
            ));
        }
        let n = bytes.len() / record;
        self.labels.reserve_exact(n);
        self.pixels.reserve_exact(n * PIXELS);
        for (at, record) in bytes.chunks_exact(record).enumerate() {
            let label = record[self.label_bytes - 1];
            if usize::from(label) >= self.classes {
                return Err(Error::content(
                    path,
                    format!("class {label} in record {at}"),
                    format!("0 to {}", self.classes - 1),
                ));
            }
            self.labels.push(label);
            self.pixels.extend_from_slice(&record[self.label_bytes..]);
        }
        Ok(())
    }

    fn examples(self) -> Examples {
        Examples {
            shape: SHAPE.to_vec(),
            inputs: Inputs::Pixels(self.pixels),
            labels: self.labels.into(),
        }
    }
}
