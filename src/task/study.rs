//! A study: a statement of theory that is computed at once, without a training loop and without
//! runs.

use serde::{Deserialize, Serialize};

use super::dyn_task::DynTask;
use super::prepare::TaskContext;
use super::spec::{Task, wrong};
use crate::error::Result;
use crate::record::RecordedTask;
use crate::study;

/// A study, as in the TOML.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyTask {
    /// its name
    pub study: String,
}

#[typetag::serde(name = "study")]
impl Task for StudyTask {
    fn check(&self) -> Result<()> {
        study::find(&self.study).map(|_| ())
    }

    fn measures(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn study(&self) -> Option<&str> {
        Some(&self.study)
    }

    fn describes(&self, _run: &RecordedTask) -> bool {
        false
    }

    fn prepare(&self, _context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        let found = format!("the study `{}`, which has no runs", self.study);
        Err(wrong("kind", found, "a task that is trained"))
    }
}
