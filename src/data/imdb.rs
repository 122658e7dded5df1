//! The Large Movie Review Dataset (IMDB) as bags of words: 25,000 reviews to train on and 25,000 to
//! test on, each negative or positive.
//!
//! ```text
//! imdb.vocab              one word per line
//! train/labeledBow.feat   one review per line: its rating from 1 to 10, then pairs WORD:COUNT;
//!                         WORD is a line of imdb.vocab, counted from 0
//! test/labeledBow.feat    the same
//! ```
//!
//! The word counts are those of the authors; the texts are not read. The 10,000 words with the
//! largest counts in the training set are kept. If counts are equal, the first words in
//! `imdb.vocab` are kept. Ratings from 1 to 4 are class 0, ratings from 7 to 10 are class 1. There
//! are no other ratings.

use std::path::Path;

use super::archive::FoundFiles;
use super::dataset::Dataset;
use super::labelled::Labelled;
use super::sparse::WORDS;
use crate::error::{Error, Result};

/// The files that are read.
pub const FILES: [&str; 3] = ["train/labeledBow.feat", "test/labeledBow.feat", "imdb.vocab"];

/// Reads the reviews.
///
/// # Errors
/// If a file is missing or damaged.
pub fn read(name: &str, mut found: FoundFiles) -> Result<Dataset> {
    let (path, words) = found.take(FILES[2])?;
    let words =
        words.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    if words == 0 {
        return Err(Error::content(path, "no words", "one word per line"));
    }
    let mut reviews = |file: &str| {
        let (path, bytes) = found.take(file)?;
        Labelled::read(&path, &bytes, words)
    };
    let (train, test) = (reviews(FILES[0])?, reviews(FILES[1])?);
    let columns = train.bags.largest(WORDS);
    if columns.is_empty() {
        return Err(Error::content(found.path(), "no words in the training set", "at least one"));
    }
    Ok(Dataset {
        name: name.into(),
        classes: 2,
        names: vec!["negative".into(), "positive".into()],
        train: train.examples(&columns),
        test: test.examples(&columns),
        fingerprint: None,
    })
}

impl Labelled {
    /// Reads `labeledBow.feat`, with a vocabulary of `words` words.
    fn read(path: &Path, bytes: &[u8], words: usize) -> Result<Labelled> {
        let mut reviews = Labelled::new(words);
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if !line.is_empty() {
                reviews.add(line, words).map_err(|Wrong { found, expected }| {
                    let found = String::from_utf8_lossy(&found[..found.len().min(40)]).into_owned();
                    Error::content(path, format!("{found:?} in line {}", at + 1), expected)
                })?;
            }
        }
        if reviews.labels.is_empty() {
            return Err(Error::content(path, "no reviews", "one review per line"));
        }
        Ok(reviews)
    }

    fn add(&mut self, line: &[u8], words: usize) -> std::result::Result<(), Wrong> {
        let mut fields = line.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        let rating = fields.next().unwrap_or_default();
        self.labels.push(match number(rating) {
            Some(1..=4) => 0,
            Some(7..=10) => 1,
            _ => return Err(Wrong::new(rating, "a rating first, 1 to 4 or 7 to 10")),
        });
        let mut row = Vec::new();
        for field in fields {
            match word_and_count(field) {
                Some((word, count)) if (word as usize) < words && count > 0 => {
                    row.push((word, count as f32))
                }
                _ => {
                    let last = words - 1;
                    let expected =
                        format!("WORD:COUNT with a word from 0 to {last} and a count from 1");
                    return Err(Wrong::new(field, expected));
                }
            }
        }
        row.sort_unstable_by_key(|(word, _)| *word);
        if let Some(twice) = row.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let found = format!("word {}", twice[0].0);
            return Err(Wrong::new(found.as_bytes(), "each word of a review once"));
        }
        self.bags.push(row);
        Ok(())
    }
}

/// What is wrong in a line.
struct Wrong {
    found: Vec<u8>,
    expected: String,
}

impl Wrong {
    fn new(found: &[u8], expected: impl Into<String>) -> Wrong {
        Wrong { found: found.to_vec(), expected: expected.into() }
    }
}

/// `WORD:COUNT`
fn word_and_count(field: &[u8]) -> Option<(u32, u32)> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    Some((number(&field[..colon])?, number(&field[colon + 1..])?))
}

/// A number of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    let all = !digits.is_empty() && digits.len() <= 9 && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')))
}
