//! IDX, the format of MNIST's files, plain or compressed by gzip.
//!
//! ```text
//! 2 bytes 0, 1 byte type (8: unsigned bytes), 1 byte number of dimensions, each dimension as a big-endian u32, then the numbers
//! ```

use std::io::{Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::archive::{GZIP, GZIP_AT_MOST};
use crate::error::{Error, Result};

/// A table of bytes.
#[derive(Debug, PartialEq)]
pub struct Idx {
    /// How many in each dimension, the first being the examples.
    pub dims: Vec<usize>,
    /// In row-major order.
    pub bytes: Vec<u8>,
}

/// Reads IDX of unsigned bytes with `rank` dimensions; `path` is for errors only. Nothing is allocated beyond what `file` can hold.
///
/// # Errors
/// On anything else than exactly that: a wrong magic number, too few bytes, too many.
pub fn read(path: &Path, file: &[u8], rank: u8) -> Result<Idx> {
    let wrong = |found: String, expected: String| Error::content(path, found, expected);
    let zipped = file.starts_with(&GZIP);
    let mut reader: Box<dyn Read + '_> = if zipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(Cursor::new(file)) };

    let mut header = vec![0; 4 + 4 * usize::from(rank)];
    let mut filled = 0;
    while filled < header.len() {
        match reader.read(&mut header[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) => return Err(wrong(format!("broken gzip ({error})"), "an IDX file, plain or gzip".into())),
        }
    }
    let magic = [0, 0, 8, rank];
    if filled < 4 || header[..4] != magic {
        let found = if filled < 4 { format!("{filled} bytes") } else { format!("the magic number {:02x?}", &header[..4]) };
        return Err(wrong(found, format!("an IDX file of unsigned bytes in {rank} dimensions, magic number {magic:02x?}")));
    }
    if filled < header.len() {
        return Err(wrong(format!("{filled} bytes"), format!("a header of {} bytes", header.len())));
    }
    let dims: Vec<usize> = header[4..].chunks_exact(4).map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize).collect();
    let possible = if zipped { file.len().saturating_mul(GZIP_AT_MOST) } else { file.len() };
    let sizes = dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    let Some(size) = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|size| *size <= possible) else {
        return Err(wrong(
            format!("a header that claims {sizes} numbers in a file of {} bytes", file.len()),
            "no more than it can hold".into(),
        ));
    };

    let mut bytes = Vec::new(); // not as many as a header claims: what is behind it decides
    reader
        .take(size as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(format!("broken gzip ({error}) behind the header"), format!("{sizes} numbers")))?;
    if bytes.len() != size {
        let found = if bytes.len() > size { "more".into() } else { bytes.len().to_string() };
        return Err(wrong(format!("{found} numbers behind the header"), format!("{sizes} = {size}")));
    }
    Ok(Idx { dims, bytes })
}
