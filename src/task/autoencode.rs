//! A variational autoencoder: batches of examples without their classes, the negative evidence
//! lower bound and a penalty.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::dyn_task::{DynTask, PreparedTask};
use super::memory::RunSize;
use super::prepare::{DataRequest, TaskContext, Wanted};
use super::spec::{NOT_NEGATIVE, Task, check_examples};
use super::splits::{Splits, Subset};
use crate::data::{self, Dataset, DeviceExamples, Inputs};
use crate::error::{Error, Result};
use crate::model::Build;
use crate::model::vae::{self, Vae, VaeSettings};
use crate::record::{
    BATCH_LOSS, Measure, PENALIZED_LOSS, PENALIZED_TITLE, RecordedTask, TaskRecord, on_data,
};
use crate::regularizer::Penalty;
use crate::schedule::Progress;
use crate::seed::{Purpose, Seed};
use crate::spec::Settings;
use crate::train::Problem;

const COLUMNS: [Measure; 3] = [
    Measure::new("train_loss", "training loss (nats)"),
    Measure::new(PENALIZED_LOSS, PENALIZED_TITLE),
    Measure::new("test_loss", "test loss (nats)"),
];

/// A variational autoencoder, as in the TOML.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autoencode {
    /// spec of the model
    pub model: String,
    /// name or path of the data, if the command names none
    pub data: String,
    /// batch size
    pub batch: usize,
    /// spec of the penalty, or `none`
    #[serde(default = "none")]
    pub penalty: String,
}

fn none() -> String {
    "none".into()
}

impl Autoencode {
    fn settings(&self) -> Result<(VaeSettings, Penalty)> {
        Ok((vae::read(&self.model.parse()?)?, Penalty::read(&self.penalty.parse()?)?))
    }
}

#[typetag::serde(name = "autoencode")]
impl Task for Autoencode {
    fn check(&self) -> Result<()> {
        self.settings()?;
        data::check(&self.data)?;
        check_examples("batch", self.batch)
    }

    fn measures(&self) -> Vec<&'static str> {
        COLUMNS.iter().map(|measure| measure.name).chain([BATCH_LOSS]).collect()
    }

    fn range(&self, _measure: &str) -> RangeInclusive<f64> {
        NOT_NEGATIVE
    }

    fn data(&self) -> Option<&str> {
        Some(&self.data)
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        let (Some(run), Ok((model, penalty))) =
            (run.as_kind::<AutoencodeRecord>(), self.settings())
        else {
            return false;
        };
        model.spec(vae::NAME).to_string() == run.model
            && penalty.spec() == run.penalty
            && self.batch == run.batch
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        let (settings, penalty) = self.settings()?;
        let device = context.autodiff_device()?;
        let request = DataRequest {
            data: context.data_of(&self.data),
            subset: context.subset,
            images: false,
            labels: Wanted::Classes,
        };
        let data = context.load(request, &device)?;
        if !data.pixels {
            let expected = "pixels from 0 to 1 for an autoencoder";
            return Err(Error::content(&data.name, "inputs that are not pixels", expected));
        }
        let size = RunSize {
            model: settings.spec(vae::NAME).to_string(),
            parameters: settings.count(&data.shapes)?,
            units: settings.units(&data.shapes),
            batch: self.batch,
        };
        let record = RecordedTask::new(AutoencodeRecord {
            model: size.model.clone(),
            parameters: size.parameters,
            data: data.name.clone(),
            sha256: data.sha256.clone(),
            train: data.splits.train.len(),
            test: data.splits.test.len(),
            batch: self.batch,
            penalty: penalty.spec(),
        });
        let problem = AutoencodeProblem::on(data.splits.clone(), self.batch, penalty, &device);
        let shapes = data.shapes.clone();
        let initial = Box::new(move |seed| settings.made(&shapes, seed, &device));
        Ok(Box::new(PreparedTask { record, problem, initial, size }))
    }
}

/// What a record says about an autoencoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencodeRecord {
    /// spec with every setting
    pub model: String,
    /// number of trained values
    pub parameters: usize,
    /// name of the data
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
}

#[typetag::serde(name = "autoencode")]
impl TaskRecord for AutoencodeRecord {
    on_data!();

    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("model", format!("{}, {} parameters", self.model, self.parameters)),
            ("data", format!("{}; sha256 of all examples {}", self.size(), self.sha256)),
            ("batch", format!("{} examples", self.batch)),
            ("penalty", self.penalty.clone()),
        ]
    }

    fn columns(&self) -> Vec<Measure> {
        COLUMNS.to_vec()
    }
}

/// An autoencoder on batches of a data set, in the order of
/// [`ClassifyProblem`](super::ClassifyProblem). The loss of a batch is its mean negative evidence
/// lower bound, in nats, plus the penalty; the noise is drawn again in each step. The measurements
/// `train_loss` and `test_loss` are without the penalty and always use the same noise, whatever the
/// seed of the run; only `train_loss_plus_penalty` has it.
#[derive(Clone)]
pub struct AutoencodeProblem {
    batches: Batches,
    penalty: Penalty,
}

impl AutoencodeProblem {
    /// Moves the data to `device`, which has autodiff. Clones share the data.
    ///
    /// # Errors
    /// If an input is not from 0 to 1: it is used as a probability.
    pub fn new(
        data: &Dataset,
        batch: usize,
        penalty: Penalty,
        device: &Device,
    ) -> Result<AutoencodeProblem> {
        let name = &data.name;
        for part in [&data.train, &data.test] {
            let found = match &part.inputs {
                Inputs::Pixels(_) => None,
                Inputs::Numbers(numbers) => {
                    numbers.iter().find(|x| !(0.0..=1.0).contains(*x)).map(f32::to_string)
                }
                Inputs::Sparse(_) => Some("a word count".into()),
            };
            if let Some(found) = found {
                let expected = "numbers from 0 to 1 for an autoencoder";
                let found = format!("an input of {found}");
                return Err(Error::mismatch(format!("data {name}"), found, expected));
            }
        }
        Ok(AutoencodeProblem::on(
            Splits::of(data, Subset::default(), device),
            batch,
            penalty,
            device,
        ))
    }

    /// With data on their device, numbers from 0 to 1.
    pub fn on(
        splits: Splits,
        batch: usize,
        penalty: Penalty,
        device: &Device,
    ) -> AutoencodeProblem {
        AutoencodeProblem { batches: Batches::new(splits, batch, device), penalty }
    }

    fn mean_loss(&self, model: &Vae, examples: &DeviceExamples) -> f64 {
        let mut noise = Seed(0).generator(Purpose::Masks, 0); // steps begin with 1
        let mut sum = 0.0;
        for batch in examples.batches() {
            let noise = model.noise(batch.y.dims()[0], &mut noise, &batch.x.device());
            sum += model.loss(batch.x, noise).sum().into_scalar::<f64>();
        }
        sum / examples.len() as f64
    }
}

impl Problem for AutoencodeProblem {
    type Model = Vae;

    fn seeded(self, seed: Seed) -> AutoencodeProblem {
        AutoencodeProblem { batches: self.batches.seeded(seed), ..self }
    }

    fn steps(&self) -> usize {
        self.batches.steps()
    }

    fn loss(&mut self, model: &Vae, now: Progress) -> Tensor<1> {
        let batch = self.batches.batch(now);
        let mut masks = self.batches.generator(now.step);
        let noise = model.noise(batch.y.dims()[0], &mut masks, &self.batches.device);
        let loss = model.loss(Tensor::from_inner(batch.x), noise).mean();
        self.penalty.added_to(loss, model)
    }

    fn after_step(&self, model: Vae, lr: f64) -> Vae {
        self.penalty.after_step(model, lr)
    }

    fn measure(&self, model: &Vae, _now: Progress) -> BTreeMap<String, f64> {
        let mean_loss = |examples: &_| self.mean_loss(model, examples);
        self.batches.losses(model, &self.penalty, mean_loss)
    }
}
