//! Labelled texts in a CSV file, as bags of words.
//!
//! ```text
//! sentiment,confidence,text
//! negative,0.7547,I just don't trust my life in google's hands
//! ```
//!
//! - **Columns.** If the first line names a label (`label`, `sentiment`, `airline_sentiment`, ...) or a text (`text`, `review`, `review_text`,
//!   ...) that does not stand in that column again, it is a header, and so is each line equal to it. A column that no header names is found by what is in it: the text has the most letters, the label the fewest
//!   different values of the others, two at least. And if the first line's label stands nowhere else, and no other label is so rare, that
//!   line is a header too.
//! - **Classes** are the different labels, numbers in their order, anything else in alphabetical order.
//! - **Words** are runs of letters and digits (as Unicode has them) with apostrophes inside, in lower case. Everything else separates.
//! - **Parts.** A text is in the test part if the first eight bytes of its SHA-256, read as a big-endian number, are divisible by five. So
//!   the same text is always in the same part, whatever else the file holds, and never in both.
//! - **Vocabulary**: the 10,000 words most frequent in the training part; of equally frequent ones, those seen first.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;
use sha2::{Digest, Sha256};

use super::sparse::Sparse;
use super::{Dataset, Examples, Inputs, WORDS};
use crate::error::{Error, Result};

const LABEL: [&str; 10] = ["label", "labels", "class", "sentiment", "target", "category", "polarity", "rating", "stars", "score"];
const TEXT: [&str; 10] = ["text", "review", "sentence", "content", "tweet", "comment", "document", "phrase", "body", "message"];

/// The texts of a CSV file; `path` is for errors.
///
/// # Errors
/// If it is no table, or no column can be the label.
pub fn read(name: &str, path: &Path, file: &[u8]) -> Result<Dataset> {
    let wrong = |found: String, expected: &str| Error::content(path, found, expected);
    let mut rows = Vec::new();
    for row in csv::ReaderBuilder::new().has_headers(false).from_reader(file).into_records() {
        rows.push(row.map_err(|error| wrong(format!("no CSV ({error})"), "UTF-8 text with as many fields in each line"))?);
    }
    // one that is never closed has swallowed all lines behind it: a further line would be none
    if let Some(last) = rows.last().and_then(StringRecord::position) {
        let rest = file[last.byte() as usize..].chain(&b"\nline"[..]);
        if csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(rest).into_byte_records().count() == 1 {
            let found = format!("a quotation mark in the row that begins in line {} and goes on to the end of the file", last.line());
            return Err(wrong(found, "one more that closes it, or two where one is meant"));
        }
    }
    let width = rows.first().map_or(0, StringRecord::len);
    if width < 2 {
        return Err(wrong(format!("{} lines of {width} columns", rows.len()), "at least a label and a text in each line"));
    }
    let Columns { header, label, text } = columns(&rows, width);
    // files that were put together have it again
    let first = rows[0].clone();
    rows.retain(|row| !header || !is_again(row, &first));

    let classes = classes(rows.iter().map(|row| row[label].trim()));
    if classes.len() < 2 || classes.len() > 256 {
        return Err(wrong(format!("{} different labels in column {}", classes.len(), label + 1), "2 to 256"));
    }
    if 2 * classes.len() > rows.len() {
        let found = format!("{} different labels in the {} rows of column {}", classes.len(), rows.len(), label + 1);
        return Err(wrong(found, "labels that several rows have"));
    }
    let mut ids: HashMap<String, u32> = HashMap::new();
    let [mut train, mut test] = [(); 2].map(|()| (Sparse::new(0), Vec::new()));
    for row in &rows {
        let Some(class) = classes.get(row[label].trim()).filter(|_| !row[label].trim().is_empty()) else {
            let place = row.position().map_or(0, |position| position.record() + 1);
            return Err(wrong(format!("no label in row {place}"), "one"));
        };
        let lower = row[text].to_lowercase();
        let mut found = Vec::new();
        for word in words(&lower) {
            let new = ids.len() as u32;
            found.push(match ids.get(word) {
                Some(id) => *id,
                None => *ids.entry(word.into()).or_insert(new),
            });
        }
        found.sort_unstable();
        let (bags, labels) = if is_test(&row[text]) { &mut test } else { &mut train };
        bags.push(found.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f32)));
        labels.push(*class);
    }
    (train.0.columns, test.0.columns) = (ids.len(), ids.len());
    let columns = train.0.largest(WORDS);
    if columns.is_empty() || test.0.is_empty() {
        return Err(wrong(format!("{} texts", rows.len()), "enough for a training and a test part with words in them"));
    }
    let examples =
        |bags: &Sparse, labels| Examples { shape: vec![columns.len()], inputs: Inputs::Sparse(Arc::new(bags.choose(&columns))), labels };
    let mut names = vec![String::new(); classes.len()];
    classes.iter().for_each(|(label, class)| names[usize::from(*class)] = (*label).to_string());
    Ok(Dataset {
        name: name.into(),
        classes: names.len(),
        names,
        train: examples(&train.0, train.1),
        test: examples(&test.0, test.1),
        fingerprint: None,
    })
}

/// The words of a text that is in lower case already.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '\'');
    words.map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty())
}

/// Whether a text belongs to the test part: one in five.
fn is_test(text: &str) -> bool {
    let hash = Sha256::digest(text);
    hash[..8].iter().fold(0, |rest, byte| (256 * rest + u32::from(*byte)) % 5) == 0
}

/// Whether a line is the first once more, as in files that were put together: with spaces, or a byte order mark before it.
fn is_again(row: &StringRecord, first: &StringRecord) -> bool {
    row.iter().zip(first).all(|(a, b)| a.trim_start_matches('\u{feff}').trim() == b.trim())
}

/// Where things are in a table.
struct Columns {
    /// whether the first line names the columns
    header: bool,
    label: usize,
    text: usize,
}

fn columns(rows: &[StringRecord], width: usize) -> Columns {
    // a header may be among the lines that are looked at, as long as there are others
    let others: Vec<&StringRecord> = rows.iter().filter(|row| !is_again(row, &rows[0])).collect();
    let body = if others.is_empty() { vec![&rows[0]] } else { others };
    let letters = |column: usize| body.iter().map(|row| row[column].len()).sum::<usize>();
    let different = |column: usize| match body.iter().map(|row| row[column].trim()).collect::<HashSet<_>>().len() {
        0 | 1 => usize::MAX, // tells nothing apart
        many => many,
    };
    let text_of = |columns: &[usize]| columns.iter().rev().copied().max_by_key(|column| letters(*column));
    let label_of = |columns: &[usize]| columns.iter().copied().min_by_key(|column| different(*column));

    // a label may be called `class_0`; but the name of a column does not stand in it again, unless the header does
    let again = |column: usize| body.iter().any(|row| row[column].trim() == rows[0][column].trim());
    let names = |column: &usize| body.len() == 1 || !again(*column);
    let called = |words: &[&str]| named(&rows[0], words).into_iter().filter(names).collect::<Vec<_>>();
    let (labels, texts) = (called(&LABEL), called(&TEXT));
    let is_text = text_of(&texts.into_iter().filter(|column| !labels.contains(column)).collect::<Vec<_>>());
    let is_label = label_of(&labels.into_iter().filter(|column| Some(*column) != is_text).collect::<Vec<_>>());
    let others = |taken: Option<usize>| (0..width).filter(|column| Some(*column) != taken).collect::<Vec<_>>();
    let text = is_text.or_else(|| text_of(&others(is_label))).unwrap_or_default();
    let label = is_label.or_else(|| label_of(&others(Some(text)))).unwrap_or_default();
    let header = is_text.is_some() || is_label.is_some() || {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        rows.iter().for_each(|row| *counts.entry(row[label].trim()).or_default() += 1);
        let first = rows[0][label].trim();
        counts.len() > 2 && counts[first] == 1 && counts.iter().all(|(value, n)| *value == first || *n > 1)
    };
    Columns { header, label, text }
}

/// The columns that a line names so: by that word alone, or if there are none, with that word in the name.
fn named(line: &StringRecord, names: &[&str]) -> Vec<usize> {
    let fields: Vec<String> = line.iter().map(|field| field.trim().to_lowercase()).collect();
    let such = |is: &dyn Fn(&str) -> bool| (0..fields.len()).filter(|column| is(&fields[*column])).collect::<Vec<_>>();
    let exact = such(&|field| names.contains(&field));
    if !exact.is_empty() {
        return exact;
    }
    // a text of one line may well have the word `review` in it; a name is one word
    such(&|field| !field.contains(char::is_whitespace) && field.split(['_', '-', '.']).any(|word| names.contains(&word)))
}

/// The number of each label. More than 256 are not told apart.
fn classes<'a>(labels: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u8> {
    let mut different: Vec<&str> = labels.collect::<HashSet<_>>().into_iter().collect();
    let value = |label: &str| label.parse::<f64>().ok().filter(|value| value.is_finite());
    if different.iter().all(|label| value(label).is_some()) {
        different.sort_by(|a, b| value(a).partial_cmp(&value(b)).unwrap_or(std::cmp::Ordering::Equal).then(a.cmp(b)));
    } else {
        different.sort_unstable();
    }
    different.into_iter().enumerate().map(|(class, label)| (label, class as u8)).collect()
}
