//! The addresses and timeouts of a download, and the trait of its observer.

use std::time::Duration;

/// The source of a download and its timeouts.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Addresses to use in place of the official ones, with `/NAME/FILE` appended.
    pub mirrors: Vec<String>,
    /// A connection is closed if no byte arrives for this time.
    pub timeout: Duration,
    /// The pause before a retry if the last attempt received nothing.
    pub pause: Duration,
}

impl Default for FetchOptions {
    /// The mirrors in `DOWNHILL_MIRROR`, or the official addresses; a timeout of 30 seconds.
    fn default() -> FetchOptions {
        let mirrors = std::env::var("DOWNHILL_MIRROR").unwrap_or_default();
        let mirrors = mirrors
            .split([',', ' '])
            .filter(|mirror| !mirror.is_empty())
            .map(String::from)
            .collect();
        FetchOptions { mirrors, timeout: Duration::from_secs(30), pause: Duration::from_secs(2) }
    }
}

/// Observes a download.
pub trait FetchObserver {
    /// The download of a file of `size` bytes starts at byte `offset`.
    fn started(&self, file: &str, size: u64, offset: u64);
    /// This many bytes of the file have been received.
    fn received(&self, bytes: u64);
    /// A problem, and how the download continues.
    fn message(&self, text: &str);
}
