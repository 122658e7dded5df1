//! Copies a data set to this machine: from its official addresses, or from files that are there
//! already.
//!
//! ```text
//! CACHE/NAME.lock      locked while a process works on NAME
//! CACHE/NAME.part/     downloads: FILE.part grows and is resumed; FILE is complete and has the
//!                      published SHA-256
//! CACHE/NAME/          the data set, moved there in one rename after it was read completely
//! ```
//!
//! So the process may be killed at any moment, and `CACHE/NAME` is always complete. The server is
//! not trusted: its lengths, its ranges, the end of its answer and its bytes are all checked.

mod connection;
mod download;
mod files;
mod install;
mod options;

pub use files::{checksum_remark, fetch, import};
pub use install::Installed;
pub use options::{FetchObserver, FetchOptions};
