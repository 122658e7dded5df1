//! The records below folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::experiment::{self, Experiment};
use crate::files::{MAX_TEXT, below, read_text};
use crate::optim::Optimizers;
use crate::record::{self, Run};
use crate::runner::{COMMAND_FILE, UNTIL_DECIDED_FILE};

/// Reads every record below these folders, and the experiment that they belong to.
///
/// # Errors
/// If there are no records, or one is damaged, or they belong to several experiments.
pub fn read(
    folders: &[PathBuf],
    optimizers: &Optimizers,
) -> Result<(Option<Experiment>, Vec<Run>)> {
    let mut runs = Vec::new();
    for folder in folders {
        let before = runs.len();
        for file in below(folder, "jsonl")? {
            runs.push(record::read(&file)?);
        }
        if folder.is_dir() {
            runs.extend(incomplete(folder)?);
        }
        if runs.len() == before {
            return Err(no_records(folder, optimizers));
        }
    }
    runs.sort_by_key(|run| {
        (run.header.series.clone(), run.header.optimizer.clone(), run.header.seed)
    });
    let names: BTreeSet<&str> = runs.iter().map(|run| run.header.experiment.as_str()).collect();
    if names.len() > 1 {
        let names: Vec<&str> = names.into_iter().collect();
        let found = format!("records of {}", names.join(" and "));
        return Err(Error::content(&folders[0], found, "records of one experiment"));
    }
    let name = runs.first().map_or("", |run| &run.header.experiment);
    let mut experiment = find_experiment(folders, name, optimizers)?;
    if let Some(experiment) = &mut experiment {
        experiment.until_decided =
            folders.iter().any(|folder| folder.join(UNTIL_DECIDED_FILE).is_file());
    }
    Ok((experiment, runs))
}

/// The runs that are not complete. Another process may be making them now, so a file may be gone, or
/// have no whole line yet.
fn incomplete(folder: &Path) -> Result<Vec<Run>> {
    let parts = below(folder, "part")?.into_iter();
    let without_record = parts.filter(|part| !part.with_extension("jsonl").exists());
    Ok(without_record.filter_map(|part| record::read(&part).ok()).collect())
}

/// The error for a folder without records. A study has none, so the error says what to do instead.
fn no_records(folder: &Path, optimizers: &Optimizers) -> Error {
    let file = folder.join("experiment.toml");
    match experiment::load_file(&file, optimizers) {
        Ok((Experiment { task, name, .. }, _)) if task.study().is_some() => Error::content(
            folder,
            "the page of a study",
            format!(
                "records; a study has none, `downhill run {name}` recomputes it, and its figures are \
                 the SVG files in that folder"
            ),
        ),
        _ => Error::content(folder, "no records", "*.jsonl files somewhere below"),
    }
}

/// The experiment in a file beside the records; otherwise the built-in one of that name.
fn find_experiment(
    folders: &[PathBuf],
    name: &str,
    optimizers: &Optimizers,
) -> Result<Option<Experiment>> {
    let file =
        folders.iter().map(|folder| folder.join("experiment.toml")).find(|path| path.is_file());
    match file {
        Some(file) => {
            // a folder of an earlier version has no command
            let command = read_text(&file.with_file_name(COMMAND_FILE), MAX_TEXT).ok();
            let command = command.map(|text| text.trim().to_string());
            let loaded = experiment::load_file(&file, optimizers);
            let (mut experiment, _) =
                loaded.map_err(|error| with_program(error, command.as_deref()))?;
            experiment.command = experiment.command.or(command);
            experiment.read_added(file.parent().unwrap_or(Path::new(".")), optimizers)?;
            Ok(Some(experiment))
        }
        None => Ok(experiment::load(name, optimizers).ok().map(|(experiment, _)| experiment)),
    }
}

/// The error with the program that made the records, which knows its own rules and tasks.
fn with_program(error: Error, command: Option<&str>) -> Error {
    match command.filter(|command| !command.starts_with("downhill ")) {
        None => error,
        Some(command) => Error::OfProgram { error: Box::new(error), command: command.into() },
    }
}
