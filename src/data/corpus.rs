//! Texts for language models: one file of UTF-8, in one piece.
//!
//! The end of a text is for testing, the piece before it for validation, the rest for training, so
//! no part of a sentence is in two of them.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::bundled::BUNDLED;
use super::known::KNOWN;
use crate::docs::hex;
use crate::error::{Error, Result};
use crate::files::read_text;
use crate::spec::unknown;

/// A text that is compiled into the program.
pub struct BundledText {
    /// The name on the command line.
    pub name: &'static str,
    /// A description in one line.
    pub docs: &'static str,
    gzip: &'static [u8],
}

/// All texts that are compiled into the program.
pub const TEXTS: &[BundledText] = &[BundledText {
    name: "shakespeare",
    docs: "1,115,394 characters from plays of Shakespeare, for language models (public domain)",
    gzip: include_bytes!("../../datasets/shakespeare/input.txt.gz"),
}];

/// The text that a language model is trained on if the user names none.
pub const DEFAULT_TEXT: &str = "shakespeare";

/// What stands before the path of a text.
pub const TEXT: &str = "text:";

/// The largest text. In main memory it is one number of 4 bytes per token.
const MAX_BYTES: u64 = 1 << 30;

/// The share of the text that is the test part, and the share of the validation part: one
/// twentieth each.
const PARTS: usize = 20;

/// A text and its parts.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The name on the command line; for a path, `text:` and its last component.
    pub name: String,
    /// The whole text.
    pub text: String,
    train: Range<usize>,
    validation: Range<usize>,
    test: Range<usize>,
}

impl Corpus {
    /// A text of a program.
    pub fn new(name: &str, text: String) -> Corpus {
        let at = |part: usize| text.floor_char_boundary(text.len() * part / PARTS);
        let (train, validation) = (0..at(PARTS - 2), at(PARTS - 2)..at(PARTS - 1));
        let test = validation.end..text.len();
        Corpus { name: name.into(), train, validation, test, text }
    }

    /// The first nine tenths, to train on.
    pub fn train(&self) -> &str {
        &self.text[self.train.clone()]
    }

    /// The twentieth before the test part, for validation.
    pub fn validation(&self) -> &str {
        &self.text[self.validation.clone()]
    }

    /// The last twentieth, never used in training.
    pub fn test(&self) -> &str {
        &self.text[self.test.clone()]
    }

    /// The SHA-256 of the text.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.text))
    }
}

/// Checks that this is the name of a text, or `text:PATH`. Nothing is read.
///
/// # Errors
/// If it is something else.
pub(crate) fn check_name(name: &str) -> Result<()> {
    match name.starts_with(TEXT) || TEXTS.iter().any(|text| text.name == name) {
        true => Ok(()),
        false => Err(not_a_text(name)),
    }
}

/// The error for something else than a text.
fn not_a_text(name: &str) -> Error {
    let place = format!("data {name}");
    let texts = TEXTS.iter().map(|text| text.name);
    if Path::new(name).is_file() {
        let expected = format!("{TEXT}{name} for a language model");
        return Error::content(place, "a path without `text:`", expected);
    }
    if BUNDLED.iter().any(|data| data.name == name) || KNOWN.iter().any(|k| k.name == name) {
        let expected = format!("a text for a language model: {DEFAULT_TEXT}, or text:PATH");
        return Error::content(place, "labelled examples", expected);
    }
    Error::Spec(unknown("text (or text:PATH)", name, texts))
}

/// Loads a text by its name, or from `text:PATH`.
///
/// # Errors
/// If there is no such text, or the file is not UTF-8 or larger than 1 GiB.
pub fn load(name: &str) -> Result<Corpus> {
    if let Some(path) = name.strip_prefix(TEXT) {
        let path = Path::new(path);
        let text = read_text(path, MAX_BYTES)?;
        let file = path.file_name().map_or(path.display().to_string(), |file| {
            file.to_string_lossy().into_owned() // folders differ between machines
        });
        return Ok(Corpus::new(&format!("{TEXT}{file}"), text));
    }
    let bundled = TEXTS.iter().find(|text| text.name == name).ok_or_else(|| not_a_text(name))?;
    let mut text = String::new();
    let read = MultiGzDecoder::new(bundled.gzip).read_to_string(&mut text);
    read.map_err(Error::failed(format!("read the bundled text {name}")))?;
    Ok(Corpus::new(name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_the_whole_text_in_order() {
        let corpus = Corpus::new("umlauts", "äöü€".repeat(101));
        let parts = [corpus.train(), corpus.validation(), corpus.test()];
        assert_eq!(parts.concat(), corpus.text);
        let characters = parts.map(|part| part.chars().count());
        assert_eq!(characters, [363, 20, 21]);
    }

    #[test]
    fn the_bundled_text_is_the_one_that_its_readme_describes() {
        let corpus = load("shakespeare").unwrap();
        assert!(corpus.text.starts_with("First Citizen:\nBefore we proceed any further"));
        assert_eq!(corpus.text.chars().count(), 1_115_394);
        assert_eq!(
            corpus.sha256(),
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
        );
    }
}
