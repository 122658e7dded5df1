//! The Large Movie Review Dataset (IMDB) as bags of words: 25,000 reviews to train on and 25,000 to test on, liked or not.
//!
//! ```text
//! imdb.vocab              a word a line
//! train/labeledBow.feat   a review a line: its rating from 1 to 10, then pairs WORD:COUNT, words counted from 0 in imdb.vocab
//! test/labeledBow.feat    the same
//! ```
//!
//! The words are counted as the authors did, the texts themselves are not read. Kept are the 10,000 words with the largest count in the
//! training part (of equal counts, the first in `imdb.vocab`). Ratings up to 4 are class 0, from 7 on class 1; there are none between.

use std::path::Path;
use std::sync::Arc;

use super::archive::Found;
use super::sparse::Sparse;
use super::{Dataset, Examples, Inputs, WORDS};
use crate::error::{Error, Result};

/// The files that are read.
pub const FILES: [&str; 3] = ["train/labeledBow.feat", "test/labeledBow.feat", "imdb.vocab"];

/// The reviews from these files.
///
/// # Errors
/// If one is missing, or damaged.
pub fn read(name: &str, mut found: Found) -> Result<Dataset> {
    let (path, words) = found.take(FILES[2])?;
    let words = words.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    if words == 0 {
        return Err(Error::content(path, "no words", "a word a line"));
    }
    let mut part = |file: &str| {
        let (path, bytes) = found.take(file)?;
        bags(&path, &bytes, words)
    };
    let ((train, train_labels), (test, test_labels)) = (part(FILES[0])?, part(FILES[1])?);
    let columns = train.largest(WORDS);
    if columns.is_empty() {
        return Err(Error::content(found.place(), "no words in the training part", "at least one"));
    }
    let examples =
        |bags: Sparse, labels| Examples { shape: vec![columns.len()], inputs: Inputs::Sparse(Arc::new(bags.choose(&columns))), labels };
    let names = vec!["negative".into(), "positive".into()];
    Ok(Dataset {
        name: name.into(),
        classes: 2,
        names,
        train: examples(train, train_labels),
        test: examples(test, test_labels),
        fingerprint: None,
    })
}

/// The bag and the class of each review.
fn bags(path: &Path, bytes: &[u8], words: usize) -> Result<(Sparse, Vec<u8>)> {
    let (mut bags, mut labels) = (Sparse::new(words), Vec::new());
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let wrong = |found: &[u8], expected: String| {
            let found = String::from_utf8_lossy(&found[..found.len().min(40)]).into_owned();
            Error::content(path, format!("{found:?} in line {}", at + 1), expected)
        };
        let mut fields = line.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        let rating = fields.next().unwrap_or_default();
        labels.push(match number(rating) {
            Some(1..=4) => 0,
            Some(7..=10) => 1,
            _ => return Err(wrong(rating, "a rating first, 1 to 4 or 7 to 10".into())),
        });
        let mut row = Vec::new();
        for field in fields {
            let colon = field.iter().position(|byte| *byte == b':');
            let pair = colon.and_then(|colon| Some((number(&field[..colon])?, number(&field[colon + 1..])?)));
            match pair {
                Some((word, count)) if (word as usize) < words && count > 0 => row.push((word, count as f32)),
                _ => return Err(wrong(field, format!("WORD:COUNT with a word from 0 to {} and a count from 1", words - 1))),
            }
        }
        row.sort_unstable_by_key(|(word, _)| *word);
        if let Some(twice) = row.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(wrong(format!("word {}", twice[0].0).as_bytes(), "each word of a review once".into()));
        }
        bags.push(row);
    }
    if labels.is_empty() {
        return Err(Error::content(path, "no reviews", "a review a line"));
    }
    Ok((bags, labels))
}

/// A number of at most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    let all = !digits.is_empty() && digits.len() <= 9 && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')))
}
