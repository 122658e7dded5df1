//! Numbers in a CSV file, with a number or a class to predict.
//!
//! ```text
//! rooms,age,price
//! 6.5,65.2,24.0
//! ```
//!
//! - **Header.** The first line is a header if one of its inputs is not a number.
//! - **Columns.** What is predicted is the column that the task names, or else the last one. A
//!   class is in the column whose header is `label`, `class`, `target` or another word of
//!   [`text`](super::text), or else in the last one. All other columns are inputs, and numbers.
//!   A class is one word, and several rows have it. A file with other columns contains
//!   [texts](super::text).
//! - **Classes** are ordered as those of texts.
//! - **Training set and test set.** A row is in the test set if the first eight bytes of the
//!   SHA-256 of its fields, joined by commas, read as a big-endian number, are divisible by five.
//!   So a row is always in the same set, whatever else the file contains.

use std::path::Path;

use csv::StringRecord;

use super::dataset::{Dataset, Examples, Inputs, Labels};
use super::text::{check_classes, classes, is_test, rows};
use super::text_columns::{Columns, LABEL, is_repeated};
use crate::error::{Error, Result};
use crate::files::{self, MAX_DATA};
use crate::spec::unknown;

/// Reads a file with numbers to predict; `path` is for errors. `column` is a name or a number from
/// 1; the last column by default.
///
/// # Errors
/// If it is not a table of finite numbers, or there is no such column.
pub fn read_targets(name: &str, path: &Path, file: &[u8], column: Option<&str>) -> Result<Dataset> {
    let table = Table::new(path, rows(path, file)?, |first| find_column(path, first, column))?;
    let (rows, column) = (table.body(), table.label);
    let parts = split(path, rows)?;
    let [train, test] = parts.map(|rows| {
        let numbers: Result<Vec<f32>> = rows.iter().map(|row| table.number(row, column)).collect();
        table.examples(&rows, Labels::Targets { width: 1, numbers: numbers? })
    });
    let (train, test) = (train?, test?);
    let name = name.into();
    Ok(Dataset { name, classes: 0, names: Vec::new(), train, test, fingerprint: None })
}

/// Reads a file of numbers with classes to predict; `None` if an input is not a number, or the
/// column cannot be a class.
///
/// # Errors
/// If it is not a table, or too short.
pub(super) fn read_classes(name: &str, path: &Path, file: &[u8]) -> Result<Option<Dataset>> {
    let Some(table) = class_table(path, rows(path, file)?)? else { return Ok(None) };
    let rows = table.body();
    let classes = classes(rows.iter().map(|row| row[table.label].trim()));
    let [train, test] = split(path, rows)?.map(|rows| {
        let own: Vec<u32> = rows.iter().map(|row| classes[row[table.label].trim()]).collect();
        table.examples(&rows, Labels::Classes(own))
    });
    let (train, test) = (train?, test?);
    let names: Vec<String> = {
        let mut names: Vec<_> = classes.iter().map(|(name, class)| (*class, *name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name.to_string()).collect()
    };
    let (name, classes) = (name.into(), names.len());
    Ok(Some(Dataset { name, classes, names, train, test, fingerprint: None }))
}

/// The table, if its inputs are numbers and its label can be a class.
fn class_table(path: &Path, rows: Vec<StringRecord>) -> Result<Option<Table<'_>>> {
    let table = Table::new(path, rows, |first| Ok(label_column(first)))?;
    if !table.inputs_are_numbers() {
        return Ok(None);
    }
    let rows = table.body();
    let classes = classes(rows.iter().map(|row| row[table.label].trim()));
    let are_words = classes.keys().all(|label| !label.is_empty() && !label.contains(' '));
    let are_classes = check_classes(path, classes.len(), rows.len(), table.label).is_ok();
    Ok((are_words && are_classes).then_some(table))
}

/// The column that is used as the class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassColumn {
    /// from the header, or `column 3`
    pub name: String,
    /// number of different classes
    pub classes: usize,
    /// whether all columns contain numbers, so that the user may want to predict a number
    pub all_numbers: bool,
}

/// The column that a training uses as the class, also if the file is read as
/// [texts](super::text).
///
/// # Errors
/// If the file is not a table.
pub fn class_column(path: &Path) -> Result<ClassColumn> {
    let file = files::read(path, MAX_DATA)?;
    let rows = rows(path, &file)?;
    let (label, has_header) = match class_table(path, rows.clone())? {
        Some(table) => (table.label, table.has_header),
        None => {
            let Columns { label, has_header, .. } = Columns::of(&rows);
            (label, has_header)
        }
    };
    let body: Vec<&StringRecord> =
        rows.iter().filter(|row| !has_header || !is_repeated(row, &rows[0])).collect();
    let name = match has_header {
        true => rows[0][label].trim_start_matches('\u{feff}').trim().into(),
        false => format!("column {}", label + 1),
    };
    Ok(ClassColumn {
        name,
        classes: classes(body.iter().map(|row| row[label].trim())).len(),
        all_numbers: body.iter().all(|row| row.iter().all(|field| number(field).is_some())),
    })
}

/// The lines of a file.
struct Table<'a> {
    path: &'a Path,
    rows: Vec<StringRecord>,
    has_header: bool,
    /// the column that is predicted
    label: usize,
}

impl<'a> Table<'a> {
    fn new(
        path: &'a Path,
        rows: Vec<StringRecord>,
        label: impl Fn(&StringRecord) -> Result<usize>,
    ) -> Result<Table<'a>> {
        let label = label(&rows[0])?;
        let is_number = |(at, field): (usize, &str)| at == label || number(field).is_some();
        let has_header = !rows[0].iter().enumerate().all(is_number);
        Ok(Table { path, rows, has_header, label })
    }

    /// The lines without the header.
    fn body(&self) -> &[StringRecord] {
        &self.rows[usize::from(self.has_header)..]
    }

    fn inputs_are_numbers(&self) -> bool {
        let is_number = |(at, field): (usize, &str)| at == self.label || number(field).is_some();
        let body = self.body();
        !body.is_empty() && body.iter().all(|row| row.iter().enumerate().all(is_number))
    }

    /// A number in a row.
    fn number(&self, row: &StringRecord, column: usize) -> Result<f32> {
        number(&row[column]).ok_or_else(|| {
            let line = row.position().map_or(0, csv::Position::line);
            let name = match self.has_header {
                true => format!("column `{}`", self.rows[0][column].trim()),
                false => format!("column {}", column + 1),
            };
            let found = format!("`{}` in line {line}, {name}", &row[column]);
            Error::content(self.path, found, "a finite number")
        })
    }

    /// These rows as examples.
    fn examples(&self, rows: &[&StringRecord], labels: Labels) -> Result<Examples> {
        let width = self.rows[0].len() - 1;
        let mut numbers = Vec::with_capacity(rows.len() * width);
        for row in rows {
            for column in (0..=width).filter(|column| *column != self.label) {
                numbers.push(self.number(row, column)?);
            }
        }
        Ok(Examples { shape: vec![width], inputs: Inputs::Numbers(numbers), labels })
    }
}

fn number(field: &str) -> Option<f32> {
    field.trim().parse().ok().filter(|x: &f32| x.is_finite())
}

/// The column of this name, or of this number from 1; the last one by default.
fn find_column(path: &Path, first: &StringRecord, column: Option<&str>) -> Result<usize> {
    let Some(column) = column else { return Ok(first.len() - 1) };
    let names: Vec<&str> =
        first.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
    if let Some(at) = names.iter().position(|name| *name == column) {
        return Ok(at);
    }
    let by_number = column.parse::<usize>().ok().filter(|n| (1..=names.len()).contains(n));
    by_number.map(|n| n - 1).ok_or_else(|| {
        let unknown = Error::from(unknown("column", column, names.iter().copied()));
        unknown.at(format!("{}, task.target", path.display()))
    })
}

/// The column whose name says that it is a class; the last one by default.
fn label_column(first: &StringRecord) -> usize {
    let is_label = |field: &str| LABEL.contains(&field.trim().to_lowercase().as_str());
    first.iter().position(is_label).unwrap_or(first.len() - 1)
}

/// The rows of the training set and of the test set.
fn split<'a>(path: &Path, rows: &'a [StringRecord]) -> Result<[Vec<&'a StringRecord>; 2]> {
    let is_in_test_set =
        |row: &&StringRecord| is_test(&row.iter().map(str::trim).collect::<Vec<_>>().join(","));
    let (test, train): (Vec<_>, Vec<_>) = rows.iter().partition(is_in_test_set);
    if test.is_empty() || train.is_empty() {
        let found = format!("{} rows of numbers", rows.len());
        return Err(Error::content(path, found, "enough for a training set and a test set"));
    }
    Ok([train, test])
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::fs;

    use super::*;

    /// The class column of a file with this header and these fields in row i.
    fn of(header: &str, row: impl Fn(usize) -> String) -> (String, usize, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut text = String::from(header);
        (0..60).for_each(|i| writeln!(text, "{}", row(i)).unwrap());
        fs::write(&path, &text).unwrap();
        let column = class_column(&path).unwrap();
        let data = crate::data::load(path.to_str().unwrap()).unwrap();
        assert_eq!(column.classes, data.classes, "{header}");
        (column.name, column.classes, column.all_numbers)
    }

    #[test]
    fn the_class_column_is_the_one_that_a_training_uses() {
        // the last column has too many values, so the file is read as texts
        let row = |i: usize| format!("{},{}.25,{}", 1 + i % 3, 100 + i, 200 + i);
        assert_eq!(of("rooms,area,price\n", row), ("rooms".into(), 3, true));
        let row = |i: usize| format!("{}.5,{i},{}", i % 7, i % 2);
        assert_eq!(of("a,b,kind\n", row), ("kind".into(), 2, true));
        assert_eq!(of("", row), ("column 3".into(), 2, true));
        let row = |i: usize| format!("{},a word or two {i}", ["good", "bad"][i % 2]);
        assert_eq!(of("sentiment,text\n", row), ("sentiment".into(), 2, false));
    }
}
