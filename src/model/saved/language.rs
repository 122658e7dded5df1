//! A language model on disk, with its tokens.

use std::path::Path;

use burn::tensor::Device;

use super::file::{self, Entries, SavedFile};
use crate::data::tokens::Tokenizer;
use crate::error::{Error, Result};
use crate::model::gpt::{self, Gpt};
use crate::seed::Seed;
use crate::spec::Spec;

const TOKENS: &str = "downhill.tokens";

/// The description of a saved language model.
#[derive(Clone, Debug, PartialEq)]
pub struct LanguageCard {
    /// the model, with all settings
    pub spec: Spec,
    /// the tokens of its texts
    pub tokenizer: Tokenizer,
    /// the training data, as on the command line, with all settings of their tokenization
    pub data: String,
    /// the hash of the text
    pub sha256: String,
}

/// Writes a model, and waits until it is on the disk. It is written by one process at a time.
///
/// # Errors
/// If the file cannot be written.
pub fn save(model: &Gpt, card: &LanguageCard, path: &Path) -> Result<()> {
    let LanguageCard { spec, tokenizer, data, sha256 } = card;
    let tokens = serde_json::to_string(tokenizer).map_err(Error::failed("save the tokens"))?;
    file::write(model, &Entries { spec, data, sha256, own: &[(TOKENS, tokens)] }, path)
}

/// Reads a model that [`save`] wrote.
///
/// # Errors
/// If the file is not such a model, or its tensors do not match the spec.
pub fn load(path: &Path, device: &Device) -> Result<(Gpt, LanguageCard)> {
    let file = SavedFile::open(path)?;
    let spec = file.spec()?;
    let tokenizer: Option<Tokenizer> = serde_json::from_str(file.entry(TOKENS)?).ok();
    let Some(tokenizer) = tokenizer.filter(Tokenizer::is_valid) else {
        return Err(file.wrong("unreadable tokens in the metadata"));
    };
    let (data, sha256) = (file.data()?, file.sha256()?);
    let settings = gpt::read(&spec)?;
    let vocabulary = tokenizer.vocabulary();
    let parameters = settings.count(vocabulary)?;
    let model = file.fill(&spec, parameters, || settings.made(vocabulary, Seed(0), device))?;
    Ok((model, LanguageCard { spec, tokenizer, data, sha256 }))
}
