//! Training a variational autoencoder: batches of examples without their classes, the negative evidence lower bound and a penalty.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use super::classify::{AT_ONCE, Parts, Share};
use crate::data::{Dataset, Inputs, Resident, Shuffled};
use crate::error::{Error, Result};
use crate::model::vae::Vae;
use crate::regularizer::Penalty;
use crate::schedule::Moment;
use crate::seed::{Purpose, Seed};
use crate::train::Problem;

/// A data set to be encoded and decoded in batches, in the order of [`Classify`](super::Classify). The loss of a batch is its mean
/// negative evidence lower bound, in nats, plus the penalty; the noise is drawn anew in each step. Measured are, without the penalty,
/// `train_loss` and `test_loss`, always with the same noise, whatever the run's seed; and `objective`: `train_loss` plus the penalty.
#[derive(Clone)]
pub struct Autoencode {
    parts: Parts,
    batch: usize,
    penalty: Penalty,
    seed: Seed,
    order: Shuffled,
    device: Device,
}

impl Autoencode {
    /// Moves the data to `device`, which is one with autodiff. Clones share it.
    ///
    /// # Errors
    /// If an input is not from 0 to 1: it is taken for a probability.
    pub fn new(data: &Dataset, batch: usize, penalty: Penalty, device: &Device) -> Result<Autoencode> {
        let name = &data.name;
        let expected = "expected numbers from 0 to 1 for an autoencoder";
        for part in [&data.train, &data.test] {
            let found = match &part.inputs {
                Inputs::Pixels(_) => None,
                Inputs::Numbers(numbers) => numbers.iter().find(|x| !(0.0..=1.0).contains(*x)).map(f32::to_string),
                Inputs::Sparse(_) => Some("how often a word stands there".into()),
            };
            if let Some(found) = found {
                return Err(Error::Asked(format!("data {name}: found an input of {found}, {expected}")));
            }
        }
        Ok(Autoencode::on(Parts::of(data, Share::default(), device), batch, penalty, device))
    }

    /// With data that are there already, numbers from 0 to 1.
    pub fn on(parts: Parts, batch: usize, penalty: Penalty, device: &Device) -> Autoencode {
        Autoencode { parts, batch, penalty, seed: Seed(0), order: Shuffled::default(), device: device.clone() }
    }

    fn mean(&self, model: &Vae, examples: &Resident) -> f64 {
        let mut noise = Seed(0).generator(Purpose::Masks, 0); // steps begin with 1
        let parts = (0..examples.len()).step_by(AT_ONCE).map(|start| {
            let part = examples.slice(start, AT_ONCE.min(examples.len() - start));
            let noise = model.noise(part.y.dims()[0], &mut noise, &part.x.device());
            model.loss(part.x, noise).sum().into_scalar::<f64>()
        });
        parts.sum::<f64>() / examples.len() as f64
    }
}

impl Problem for Autoencode {
    type Model = Vae;

    fn seeded(self, seed: Seed) -> Autoencode {
        Autoencode { seed, order: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        self.parts.train.len().div_ceil(self.batch)
    }

    fn loss(&mut self, model: &Vae, now: Moment) -> Tensor<1> {
        let batch = self.order.batch(&self.parts.train, self.batch, self.seed, now.epoch, now.batch);
        let noise = model.noise(batch.y.dims()[0], &mut self.seed.generator(Purpose::Masks, now.step), &self.device);
        let loss = model.loss(Tensor::from_inner(batch.x), noise).mean();
        self.penalty.added_to(loss, model)
    }

    fn after_step(&self, model: Vae, lr: f64) -> Vae {
        self.penalty.after_step(model, lr)
    }

    fn measure(&self, model: &Vae, _now: Moment) -> BTreeMap<String, f64> {
        let train = self.mean(model, &self.parts.train);
        let penalty = self.penalty.value(model).map_or(0.0, |penalty| penalty.into_scalar::<f64>());
        BTreeMap::from([
            ("train_loss".into(), train),
            ("objective".into(), train + penalty),
            ("test_loss".into(), self.mean(model, &self.parts.test)),
        ])
    }
}
