//! The tasks of `downhill train`: those whose trained model is a file.

use std::path::Path;

use super::dyn_task::PreparedTask;
use super::prepare::TaskContext;
use super::spec::Task;
use crate::error::Result;
use crate::record::Measure;
use crate::train::Problem;

/// Writes a trained model into a file.
pub type SaveModel<M> = Box<dyn Fn(&M, &Path) -> Result<()>>;

/// What is trained, and the function that saves its model.
pub type Prepared<P> = (PreparedTask<P>, SaveModel<<P as Problem>::Model>);

/// A task whose trained model can be saved.
pub trait SavedTask: Task {
    /// What is minimized.
    type Problem: Problem + Clone;

    /// As [`Task::prepare`], with the problem's own type, and with the function that saves a model.
    ///
    /// # Errors
    /// As [`Task::prepare`].
    fn prepare_saved(&self, context: &mut TaskContext) -> Result<Prepared<Self::Problem>>;

    /// The measurements that a line about an epoch contains.
    fn shown(&self, record: &dyn crate::record::TaskRecord) -> Vec<Measure>;
}
