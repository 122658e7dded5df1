//! Reading an experiment by its name or from a file.

use std::path::Path;

use super::built_in::BUILT_IN;
use super::schema::Experiment;
use super::toml_error::explain;
use crate::error::{Error, Result};
use crate::files::{MAX_TEXT, read_text};
use crate::optim::Optimizers;
use crate::record::rename_measure;
use crate::spec::unknown;

const HELP: &str = "`downhill show adam-fig1-mnist --toml` prints a whole file";

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
    let text = read_text(file, MAX_TEXT)?;
    Ok((parse(file, &text, optimizers)?, text))
}

/// Reads an experiment and [checks](Experiment::check) it. `path` is only for errors.
///
/// # Errors
/// Names the line or key, the value found and what was expected.
pub fn parse(path: &Path, text: &str, optimizers: &Optimizers) -> Result<Experiment> {
    let mut experiment: Experiment =
        toml::from_str(text).map_err(|error| explain(path, text, &error, HELP))?;
    experiment.source = text.into();
    experiment.file = path.display().to_string();
    rename_measures(&mut experiment);
    experiment.check(path, optimizers)?;
    Ok(experiment)
}

/// Gives measurements their present names.
fn rename_measures(experiment: &mut Experiment) {
    let known = experiment.task.measures();
    let metric = &mut experiment.metric;
    let checked = experiment.claim.iter_mut().filter_map(|claim| claim.expect.measure_mut());
    let names = std::iter::once(&mut metric.name).chain(&mut metric.select);
    let names = names.chain(&mut metric.also).chain(checked);
    names.for_each(|name| rename_measure(name, &known));
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
name = "a"
title = "A"
metric = { name = "train_loss", label = "loss" }
task = { kind = "classify", model = "logistic", data = "mnist-10k", batch = 128 }

[scale.quick]
epochs = 1
seeds = 2

[[series]]
label = "Adam"
optimizer = "adam:lr=[0.01,0.1]"

[[series]]
label = "SGD"
optimizer = "sgd:lr=0.1"

[[claim]]
quote = "Adam wins"
expect = { kind = "ahead", a = "Adam", b = "SGD" }
"#;

    /// The error for the file with one text replaced.
    fn error(from: &str, to: &str) -> String {
        assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
        let text = WHOLE.replace(from, to);
        let error = parse(Path::new("a.toml"), &text, &Optimizers::default()).unwrap_err();
        error.to_string()
    }

    #[test]
    fn the_file_is_valid() {
        assert!(parse(Path::new("a.toml"), WHOLE, &Optimizers::default()).is_ok());
    }

    #[test]
    fn an_unknown_key_or_name_is_refused_with_the_nearest_one() {
        for (from, to, place, suggestion) in [
            (
                "title =",
                "tittle =",
                "a.toml, line 3",
                "unknown key `tittle`; did you mean `title`?",
            ),
            (
                "\"ahead\"",
                "\"ahed\"",
                "a.toml, line 21, claim \"Adam wins\"",
                "unknown value `ahed`; did you mean `ahead`? Known: ahead, similar",
            ),
            ("scale.quick", "scale.quik", "a.toml, line 7", "did you mean `quick`? Known: quick"),
            (
                "optimizer = \"sgd",
                "optimiser = \"sgd",
                "a.toml, line 17, series \"SGD\"",
                "unknown key `optimiser`; did you mean `optimizer`?",
            ),
            ("batch =", "bach =", "a.toml, line ", "unknown key `bach`; did you mean `batch`?"),
            ("\"classify\"", "\"clasify\"", "a.toml, line ", "did you mean `classify`?"),
        ] {
            let error = error(from, to);
            assert!(error.starts_with(place) && error.contains(suggestion), "{error}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_without_rust_names() {
        for (from, to, expected) in [
            (
                "seeds = 2",
                "seeds = \"two\"",
                "a.toml, line 9, seeds: found \"two\", expected a whole number, 0 or above",
            ),
            (
                "seeds = 2",
                "seeds = -2",
                "a.toml, line 9, seeds: found -2, expected a whole number, 0 or above",
            ),
            (
                "seeds = 2",
                "seeds = 0.5",
                "a.toml, line 9, seeds: found 0.5, expected a whole number, 0 or above",
            ),
            (
                "label = \"SGD\"",
                "label = 3",
                "a.toml, line 16, series 3, label: found 3, expected text in quotes",
            ),
            (
                "name = \"a\"",
                "name = true",
                "a.toml, line 2, name: found true, expected text in quotes",
            ),
            (
                "[[claim]]",
                "[scale.paper]\nseeds = true\n[[claim]]",
                "a.toml, line 20, seeds: found true, expected a whole number, 0 or above",
            ),
            (
                "batch = 128",
                "batch = 0.5",
                "a.toml, line 5, task, batch: found 0.5, expected a whole number, 0 or above",
            ),
        ] {
            assert_eq!(error(from, to), expected);
        }
        let error = error("seeds = 2", "");
        assert!(error.starts_with("a.toml, line 7: found no `seeds`, expected"), "{error}");
    }

    #[test]
    fn an_error_about_data_sizes_or_a_series_names_file_and_series() {
        for (from, to, expected) in [
            (
                "mnist-10k",
                "mnist-10k|gnc",
                "a.toml: unknown preparation of data `gnc`; did you mean `gcn`?",
            ),
            (
                "batch = 128",
                "batch = 0",
                "a.toml, task.batch: found 0, expected at least 1 example",
            ),
            (
                "optimizer = \"sgd:lr=0.1\"",
                "optimizer = \"sgd:lr=[0.1,1e-1]\"",
                "a.toml, series `SGD`, optimizer: found sgd:lr=0.1 twice, expected each setting of \
                 a grid once",
            ),
            (
                "optimizer = \"sgd:lr=0.1\"",
                "optimizer = \"sgd|cosine\"\nschedule = \"exp\"",
                "a.toml, series `SGD`, schedule: found exp beside cosine",
            ),
            ("sgd:lr", "sdg:lr", "a.toml, series `SGD`: unknown optimizer"),
            (
                "batch = 128",
                "batch = 128, early_stopping = \"early_stopping\"",
                "a.toml, task.early_stopping: found `early_stopping` without task.validation, \
                 expected both",
            ),
        ] {
            let error = error(from, to);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_figure_that_does_not_exist_cannot_lead() {
        assert_eq!(
            error("title = \"A\"", "title = \"A\"\nlead = \"pie\""),
            "a.toml, lead: found `pie`, expected one of curves, heat, learning-rates, paths"
        );
    }

    #[test]
    fn a_claim_that_compares_a_series_with_itself_is_refused() {
        assert_eq!(
            error("b = \"SGD\"", "b = \"Adam\""),
            "a.toml, claim \"Adam wins\", expect: found `Adam` twice, expected different series"
        );
    }
}
