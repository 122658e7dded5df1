//! Reading a suite by its name or from a file.

use std::path::Path;

use super::built_in::BUILT_IN;
use super::schema::Suite;
use crate::error::Result;
use crate::experiment::explain;
use crate::files::{MAX_TEXT, read_text};
use crate::optim::Optimizers;
use crate::spec::unknown;

const HELP: &str = "`downhill show laptop --toml` prints a whole file";

/// A built-in suite by its name, or one from a file that ends in `.toml`, with the text of the file.
///
/// # Errors
/// If there is no suite of this name, or the file is not a suite.
pub fn load(name_or_file: &str, optimizers: &Optimizers) -> Result<(Suite, String)> {
    if name_or_file.ends_with(".toml") {
        let file = Path::new(name_or_file);
        let text = read_text(file, MAX_TEXT)?;
        return Ok((parse(file, &text, optimizers)?, text));
    }
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == name_or_file);
    let names = BUILT_IN.iter().map(|(name, _)| *name);
    let (name, text) = built_in.ok_or_else(|| unknown("suite", name_or_file, names))?;
    Ok((parse(Path::new(&format!("{name}.toml")), text, optimizers)?, text.to_string()))
}

/// Reads a suite and [checks](Suite::check) it. `path` is only for errors.
///
/// # Errors
/// Names the line or key, the value found and what was expected.
pub fn parse(path: &Path, text: &str, optimizers: &Optimizers) -> Result<Suite> {
    let mut suite: Suite =
        toml::from_str(text).map_err(|error| explain(path, text, &error, HELP))?;
    suite.file = path.display().to_string();
    suite.check(optimizers)?;
    Ok(suite)
}
