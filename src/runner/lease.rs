//! A lease on a run: while it is held, no other process makes that run. It works on network file
//! systems, because it needs only that a file is created exclusively and renamed atomically.
//!
//! The lease is the file `NAME.lease` beside the record. It contains host and process, and its
//! holder writes to it every [`BEAT`]. A lease whose process has ended on this host, or that was
//! not written to for [`STALE`], is taken over. The holder notices that at the next beat, and
//! before it writes a point or a checkpoint.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::process::{Process, this_process};
use crate::error::{Error, Result};

/// How often a holder writes to its leases.
pub const BEAT: Duration = Duration::from_secs(10);
/// A lease that was not written to for this long is taken over.
pub const STALE: Duration = Duration::from_secs(120);

/// What a lease file contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    #[serde(flatten)]
    process: Process,
    /// different for every lease of a process
    number: u64,
    /// how often the holder has written to it; always the same number of digits
    beat: String,
}

impl Content {
    fn is_same_lease(&self, other: &Content) -> bool {
        (&self.process, self.number) == (&other.process, other.number)
    }

    fn write(&self, file: &mut File) -> std::io::Result<()> {
        file.write_all(serde_json::to_string(self)?.as_bytes())
    }
}

/// The leases of this process. A thread writes to them as long as this exists.
pub(super) struct Leases {
    held: Arc<Mutex<Vec<Arc<Held>>>>,
    beats: Option<(Sender<()>, JoinHandle<()>)>,
}

/// A lease that this process holds.
struct Held {
    path: PathBuf,
    content: Content,
    lost: AtomicBool,
}

/// The result of an attempt to get a lease.
pub(super) enum Attempt {
    /// this process holds it now
    Taken(Lease),
    /// another process holds it
    Busy(Holder),
}

/// Who holds a lease, in words.
pub(super) struct Holder(pub String);

impl Leases {
    pub fn new() -> Leases {
        let held: Arc<Mutex<Vec<Arc<Held>>>> = Arc::default();
        let (end, ended) = mpsc::channel::<()>();
        let all = held.clone();
        let thread = std::thread::Builder::new().name("leases".into()).spawn(move || {
            let mut beat = 0_u64;
            while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                beat += 1;
                // a copy, so that a slow disk does not keep others from the list
                let now: Vec<_> = locked(&all).clone();
                now.iter().for_each(|lease| lease.beat(beat));
            }
        });
        // without a thread, another process may take over after a while, which this one notices
        Leases { held, beats: thread.ok().map(|thread| (end, thread)) }
    }

    /// Gets the lease on the run of this record.
    pub fn take(&self, record: &Path) -> Result<Attempt> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let path = lease_of(record);
        let content = Content {
            process: this_process().clone(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            beat: digits(0),
        };
        if !create(&path, &content)? {
            let holder = match read(&path)? {
                None => return Ok(Attempt::Busy(Holder("another process".into()))),
                Some(found) => found,
            };
            if !holder.is_stale(SystemTime::now()) || !take_over(&path, &content)? {
                return Ok(Attempt::Busy(holder.words()));
            }
        }
        let held = Arc::new(Held { path, content, lost: AtomicBool::new(false) });
        locked(&self.held).push(held.clone());
        Ok(Attempt::Taken(Lease { held, all: self.held.clone() }))
    }

    /// Who makes the run of this record now, if anyone does.
    pub fn holder(record: &Path) -> Result<Option<Holder>> {
        let found = read(&lease_of(record))?;
        Ok(found.filter(|found| !found.is_stale(SystemTime::now())).map(|found| found.words()))
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.beats.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

/// A lease of this process, until it is dropped.
pub(super) struct Lease {
    held: Arc<Held>,
    all: Arc<Mutex<Vec<Arc<Held>>>>,
}

impl Lease {
    /// Whether another process has taken it over, as far as the last beat noticed.
    pub fn is_lost(&self) -> bool {
        self.held.lost.load(Ordering::Relaxed)
    }

    /// # Errors
    /// If another process has taken it over.
    pub fn check(&self) -> Result<()> {
        if self.held.is_ours() {
            Ok(())
        } else {
            Err(Error::LeaseLost { path: self.held.path.clone() })
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        locked(&self.all).retain(|held| !Arc::ptr_eq(held, &self.held));
        if self.held.is_ours() {
            let _ = fs::remove_file(&self.held.path);
        }
    }
}

impl Held {
    fn is_ours(&self) -> bool {
        let found = read(&self.path).ok().flatten().and_then(|found| found.content);
        let ours = found.is_some_and(|found| found.is_same_lease(&self.content));
        if !ours {
            self.lost.store(true, Ordering::Relaxed);
        }
        ours
    }

    /// Writes to the file, so that its time of change is now.
    fn beat(&self, beat: u64) {
        if self.is_ours() {
            let content = Content { beat: digits(beat), ..self.content.clone() };
            let file = OpenOptions::new().write(true).open(&self.path);
            let _ = file.and_then(|mut file| content.write(&mut file));
        }
    }
}

/// A lease file as it was found.
struct Found {
    /// `None` if its holder has not written it yet, or was killed in that moment
    content: Option<Content>,
    changed: SystemTime,
}

impl Found {
    /// Whether its holder has ended, or has not written to it for a long time. `now` is the time
    /// of the file system, if possible.
    fn is_stale(&self, now: SystemTime) -> bool {
        if self.content.as_ref().is_some_and(|content| content.process.has_ended()) {
            return true;
        }
        now.duration_since(self.changed).is_ok_and(|age| age > STALE)
    }

    fn words(&self) -> Holder {
        Holder(match &self.content {
            Some(Content { process, .. }) => process.to_string(),
            None => "another process".into(),
        })
    }
}

fn lease_of(record: &Path) -> PathBuf {
    record.with_extension("lease")
}

fn digits(beat: u64) -> String {
    format!("{beat:020}")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Creates a lease file. `false` if there is one.
fn create(path: &Path, content: &Content) -> Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        created => {
            let mut file = created.map_err(Error::io("create", path))?;
            let written = content.write(&mut file);
            written
                .inspect_err(|_| drop(fs::remove_file(path)))
                .map_err(Error::io("write", path))?;
            Ok(true)
        }
    }
}

/// `None` if there is no such file.
fn read(path: &Path) -> Result<Option<Found>> {
    let read = || -> std::io::Result<Found> {
        let text = fs::read_to_string(path)?;
        let changed = fs::metadata(path)?.modified()?;
        Ok(Found { content: serde_json::from_str(&text).ok(), changed })
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(Error::io("read", path)),
    }
}

/// Replaces a stale lease. Of several processes that try it at the same time, the one that creates
/// the file `NAME.takeover` succeeds. `false` if it was not this one.
fn take_over(path: &Path, content: &Content) -> Result<bool> {
    let mine = path.with_extension("takeover");
    if !create(&mine, content)? {
        // its process may have been killed between the two operations below
        let found = read(&mine)?;
        if found.is_some_and(|found| found.is_stale(SystemTime::now())) {
            let _ = fs::remove_file(&mine);
        }
        return Ok(false);
    }
    // the clock of this host may differ from that of the file system
    let now = read(&mine)?.map_or_else(SystemTime::now, |found| found.changed);
    let renamed = match read(path)? {
        Some(found) if found.is_stale(now) => fs::rename(&mine, path),
        _ => {
            let _ = fs::remove_file(&mine);
            return Ok(false);
        }
    };
    renamed.map_err(Error::io("write", path))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(leases: &Leases, record: &Path) -> Option<Lease> {
        match leases.take(record).unwrap() {
            Attempt::Taken(lease) => Some(lease),
            Attempt::Busy(_) => None,
        }
    }

    /// A lease of another host that was last written to at this time.
    fn of_another_host(record: &Path, changed: SystemTime) {
        let process = Process { host: "elsewhere".into(), ..this_process().clone() };
        let content = Content { process, number: 0, beat: digits(0) };
        let mut file = File::create(lease_of(record)).unwrap();
        content.write(&mut file).unwrap();
        file.set_modified(changed).unwrap();
    }

    #[test]
    fn a_run_has_one_lease_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("a.jsonl");
        let leases = Leases::new();
        let first = taken(&leases, &record).unwrap();
        assert!(taken(&leases, &record).is_none());
        assert!(Leases::holder(&record).unwrap().unwrap().0.contains("process"));
        drop(first);
        assert!(taken(&leases, &record).is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays");
    }

    #[test]
    fn the_lease_of_another_host_is_taken_over_once_it_is_stale() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("a.jsonl");
        let leases = Leases::new();
        of_another_host(&record, SystemTime::now() - STALE / 2);
        assert!(taken(&leases, &record).is_none());
        of_another_host(&record, SystemTime::now() - STALE * 2);
        let lease = taken(&leases, &record).unwrap();
        lease.check().unwrap();
        // the other process wakes up and takes it back: this one notices
        of_another_host(&record, SystemTime::now());
        assert!(lease.check().unwrap_err().to_string().contains("another process"));
        assert!(lease.is_lost());
        drop(lease);
        assert!(lease_of(&record).exists(), "the lease of another process is not removed");
    }

    #[test]
    fn of_many_that_take_over_a_stale_lease_one_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let leases = Leases::new();
        for round in 0..50 {
            let record = folder.path().join(format!("{round}.jsonl"));
            of_another_host(&record, SystemTime::now() - STALE * 2);
            let taken: Vec<Lease> = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    (0..8).map(|_| scope.spawn(|| taken(&leases, &record))).collect();
                threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(taken.len(), 1);
        }
    }
}
