//! # Byte pairs: frequent pairs of bytes become tokens, then frequent pairs of these
//!
//! ```text
//! tokens = the 256 bytes
//! repeat until there are `vocabulary` tokens:
//!     (a, b) = the most frequent pair of neighbours in the training part
//!     a new token ab; every a b in the training part becomes ab
//! ```
//!
//! A pair never crosses the border of a piece. A piece is a run of letters, of digits, of white
//! space, or of other characters; a single space belongs to the piece after it. Of pairs of equal
//! frequency, the one with the smaller tokens is taken. Every text has tokens, since every byte is
//! one.
//!
//! ## Differences
//! GPT-2 divides contractions (`'s`, `'ll`) from their word, and has 50,257 tokens.
//! `tokenizers` (Hugging Face) has the same rule for pairs of equal frequency; its tokens have
//! another order.
//!
//! ## Source
//! R. Sennrich, B. Haddow, A. Birch: Neural machine translation of rare words with subword units
//! (2016), algorithm 1; on bytes, as in A. Radford et al.: Language models are unsupervised
//! multitask learners (GPT-2, 2019), section 2.2.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::data::corpus::Corpus;
use crate::error::{Error, Result};
use crate::spec::Allowed;

crate::settings! {
    /// Frequent pairs of bytes are tokens.
    pub struct Bpe {
        /// number of tokens: the 256 bytes, and this many pairs more
        vocabulary: usize = 512, Allowed::Count;
    }
}

/// The tokens of a single byte.
const BYTES: usize = 256;
/// The vocabulary is a part of the file of a model.
const MAX_VOCABULARY: usize = 16_384;

/// Two neighbours.
type Pair = (u32, u32);

impl Bpe {
    pub(super) fn check_vocabulary(&self) -> Result<()> {
        match self.vocabulary {
            n if (BYTES + 1..=MAX_VOCABULARY).contains(&n) => Ok(()),
            n => {
                let expected =
                    format!("{} to {MAX_VOCABULARY}: the 256 bytes and pairs", BYTES + 1);
                Err(Error::value("bpe:vocabulary", n, expected))
            }
        }
    }

    /// The pairs of the training part of a text.
    pub(super) fn fit(&self, corpus: &Corpus) -> Result<Merges> {
        let mut pieces = Pieces::of(corpus.train());
        let mut pairs = Vec::new();
        while BYTES + pairs.len() < self.vocabulary {
            let Some(pair) = pieces.most_frequent() else {
                let found = format!("a training part with {} tokens", BYTES + pairs.len());
                let expected = format!("enough for bpe:vocabulary={}", self.vocabulary);
                return Err(Error::content(format!("data {}", corpus.name), found, expected));
            };
            pieces.join(pair, (BYTES + pairs.len()) as u32);
            pairs.push(pair);
        }
        Ok(Merges(pairs))
    }
}

/// The different pieces of a text.
struct Pieces {
    /// the tokens of a piece, and how often it occurs
    all: Vec<(Vec<u32>, i64)>,
    /// how often each pair occurs
    counts: HashMap<Pair, i64>,
}

impl Pieces {
    fn of(text: &str) -> Pieces {
        let mut found: HashMap<&str, i64> = HashMap::new();
        for piece in pieces(text) {
            *found.entry(piece).or_default() += 1;
        }
        let all: Vec<(Vec<u32>, i64)> =
            found.into_iter().map(|(piece, times)| (bytes(piece), times)).collect();
        let mut counts = HashMap::new();
        for (tokens, times) in &all {
            add_pairs(&mut counts, tokens, *times);
        }
        Pieces { all, counts }
    }

    /// The most frequent pair that occurs at least twice.
    fn most_frequent(&self) -> Option<Pair> {
        let most = self.counts.iter().max_by_key(|(pair, times)| (**times, Reverse(**pair)))?;
        (*most.1 > 1).then_some(*most.0)
    }

    /// Makes a token of a pair.
    fn join(&mut self, pair: Pair, token: u32) {
        for (tokens, times) in &mut self.all {
            if tokens.windows(2).any(|two| (two[0], two[1]) == pair) {
                add_pairs(&mut self.counts, tokens, -*times);
                *tokens = joined(tokens, pair, token);
                add_pairs(&mut self.counts, tokens, *times);
            }
        }
        self.counts.retain(|_, times| *times > 0);
    }
}

fn add_pairs(counts: &mut HashMap<Pair, i64>, tokens: &[u32], times: i64) {
    for two in tokens.windows(2) {
        *counts.entry((two[0], two[1])).or_default() += times;
    }
}

fn bytes(piece: &str) -> Vec<u32> {
    piece.bytes().map(u32::from).collect()
}

/// The tokens with every such pair joined, from left to right.
fn joined(tokens: &[u32], (a, b): Pair, token: u32) -> Vec<u32> {
    let mut new = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_pair = tokens[at] == a && tokens.get(at + 1) == Some(&b);
        new.push(if is_pair { token } else { tokens[at] });
        at += 1 + usize::from(is_pair);
    }
    new
}

/// The kind of a character. Neighbours of one kind are in one piece.
fn kind(character: char) -> u8 {
    match character {
        c if c.is_alphabetic() => 0,
        c if c.is_numeric() => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    }
}

/// The pieces of a text, one after another.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut characters = rest.chars();
        let mut first = kind(characters.next()?);
        if rest.starts_with(' ') {
            first = characters.next().map_or(first, kind); // a space belongs to what follows
        }
        let same = characters.take_while(|character| kind(*character) == first);
        let own = usize::from(rest.starts_with(' ') && rest.len() > 1) + 1;
        let length: usize = rest.chars().take(own).chain(same).map(char::len_utf8).sum();
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece)
    })
}

/// The pairs that are tokens, in the order in which they were found. The first one is token 256.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merges(Vec<Pair>);

impl Merges {
    pub(super) fn len(&self) -> usize {
        BYTES + self.0.len()
    }

    /// The tokens of a text: in each piece, the pairs are joined in the order in which they were
    /// found.
    pub(super) fn encode(&self, text: &str) -> Vec<i32> {
        let token = |(place, pair): (usize, &Pair)| (*pair, (BYTES + place) as u32);
        let tokens: HashMap<Pair, u32> = self.0.iter().enumerate().map(token).collect();
        let mut known: HashMap<&str, Vec<u32>> = HashMap::new();
        let mut all = Vec::new();
        for piece in pieces(text) {
            let own = known.entry(piece).or_insert_with(|| {
                let mut own = bytes(piece);
                let first = |own: &[u32]| {
                    let pairs = own.windows(2).map(|two| (two[0], two[1]));
                    pairs.filter_map(|pair| Some((*tokens.get(&pair)?, pair))).min()
                };
                while let Some((token, pair)) = first(&own) {
                    own = joined(&own, pair, token);
                }
                own
            });
            all.extend(own.iter().map(|token| *token as i32));
        }
        all
    }

    /// The bytes of these tokens.
    pub(super) fn decode(&self, tokens: &[i32]) -> Vec<u8> {
        let mut left: Vec<u32> = tokens.iter().rev().map(|token| *token as u32).collect();
        let mut bytes = Vec::new();
        while let Some(token) = left.pop() {
            match u8::try_from(token) {
                Ok(byte) => bytes.push(byte),
                Err(_) => {
                    if let Some((a, b)) = self.0.get(token as usize - BYTES) {
                        left.extend([*b, *a]);
                    }
                }
            }
        }
        bytes
    }

    /// Whether each pair consists of tokens before it, so that decoding ends.
    pub(super) fn is_valid(&self) -> bool {
        let valid = |(place, (a, b)): (usize, &Pair)| (*a.max(b) as usize) < BYTES + place;
        self.len() <= MAX_VOCABULARY && self.0.iter().enumerate().all(valid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(text: &str) -> Corpus {
        Corpus::new("t", text.to_string())
    }

    /// The example of Wikipedia's article on byte-pair encoding.
    #[test]
    fn the_pairs_of_a_known_example_are_joined_in_order() {
        let mut pieces = Pieces::of("aaabdaaabac");
        for token in 256..259 {
            let pair = pieces.most_frequent().unwrap();
            pieces.join(pair, token);
        }
        let [z, y, x] = [256, 257, 258];
        let (a, c, d) = (b'a' as u32, b'c' as u32, b'd' as u32);
        assert_eq!(pieces.all, [(vec![x, d, x, a, c], 1)]);
        assert_eq!(pieces.most_frequent(), None);
        let merges = Merges(vec![(a, a), (a, b'b' as u32), (z, y)]);
        assert_eq!(merges.encode("aaabdaaabac"), [x, d, x, a, c].map(|token| token as i32));
        assert!(merges.is_valid() && !Merges(vec![(256, a)]).is_valid());
    }

    #[test]
    fn pieces_are_runs_of_one_kind_with_the_space_before_them() {
        let text = "to be, or  not;\n\n 42 \u{e9}t\u{e9} ";
        let found: Vec<&str> = pieces(text).collect();
        let expected =
            ["to", " be", ",", " or", "  ", "not", ";", "\n\n ", "42", " \u{e9}t\u{e9}", " "];
        assert_eq!(found, expected);
        assert_eq!(found.concat(), text);
    }

    #[test]
    fn every_text_is_decoded_to_itself_and_a_pair_is_at_most_a_piece() {
        let corpus = corpus(&"the cat, the hat; d\u{e9}j\u{e0} vu\n".repeat(40));
        let merges = Bpe { vocabulary: 272 }.fit(&corpus).unwrap();
        assert_eq!(merges, Bpe { vocabulary: 272 }.fit(&corpus).unwrap());
        let other = "a cat \u{1F408} d\u{e9}j\u{e0}";
        for text in [other, corpus.text.as_str()] {
            assert_eq!(merges.decode(&merges.encode(text)), text.as_bytes());
        }
        let the = merges.encode(" the");
        assert_eq!(the.len(), 1);
        let error = Bpe { vocabulary: 2000 }.fit(&corpus).unwrap_err().to_string();
        assert!(error.contains("expected enough for bpe:vocabulary=2000"), "{error}");
    }
}
