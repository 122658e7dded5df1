//! # Characters: one token for each character of a text
//!
//! ```text
//! tokens = the different characters of the whole text, in the order of their code points
//! ```
//!
//! The alphabet is that of the whole text. So a character that only occurs in the test part has a
//! token, which the model never met in training.
//!
//! ## Differences
//! char-rnn orders them by the first occurrence in a hash table; nanoGPT by code point, as here.
//!
//! ## Source
//! A. Karpathy: char-rnn (2015).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::data::corpus::Corpus;
use crate::error::{Error, Result};

crate::settings! {
    /// One token for each character.
    pub struct Chars {}
}

/// More are no alphabet: CJK texts have some thousands.
const MAX_CHARACTERS: usize = 32_768;

impl Chars {
    /// The alphabet of a text.
    pub(super) fn fit(&self, corpus: &Corpus) -> Result<Alphabet> {
        let characters: BTreeSet<char> = corpus.text.chars().collect();
        match characters.len() {
            2..=MAX_CHARACTERS => Ok(Alphabet(characters.into_iter().collect())),
            n => {
                let found = format!("{n} different characters");
                let expected = format!("2 to {MAX_CHARACTERS} for `chars`");
                Err(Error::content(format!("data {}", corpus.name), found, expected))
            }
        }
    }
}

/// The characters that have a token, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alphabet(String);

impl Alphabet {
    pub(super) fn len(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether the characters are in order, each once.
    pub(super) fn is_valid(&self) -> bool {
        let next = self.0.chars().skip(1);
        (2..=MAX_CHARACTERS).contains(&self.len()) && self.0.chars().zip(next).all(|(a, b)| a < b)
    }

    /// The tokens of a text, or the first character without one and its byte.
    pub(super) fn encode(&self, text: &str) -> std::result::Result<Vec<i32>, (usize, char)> {
        let characters: Vec<char> = self.0.chars().collect();
        let token = |(at, character): (usize, char)| match characters.binary_search(&character) {
            Ok(token) => Ok(token as i32),
            Err(_) => Err((at, character)),
        };
        text.char_indices().map(token).collect()
    }

    pub(super) fn decode(&self, tokens: &[i32]) -> String {
        let characters: Vec<char> = self.0.chars().collect();
        tokens.iter().filter_map(|token| characters.get(*token as usize)).collect()
    }
}
