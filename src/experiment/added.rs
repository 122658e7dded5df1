//! Settings that `run --extend` added beyond the edge of a grid. A file in the folder of the results
//! records them, so that the next `run`, `plan` and `report` find them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::schema::{Added, Experiment, Scale};
use crate::error::{Error, Result};
use crate::files::{MAX_TEXT, place, read_text};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::spec::SpecLine;

/// The name of the file.
const FILE: &str = "added.toml";

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddedFile {
    added: Vec<Added>,
}

impl Experiment {
    /// Reads the settings that were added in this folder, if there are some.
    ///
    /// # Errors
    /// On a file that cannot be read, an unknown series, or a setting that is not allowed.
    pub fn read_added(&mut self, folder: &Path, optimizers: &Optimizers) -> Result<()> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(());
        }
        let text = read_text(&path, MAX_TEXT)?;
        let damaged = |found: String| {
            Error::content(&path, found, "the settings that `downhill run --extend` added")
        };
        let file: AddedFile =
            toml::from_str(&text).map_err(|error| damaged(error.message().into()))?;
        for added in &file.added {
            if self.series_named(&added.series).is_none() {
                return Err(damaged(format!("the series `{}`", added.series)));
            }
            let line: SpecLine = added.optimizer.parse().map_err(Error::from)?;
            let read = PipelineConfig::read(&line, optimizers);
            read.map_err(|error| error.within(path.display()))?;
        }
        self.added = file.added;
        Ok(())
    }

    /// Writes the added settings into this folder.
    ///
    /// # Errors
    /// On a disk that cannot be written.
    pub fn write_added(&self, folder: &Path) -> Result<()> {
        let file = AddedFile { added: self.added.clone() };
        let text = toml::to_string(&file).map_err(Error::failed("write the added settings"))?;
        place(&folder.join(FILE), text.as_bytes())
    }

    /// The settings that were added to a series at a scale.
    pub fn added_to(&self, series: &str, scale: Scale) -> impl Iterator<Item = &str> {
        let is_own = move |added: &&Added| added.series == series && added.scale == scale;
        self.added.iter().filter(is_own).map(|added| added.optimizer.as_str())
    }
}
