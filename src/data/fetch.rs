//! Bringing a data set to this machine: from its official addresses, or from files that are there already.
//!
//! ```text
//! CACHE/NAME.lock      held while a process works on NAME
//! CACHE/NAME.part/     files on their way: FILE.part grows and is resumed, FILE is complete and has the published SHA-256
//! CACHE/NAME/          the data set, read once to its end before one rename puts it there
//! ```
//!
//! So a process may be ended at any moment, and what is in `CACHE/NAME` is whole. A server is not believed: not its lengths, not that it
//! resumed where it was asked to, not that it ends, and not its bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE};

use super::known::{self, Known, Official};
use super::{BUNDLED, Dataset, source};
use crate::about::hex;
use crate::error::{Error, Result};
use crate::files::{Lock, make_folder};

/// Where from, and how patiently.
#[derive(Clone, Debug)]
pub struct Way {
    /// Addresses that stand before `NAME/FILE`, instead of the official ones.
    pub mirrors: Vec<String>,
    /// After so long without a byte, the connection is given up.
    pub silence: Duration,
    /// Between a try that brought nothing and the next.
    pub pause: Duration,
}

impl Default for Way {
    /// The mirrors that `DOWNHILL_MIRROR` names, or the official addresses; half a minute of silence.
    fn default() -> Way {
        let mirrors = std::env::var("DOWNHILL_MIRROR").unwrap_or_default();
        let mirrors = mirrors.split([',', ' ']).filter(|mirror| !mirror.is_empty()).map(String::from).collect();
        Way { mirrors, silence: Duration::from_secs(30), pause: Duration::from_secs(2) }
    }
}

/// Someone who follows the transfer.
pub trait Watch {
    /// A file of so many bytes begins at a byte that may not be the first.
    fn begins(&self, file: &str, size: u64, at: u64);
    /// So many bytes of it are there.
    fn at(&self, bytes: u64);
    /// Something that did not go well, and what follows.
    fn says(&self, text: &str);
}

/// A data set in its folder.
#[derive(Debug)]
pub struct Placed {
    /// `CACHE/NAME`.
    pub folder: PathBuf,
    /// What is in it.
    pub data: Dataset,
    /// Whether it was there before.
    pub before: bool,
    /// What speaks against its being the published set, if anything does.
    pub remark: Option<String>,
}

/// Tries that bring nothing before an address is given up.
const TRIES: usize = 3;
/// Connections to one address for one file.
const CONNECTIONS: usize = 100;

/// Brings a known set from its addresses into a folder of its name below `cache`. What is there already stays.
///
/// # Errors
/// If no address has the right files; the error says which file to put where. If another process is at it. If the disk refuses.
pub fn fetch(known: &Known, cache: &Path, way: &Way, watch: &impl Watch) -> Result<Placed> {
    let _lock = lock(known.name, cache)?;
    let folder = cache.join(known.name);
    if folder.is_dir() {
        match source::of_known(known, &folder) {
            Ok(data) => return Ok(Placed { folder, data, before: true, remark: None }),
            Err(error) => watch.says(&format!("{error}; it is brought again")),
        }
    }
    let part = cache.join(format!("{}.part", known.name));
    make_folder(&part)?;
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("downhill/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(way.silence))
        .timeout_connect(Some(way.silence))
        .timeout_recv_response(Some(way.silence))
        .timeout_per_read(Some(way.silence))
        .build()
        .into();
    let files: Vec<PathBuf> = known.files.iter().map(|file| bring(known, file, &part, &agent, way, watch)).collect::<Result<_>>()?;
    let whole = if let [one] = files.as_slice() { one } else { &part };
    let placed = put(known.name, whole, source::files(whole, known.name)?.1, cache, |folder| source::of_known(known, folder))?;
    fs::remove_dir_all(&part).map_err(Error::io("remove", &part))?;
    Ok(placed)
}

/// Takes files that are at a path, of any format that [`load`](super::load) reads, into a folder of this name below `cache`, in place of
/// what was there. A name that is not known becomes a data set of the user's own.
///
/// # Errors
/// If the files are damaged, or are not all of a known set; if the name is none for a data set, or another process is at it.
pub fn take(name: &str, from: &Path, cache: &Path) -> Result<Placed> {
    if !known::is_word(name) || BUNDLED.iter().any(|bundled| bundled.name == name) {
        let expected = "a word of letters, digits, `-` and `_` that is not the name of a bundled set";
        return Err(Error::Asked(format!("a data set cannot be called `{name}`, expected {expected}")));
    }
    let _lock = lock(name, cache)?;
    let ((place, files), known) = (source::files(from, name)?, known::known(name));
    let remark = known.map(|known| doubted(known, &place, &files)).transpose()?.flatten();
    let placed = put(name, from, files, cache, |folder| match known {
        Some(known) => source::of_known(known, folder),
        None => source::path(folder),
    })?;
    let placed = Placed { remark, ..placed };
    let part = cache.join(format!("{name}.part"));
    if part.is_dir() {
        fs::remove_dir_all(&part).map_err(Error::io("remove", &part))?;
    }
    Ok(placed)
}

/// What speaks against files from a folder or an archive being those of a known set, byte for byte: only packed ones can be compared with
/// what was published.
///
/// # Errors
/// If one cannot be read.
pub fn doubted(known: &Known, from: &Path, files: &[(String, Vec<u8>)]) -> Result<Option<String>> {
    let counts = format!("there are as many examples as {} has, but whether they are the same was not checked", known.name);
    let found: Vec<(&Official, String)> = match known.files {
        [one] if from.is_file() => vec![(one, sha256(from)?)],
        all => {
            let packed =
                |(name, bytes): &(String, Vec<u8>)| Some((all.iter().find(|file| file.name == name)?, hex(&Sha256::digest(bytes))));
            files.iter().filter_map(packed).collect()
        }
    };
    let other = found.iter().find(|(file, found)| file.sha256 != found);
    Ok(match other {
        Some((file, found)) => Some(format!("{}: found sha256 {found}, published is {}; {counts}", file.name, file.sha256)),
        None if found.len() < known.files.len() => Some(format!("unpacked files have no published sha256; {counts}")),
        None => None,
    })
}

/// Writes files into a new folder, reads it, and puts it in its place. They came `from` a folder or file, which errors name.
fn put(name: &str, from: &Path, files: Vec<(String, Vec<u8>)>, cache: &Path, read: impl Fn(&Path) -> Result<Dataset>) -> Result<Placed> {
    let [ready, old] = ["ready", "old"].map(|state| cache.join(format!("{name}.{state}")));
    let remove = |folder: &Path| if folder.exists() { fs::remove_dir_all(folder).map_err(Error::io("remove", folder)) } else { Ok(()) };
    remove(&ready)?;
    for (file, content) in files {
        crate::files::place(&ready.join(file), &content)?;
    }
    let mut data = read(&ready).map_err(|error| {
        drop(remove(&ready));
        match error {
            Error::Content { path, found, expected } => {
                let itself = |file: &&Path| file.as_os_str().is_empty() || from.file_name() == Some(file.as_os_str());
                let inside = path.strip_prefix(&ready).ok().filter(|file| !itself(file)).map(|file| from.join(file));
                let theirs = inside.filter(|file| from.is_file() || file.is_file()); // in an archive, or in this very folder
                Error::Content { path: theirs.unwrap_or_else(|| from.into()), found, expected }
            }
            other => other,
        }
    })?;
    data.name = name.into(); // not that of the folder it was read in
    let folder = cache.join(name);
    if folder.exists() {
        remove(&old)?;
        fs::rename(&folder, &old).map_err(Error::io("move", &folder))?;
    }
    fs::rename(&ready, &folder).map_err(Error::io("move", &ready))?;
    remove(&old)?;
    Ok(Placed { folder, data, before: false, remark: None })
}

/// Keeps other processes from the same set until it is dropped.
fn lock(name: &str, cache: &Path) -> Result<Lock> {
    make_folder(cache)?;
    let path = cache.join(format!("{name}.lock"));
    let lock = Lock::take(&path)?.ok_or_else(|| {
        Error::Asked(format!("another process is bringing {name} (it holds {}); expected to be the only one", path.display()))
    })?;
    let folder = cache.join(name);
    if folder.exists() && !folder.is_dir() {
        return Err(Error::content(folder, "a file", "a folder, or nothing: the data are to lie there"));
    }
    // whoever was killed between taking the old set away and putting the new one there left the old one so
    let [there, old] = [name.to_string(), format!("{name}.old")].map(|folder| cache.join(folder));
    if old.is_dir() && !there.exists() {
        fs::rename(&old, &there).map_err(Error::io("move", &old))?;
    }
    Ok(lock)
}

/// What came of one connection.
enum Came {
    /// All bytes are there.
    All,
    /// Some may have come, and there may be more.
    Cut(String),
    /// Nothing good will come from this address.
    Refused(String),
}

/// One file, complete and with the right bytes, from the first address that gives it.
fn bring(known: &Known, file: &Official, part: &Path, agent: &Agent, way: &Way, watch: &impl Watch) -> Result<PathBuf> {
    let whole = part.join(file.name);
    if whole.is_file() {
        match sha256(&whole)? {
            found if found == file.sha256 => return Ok(whole),
            found => watch.says(&format!("{}: its sha256 is {found}, expected {}; it is brought again", whole.display(), file.sha256)),
        }
    }
    let growing = part.join(format!("{}.part", file.name));
    let length = || fs::metadata(&growing).map_or(0, |found| found.len());
    let addresses: Vec<String> = match way.mirrors.is_empty() {
        true => file.at.iter().map(|at| format!("{at}{}", file.name)).collect(),
        false => way.mirrors.iter().map(|at| format!("{}/{}/{}", at.trim_end_matches('/'), known.name, file.name)).collect(),
    };
    let mut refusals = Vec::new();
    for address in &addresses {
        let (mut idle, mut connections) = (0, 0);
        let refusal = loop {
            let before = length();
            let reason = match receive(agent, address, file, &growing, watch)? {
                Came::All => {
                    let found = sha256(&growing)?;
                    if found == file.sha256 {
                        fs::rename(&growing, &whole).map_err(Error::io("move", &growing))?;
                        return Ok(whole);
                    }
                    fs::remove_file(&growing).map_err(Error::io("remove", &growing))?;
                    let reason = format!("wrong bytes, their sha256 is {found}");
                    if before == 0 {
                        break reason;
                    }
                    reason // the first part may have been the wrong one
                }
                Came::Refused(reason) => break reason,
                Came::Cut(reason) => reason,
            };
            connections += 1;
            idle = if length() > before { 0 } else { idle + 1 };
            if idle == TRIES || connections == CONNECTIONS {
                break reason;
            }
            watch.says(&format!("{address}: {reason}; trying again from byte {}", length()));
            if idle > 0 {
                sleep(way.pause);
            }
        };
        refusals.push((refusal, address));
        if refusals.len() < addresses.len() {
            watch.says(&format!("{address}: {}; asking the next address", refusals[refusals.len() - 1].0));
        }
    }
    // the same from all is said once
    let same = refusals.chunk_by(|(a, _), (b, _)| a == b).map(|same| {
        let addresses: Vec<&str> = same.iter().map(|(_, address)| address.as_str()).collect();
        format!("{}: {}", addresses.join(", "), same[0].0)
    });
    let refusals = same.collect::<Vec<_>>().join("; ");
    let missing = known.files.iter().filter(|other| !part.join(other.name).is_file());
    let missing: Vec<String> = missing.map(|file| format!("{} ({} bytes, sha256 {})", file.name, file.size, file.sha256)).collect();
    Err(Error::Asked(format!(
        "{} could not be brought ({refusals}); get {} in another way, into {}, and give the same command again, or say \
         `downhill fetch {} --from PATH` where the files are on this machine",
        file.name,
        missing.join(", "),
        part.display(),
        known.name,
    )))
}

/// One connection: appends to what has grown so far, or begins anew where the server does.
fn receive(agent: &Agent, address: &str, file: &Official, growing: &Path, watch: &impl Watch) -> Result<Came> {
    let disk = || Error::io("write", growing);
    let mut sink = OpenOptions::new().create(true).truncate(false).write(true).open(growing).map_err(disk())?;
    let mut have = sink.seek(SeekFrom::End(0)).map_err(disk())?;
    if have == file.size {
        return Ok(Came::All);
    }
    let anew = |sink: &mut File| sink.set_len(0).and_then(|()| sink.rewind()).map_err(disk());
    if have > file.size {
        anew(&mut sink)?;
        have = 0;
    }
    let mut request = agent.get(address);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(ureq::Error::Timeout(_)) => return Ok(Came::Cut("no answer in time".into())),
        Err(ureq::Error::Io(error)) if passing(error.kind()) => return Ok(Came::Cut(error.to_string())),
        Err(error) => return Ok(Came::Refused(error.to_string())),
    };
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    match response.status().as_u16() {
        200 => {
            if let Some(length) = header(CONTENT_LENGTH).filter(|length| length.parse() != Ok(file.size)) {
                return Ok(Came::Refused(format!("a file of {length} bytes, expected {}", file.size)));
            }
            anew(&mut sink)?;
            have = 0;
        }
        206 => {
            let range = header(CONTENT_RANGE).unwrap_or_default().to_string();
            if range != format!("bytes {have}-{}/{}", file.size - 1, file.size) {
                anew(&mut sink)?;
                return Ok(Came::Cut(format!("the range {range:?} of the file, expected bytes {have}-{}/{}", file.size - 1, file.size)));
            }
        }
        416 => {
            anew(&mut sink)?;
            return Ok(Came::Cut(format!("no bytes behind {have}, expected {}", file.size)));
        }
        500..600 => return Ok(Came::Cut(format!("status {}", response.status()))),
        _ => return Ok(Came::Refused(format!("status {}", response.status()))),
    }
    watch.begins(file.name, file.size, have);
    let mut body = response.into_body().into_reader();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match body.read(&mut chunk) {
            Ok(0) if have == file.size => return Ok(Came::All),
            Ok(0) => return Ok(Came::Cut(format!("an end after {have} of {} bytes", file.size))),
            Ok(n) => {
                have += n as u64;
                if have > file.size {
                    anew(&mut sink)?;
                    return Ok(Came::Refused(format!("more than the file's {} bytes", file.size)));
                }
                sink.write_all(&chunk[..n]).map_err(disk())?;
                watch.at(have);
            }
            Err(error) => return Ok(Came::Cut(format!("a connection broken off after {have} of {} bytes ({error})", file.size))),
        }
    }
}

/// Whether a try a moment later may go better.
fn passing(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, TimedOut, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | Interrupted | TimedOut | UnexpectedEof)
}

/// Of a whole file.
fn sha256(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).map_err(Error::io("read", path))? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&chunk[..n]),
        }
    }
}
