//! Errors of the TOML parser in plain words: with file, line, series and key, with the nearest key,
//! and without names of Rust types.

use std::path::Path;

use toml::de;

use crate::error::Error;
use crate::spec::unknown;

/// The error of the TOML parser for this text. `help` says where a whole file is.
pub(crate) fn explain(path: &Path, text: &str, error: &de::Error, help: &str) -> Error {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text[..start].matches('\n').count() + 1;
    let place = match table(text, start) {
        Some(table) => format!("{}, line {line}, {table}", path.display()),
        None => format!("{}, line {line}", path.display()),
    };
    let message = error.message().trim().lines().collect::<Vec<_>>().join(" ");
    if let Some((kind, found, known)) = unknown_name(&message) {
        return Error::from(unknown(kind, found, known)).at(place);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Error::content(place, format!("no {key}"), format!("this key; {help}"));
    }
    match mismatch(&message) {
        Some((found, expected)) => {
            let keys = [key(text, start), key_of_value(&text[start..], &found)];
            let place =
                keys.into_iter().flatten().fold(place, |place, key| format!("{place}, {key}"));
            Error::content(place, found, expected)
        }
        None => Error::failed(format!("read {place}"))(format!("{message}; {help}")),
    }
}

/// The series, claim or difference to which the text at this place belongs.
fn table(text: &str, at: usize) -> Option<String> {
    let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let before = &text[..line_end];
    let header = before.lines().map(str::trim_start).rfind(|line| line.starts_with('['))?;
    let kind = header.trim_start_matches('[').split(['.', ']']).next()?;
    let kinds = [("series", "label"), ("claim", "quote"), ("differs", "paper")];
    let (_, name) = kinds.into_iter().find(|(known, _)| *known == kind)?;
    let header = format!("[[{kind}]]");
    let block = &text[before.rfind(&header)?..];
    let block = &block[..block.find("\n[[").unwrap_or(block.len())];
    let mut keys = block.lines().filter_map(|line| line.split_once('='));
    let name = keys.find(|(key, _)| key.trim() == name).map(|(_, name)| name.trim().to_string());
    let name = name.unwrap_or_else(|| before.matches(&header).count().to_string());
    Some(format!("{kind} {name}"))
}

/// The key whose value is at this place.
fn key(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].trim_end().strip_suffix('=')?.trim_end();
    let is_key = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    let key = &before[before.trim_end_matches(is_key).len()..];
    (!key.is_empty()).then_some(key)
}

/// The key with this value in the table at the start of the text. The parser names only the table
/// of a task, because the field `kind` decides what its other fields may be.
fn key_of_value<'a>(text: &'a str, value: &str) -> Option<&'a str> {
    let is_header = |line: &&str| line.trim_start().starts_with('[');
    let table: Vec<&str> = match text.strip_prefix('{') {
        Some(inline) => inline.split('}').next().unwrap_or_default().split(',').collect(),
        None if text.starts_with('[') => {
            text.lines().skip_while(is_header).take_while(|line| !is_header(line)).collect()
        }
        None => Vec::new(),
    };
    let pairs = table.into_iter().filter_map(|line| line.split_once('='));
    let same = |found: &str| match value {
        "a list" => found.starts_with('['),
        "a table" => found.starts_with('{'),
        _ => found.trim_matches(['"', '\'']) == value,
    };
    let uncommented = |found: &'a str| found.split(" #").next().unwrap_or(found).trim();
    let mut keys = pairs.filter(|(_, found)| same(uncommented(found))).map(|(key, _)| key.trim());
    keys.next().filter(|_| keys.next().is_none())
}

/// What is unknown, its name, and the known names.
fn unknown_name(message: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    let kinds = [("unknown field ", "key"), ("unknown variant ", "value")];
    let (rest, kind) = kinds
        .into_iter()
        .find_map(|(prefix, kind)| message.strip_prefix(prefix).map(|rest| (rest, kind)))?;
    let mut names = rest.split('`').skip(1).step_by(2);
    Some((kind, names.next()?, names.collect()))
}

/// What was found, and what was expected instead, of a value that has the wrong type.
fn mismatch(message: &str) -> Option<(String, String)> {
    let (found, expected) = message.split_once(", expected ")?;
    if let Some(found) = found.strip_suffix(" as i128").or(found.strip_suffix(" as u128")) {
        let number = found.trim_start_matches(|c: char| c != '`').replace('`', "");
        return Some((number, "a number that 64 bits can hold".into()));
    }
    let found = match found.strip_prefix("invalid ")?.split_once(' ')? {
        ("length", length) => format!("{length} values"),
        ("type:" | "value:", value) => found_value(value),
        _ => return None,
    };
    Some((found, expected_type(expected)))
}

fn found_value(value: &str) -> String {
    match value {
        "map" => return "a table".into(),
        "sequence" => return "a list".into(),
        _ => {}
    }
    let kinds = ["string ", "integer ", "floating point ", "boolean "];
    let plain = kinds.into_iter().find_map(|kind| value.strip_prefix(kind));
    plain.unwrap_or(value).replace('`', "")
}

/// The type of a value in words.
fn expected_type(expected: &str) -> String {
    match expected {
        "usize" | "u64" | "u32" => "a whole number, 0 or above".into(),
        "i64" | "i32" => "a whole number".into(),
        "f64" | "f32" => "a number".into(),
        "a string" | "string" => "text in quotes".into(),
        "a boolean" => "true or false".into(),
        "a sequence" | "sequence" => "a list".into(),
        "a map" | "map" => "a table".into(),
        "string or map" | "string or table" | "variant identifier" => "a name in quotes".into(),
        _ => match expected.split_once(' ') {
            Some(("struct" | "tuple" | "internally" | "adjacently", _)) => "a table".into(),
            Some(("an", list)) if list.starts_with("array of length ") => {
                format!("a list of {} numbers", &list["array of length ".len()..])
            }
            _ => expected.into(),
        },
    }
}
