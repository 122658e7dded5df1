//! IDX files are not trusted. A truncated or changed file gives valid data or an error. Allocated
//! memory is bounded by the data that the file can contain.
#![cfg(feature = "lab")]

use std::io::Write;
use std::path::Path;

use downhill::lab::data::{self, idx};
use flate2::{Compression, write::GzEncoder};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Three images of 2 x 2.
fn images() -> Vec<u8> {
    let mut file = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2];
    file.extend(0..12u8);
    file
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn read(file: &[u8]) -> Result<idx::Idx, String> {
    idx::read(Path::new("images"), file, 3).map_err(|error| error.to_string())
}

#[test]
fn plain_and_compressed_files_give_equal_data() {
    let plain = read(&images()).unwrap();
    assert_eq!(plain.dims, [3, 2, 2]);
    assert_eq!(plain.bytes, (0..12).collect::<Vec<u8>>());
    assert_eq!(plain, read(&zipped(&images())).unwrap());
}

#[test]
fn every_truncation_is_rejected() {
    for file in [images(), zipped(&images())] {
        for length in 0..file.len() {
            // the last eight bytes of gzip are a checksum and a length; they are required too
            assert!(
                read(&file[..length]).is_err(),
                "{length} of {} bytes are accepted",
                file.len()
            );
        }
    }
}

#[test]
fn trailing_data_is_rejected() {
    for more in [1, 100, 100_000] {
        let mut file = images();
        file.extend(vec![0; more]);
        assert_eq!(
            read(&file).unwrap_err(),
            "images: found more numbers after the header, expected 3 x 2 x 2 = 12"
        );
        assert!(read(&zipped(&file)).is_err());
    }
}

#[test]
fn a_header_that_exceeds_the_file_size_is_rejected() {
    let mut file = images();
    file[4..16].fill(0xff);
    assert!(read(&file).unwrap_err().contains(
        "a header that claims 4294967295 x 4294967295 x 4294967295 numbers in a file of 28 bytes"
    ));
    file[4..16].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0, 1]);
    assert!(read(&zipped(&file)).unwrap_err().contains("claims"));
}

#[test]
fn ten_thousand_mutations_give_valid_data_or_errors() {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for original in [images(), zipped(&images())] {
        for _ in 0..10_000 {
            let mut file = original.clone();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..file.len());
                file[at] = random.random();
            }
            file.truncate(random.random_range(0..=file.len()));
            if let Ok(idx) = read(&file) {
                assert_eq!(idx.dims.iter().product::<usize>(), idx.bytes.len());
            }
        }
    }
}

#[test]
fn mismatched_images_and_labels_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let load = || {
        data::load(&folder.path().to_string_lossy())
            .map_err(|error| error.to_string().replace(&*folder.path().to_string_lossy(), "DIR"))
    };
    let labels = |labels: &[u8]| [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8], labels].concat();

    assert!(load().unwrap_err().starts_with(
        "DIR: found no data set, expected the files of MNIST (train-images-idx3-ubyte"
    ));
    write("images-idx3-ubyte", &images());
    write("labels-idx1-ubyte", &labels(&[1, 2]));
    assert_eq!(
        load().unwrap_err(),
        "DIR/labels-idx1-ubyte: found 2 labels, expected one for each of the 3 images"
    );
    write("labels-idx1-ubyte", &labels(&[1, 2, 10]));
    assert_eq!(
        load().unwrap_err(),
        "DIR/labels-idx1-ubyte: found label 10 at example 2, expected 0 to 9"
    );
    write("labels-idx1-ubyte", &images());
    assert!(load().unwrap_err().contains("magic number"));
    write("labels-idx1-ubyte", &labels(&[1, 2, 3]));
    assert_eq!(
        load().unwrap_err(),
        "DIR: found 3 images, expected at least 5, because a fifth becomes the test set"
    );
    write("train-images-idx3-ubyte.gz", &zipped(&images()));
    write("train-labels-idx1-ubyte", &labels(&[1, 2, 3]));
    assert!(load().unwrap_err().contains("training files without test files"));
}

#[test]
fn the_bundled_digits_have_the_sha256_in_the_readme() {
    use sha2::{Digest, Sha256};
    let readme = include_str!("../datasets/README.md");
    for file in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
        let bytes = std::fs::read(Path::new("datasets/mnist-10k").join(file)).unwrap();
        let sha: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(readme.contains(&sha), "{file} is {sha}");
    }
    let digits = data::load("mnist-10k").unwrap();
    assert_eq!((digits.train.len(), digits.test.len(), digits.classes), (8000, 2000, 10));
    let counts = [&digits.train, &digits.test].iter().flat_map(|part| part.labels.classes()).fold(
        [0; 10],
        |mut counts, label| {
            counts[*label as usize] += 1;
            counts
        },
    );
    assert_eq!(counts, [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);
}
