//! A pipeline that owns its schedule and counters.

use std::str::FromStr;

use burn::module::Module;
use burn::optim::GradientsParams;

use super::config::PipelineConfig;
use super::state::{seal, unseal};
use super::step::Stepper;
use super::transforms::Group;
use crate::error::{Error, Result, StateError};
use crate::optim::Optimizers;
use crate::schedule::{Constant, LrSchedule, Schedule};
use crate::spec::{SettingValue, Settings, SpecError, SpecLine};

/// An optimizer with its gradient transformations, weight averages, schedule and counters: the
/// whole step of a training loop, read from a spec.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::GradientsParams;
/// use burn::tensor::{Device, Tensor};
/// use downhill::Pipeline;
///
/// # fn main() -> downhill::Result<()> {
/// let spec = "clip_global:max=1|adamw:lr=1e-2,weight_decay=0.01|group:params=vectors,weight_decay=0\
///             |ema:decay=0.9|cosine:warmup=5,steps=50";
/// let mut optimizer: Pipeline = spec.parse()?;
///
/// let device = Device::flex().autodiff();
/// let mut model = LinearConfig::new(2, 1).init(&device);
/// let x = Tensor::<2>::from_floats([[0.0, 1.0], [1.0, 0.0]], &device);
/// for _ in 0..50 {
///     let loss = (model.forward(x.clone()) - 1.0).square().mean();
///     let gradients = GradientsParams::from_grads(loss.backward(), &model);
///     model = optimizer.step(model, gradients)?;
/// }
/// let averaged = optimizer.evaluation_model(&model)?; // to evaluate and to deploy
///
/// // a checkpoint: save the model with burn, and this
/// let bytes = optimizer.save(&model)?;
/// // in another process, with the same spec and the saved model, it continues bit for bit
/// let mut resumed: Pipeline = spec.parse()?;
/// resumed.load(&bytes, &model)?;
/// assert_eq!(resumed.lr()?, optimizer.lr()?);
/// # Ok(()) }
/// ```
///
/// The order of the parts is fixed: see [`PipelineConfig`].
pub struct Pipeline {
    stepper: Stepper,
    schedule: LrSchedule,
    /// for [`with_group`](Pipeline::with_group), which reads the spec again
    optimizers: Optimizers,
}

impl FromStr for Pipeline {
    type Err = Error;

    /// Reads a spec of this crate's optimizers. [`Pipeline::read`] also knows your own.
    fn from_str(spec: &str) -> Result<Pipeline> {
        Pipeline::read(spec, &Optimizers::default())
    }
}

impl Pipeline {
    /// Reads a spec, which may name any of these optimizers.
    ///
    /// # Errors
    /// As [`PipelineConfig::read`].
    pub fn read(spec: &str, optimizers: &Optimizers) -> Result<Pipeline> {
        Pipeline::of_line(&spec.parse()?, optimizers)
    }

    /// Without a schedule, the learning rate is constant.
    fn of_line(line: &SpecLine, optimizers: &Optimizers) -> Result<Pipeline> {
        let config = PipelineConfig::read(line, optimizers)?;
        let schedule = match &config.schedule {
            Some(schedule) => schedule.clone(),
            None => Schedule::try_from(Constant::new())?,
        };
        let schedule = LrSchedule::new(schedule, config.optimizer.lr);
        Ok(Pipeline { stepper: config.begin(), schedule, optimizers: optimizers.clone() })
    }

    /// Adds a parameter group before the first step, as the part `group` of a spec does.
    ///
    /// ```
    /// use downhill::Pipeline;
    /// use downhill::pipeline::{Group, Params};
    ///
    /// let optimizer: Pipeline = "adamw:weight_decay=0.01".parse()?;
    /// let optimizer = optimizer
    ///     .with_group(Group::new().with_params(Params::Vectors).with_weight_decay(Some(0.0)))?
    ///     .with_group(Group::new().with_params(Params::paths(&["head"])).with_lr_scale(10.0))?;
    /// assert!(optimizer.spec().contains("group:params=head,lr_scale=10"));
    /// # Ok::<(), downhill::Error>(())
    /// ```
    ///
    /// # Errors
    /// On a setting that is not allowed, weight decay where the pipeline has none, and after the
    /// first batch.
    pub fn with_group(self, group: Group) -> Result<Pipeline> {
        if self.batches() > 0 {
            return Err(Error::GroupAfterStart { batches: self.batches() });
        }
        let written = group.spec("group");
        if written.read::<Group>()? != group {
            return Err(SpecError::Value {
                owner: "group".into(),
                key: "params".into(),
                found: group.params.show(),
                expected: "Params::Vectors, or parts of paths without `+`".into(),
            }
            .into());
        }
        let config = self.stepper.config();
        let mut line = config.spec.clone();
        let place = config.place_of_group();
        line.0.insert(place, written);
        line.0.push(self.schedule.schedule().spec().parse()?);
        let schedule = self.schedule;
        Ok(Pipeline { schedule, ..Pipeline::of_line(&line, &self.optimizers)? })
    }

    /// States the length of the run, for schedules that end with it (`cosine` without `steps`) or
    /// count epochs (`step:per=epoch`, `plateau`).
    ///
    /// # Errors
    /// If the run is shorter than the warm-up, or than the batches that are accumulated to a step.
    pub fn with_run(self, epochs: usize, batches_per_epoch: usize) -> Result<Pipeline> {
        self.stepper.config().fits(epochs * batches_per_epoch)?;
        Ok(Pipeline { schedule: self.schedule.with_run(epochs, batches_per_epoch)?, ..self })
    }

    /// The learning rate of the next batch.
    ///
    /// # Errors
    /// If the schedule needs [`with_run`](Pipeline::with_run).
    pub fn lr(&self) -> Result<f64> {
        self.schedule.check_run()?;
        Ok(self.schedule.lr())
    }

    /// Takes the gradients of a batch, and moves the model. The model stays as it is while
    /// gradients are accumulated and where a step is skipped.
    ///
    /// # Errors
    /// If the schedule needs [`with_run`](Pipeline::with_run), a gradient is not finite and the
    /// pipeline has `nonfinite:policy=error`, a parameter group is empty, or the optimizer
    /// evaluates the loss itself (`newton`, `newton_cg`, `lbfgs`).
    pub fn step<M: Module>(&mut self, model: M, gradients: GradientsParams) -> Result<M> {
        let model = self.stepper.step(self.lr()?, model, gradients)?;
        self.schedule.advance();
        Ok(model)
    }

    /// The same for any optimizer. `loss` returns the loss of a model and its gradients. It has to
    /// be the same function each time within the step.
    ///
    /// # Errors
    /// As [`step`](Pipeline::step).
    pub fn step_with<M: Module>(
        &mut self,
        model: M,
        loss: &mut dyn FnMut(&M) -> (f64, GradientsParams),
    ) -> Result<M> {
        let model = self.stepper.step_with(self.lr()?, model, loss)?;
        self.schedule.advance();
        Ok(model)
    }

    /// Takes the mean training loss of an epoch, at its end. Only the schedule `plateau` uses it.
    pub fn end_epoch(&mut self, mean_loss: f64) {
        self.schedule.end_epoch(mean_loss);
    }

    /// The model to evaluate and to save: see [`Stepper::evaluation_model`].
    ///
    /// # Errors
    /// If burn cannot write out the optimizer's state.
    pub fn evaluation_model<M: Module>(&self, model: &M) -> Result<M> {
        self.stepper.evaluation_model(model)
    }

    /// The number of batches so far.
    pub fn batches(&self) -> usize {
        self.schedule.batches()
    }

    /// The pipeline without its schedule: counters, diagnostics.
    pub fn stepper(&self) -> &Stepper {
        &self.stepper
    }

    /// The spec with every setting spelled out.
    pub fn spec(&self) -> String {
        format!("{}|{}", self.stepper.config().spec, self.schedule.schedule().spec())
    }

    /// The whole state: optimizer, averages, accumulated gradients, schedule and counters. Save the
    /// model with it, by burn.
    ///
    /// # Errors
    /// If a number cannot be read back from the device.
    pub fn save<M: Module>(&self, model: &M) -> Result<Vec<u8>> {
        let mut pack = self.stepper.pack(model)?;
        pack.metadata.insert(SCHEDULE.into(), self.schedule.schedule().spec());
        for (name, x) in self.schedule.to_numbers() {
            pack.scalars.insert(format!("{SCHEDULE}.{name}"), x.into());
        }
        seal(pack)
    }

    /// Continues where [`save`](Pipeline::save) was called, bit for bit. `model` is the model that
    /// was saved with it. The length of the run is not in the state: call
    /// [`with_run`](Pipeline::with_run) as before.
    ///
    /// # Errors
    /// If the bytes were saved by another pipeline or with another model, or if they were cut or
    /// changed. The pipeline is then unchanged.
    pub fn load<M: Module>(&mut self, bytes: &[u8], model: &M) -> Result<()> {
        let pack = unseal(bytes)?;
        let found = pack.metadata.get(SCHEDULE).cloned().unwrap_or_default();
        let expected = self.schedule.schedule().spec();
        let mut schedule = self.schedule.clone();
        let numbers = schedule.load_numbers(|name| {
            f64::try_from(*pack.scalars.get(&format!("{SCHEDULE}.{name}"))?).ok()
        });
        let stepper = self.stepper.config().unpack(pack, model)?;
        if found != expected {
            return Err(StateError::OtherSchedule { found, expected }.into());
        }
        numbers.ok_or(StateError::Damaged)?;
        (self.stepper, self.schedule) = (stepper, schedule);
        Ok(())
    }
}

/// The name of the schedule in a saved state, and the prefix of its numbers.
const SCHEDULE: &str = "schedule";
