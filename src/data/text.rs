//! Labelled texts in a CSV file, as bags of words.
//!
//! ```text
//! sentiment,confidence,text
//! negative,0.7547,I just don't trust my life in google's hands
//! ```
//!
//! - **Header.** The first line is a header if it names a label (`label`, `sentiment`,
//!   `airline_sentiment`, ...) or a text (`text`, `review`, `review_text`, ...), and this name does
//!   not occur in its column again. Otherwise it is a header if its label occurs in no other line,
//!   and every other label occurs more than once. Each line equal to the header is a header too.
//! - **Columns.** A column that the header does not name is found by its content. The text is the
//!   column with the most letters. The label is the other column with the fewest different values,
//!   at least two.
//! - **Classes** are the different labels: numbers in numerical order, anything else in
//!   alphabetical order.
//! - **Words** are runs of letters and digits (as Unicode defines them) with apostrophes inside, in
//!   lower case. Everything else is a separator.
//! - **Training set and test set.** A text is in the test set if the first eight bytes of its
//!   SHA-256, read as a big-endian number, are divisible by five. So a text is always in the same
//!   set, whatever else the file contains, and never in both.
//! - **Vocabulary**: the 10,000 most frequent words of the training set. Of words of equal
//!   frequency, those that occur first are taken.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use csv::StringRecord;
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::labelled::Labelled;
use super::sparse::WORDS;
use super::text_columns::{Columns, is_repeated};
use crate::error::{Error, Result};

/// Labels that are distinguished. More are taken for a column that is no label.
const MAX_CLASSES: usize = 65_536;

/// Reads the texts of a CSV file; `path` is for errors.
///
/// # Errors
/// If it is not a table, or no column can be the label.
pub fn read(name: &str, path: &Path, file: &[u8]) -> Result<Dataset> {
    let wrong = |found: String, expected: &str| Error::content(path, found, expected);
    let mut rows = rows(path, file)?;
    let columns = Columns::of(&rows);
    // a file that was joined from several repeats the header
    let first = rows[0].clone();
    rows.retain(|row| !columns.has_header || !is_repeated(row, &first));

    let classes = classes(rows.iter().map(|row| row[columns.label].trim()));
    check_classes(path, classes.len(), rows.len(), columns.label)?;
    let Bags { train, test } = bags(path, &rows, &columns, &classes)?;
    let vocabulary = train.bags.largest(WORDS);
    if vocabulary.is_empty() || test.labels.is_empty() {
        return Err(wrong(
            format!("{} texts", rows.len()),
            "enough for a training set and a test set with words in them",
        ));
    }
    let mut names = vec![String::new(); classes.len()];
    classes.iter().for_each(|(label, class)| names[*class as usize] = (*label).to_string());
    Ok(Dataset {
        name: name.into(),
        classes: names.len(),
        names,
        train: train.examples(&vocabulary),
        test: test.examples(&vocabulary),
        fingerprint: None,
    })
}

/// The lines of the file, at least one, all with the same number of fields, at least two.
pub(super) fn rows(path: &Path, file: &[u8]) -> Result<Vec<StringRecord>> {
    let wrong = |found: String, expected: &str| Error::content(path, found, expected);
    let mut rows = Vec::new();
    for row in csv::ReaderBuilder::new().has_headers(false).from_reader(file).into_records() {
        rows.push(row.map_err(|error| {
            wrong(
                format!("an invalid CSV file ({error})"),
                "UTF-8 text with the same number of fields in each line",
            )
        })?);
    }
    if let Some(line) = unclosed_quotation(&rows, file) {
        let found = format!(
            "an unclosed quotation mark in the row that begins in line {line} and continues to the \
             end of the file"
        );
        return Err(wrong(
            found,
            "a closing quotation mark, or two quotation marks for a literal one",
        ));
    }
    let width = rows.first().map_or(0, StringRecord::len);
    if width < 2 {
        return Err(wrong(
            format!("{} lines of {width} columns", rows.len()),
            "at least two columns: a label and a text, or numbers",
        ));
    }
    Ok(rows)
}

/// The line in which the last row begins, if a quotation mark in it is not closed. Then a line that
/// is appended to the file becomes part of this row.
fn unclosed_quotation(rows: &[StringRecord], file: &[u8]) -> Option<u64> {
    let last = rows.last()?.position()?;
    let extended = file[last.byte() as usize..].chain(&b"\nline"[..]);
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(extended);
    (reader.into_byte_records().count() == 1).then_some(last.line())
}

pub(super) fn check_classes(path: &Path, classes: usize, rows: usize, label: usize) -> Result<()> {
    let wrong = |found: String, expected: &str| Err(Error::content(path, found, expected));
    let column = label + 1;
    if !(2..=MAX_CLASSES).contains(&classes) {
        let expected = format!("2 to {MAX_CLASSES}");
        return wrong(format!("{classes} different labels in column {column}"), &expected);
    }
    if 2 * classes > rows {
        return wrong(
            format!("{classes} different labels in the {rows} rows of column {column}"),
            "labels that occur in several rows",
        );
    }
    Ok(())
}

/// The class of each label.
pub(super) fn classes<'a>(labels: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u32> {
    let mut different: Vec<&str> = labels.collect::<HashSet<_>>().into_iter().collect();
    let value = |label: &str| label.parse::<f64>().ok().filter(|value| value.is_finite());
    if different.iter().all(|label| value(label).is_some()) {
        different.sort_by(|a, b| {
            value(a).partial_cmp(&value(b)).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b))
        });
    } else {
        different.sort_unstable();
    }
    different.into_iter().enumerate().map(|(class, label)| (label, class as u32)).collect()
}

/// The texts of the training set and of the test set.
struct Bags {
    train: Labelled,
    test: Labelled,
}

/// Counts the words of each text, with all words that occur as columns.
fn bags(
    path: &Path,
    rows: &[StringRecord],
    columns: &Columns,
    classes: &BTreeMap<&str, u32>,
) -> Result<Bags> {
    let mut ids: HashMap<String, u32> = HashMap::new();
    let mut bags = Bags { train: Labelled::new(0), test: Labelled::new(0) };
    for row in rows {
        let label = row[columns.label].trim();
        let Some(class) = classes.get(label).filter(|_| !label.is_empty()) else {
            let row = row.position().map_or(0, |position| position.record() + 1);
            return Err(Error::content(path, format!("no label in row {row}"), "one"));
        };
        let text = &row[columns.text];
        let mut found: Vec<u32> = words(&text.to_lowercase())
            .map(|word| match ids.get(word) {
                Some(id) => *id,
                None => {
                    let new = ids.len() as u32;
                    ids.insert(word.into(), new);
                    new
                }
            })
            .collect();
        found.sort_unstable();
        let set = if is_test(text) { &mut bags.test } else { &mut bags.train };
        set.bags.push(found.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f32)));
        set.labels.push(*class);
    }
    (bags.train.bags.columns, bags.test.bags.columns) = (ids.len(), ids.len());
    Ok(bags)
}

/// The words of a text in lower case.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '\'');
    words.map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty())
}

/// Whether a text belongs to the test set, as one text in five does.
pub(super) fn is_test(text: &str) -> bool {
    let hash = Sha256::digest(text);
    hash[..8].iter().fold(0, |rest, byte| (256 * rest + u32::from(*byte)) % 5) == 0
}
