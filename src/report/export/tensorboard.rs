//! Event files of TensorBoard: records of TFRecord, each an `Event` of protobuf.

use std::path::Path;
use std::time::UNIX_EPOCH;

use super::Record;
use super::tidy::values;
use crate::error::Result;
use crate::files::place;

/// The name of the file of a run. A second export replaces it.
const FILE: &str = "events.out.tfevents.0.downhill";

/// Writes an event file for each run: FOLDER/EXPERIMENT/RUN. Returns the number of runs.
///
/// # Errors
/// If the folder cannot be written.
pub fn write_tensorboard(records: &[Record], folder: &Path) -> Result<usize> {
    for record in records {
        let header = &record.run.header;
        let name = header.file_name();
        let run = folder
            .join(header.experiment.replace(['/', '\\', '.'], "_"))
            .join(name.strip_suffix(".jsonl").unwrap_or(&name));
        place(&run.join(FILE), &events(record))?;
    }
    Ok(records.len())
}

/// The events of a run. Their clock starts when the run started, as far as the time of the file
/// says.
fn events(record: &Record) -> Vec<u8> {
    let modified = record.file.metadata().and_then(|metadata| metadata.modified()).ok();
    let end = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let length = record.run.points.last().map_or(0.0, |point| point.seconds);
    let start = end.map_or(0.0, |end| (end.as_secs_f64() - length).max(0.0));
    let mut file = framed(&version_event(start));
    for point in record.run.points.iter() {
        let scalars: Vec<Vec<u8>> = values(point).map(|(tag, value)| scalar(tag, value)).collect();
        file.extend(framed(&event(start + point.seconds, point.step, &scalars)));
    }
    file
}

/// `Event { wall_time: 1, file_version: 3 }`
fn version_event(time: f64) -> Vec<u8> {
    let mut event = double(1, time);
    event.extend(bytes(3, b"brain.Event:2"));
    event
}

/// `Event { wall_time: 1, step: 2, summary: 5 }`, where `Summary { value: 1 }`
fn event(time: f64, step: usize, scalars: &[Vec<u8>]) -> Vec<u8> {
    let mut event = double(1, time);
    event.extend(key(2, 0));
    event.extend(varint(step as u64));
    event.extend(bytes(5, &scalars.concat()));
    event
}

/// `Summary.Value { tag: 1, simple_value: 2 }`, as a field of `Summary`
fn scalar(tag: &str, value: f64) -> Vec<u8> {
    let mut own = bytes(1, tag.as_bytes());
    own.extend(key(2, 5));
    own.extend((value as f32).to_le_bytes());
    bytes(1, &own)
}

fn double(field: u64, value: f64) -> Vec<u8> {
    let mut encoded = key(field, 1);
    encoded.extend(value.to_le_bytes());
    encoded
}

fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    let mut encoded = key(field, 2);
    encoded.extend(varint(content.len() as u64));
    encoded.extend(content);
    encoded
}

/// Number and type of a field.
fn key(field: u64, wire_type: u64) -> Vec<u8> {
    varint(field << 3 | wire_type)
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while value >= 0x80 {
        encoded.push(value as u8 | 0x80);
        value >>= 7;
    }
    encoded.push(value as u8);
    encoded
}

/// A record of TFRecord: length, its checksum, the content, its checksum.
fn framed(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_checksum(&length));
    record.extend(content);
    record.extend(masked_checksum(content));
    record
}

/// The CRC-32C of a record is masked, because a file with checksums may be part of a record.
fn masked_checksum(content: &[u8]) -> [u8; 4] {
    crc32c::crc32c(content).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}
