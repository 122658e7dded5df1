//! One connection to a server, which receives as much of a file as possible.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use ureq::http::{HeaderName, Response};
use ureq::{Agent, Body};

use super::options::{FetchObserver, FetchOptions};
use crate::data::known::Official;
use crate::error::{Error, Result};
use crate::files::open_to_append;

/// The result of a connection.
pub(super) enum Transfer {
    /// All bytes are there.
    Complete,
    /// Another attempt may receive more.
    Interrupted(String),
    /// Another attempt at this address is useless.
    Refused(String),
}

/// An HTTP client with the timeouts of the options.
pub(super) fn agent(options: &FetchOptions) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("downhill/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(options.timeout))
        .timeout_connect(Some(options.timeout))
        .timeout_recv_response(Some(options.timeout))
        .timeout_per_read(Some(options.timeout))
        .build()
        .into()
}

/// Appends to the partial file, or restarts it if the server does not resume.
pub(super) fn receive(
    agent: &Agent,
    address: &str,
    file: &Official,
    partial: &Path,
    observer: &impl FetchObserver,
) -> Result<Transfer> {
    let mut sink = Sink::open(partial)?;
    if sink.length == file.size {
        return Ok(Transfer::Complete);
    }
    if sink.length > file.size {
        sink.restart()?;
    }
    let mut request = agent.get(address);
    if sink.length > 0 {
        request = request.header("Range", format!("bytes={}-", sink.length));
    }
    let response = match request.call() {
        Ok(response) => response,
        Err(ureq::Error::Timeout(_)) => {
            return Ok(Transfer::Interrupted("no answer in time".into()));
        }
        Err(ureq::Error::Io(error)) if is_transient(error.kind()) => {
            return Ok(Transfer::Interrupted(error.to_string()));
        }
        Err(error) => return Ok(Transfer::Refused(error.to_string())),
    };
    if let Some(outcome) = check_head(&response, file, &mut sink)? {
        return Ok(outcome);
    }
    observer.started(file.name, file.size, sink.length);
    receive_body(response, file, &mut sink, observer)
}

/// Checks status and headers. Returns an outcome if the body is not needed.
fn check_head(
    response: &Response<Body>,
    file: &Official,
    sink: &mut Sink<'_>,
) -> Result<Option<Transfer>> {
    let header = |name: HeaderName| response.headers().get(name).and_then(|x| x.to_str().ok());
    let (size, length) = (file.size, sink.length);
    Ok(match response.status().as_u16() {
        200 => match header(CONTENT_LENGTH).filter(|found| found.parse() != Ok(size)) {
            Some(found) => {
                Some(Transfer::Refused(format!("a file of {found} bytes, expected {size}")))
            }
            None => {
                sink.restart()?;
                None
            }
        },
        206 => {
            let found = header(CONTENT_RANGE).unwrap_or_default();
            let expected = format!("bytes {length}-{}/{size}", size - 1);
            if found == expected {
                None
            } else {
                sink.restart()?;
                Some(Transfer::Interrupted(format!("the range {found:?}, expected {expected}")))
            }
        }
        416 => {
            sink.restart()?;
            Some(Transfer::Interrupted(format!("no bytes after {length}, expected {size}")))
        }
        500..600 => Some(Transfer::Interrupted(format!("status {}", response.status()))),
        _ => Some(Transfer::Refused(format!("status {}", response.status()))),
    })
}

fn receive_body(
    response: Response<Body>,
    file: &Official,
    sink: &mut Sink<'_>,
    observer: &impl FetchObserver,
) -> Result<Transfer> {
    let size = file.size;
    let mut body = response.into_body().into_reader();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match body.read(&mut chunk) {
            Ok(0) if sink.length == size => return Ok(Transfer::Complete),
            Ok(0) => {
                let received = sink.length;
                let problem = format!("an end after {received} of {size} bytes");
                return Ok(Transfer::Interrupted(problem));
            }
            Ok(n) if sink.length + n as u64 > size => {
                sink.restart()?;
                return Ok(Transfer::Refused(format!("more than the file's {size} bytes")));
            }
            Ok(n) => {
                sink.append(&chunk[..n])?;
                observer.received(sink.length);
            }
            Err(error) => {
                let received = sink.length;
                return Ok(Transfer::Interrupted(format!(
                    "a connection broken off after {received} of {size} bytes ({error})"
                )));
            }
        }
    }
}

/// The partial file.
struct Sink<'a> {
    path: &'a Path,
    file: File,
    length: u64,
}

impl Sink<'_> {
    fn open(path: &Path) -> Result<Sink<'_>> {
        let file = open_to_append(path)?;
        let length = file.metadata().map_err(Error::io("write", path))?.len();
        Ok(Sink { path, file, length })
    }

    fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).map_err(Error::io("write", self.path))?;
        self.length = 0;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Whether another attempt may succeed.
fn is_transient(kind: ErrorKind) -> bool {
    use ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, TimedOut, UnexpectedEof,
    };
    matches!(
        kind,
        BrokenPipe | ConnectionAborted | ConnectionReset | Interrupted | TimedOut | UnexpectedEof
    )
}
