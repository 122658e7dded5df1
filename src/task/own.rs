//! A task that a program defines: any module with a loss. What is recorded is in `own/record.rs`,
//! the problem in `own/problem.rs`.

mod problem;
mod record;

use std::fmt;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::dyn_task::DynTask;
use super::prepare::TaskContext;
use super::spec::{Task, TaskSpec, check_examples, check_validation, wrong};
use super::splits::Subset;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::record::{BATCH_LOSS, RecordedTask, VALIDATION_LOSS};

pub use problem::OwnBatch;
use problem::{Functions, Recorded};
pub use record::{OwnMeasure, OwnRecord};

/// A task of your program: a burn module, a loss, and data. It runs as an experiment, with grids,
/// verdicts and a page.
///
/// The loss of a batch has one element, such as the mean over the examples. The task measures
/// `train_loss` and `test_loss`, the mean loss on all examples, and what
/// [`with_measure`](OwnTask::with_measure) adds.
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use downhill::lab::data::{Dataset, Examples};
/// use downhill::lab::experiment::{Expect, Experiment};
/// use downhill::lab::task::{OwnBatch, OwnTask};
///
/// #[derive(Module, Debug)]
/// struct Line {
///     linear: Linear,
/// }
///
/// let x: Vec<f32> = (0..50).map(|i| i as f32 / 50.0).collect();
/// let y: Vec<f32> = x.iter().map(|x| 3.0 * x + 1.0).collect();
/// let data = Dataset::split("line", Examples::with_targets(x, y)?, 0.2)?;
/// let init = |device: &Device| Line { linear: LinearConfig::new(1, 1).init(device) };
/// let loss = |model: &Line, batch: OwnBatch| {
///     (model.linear.forward(batch.x) - batch.y).square().mean()
/// };
/// let task = OwnTask::new("line, squared error", data, 10, init, loss);
/// let experiment = Experiment::new("line", task, "test_loss")
///     .with_series("SGD", "sgd:lr=[0.1,0.3]")
///     .with_series("Adam", "adam:lr=[0.03,0.1]")
///     .with_claim("Adam is ahead of SGD", Expect::ahead("Adam", "SGD"));
/// experiment.check("line".as_ref(), &Default::default())?;
/// # Ok::<(), downhill::Error>(())
/// ```
pub struct OwnTask<M> {
    settings: OwnSettings,
    data: Arc<Dataset>,
    functions: Functions<M>,
}

impl<M: Module + 'static> OwnTask<M> {
    /// A task of a module.
    ///
    /// `model` describes model and loss in the record, such as `mlp 1-32-1, tanh`. The record also
    /// has a fingerprint of them, so runs are repeated after a change of the code. `init` makes the
    /// initial model; the random numbers that burn draws in it depend on the seed of the run.
    /// `loss` is the loss of a batch of `batch` examples.
    pub fn new(
        model: &str,
        data: Dataset,
        batch: usize,
        init: impl Fn(&Device) -> M + Send + Sync + 'static,
        loss: impl Fn(&M, OwnBatch) -> Tensor<1> + Send + Sync + 'static,
    ) -> OwnTask<M> {
        let settings = OwnSettings {
            model: model.into(),
            data: data.name.clone(),
            batch,
            validation: 0.0,
            measures: Vec::new(),
            program: Program::default(),
        };
        OwnTask { settings, data: Arc::new(data), functions: Functions::new(init, loss) }
    }

    /// With this fraction of the training examples as the validation set, from 0 to below 1. They are
    /// not trained on; the measurement `validation_loss` is their mean loss.
    #[must_use]
    pub fn with_validation(mut self, fraction: f64) -> OwnTask<M> {
        self.settings.validation = fraction;
        self
    }

    /// With another measurement of a model on the whole test set: its name in records and claims,
    /// its title, and its value, one element. The batch contains all test examples.
    #[must_use]
    pub fn with_measure(
        mut self,
        name: &str,
        title: &str,
        value: impl Fn(&M, OwnBatch) -> Tensor<1> + Send + Sync + 'static,
    ) -> OwnTask<M> {
        self.settings.measures.push(OwnMeasure { name: name.into(), title: title.into() });
        self.functions.add_measure(name, value);
        self
    }
}

impl<M: Module + 'static> From<OwnTask<M>> for TaskSpec {
    fn from(OwnTask { settings, data, functions }: OwnTask<M>) -> TaskSpec {
        let program = Program(Some(Arc::new(WithData { data, functions })));
        TaskSpec::new(OwnSettings { program, ..settings })
    }
}

/// What the TOML in a folder of results says about a task of a program. The program is not in it:
/// the records can be reported, but not made again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSettings {
    /// what the program says about model and loss
    pub model: String,
    /// name of the data
    pub data: String,
    /// batch size
    pub batch: usize,
    /// fraction of the training set that is used for validation
    #[serde(default)]
    pub validation: f64,
    /// the program's own measurements
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<OwnMeasure>,
    #[serde(skip)]
    program: Program,
}

/// The part of a task that is code and data.
#[derive(Clone, Default)]
struct Program(Option<Arc<dyn Prepare>>);

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a program" } else { "no program" })
    }
}

/// Prepares a task, whatever its module.
trait Prepare: Send + Sync {
    fn prepare(&self, own: &OwnSettings, context: &TaskContext) -> Result<Box<dyn DynTask>>;
}

struct WithData<M> {
    data: Arc<Dataset>,
    functions: Functions<M>,
}

impl<M: Module + 'static> Prepare for WithData<M> {
    fn prepare(&self, own: &OwnSettings, context: &TaskContext) -> Result<Box<dyn DynTask>> {
        let OwnSettings { batch, validation, .. } = *own;
        let (model, measures) = (own.model.clone(), own.measures.clone());
        let recorded = Recorded { model, batch, validation, measures };
        problem::prepare(recorded, &self.data, self.functions.clone(), context)
    }
}

const ALWAYS: [&str; 4] = ["train_loss", "test_loss", VALIDATION_LOSS, BATCH_LOSS];

#[typetag::serde(name = "own")]
impl Task for OwnSettings {
    fn check(&self) -> Result<()> {
        check_examples("batch", self.batch)?;
        check_validation(self.validation)?;
        if self.model.trim().is_empty() {
            let found = format!("{:?}", self.model);
            return Err(wrong("model", found, "a description of model and loss"));
        }
        for (at, measure) in self.measures.iter().enumerate() {
            let earlier = self.measures[..at].iter().any(|other| other.name == measure.name);
            if earlier || ALWAYS.contains(&measure.name.as_str()) {
                let expected = format!("a name once, and none of {}", ALWAYS.join(", "));
                return Err(wrong("measures", format!("`{}` twice", measure.name), expected));
            }
        }
        Ok(())
    }

    fn measures(&self) -> Vec<&'static str> {
        let own = self.measures.iter().map(|measure| measure.measure().name);
        let always = ALWAYS.into_iter();
        always.filter(|it| *it != VALIDATION_LOSS || self.validation > 0.0).chain(own).collect()
    }

    fn data(&self) -> Option<&str> {
        Some(&self.data)
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        run.as_kind::<OwnRecord>().is_some_and(|run| {
            let subset = Subset { validation: self.validation, ..Subset::default() };
            subset.validation_size(run.train + run.validation) == run.validation
                && (&run.model, run.batch, &run.measures)
                    == (&self.model, self.batch, &self.measures)
        })
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        if let Some(data) = &context.data {
            let expected =
                format!("no --data, because the program has its own data, {}", self.data);
            return Err(Error::value("--data", data, expected));
        }
        match &self.program.0 {
            Some(program) => program.prepare(self, context),
            None => Err(wrong(
                "kind",
                format!("`own`, the task `{}` of a program", self.model),
                "to be run by that program; command.txt beside the records names it",
            )),
        }
    }
}
