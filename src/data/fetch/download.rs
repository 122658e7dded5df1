//! Downloads one file, with retries and from several addresses.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;

use ureq::Agent;

use super::connection::{self, Transfer, receive};
use super::options::{FetchObserver, FetchOptions};
use crate::data::known::{KnownDataset, Official};
use crate::error::{DataError, Error, Result};
use crate::files::sha256;

/// An address is given up after this number of attempts without a byte.
const TRIES: usize = 3;
/// The largest number of connections to one address for one file.
const CONNECTIONS: usize = 100;

/// Downloads the files of a known data set to a folder.
pub(super) struct Download<'a, O> {
    known: &'a KnownDataset,
    folder: &'a Path,
    options: &'a FetchOptions,
    observer: &'a O,
    agent: Agent,
}

/// An address that did not provide the file, and why.
struct Refusal {
    address: String,
    reason: String,
}

impl<'a, O: FetchObserver> Download<'a, O> {
    pub fn new(
        known: &'a KnownDataset,
        folder: &'a Path,
        options: &'a FetchOptions,
        observer: &'a O,
    ) -> Self {
        Download { known, folder, options, observer, agent: connection::agent(options) }
    }

    /// Downloads one file from the first address that provides it. The result is complete and has
    /// the published SHA-256.
    pub fn file(&self, file: &Official) -> Result<PathBuf> {
        let complete = self.folder.join(file.name);
        if self.is_there(file, &complete)? {
            return Ok(complete);
        }
        let addresses = self.addresses(file);
        let mut refusals = Vec::new();
        for (i, address) in addresses.iter().enumerate() {
            let Some(reason) = self.from(address, file, &complete)? else {
                return Ok(complete);
            };
            if i + 1 < addresses.len() {
                self.observer.message(&format!("{address}: {reason}; trying the next address"));
            }
            refusals.push(Refusal { address: address.clone(), reason });
        }
        Err(self.failed(file, &refusals))
    }

    /// Whether the complete file exists, from an earlier call or from the user.
    fn is_there(&self, file: &Official, complete: &Path) -> Result<bool> {
        if !complete.is_file() {
            return Ok(false);
        }
        let found = sha256(complete)?;
        if found != file.sha256 {
            self.observer.message(&format!(
                "{}: its sha256 is {found}, expected {}; downloading it again",
                complete.display(),
                file.sha256
            ));
        }
        Ok(found == file.sha256)
    }

    fn addresses(&self, file: &Official) -> Vec<String> {
        if self.options.mirrors.is_empty() {
            return file.at.iter().map(|at| format!("{at}{}", file.name)).collect();
        }
        let mirrors = self.options.mirrors.iter();
        mirrors
            .map(|at| format!("{}/{}/{}", at.trim_end_matches('/'), self.known.name, file.name))
            .collect()
    }

    /// Downloads a file from one address. Returns the reason if the address is given up.
    fn from(&self, address: &str, file: &Official, complete: &Path) -> Result<Option<String>> {
        let partial = self.folder.join(format!("{}.part", file.name));
        let length = || fs::metadata(&partial).map_or(0, |found| found.len());
        let (mut idle, mut connections) = (0, 0);
        loop {
            let before = length();
            let reason = match receive(&self.agent, address, file, &partial, self.observer)? {
                Transfer::Refused(reason) => return Ok(Some(reason)),
                Transfer::Interrupted(reason) => reason,
                Transfer::Complete => {
                    let found = sha256(&partial)?;
                    if found == file.sha256 {
                        fs::rename(&partial, complete).map_err(Error::io("move", &partial))?;
                        return Ok(None);
                    }
                    fs::remove_file(&partial).map_err(Error::io("remove", &partial))?;
                    let reason = format!("wrong bytes, their sha256 is {found}");
                    if before == 0 {
                        return Ok(Some(reason));
                    }
                    reason // the wrong bytes may come from an earlier attempt
                }
            };
            connections += 1;
            idle = if length() > before { 0 } else { idle + 1 };
            if idle == TRIES || connections == CONNECTIONS {
                return Ok(Some(reason));
            }
            let from = length();
            self.observer.message(&format!("{address}: {reason}; trying again from byte {from}"));
            if idle > 0 {
                sleep(self.options.pause);
            }
        }
    }

    /// The error if no address provides a file.
    fn failed(&self, file: &Official, refusals: &[Refusal]) -> Error {
        // successive addresses with the same reason share an entry
        let reasons: Vec<String> = refusals
            .chunk_by(|a, b| a.reason == b.reason)
            .map(|same| {
                let addresses: Vec<&str> = same.iter().map(|it| it.address.as_str()).collect();
                format!("{}: {}", addresses.join(", "), same[0].reason)
            })
            .collect();
        let missing = self.known.files.iter().filter(|it| !self.folder.join(it.name).is_file());
        let missing =
            missing.map(|it| format!("{} ({} bytes, sha256 {})", it.name, it.size, it.sha256));
        DataError::Download {
            name: self.known.name.into(),
            file: file.name.into(),
            reasons,
            missing: missing.collect(),
            folder: self.folder.into(),
        }
        .into()
    }
}
