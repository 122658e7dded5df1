//! What a comparison trains.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::data::prepare::Prepare;
use crate::data::{self, Dataset};
use crate::error::Result;
use crate::task::{Classification, OwnBatch, OwnTask, Regression, TaskSpec};

/// The fraction of the training set that selects the best setting of each optimizer.
const VALIDATION: f64 = 0.1;

/// The data of a comparison: the name of a data set, the path of a folder or file, or a
/// [`Dataset`] of arrays, alone or with its preparation: `(dataset, "standardise")`.
pub struct Data {
    source: Source,
    preparation: Option<String>,
}

enum Source {
    Named(String),
    Arrays(Box<Dataset>),
}

impl From<&str> for Data {
    fn from(name: &str) -> Data {
        Data { source: Source::Named(name.into()), preparation: None }
    }
}

impl From<Dataset> for Data {
    fn from(arrays: Dataset) -> Data {
        Data { source: Source::Arrays(Box::new(arrays)), preparation: None }
    }
}

impl From<(Dataset, &str)> for Data {
    fn from((arrays, preparation): (Dataset, &str)) -> Data {
        Data { source: Source::Arrays(Box::new(arrays)), preparation: Some(preparation.into()) }
    }
}

impl Data {
    /// Name and preparation.
    fn name(&self) -> String {
        let name = match &self.source {
            Source::Named(name) => name,
            Source::Arrays(arrays) => &arrays.name,
        };
        let preparation = self.preparation.as_ref().map(|line| format!("|{line}"));
        name.clone() + &preparation.unwrap_or_default()
    }

    fn load(self) -> Result<Dataset> {
        match (self.source, self.preparation) {
            (Source::Named(name), _) => data::load(&name),
            (Source::Arrays(arrays), Some(line)) => Prepare::read(&line)?.of(*arrays),
            (Source::Arrays(arrays), None) => Ok(*arrays),
        }
    }
}

/// The model of a comparison: the spec of a model of the library, such as `mlp:hidden=50`, or
/// [`own`].
pub struct Model(Kind);

enum Kind {
    Library(String),
    Own(String, Box<dyn FnOnce(Dataset, usize) -> TaskSpec>),
}

impl From<&str> for Model {
    fn from(spec: &str) -> Model {
        Model(Kind::Library(spec.into()))
    }
}

/// A burn module of your program, for [`Comparison::on`](super::Comparison::on).
///
/// `description` names model and loss in records, such as `mlp 2-32-1, squared error`. `init` makes
/// the initial model; the random numbers that burn draws in it depend on the seed of the run. `loss`
/// is the loss of a batch, one element, such as the mean over its examples.
pub fn own<M: Module + 'static>(
    description: &str,
    init: impl Fn(&Device) -> M + Send + Sync + 'static,
    loss: impl Fn(&M, OwnBatch) -> Tensor<1> + Send + Sync + 'static,
) -> Model {
    let name = description.to_string();
    let task = move |data, batch| {
        OwnTask::new(&name, data, batch, init, loss).with_validation(VALIDATION).into()
    };
    Model(Kind::Own(description.into(), Box::new(task)))
}

/// Data with a model, or a task.
pub(super) enum Subject {
    OnData(Data, Model),
    Task(TaskSpec),
}

impl Subject {
    /// In a few words: `mlp on mnist-10k`.
    pub fn title(&self) -> String {
        match self {
            Subject::OnData(data, Model(Kind::Library(model) | Kind::Own(model, _))) => {
                format!("{model} on {}", data.name())
            }
            Subject::Task(task) => task.data().unwrap_or("a task without data").into(),
        }
    }

    /// The task, and the data sets that it names.
    pub fn into_task(self, batch: usize) -> Result<(TaskSpec, Vec<Dataset>)> {
        let (data, model) = match self {
            Subject::Task(task) => return Ok((task, Vec::new())),
            Subject::OnData(data, Model(Kind::Own(_, task))) => {
                return Ok((task(data.load()?, batch), Vec::new()));
            }
            Subject::OnData(data, Model(Kind::Library(model))) => (data, model),
        };
        let name = data.name();
        let classify = || {
            let task = Classification::new(&model, &name, batch);
            Classification { validation: VALIDATION, ..task }.into()
        };
        Ok(match data.source {
            Source::Named(_) => (classify(), Vec::new()),
            Source::Arrays(arrays) if arrays.classes > 0 => (classify(), vec![*arrays]),
            Source::Arrays(arrays) => {
                let task = Regression::new(&model, &name, batch);
                (Regression { validation: VALIDATION, ..task }.into(), vec![*arrays])
            }
        })
    }
}
