//! Texts as numbers: `shakespeare|chars`, `shakespeare|bpe:vocabulary=512`. A tokenization is a file
//! here, a row in the table, and an arm of [`Tokenize::fit`] and [`Tokenizer`].

mod bpe;
mod chars;

use serde::{Deserialize, Serialize};

pub use bpe::{Bpe, Merges};
pub use chars::{Alphabet, Chars};

use super::corpus::{Corpus, check_name};
use crate::docs::{CatalogEntry, Docs};
use crate::error::{Error, Result};
use crate::spec::{Settings, Spec, unknown};

/// All tokenizations.
pub const TOKENIZATIONS: &[CatalogEntry] = &[
    CatalogEntry {
        name: "chars",
        docs: Docs(include_str!("chars.rs")),
        settings: Chars::SETTINGS,
        defaults: || Chars::default().values(),
    },
    CatalogEntry {
        name: "bpe",
        docs: Docs(include_str!("bpe.rs")),
        settings: Bpe::SETTINGS,
        defaults: || Bpe::default().values(),
    },
];

/// How a text is divided into tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Tokenize {
    /// into characters
    Chars(Chars),
    /// into byte pairs
    Bpe(Bpe),
}

impl Default for Tokenize {
    fn default() -> Tokenize {
        Tokenize::Chars(Chars::default())
    }
}

/// Splits `shakespeare|bpe:vocabulary=512` into the text and its tokenization; characters if it
/// names none. Nothing is read.
///
/// # Errors
/// On a tokenization that does not exist, a wrong setting, or a name that cannot be a text.
pub fn split(data: &str) -> Result<(&str, Tokenize)> {
    let (name, tokens) = match data.split_once('|') {
        Some((name, tokens)) => (name.trim(), Tokenize::read(tokens)?),
        None => (data, Tokenize::default()),
    };
    check_name(name)?;
    Ok((name, tokens))
}

impl Tokenize {
    /// Reads `chars` or `bpe:vocabulary=512`.
    ///
    /// # Errors
    /// On another name, an unknown setting, or a value that is not allowed.
    pub fn read(text: &str) -> Result<Tokenize> {
        let spec: Spec = text.parse()?;
        match spec.name.as_str() {
            "chars" => Ok(Tokenize::Chars(spec.read()?)),
            "bpe" => {
                let bpe: Bpe = spec.read()?;
                bpe.check_vocabulary()?;
                Ok(Tokenize::Bpe(bpe))
            }
            other => {
                let names = TOKENIZATIONS.iter().map(|entry| entry.name);
                Err(unknown("tokenization of a text", other, names).into())
            }
        }
    }

    /// The spec with all settings.
    pub fn spec(&self) -> Spec {
        match self {
            Tokenize::Chars(chars) => chars.spec("chars"),
            Tokenize::Bpe(bpe) => bpe.spec("bpe"),
        }
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// If the text has too few or too many of them.
    pub fn fit(&self, corpus: &Corpus) -> Result<Tokenizer> {
        match self {
            Tokenize::Chars(chars) => chars.fit(corpus).map(Tokenizer::Chars),
            Tokenize::Bpe(bpe) => bpe.fit(corpus).map(Tokenizer::Bpe),
        }
    }
}

/// The tokens of a text, numbered from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokenizer {
    /// its characters
    Chars(Alphabet),
    /// bytes, and pairs that were joined
    Bpe(Merges),
}

impl Tokenizer {
    /// Whether it can have been made from a text; one that was read from a file may be damaged.
    pub fn is_valid(&self) -> bool {
        match self {
            Tokenizer::Chars(alphabet) => alphabet.is_valid(),
            Tokenizer::Bpe(merges) => merges.is_valid(),
        }
    }

    /// The number of different tokens.
    pub fn vocabulary(&self) -> usize {
        match self {
            Tokenizer::Chars(alphabet) => alphabet.len(),
            Tokenizer::Bpe(merges) => merges.len(),
        }
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// With characters, if the text contains one that is not in the alphabet. `place` is where the
    /// text is from.
    pub fn encode(&self, place: &str, text: &str) -> Result<Vec<i32>> {
        match self {
            Tokenizer::Chars(alphabet) => alphabet.encode(text).map_err(|(at, found)| {
                let found = format!("the character {found:?} at byte {at}");
                let expected = "only characters of the text that the model was trained on";
                Error::content(place, found, expected)
            }),
            Tokenizer::Bpe(merges) => Ok(merges.encode(text)),
        }
    }

    /// The text of these tokens. Bytes that are not UTF-8 become the replacement character.
    pub fn decode(&self, tokens: &[i32]) -> String {
        match self {
            Tokenizer::Chars(alphabet) => alphabet.decode(tokens),
            Tokenizer::Bpe(merges) => String::from_utf8_lossy(&merges.decode(tokens)).into_owned(),
        }
    }

    /// The number of characters in these tokens.
    pub fn characters(&self, tokens: &[i32]) -> usize {
        match self {
            Tokenizer::Chars(_) => tokens.len(),
            Tokenizer::Bpe(merges) => {
                // every byte of a character but the first one is 10xxxxxx
                merges.decode(tokens).iter().filter(|byte| **byte & 0xC0 != 0x80).count()
            }
        }
    }
}
