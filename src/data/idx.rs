//! IDX, the format of MNIST's files, plain or compressed with gzip.
//!
//! ```text
//! 2 bytes   0
//! 1 byte    number type (8: unsigned bytes)
//! 1 byte    number of dimensions
//! 4 bytes   each dimension, a big-endian u32
//! rest      the numbers
//! ```

use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::archive::{GZIP, unpacked_limit};
use crate::error::{Error, Result};
use crate::memory::shown;

/// A table of bytes.
#[derive(Debug, PartialEq)]
pub struct Idx {
    /// The dimensions. The first one is the number of examples.
    pub dims: Vec<usize>,
    /// The bytes in row-major order.
    pub bytes: Vec<u8>,
}

/// Reads IDX of unsigned bytes with `rank` dimensions; `path` is for errors only. It allocates no
/// more than `file` can contain.
///
/// # Errors
/// If the file is something else: it has a wrong magic number, too few bytes, or too many.
pub fn read(path: &Path, file: &[u8], rank: u8) -> Result<Idx> {
    let wrong = |found: String, expected: String| Error::content(path, found, expected);
    let is_gzip = file.starts_with(&GZIP);
    let mut reader: Box<dyn Read + '_> =
        if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(Cursor::new(file)) };
    let dims = read_dims(path, &mut reader, rank)?;
    let sizes = dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let length = file.len() as u64;
    let possible = if is_gzip { unpacked_limit(length) } else { length };
    let product = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    let Some(size) = product.filter(|size| *size as u64 <= possible) else {
        return Err(wrong(
            format!("a header that claims {sizes} numbers in a file of {length} bytes"),
            format!("at most {}, the largest content of such a file", shown(possible)),
        ));
    };
    let mut bytes = Vec::new(); // without capacity, because the header may claim too much
    reader.take(size as u64 + 1).read_to_end(&mut bytes).map_err(|error| {
        wrong(format!("broken gzip ({error}) after the header"), format!("{sizes} numbers"))
    })?;
    if bytes.len() != size {
        let found = if bytes.len() > size { "more".into() } else { bytes.len().to_string() };
        return Err(wrong(
            format!("{found} numbers after the header"),
            format!("{sizes} = {size}"),
        ));
    }
    Ok(Idx { dims, bytes })
}

/// Reads the header and returns the dimensions.
fn read_dims(path: &Path, reader: &mut dyn Read, rank: u8) -> Result<Vec<usize>> {
    let wrong = |found: String, expected: String| Error::content(path, found, expected);
    let mut header = vec![0; 4 + 4 * usize::from(rank)];
    let filled = fill(reader, &mut header).map_err(|error| {
        wrong(format!("broken gzip ({error})"), "an IDX file, plain or gzip".into())
    })?;
    let magic = [0, 0, 8, rank];
    if filled < 4 || header[..4] != magic {
        let found = if filled < 4 {
            format!("{filled} bytes")
        } else {
            format!("the magic number {:02x?}", &header[..4])
        };
        let expected = format!(
            "an IDX file of unsigned bytes in {rank} dimensions, magic number {magic:02x?}"
        );
        return Err(wrong(found, expected));
    }
    if filled < header.len() {
        return Err(wrong(
            format!("{filled} bytes"),
            format!("a header of {} bytes", header.len()),
        ));
    }
    let dims = header[4..].chunks_exact(4);
    Ok(dims.map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize).collect())
}

/// Reads until the buffer is full or the input ends, and returns the number of bytes.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
