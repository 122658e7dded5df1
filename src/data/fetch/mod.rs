//! Copies a data set into the data folder: from its official addresses, or from local files.
//!
//! ```text
//! CACHE/NAME.lock      locked while a process works on NAME
//! CACHE/NAME.part/     downloads: FILE.part grows and is resumed; FILE is complete and has the
//!                      published SHA-256
//! CACHE/NAME/          the data set, moved there in one rename after all of it was checked
//! ```
//!
//! Therefore `CACHE/NAME` is always complete, even if the process is killed. The server is not
//! trusted: lengths, ranges, the end of the answer and the bytes are all checked.

mod connection;
mod download;
mod files;
mod install;
mod options;

pub use files::{checksum_remark, fetch, import};
pub use install::Installed;
pub use options::{FetchObserver, FetchOptions};
