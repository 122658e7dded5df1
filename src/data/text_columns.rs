//! Finds the columns of label and text in a table, and whether the table has a header. The rules
//! are in [`text`](super::text).

use std::collections::{HashMap, HashSet};

use csv::StringRecord;

pub(super) const LABEL: [&str; 10] = [
    "label",
    "labels",
    "class",
    "sentiment",
    "target",
    "category",
    "polarity",
    "rating",
    "stars",
    "score",
];
const TEXT: [&str; 10] = [
    "text", "review", "sentence", "content", "tweet", "comment", "document", "phrase", "body",
    "message",
];

/// The columns of a table.
pub(super) struct Columns {
    /// whether the first line names the columns
    pub has_header: bool,
    pub label: usize,
    pub text: usize,
}

/// Whether a line repeats the first one, except for spaces or a byte order mark.
pub(super) fn is_repeated(row: &StringRecord, first: &StringRecord) -> bool {
    row.iter().zip(first).all(|(a, b)| a.trim_start_matches('\u{feff}').trim() == b.trim())
}

impl Columns {
    /// The columns of a table with at least one line and two columns.
    pub fn of(rows: &[StringRecord]) -> Columns {
        let table = Table::of(rows);
        let (labels, texts) = (table.named(&LABEL), table.named(&TEXT));
        let is_text = table.longest(texts.into_iter().filter(|column| !labels.contains(column)));
        let is_label = table.fewest(labels.into_iter().filter(|column| Some(*column) != is_text));
        let except =
            |taken: Option<usize>| (0..rows[0].len()).filter(move |column| Some(*column) != taken);
        let text = is_text.or_else(|| table.longest(except(is_label))).unwrap_or_default();
        let label = is_label.or_else(|| table.fewest(except(Some(text)))).unwrap_or_default();
        let has_header = is_text.is_some() || is_label.is_some() || is_unique(rows, label);
        Columns { has_header, label, text }
    }
}

/// A table whose first line may be a header.
struct Table<'a> {
    first: &'a StringRecord,
    /// The lines that differ from the first one; or the first one if there are no others.
    body: Vec<&'a StringRecord>,
}

impl<'a> Table<'a> {
    fn of(rows: &'a [StringRecord]) -> Table<'a> {
        let first = &rows[0];
        let mut body: Vec<_> = rows.iter().filter(|row| !is_repeated(row, first)).collect();
        if body.is_empty() {
            body.push(first);
        }
        Table { first, body }
    }

    /// The column with the most letters, the first one of several.
    fn longest(&self, columns: impl DoubleEndedIterator<Item = usize>) -> Option<usize> {
        let letters =
            |column: &usize| self.body.iter().map(|row| row[*column].len()).sum::<usize>();
        columns.rev().max_by_key(letters)
    }

    /// The column with the fewest different values, the first one of several. A column with a
    /// single value comes last.
    fn fewest(&self, columns: impl Iterator<Item = usize>) -> Option<usize> {
        let different = |column: &usize| {
            let values: HashSet<&str> = self.body.iter().map(|row| row[*column].trim()).collect();
            if values.len() < 2 { usize::MAX } else { values.len() }
        };
        columns.min_by_key(different)
    }

    /// The columns that the first line names with one of these words: as the whole name, or if
    /// there is none, as part of the name.
    ///
    /// A label may be called `class_0`. So the name of a column must not occur in the column again,
    /// unless the whole header is repeated.
    fn named(&self, words: &[&str]) -> Vec<usize> {
        let fields: Vec<String> =
            self.first.iter().map(|field| field.trim().to_lowercase()).collect();
        let matching = |is_match: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..fields.len()).filter(|column| is_match(&fields[*column])).collect()
        };
        let exact = matching(&|field| words.contains(&field));
        let named = if exact.is_empty() {
            // a column name is a single word, but a text may contain the word `review`
            matching(&|field| {
                !field.contains(char::is_whitespace)
                    && field.split(['_', '-', '.']).any(|part| words.contains(&part))
            })
        } else {
            exact
        };
        named.into_iter().filter(|column| self.body.len() == 1 || !self.recurs(*column)).collect()
    }

    /// Whether the first field of a column occurs in it again.
    fn recurs(&self, column: usize) -> bool {
        self.body.iter().any(|row| row[column].trim() == self.first[column].trim())
    }
}

/// Whether the first value of a column occurs once, and each of several others more than once.
fn is_unique(rows: &[StringRecord], column: usize) -> bool {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    rows.iter().for_each(|row| *counts.entry(row[column].trim()).or_default() += 1);
    let first = rows[0][column].trim();
    counts.len() > 2
        && counts[first] == 1
        && counts.iter().all(|(value, n)| *value == first || *n > 1)
}
