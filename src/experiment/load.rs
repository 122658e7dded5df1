//! Reading an experiment by its name or from a file.

use std::path::Path;

use super::built_in::BUILT_IN;
use super::schema::Experiment;
use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::spec::unknown;

/// A built-in experiment by its name, or one from a file that ends in `.toml`, with the text of the
/// file.
///
/// # Errors
/// If there is no experiment of this name, or the file is not an experiment.
pub fn load(name_or_file: &str, optimizers: &Optimizers) -> Result<(Experiment, String)> {
    if name_or_file.ends_with(".toml") {
        return load_file(Path::new(name_or_file), optimizers);
    }
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == name_or_file);
    if built_in.is_none() && Path::new(name_or_file).is_dir() {
        return Err(Error::content(
            name_or_file,
            "a folder",
            "the name of an experiment, or a FILE.toml",
        ));
    }
    let names = BUILT_IN.iter().map(|(name, _)| *name);
    let (name, text) = built_in.ok_or_else(|| unknown("experiment", name_or_file, names))?;
    Ok((parse(Path::new(&format!("{name}.toml")), text, optimizers)?, text.to_string()))
}

/// The experiment in a file, and its text. The path need not be UTF-8.
///
/// # Errors
/// If the file cannot be read, or as [`parse`].
pub fn load_file(file: &Path, optimizers: &Optimizers) -> Result<(Experiment, String)> {
    let text = std::fs::read_to_string(file).map_err(Error::io("read", file))?;
    Ok((parse(file, &text, optimizers)?, text))
}

/// Reads an experiment and [checks](Experiment::check) it. `path` is only for errors.
///
/// # Errors
/// Names the line or key, the value found and what was expected.
pub fn parse(path: &Path, text: &str, optimizers: &Optimizers) -> Result<Experiment> {
    let mut experiment: Experiment = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_number(text, span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        let help = "`downhill show adam-fig1-mnist --toml` prints a whole file";
        Error::Invalid(format!("{}, line {line}: {message}; {help}", path.display()))
    })?;
    experiment.source = text.into();
    experiment.check(path, optimizers)?;
    Ok(experiment)
}

fn line_number(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}
