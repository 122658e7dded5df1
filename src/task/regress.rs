//! Regression: a number in a CSV file is predicted from the other columns. Mean squared error and a
//! penalty.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::dyn_task::{DynTask, PreparedTask};
use super::memory::RunSize;
use super::prepare::{DataRequest, TaskContext, Wanted};
use super::spec::{NOT_NEGATIVE, Task, check_examples, check_validation};
use super::splits::{Splits, Subset};
use crate::data::{self, Batch, Dataset, DeviceExamples};
use crate::error::{Error, Result};
use crate::model::{self, Mode, Net};
use crate::record::{
    BATCH_LOSS, Measure, PENALIZED_LOSS, PENALIZED_TITLE, RecordedTask, TaskRecord,
    VALIDATION_LOSS, is_zero, on_data,
};
use crate::regularizer::Penalty;
use crate::schedule::Progress;
use crate::seed::Seed;
use crate::spec::Spec;
use crate::train::Problem;

const COLUMNS: [Measure; 3] = [
    Measure::new("train_loss", "training loss"),
    Measure::new(PENALIZED_LOSS, PENALIZED_TITLE),
    Measure::new("test_loss", "test loss"),
];

/// The measurement on the validation set.
const VALIDATION: Measure = Measure::new(VALIDATION_LOSS, "validation loss");

/// Regression on a CSV file of numbers, as in the TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// spec of the model
    pub model: String,
    /// path of the CSV file, if the command names none, and the preparation of its inputs:
    /// `houses.csv|standardise`
    pub data: String,
    /// the column that is predicted: a name or a number from 1; the last one by default
    pub target: Option<String>,
    /// batch size
    pub batch: usize,
    /// spec of the penalty, or `none`
    #[serde(default = "none")]
    pub penalty: String,
    /// fraction of the training set that is used for validation
    #[serde(default)]
    pub validation: f64,
}

fn none() -> String {
    "none".into()
}

impl Regression {
    /// Regression on the last column, without penalty and validation set.
    pub fn new(model: &str, data: &str, batch: usize) -> Regression {
        Regression {
            model: model.into(),
            data: data.into(),
            target: None,
            batch,
            penalty: none(),
            validation: 0.0,
        }
    }

    /// Every spec with every setting spelled out.
    fn canonical(&self) -> Result<Regression> {
        Ok(Regression {
            model: model::canonical(&self.model.parse()?)?.to_string(),
            penalty: Penalty::read(&self.penalty.parse()?)?.spec(),
            ..self.clone()
        })
    }
}

#[typetag::serde(name = "regress")]
impl Task for Regression {
    fn check(&self) -> Result<()> {
        self.canonical()?;
        data::check(&self.data)?;
        check_examples("batch", self.batch)?;
        check_validation(self.validation)
    }

    fn measures(&self) -> Vec<&'static str> {
        let validation = (self.validation > 0.0).then_some(VALIDATION.name);
        let columns = COLUMNS.iter().map(|measure| measure.name);
        columns.chain(validation).chain([BATCH_LOSS]).collect()
    }

    fn range(&self, _measure: &str) -> RangeInclusive<f64> {
        NOT_NEGATIVE
    }

    fn data(&self) -> Option<&str> {
        Some(&self.data)
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        let (Some(run), Ok(own)) = (run.as_kind::<RegressRecord>(), self.canonical()) else {
            return false;
        };
        own.model == run.model
            && own.penalty == run.penalty
            && own.batch == run.batch
            && own.target == run.target
            && Subset { validation: own.validation, ..Subset::default() }
                .validation_size(run.train + run.validation)
                == run.validation
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        let own = self.canonical()?;
        let device = context.autodiff_device()?;
        let request = DataRequest {
            data: context.data_of(&own.data),
            subset: Subset { validation: own.validation, ..context.subset },
            images: false,
            labels: Wanted::Number(own.target.clone()),
        };
        let data = context.load(request, &device)?;
        data.splits.check_validation(own.validation)?;
        let (spec, shapes): (Spec, _) = (own.model.parse()?, data.shapes.clone());
        let size = RunSize::of_model(&spec, &shapes, own.batch)?;
        let record = RecordedTask::new(RegressRecord {
            parameters: size.parameters,
            model: own.model,
            data: data.name.clone(),
            sha256: data.sha256.clone(),
            target: own.target,
            train: data.splits.train.len(),
            test: data.splits.test.len(),
            validation: data.splits.validation.as_ref().map_or(0, DeviceExamples::len),
            batch: own.batch,
            penalty: own.penalty.clone(),
        });
        let penalty = Penalty::read(&own.penalty.parse()?)?;
        let problem = RegressProblem::on(data.splits.clone(), own.batch, penalty, &device);
        let initial = Box::new(move |seed| model::build(&spec, &shapes, seed, &device));
        Ok(Box::new(PreparedTask { record, problem, initial, size }))
    }
}

/// What a record says about a regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressRecord {
    /// spec with every setting
    pub model: String,
    /// number of trained values
    pub parameters: usize,
    /// name of the data with their preparation
    pub data: String,
    /// hash of all examples
    pub sha256: String,
    /// the column that is predicted; `None` for the last one
    pub target: Option<String>,
    /// size of the training set
    pub train: usize,
    /// size of the test set
    pub test: usize,
    /// size of the validation set
    #[serde(default, skip_serializing_if = "is_zero")]
    pub validation: usize,
    /// batch size
    pub batch: usize,
    /// spec with every setting, or `none`
    pub penalty: String,
}

#[typetag::serde(name = "regress")]
impl TaskRecord for RegressRecord {
    on_data!();

    fn size(&self) -> String {
        self.on_data().map_or(String::new(), |on| on.size(self.validation))
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let target = self.target.as_deref().unwrap_or("the last column");
        vec![
            ("model", format!("{}, {} parameters", self.model, self.parameters)),
            ("data", format!("{}; sha256 of all examples {}", self.size(), self.sha256)),
            ("predicted", format!("{target}; the loss is the mean squared error")),
            ("batch", format!("{} examples", self.batch)),
            ("penalty", self.penalty.clone()),
        ]
    }

    fn columns(&self) -> Vec<Measure> {
        COLUMNS.to_vec()
    }

    fn other_measures(&self) -> Vec<Measure> {
        vec![VALIDATION]
    }
}

/// Regression on batches of a data set, in the order of [`ClassifyProblem`](super::ClassifyProblem).
/// The loss of a batch is its mean squared error plus the penalty. The measurements `train_loss` and
/// `test_loss` are without the penalty; only `train_loss_plus_penalty` has it.
#[derive(Clone)]
pub struct RegressProblem {
    batches: Batches,
    penalty: Penalty,
}

impl RegressProblem {
    /// Moves the data to `device`, which has autodiff. Clones share the data.
    ///
    /// # Errors
    /// If the data have classes.
    pub fn new(
        data: &Dataset,
        batch: usize,
        penalty: Penalty,
        device: &Device,
    ) -> Result<RegressProblem> {
        if data.train.labels.width() == 0 {
            let data = format!("data {}", data.name);
            return Err(Error::content(data, "classes to predict", "numbers to predict"));
        }
        let splits = Splits::of(data, Subset::default(), device);
        Ok(RegressProblem::on(splits, batch, penalty, device))
    }

    /// With data on their device, which have numbers to predict.
    fn on(splits: Splits, batch: usize, penalty: Penalty, device: &Device) -> RegressProblem {
        RegressProblem { batches: Batches::new(splits, batch, device), penalty }
    }

    fn mean_loss(&self, model: &Net, examples: &DeviceExamples) -> f64 {
        let mut sum = 0.0;
        for Batch { x, targets, .. } in examples.batches() {
            let count = x.dims()[0] as f64;
            let predicted = model.forward(x, &mut Mode::Evaluate);
            sum += count * squared_error(predicted, targets).into_scalar::<f64>();
        }
        sum / examples.len() as f64
    }
}

/// The mean over all examples and outputs. Data with classes have been refused before.
fn squared_error(predicted: Tensor<2>, targets: Option<Tensor<2>>) -> Tensor<1> {
    let error = match targets {
        Some(targets) => predicted - targets,
        None => predicted,
    };
    error.square().mean()
}

impl Problem for RegressProblem {
    type Model = Net;

    fn seeded(self, seed: Seed) -> RegressProblem {
        RegressProblem { batches: self.batches.seeded(seed), ..self }
    }

    fn steps(&self) -> usize {
        self.batches.steps()
    }

    fn loss(&mut self, model: &Net, now: Progress) -> Tensor<1> {
        let batch = self.batches.batch(now);
        let mut mode = Mode::Train(self.batches.generator(now.step));
        let predicted = model.forward(Tensor::from_inner(batch.x), &mut mode);
        let to_autodiff =
            |targets| Tensor::<2>::from_inner(targets).to_device(&self.batches.device);
        let targets = batch.targets.map(to_autodiff);
        self.penalty.added_to(squared_error(predicted, targets), model)
    }

    fn after_step(&self, model: Net, lr: f64) -> Net {
        self.penalty.after_step(model, lr)
    }

    fn measure(&self, model: &Net, _now: Progress) -> BTreeMap<String, f64> {
        let mean_loss = |examples: &_| self.mean_loss(model, examples);
        self.batches.losses(model, &self.penalty, mean_loss)
    }
}
