//! What the TOML says about a task: the trait that every kind implements.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dyn_task::DynTask;
use super::prepare::TaskContext;
use crate::error::{Error, Result};
use crate::record::RecordedTask;
use crate::regularizer::EarlyStopping;

/// A task as an experiment's TOML describes it.
#[typetag::serde(tag = "kind")]
pub trait Task: Any + fmt::Debug + Send + Sync {
    /// Checks the settings as far as that is possible without the data.
    ///
    /// # Errors
    /// Names the key, the value found and what was expected.
    fn check(&self) -> Result<()>;

    /// Names of the measurements that can be drawn and graded; lower is better. Empty for a study.
    fn measures(&self) -> Vec<&'static str>;

    /// The values that a measurement can have. A target outside it is refused.
    fn range(&self, measure: &str) -> RangeInclusive<f64> {
        let _ = measure;
        f64::NEG_INFINITY..=f64::INFINITY
    }

    /// Name or path of the data with their preparation; `None` for a task without data.
    fn data(&self) -> Option<&str> {
        None
    }

    /// The part of [`data`](Task::data) in which all series of an experiment agree.
    fn common_data(&self) -> Option<&str> {
        self.data()
    }

    /// The rule that stops a run before its last epoch.
    ///
    /// # Errors
    /// On an unknown name or setting, or a value that is not allowed.
    fn early_stopping(&self) -> Result<Option<EarlyStopping>> {
        Ok(None)
    }

    /// The name of the study, if the task is one: it is computed at once, without runs.
    fn study(&self) -> Option<&str> {
        None
    }

    /// Whether a run was of this task, whatever its data.
    fn describes(&self, run: &RecordedTask) -> bool;

    /// Loads the data, builds the problem, and resolves what is recorded.
    ///
    /// # Errors
    /// On unknown names, damaged data, or an option that the task does not have.
    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>>;
}

/// An error about a key of the task.
pub(super) fn wrong(key: &str, found: impl ToString, expected: impl Into<String>) -> Error {
    Error::value(format!("task.{key}"), found, expected)
}

/// Checks a number of examples.
pub(super) fn check_examples(key: &str, n: usize) -> Result<()> {
    match n {
        0 => Err(wrong(key, 0, "at least 1 example")),
        _ => Ok(()),
    }
}

/// Checks a fraction of the training set that is used for validation.
pub(super) fn check_validation(fraction: f64) -> Result<()> {
    if (0.0..1.0).contains(&fraction) {
        return Ok(());
    }
    Err(wrong("validation", fraction, "a fraction from 0 to below 1"))
}

/// The range of a measurement that is not below zero.
pub(super) const NOT_NEGATIVE: RangeInclusive<f64> = 0.0..=f64::INFINITY;

/// A [`Task`] of any kind.
#[derive(Clone, Debug)]
pub struct TaskSpec(Arc<dyn Task>);

impl TaskSpec {
    /// A task of one kind.
    pub fn new(task: impl Task) -> TaskSpec {
        TaskSpec(Arc::new(task))
    }

    /// The settings, if they are of this kind.
    pub fn as_kind<T: Task>(&self) -> Option<&T> {
        (&*self.0 as &dyn Any).downcast_ref()
    }

    /// Whether both are of one kind.
    pub fn is_same_kind(&self, other: &TaskSpec) -> bool {
        self.0.typetag_name() == other.0.typetag_name()
    }
}

impl<T: Task> From<T> for TaskSpec {
    fn from(task: T) -> TaskSpec {
        TaskSpec::new(task)
    }
}

impl Deref for TaskSpec {
    type Target = dyn Task;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Serialize for TaskSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TaskSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Box::<dyn Task>::deserialize(deserializer).map(|task| TaskSpec(task.into()))
    }
}
