//! Classification: what the TOML says about it and what is recorded. The problem is in
//! `classify/problem.rs`.

mod problem;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::RangeInclusive;

use super::dyn_task::{DynTask, PreparedTask};
use super::memory::RunSize;
use super::prepare::{DataRequest, LoadedData, TaskContext, Wanted};
use super::saved::{SaveModel, SavedTask};
use super::spec::{NOT_NEGATIVE, Task, check_examples, check_validation};
use super::splits::Subset;
use crate::augment::Augment;
use crate::data::{self, DeviceExamples};
use crate::error::{Error, Result};
use crate::model::saved::{self, ModelCard};
use crate::model::{self, Net};
use crate::record::{
    BATCH_LOSS, Measure, PENALIZED_LOSS, PENALIZED_TITLE, RecordedTask, TaskRecord,
    TrainingCommand, VALIDATION_LOSS, is_zero, on_data,
};
use crate::regularizer::{EarlyStopping, Penalty, early_stopping};
use crate::spec::{Settings, Spec, unknown};

pub use problem::ClassifyProblem;

/// The measurements with a column.
const COLUMNS: [Measure; 4] = [
    Measure::new("train_loss", "training loss"),
    Measure::new(PENALIZED_LOSS, PENALIZED_TITLE),
    Measure::new("test_loss", "test loss"),
    Measure::new("test_accuracy", "test accuracy"),
];
/// The other measurements of every classifier.
const OTHER: [Measure; 3] = [
    Measure::new("train_error", "training error rate"),
    Measure::new("test_error", "test error rate"),
    Measure::new("gap", "gap (test loss - training loss)"),
];
/// The measurements on the validation set.
const VALIDATION: [Measure; 2] = [
    Measure::new(VALIDATION_LOSS, "validation loss"),
    Measure::new("validation_error", "validation error rate"),
];

/// A classifier and how it is trained, as in the TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// spec of the model
    pub model: String,
    /// name or path of the data, if the command names none, and their preparation:
    /// `cifar10|gcn|zca`
    pub data: String,
    /// batch size
    pub batch: usize,
    /// spec of the penalty, or `none`
    #[serde(default = "none")]
    pub penalty: String,
    /// augmentation of the images of a batch: specs, or `none`
    #[serde(default = "none")]
    pub augment: String,
    /// fraction of the training set that is used for validation
    #[serde(default)]
    pub validation: f64,
    /// spec of early stopping, or `none`
    #[serde(default = "none")]
    pub early_stopping: String,
    /// number of training examples on which the training loss is measured; all by default
    pub measured: Option<usize>,
}

fn none() -> String {
    "none".into()
}

impl Classification {
    /// A classifier without penalty, augmentation, validation set and early stopping.
    pub fn new(model: &str, data: &str, batch: usize) -> Classification {
        Classification {
            model: model.into(),
            data: data.into(),
            batch,
            penalty: none(),
            augment: none(),
            validation: 0.0,
            early_stopping: none(),
            measured: None,
        }
    }

    /// Every spec with every setting spelled out.
    ///
    /// # Errors
    /// On an unknown name or setting, or a value that is not allowed.
    pub fn canonical(&self) -> Result<Classification> {
        let stopping = self.early_stopping()?;
        Ok(Classification {
            model: model::canonical(&self.model.parse()?)?.to_string(),
            penalty: Penalty::read(&self.penalty.parse()?)?.spec(),
            augment: Augment::read(&self.augment.parse()?)?.spec(),
            early_stopping: stopping
                .map_or_else(none, |rule| rule.spec(early_stopping::NAME).to_string()),
            ..self.clone()
        })
    }

    /// The limit on measured training examples, where it is below the size of the training set;
    /// otherwise 0.
    fn measured_of(&self, train: usize) -> usize {
        self.measured.filter(|n| *n < train).unwrap_or(0)
    }

    /// As [`Task::prepare`], with what a file of the trained model says.
    fn prepare_classifier(
        &self,
        context: &mut TaskContext,
    ) -> Result<(PreparedTask<ClassifyProblem>, ModelCard)> {
        let own = self.canonical()?; // names are checked first, the slow part comes last
        let device = context.autodiff_device()?;
        let augment = Augment::read(&own.augment.parse()?)?;
        let request = DataRequest {
            data: context.data_of(&own.data),
            subset: Subset { validation: own.validation, ..context.subset },
            images: !augment.is_none(),
            labels: Wanted::Classes,
        };
        let data = context.load(request.clone(), &device)?;
        own.check_data(&data, &augment)?;
        let (spec, shapes): (Spec, _) = (own.model.parse()?, data.shapes.clone());
        let size = RunSize::of_model(&spec, &shapes, own.batch)?;
        let record = RecordedTask::new(own.record(&data, size.parameters));
        let penalty = Penalty::read(&own.penalty.parse()?)?;
        let problem =
            ClassifyProblem::on(data.splits.clone(), own.measured, own.batch, penalty, &device)
                .augmented(augment, &shapes.input)?;
        let card = ModelCard {
            spec: spec.clone(),
            shapes: shapes.clone(),
            data: with_full_preparation(&request.data, &data.name),
            sha256: data.sha256.clone(),
        };
        let initial = Box::new(move |seed| model::build(&spec, &shapes, seed, &device));
        Ok((PreparedTask { record, problem, initial, size }, card))
    }

    /// Checks what is only known with the data.
    fn check_data(&self, data: &LoadedData, augment: &Augment) -> Result<()> {
        let splits = &data.splits;
        splits.check_validation(self.validation)?;
        augment.takes(&data.name, &data.shapes.input, data.pixels || splits.images().is_some())
    }

    fn record(&self, data: &LoadedData, parameters: usize) -> ClassifyRecord {
        let splits = &data.splits;
        ClassifyRecord {
            model: self.model.clone(),
            parameters,
            data: data.name.clone(),
            sha256: data.sha256.clone(),
            train: splits.train.len(),
            test: splits.test.len(),
            batch: self.batch,
            penalty: self.penalty.clone(),
            augment: self.augment.clone(),
            validation: splits.validation.as_ref().map_or(0, DeviceExamples::len),
            early_stopping: self.early_stopping.clone(),
            measured: self.measured_of(splits.train.len()),
        }
    }
}

/// The data as the user named them, with the preparation as the loaded data name it: every setting
/// is spelled out.
fn with_full_preparation(asked: &str, loaded: &str) -> String {
    match (asked.split_once('|'), loaded.split_once('|')) {
        (Some((name, _)), Some((_, preparation))) => format!("{}|{preparation}", name.trim()),
        _ => asked.into(),
    }
}

#[typetag::serde(name = "classify")]
impl Task for Classification {
    fn check(&self) -> Result<()> {
        self.canonical()?;
        data::check(&self.data)?;
        check_examples("batch", self.batch)?;
        check_examples("measured", self.measured.unwrap_or(1))?;
        check_validation(self.validation)?;
        if self.early_stopping()?.is_some() && self.validation == 0.0 {
            return Err(Error::Without {
                key: "task.early_stopping".into(),
                found: self.early_stopping.clone(),
                needed: "task.validation".into(),
            });
        }
        Ok(())
    }

    fn measures(&self) -> Vec<&'static str> {
        let validation: &[Measure] = if self.validation == 0.0 { &[] } else { &VALIDATION };
        let names = COLUMNS.iter().chain(&OTHER).chain(validation).map(|measure| measure.name);
        names.filter(|name| *name != "test_accuracy").chain([BATCH_LOSS]).collect()
    }

    fn range(&self, measure: &str) -> RangeInclusive<f64> {
        match measure {
            "train_error" | "test_error" | "validation_error" => 0.0..=1.0,
            "gap" => f64::NEG_INFINITY..=f64::INFINITY,
            _ => NOT_NEGATIVE,
        }
    }

    fn data(&self) -> Option<&str> {
        Some(&self.data)
    }

    fn early_stopping(&self) -> Result<Option<EarlyStopping>> {
        let spec: Spec = self.early_stopping.parse()?;
        if spec.is_none()? {
            return Ok(None);
        }
        match spec.name.as_str() {
            early_stopping::NAME => Ok(Some(spec.read()?)),
            other => Err(unknown("stop rule", other, ["none", early_stopping::NAME]).into()),
        }
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        let (Some(run), Ok(own)) = (run.as_kind::<ClassifyRecord>(), self.canonical()) else {
            return false;
        };
        let subset = Subset { validation: own.validation, ..Subset::default() };
        subset.validation_size(run.train + run.validation) == run.validation
            && own.measured_of(run.train) == run.measured
            && own.batch == run.batch
            && [&own.model, &own.penalty, &own.augment, &own.early_stopping]
                == [&run.model, &run.penalty, &run.augment, &run.early_stopping]
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        Ok(Box::new(self.prepare_classifier(context)?.0))
    }
}

impl SavedTask for Classification {
    type Problem = ClassifyProblem;

    fn prepare_saved(
        &self,
        context: &mut TaskContext,
    ) -> Result<(PreparedTask<ClassifyProblem>, SaveModel<Net>)> {
        let (task, card) = self.prepare_classifier(context)?;
        Ok((task, Box::new(move |model: &Net, path: &_| saved::save(model, &card, path))))
    }

    fn shown(&self, record: &dyn TaskRecord) -> Vec<Measure> {
        let is_shown = |measure: &Measure| match measure.name {
            PENALIZED_LOSS => self.penalty != "none",
            VALIDATION_LOSS => self.validation > 0.0,
            _ => true,
        };
        let validation = record.other_measures().into_iter();
        let validation = validation.filter(|measure| measure.name == VALIDATION_LOSS);
        record.columns().into_iter().chain(validation).filter(is_shown).collect()
    }
}

/// What a record says about a classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifyRecord {
    /// spec with every setting
    pub model: String,
    /// number of trained values
    pub parameters: usize,
    /// name of the data with their preparation
    pub data: String,
    /// hash of all examples
    pub sha256: String,
    /// size of the training set
    pub train: usize,
    /// size of the test set
    pub test: usize,
    /// batch size
    pub batch: usize,
    /// spec with every setting, or `none`
    pub penalty: String,
    /// specs with every setting, or `none`
    #[serde(default = "none", skip_serializing_if = "is_none")]
    pub augment: String,
    /// size of the validation set
    #[serde(default, skip_serializing_if = "is_zero")]
    pub validation: usize,
    /// spec with every setting, or `none`
    #[serde(default = "none", skip_serializing_if = "is_none")]
    pub early_stopping: String,
    /// training examples on which `train_loss` is measured; 0 for all
    #[serde(default, skip_serializing_if = "is_zero")]
    pub measured: usize,
}

fn is_none(text: &str) -> bool {
    text == "none"
}

#[typetag::serde(name = "classify")]
impl TaskRecord for ClassifyRecord {
    on_data!();

    fn size(&self) -> String {
        self.on_data().map_or(String::new(), |on| on.size(self.validation))
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("model", format!("{}, {} parameters", self.model, self.parameters)),
            ("data", format!("{}; sha256 of all examples {}", self.size(), self.sha256)),
            ("batch", format!("{} examples", self.batch)),
            ("penalty", self.penalty.clone()),
        ];
        let specs = [("augmentation", &self.augment), ("early stopping", &self.early_stopping)];
        lines.extend(
            specs
                .into_iter()
                .filter(|(_, spec)| !is_none(spec))
                .map(|(name, spec)| (name, spec.clone())),
        );
        if self.measured > 0 {
            lines.push((
                "training loss",
                format!("on {} training examples, drawn once", self.measured),
            ));
        }
        lines
    }

    fn columns(&self) -> Vec<Measure> {
        COLUMNS.to_vec()
    }

    fn other_measures(&self) -> Vec<Measure> {
        [&OTHER[..], &VALIDATION].concat()
    }

    /// One series may use a part of the training set for validation where another trains on it.
    fn common(&self) -> Value {
        json!({ "data": self.data, "sha256": self.sha256, "train": self.train + self.validation, "test": self.test })
    }

    /// A record has the size of the validation set, not the fraction, and a training measures all
    /// examples.
    fn training_command(&self) -> Option<TrainingCommand> {
        if self.validation > 0 {
            return None;
        }
        let mut options = vec![("model", self.model.clone()), ("data", self.data.clone())];
        let specs = [("penalty", &self.penalty), ("augment", &self.augment)];
        options.extend(
            specs
                .into_iter()
                .filter(|(_, spec)| !is_none(spec))
                .map(|(name, spec)| (name, spec.clone())),
        );
        options.push(("batch", self.batch.to_string()));
        Some(options)
    }
}
