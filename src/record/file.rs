//! Reading a record file.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::curve::{CurvePoint, RunEnd};
use super::header::{FORMAT, Header};
use super::run::Run;
use crate::error::{Error, Result};
use crate::files;

/// The largest record. A point takes some hundred bytes.
const MAX_RECORD: u64 = 1 << 30;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum RecordLine {
    /// The first.
    Header(Box<Header>),
    /// One for each point.
    Point(CurvePoint),
    /// The last.
    End(RunEnd),
}

/// What a line that was cut should be.
const WHOLE: &str = "a whole record (the run was killed while writing; repeat it with `downhill run`, or \
                     delete the file)";

/// Reads a run.
///
/// # Errors
/// If a line is cut or is not a record. A file that ends between two lines is a run that is not
/// complete, which is no error. In a `.part` file, which another process may be writing, the last
/// line may be cut; it is left out.
pub fn read(path: &Path) -> Result<Run> {
    let mut file = BufReader::new(files::open_at_most(path, MAX_RECORD)?);
    let in_progress = path.extension().is_some_and(|extension| extension == "part");
    let (mut header, mut points, mut end): (Option<Header>, Vec<CurvePoint>, _) =
        (None, Vec::new(), None);
    let (mut known, mut names) = (Vec::new(), BTreeSet::new());
    // line by line, since a record may be larger than its points in memory
    let mut bytes = Vec::new();
    for number in 0.. {
        bytes.clear();
        if file.read_until(b'\n', &mut bytes).map_err(Error::io("read", path))? == 0 {
            break;
        }
        let line = &*String::from_utf8_lossy(&bytes);
        let place = || format!("{}, line {}", path.display(), number + 1);
        let wrong = |found: String, expected: &str| Error::content(place(), found, expected);
        if !line.ends_with('\n') {
            if in_progress && number > 0 {
                break;
            }
            let found = format!("a line that was cut after {} bytes", line.len());
            return Err(wrong(found, WHOLE));
        }
        if number == 0 {
            check_format(line).map_err(|found| wrong(found, &format!("format {FORMAT}")))?;
        }
        match (number, serde_json::from_str(line)) {
            (0, Ok(RecordLine::Header(first))) => {
                known = first.task.columns().iter().map(|measure| measure.name).collect();
                header = Some(*first);
            }
            (1.., Ok(RecordLine::Point(mut point))) if end.is_none() => {
                point.rename_measures(&known, &mut names);
                points.push(point);
            }
            (1.., Ok(RecordLine::End(last))) if end.is_none() => end = Some(last),
            (_, Ok(_)) => {
                let expected = "a header, then points, then one end";
                return Err(wrong("a record out of place".into(), expected));
            }
            (_, Err(error)) => {
                return Err(wrong(format!("no record ({error})"), "a line of a downhill run"));
            }
        }
    }
    let header: Header = header.ok_or_else(|| Error::content(path, "an empty file", "a header"))?;
    points.shrink_to_fit();
    Ok(Run { header, points: points.into(), end })
}

/// Fails with the format that was found if a header has another format. Other lines pass; they fail
/// later.
fn check_format(line: &str) -> std::result::Result<(), String> {
    #[derive(Deserialize)]
    struct Format {
        format: Option<u32>,
    }
    match serde_json::from_str::<Format>(line) {
        Ok(Format { format: Some(1) }) => Err(
            "record format 1 (convert it: cargo run --release --example convert_records -- DIR)"
                .into(),
        ),
        Ok(Format { format: Some(other) }) if other != FORMAT => {
            Err(format!("record format {other}"))
        }
        _ => Ok(()),
    }
}
