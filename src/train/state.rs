//! The state of a training between two steps, as bytes: the part of a checkpoint that the training
//! loop knows.

use std::collections::BTreeMap;

use burn::tensor::{Bytes, DType, Shape, TensorData};
use serde::{Deserialize, Serialize};

use super::plan::TrainObserver;
use super::problem::Problem;
use super::training::{EpochStats, Training};
use super::weights::{named_weights, with_weights};
use crate::burn_internals::{NamedTensor, Pack};
use crate::error::{Error, Result, StateError};
use crate::regularizer::early_stopping::Patience;
use crate::schedule::{Progress, Scheduler};

/// Everything but tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    step: usize,
    epoch: usize,
    batch: usize,
    /// whether the point of this epoch is still to be measured
    point_due: bool,
    scheduler: Scheduler,
    stats: EpochStats,
    patience: Patience,
    /// the epoch whose model early stopping keeps
    best: Option<usize>,
    seconds: f64,
}

/// The names of the tensors: three sets of weights, and the state of the pipeline.
const MODEL: &str = "model";
const BEST: &str = "best";
const MEASURED: &str = "measured";
const PIPELINE: &str = "pipeline";
/// The name of the counters in the metadata.
const COUNTERS: &str = "counters";

impl<P: Problem, O: TrainObserver + ?Sized> Training<'_, P, O> {
    /// The state with this model, from which [`load`](Self::load) continues bit for bit.
    pub(super) fn save(&self, model: &P::Model) -> Result<Bytes> {
        let mut pack = Pack { tensors: named_weights(MODEL, model), ..Pack::default() };
        if let Some((_, best)) = &self.best {
            pack.tensors.extend(named_weights(BEST, best));
        }
        if let Some(measured) = &self.measured {
            pack.tensors.extend(named_weights(MEASURED, measured));
        }
        let pipeline = self.pipeline.save(model)?;
        let length = Shape::from([pipeline.len()]);
        let data = TensorData::from_bytes(Bytes::from_bytes_vec(pipeline), length, DType::U8);
        pack.tensors.push(NamedTensor { name: PIPELINE.into(), data, param_id: None });
        let counters = Counters {
            step: self.now.step,
            epoch: self.now.epoch,
            batch: self.now.batch,
            point_due: self.point_due,
            scheduler: self.scheduler.clone(),
            stats: self.epoch.clone(),
            patience: self.patience.clone(),
            best: self.best.as_ref().map(|(epoch, _)| *epoch),
            seconds: self.seconds(),
        };
        let counters =
            serde_json::to_string(&counters).map_err(Error::failed("write a checkpoint"))?;
        pack.metadata.insert(COUNTERS.into(), counters);
        pack.write().map_err(Error::failed("write a checkpoint"))
    }

    /// Continues where [`save`](Self::save) was called. `model` is an initial model of the problem.
    /// Returns the model of that moment.
    pub(super) fn load(&mut self, bytes: &[u8], model: P::Model) -> Result<P::Model> {
        let damaged = || Error::from(StateError::Damaged);
        let pack = Pack::read(Bytes::from_bytes_vec(bytes.to_vec())).map_err(|_| damaged())?;
        let counters = pack.metadata.get(COUNTERS).ok_or_else(damaged)?;
        let counters: Counters = serde_json::from_str(counters).map_err(|_| damaged())?;
        let mut tensors: BTreeMap<String, TensorData> =
            pack.tensors.into_iter().map(|tensor| (tensor.name, tensor.data)).collect();
        let pipeline = tensors.remove(PIPELINE).ok_or_else(damaged)?;
        let mut weights = |name| with_weights(name, model.clone(), &mut tensors);
        let trained = weights(MODEL).ok_or_else(damaged)?;
        self.best = match counters.best {
            Some(epoch) => Some((epoch, weights(BEST).ok_or_else(damaged)?)),
            None => None,
        };
        self.measured = weights(MEASURED);
        self.pipeline = self.plan.pipeline.resume(&pipeline.into_parts().0, &trained)?;
        let Counters { step, epoch, batch, .. } = counters;
        self.now = Progress { step, epoch, batch, ..self.now };
        self.point_due = counters.point_due;
        self.scheduler = counters.scheduler;
        self.epoch = counters.stats;
        self.patience = counters.patience;
        self.seconds_before = counters.seconds;
        Ok(trained)
    }
}
