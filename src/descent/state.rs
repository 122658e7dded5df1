//! The state of a descent on disk.
//!
//! The file begins with a line that says what it is, then the sha256 of the rest; the rest is burn's own format, burnpack. Parameters are
//! known by their place in the model and not by burn's ids, which are others in the next process.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::burn_pack::{Reader, Scalar, Tensor as Packed, Writer};
use burn::tensor::{Bytes, DType, Device, Shape, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::gradient::Gradient;
use super::{Descent, Recipe};
use crate::error::{Error, Result, StateError};
use crate::optim::Method;

const MAGIC: &[u8] = b"downhill optimizer state 1\n";
const HASH: usize = 32;

impl Descent {
    /// All that the optimizer remembers, for [`resume`](Recipe::resume) with the same model in another process: the same bytes come out as
    /// if there had been no interruption. The schedule is not part of it; a [`Pace`](crate::schedule::Pace) is saved by serde.
    ///
    /// # Errors
    /// If a number cannot be read back from the device.
    pub fn save<M: Module>(&self, model: &M) -> Result<Vec<u8>> {
        let parameters = parameters(model);
        let place = |id: ParamId| parameters.iter().position(|(other, ..)| *other == id);
        let method = match &self.method {
            Method::PerTensor { optimizer, .. } => {
                renamed(optimizer.into_bytes().map_err(broken)?, |id| place(id.into()).map(|place| place as u64))?
            }
            Method::Whole(whole) => whole.to_bytes().map_err(broken)?,
        };
        let n = method.len();
        let mut tensors = vec![Packed::new("method".into(), DType::U8, Shape::from([n]), None, method)];
        let mut push = |kind: &str, place: usize, tensor: &Tensor<1>| {
            let (bytes, shape, dtype) = tensor.to_data().into_parts();
            tensors.push(Packed::new(format!("{kind}.{place}"), dtype, shape, None, bytes));
        };
        for (place, (_, x)) in self.slow.0.iter().enumerate() {
            push("slow", place, x);
        }
        for (place, (_, x)) in self.average.0.iter().enumerate() {
            push("average", place, x);
        }
        for gradient in &self.sum.0.0 {
            if let Some(place) = place(gradient.id) {
                push("sum", place, &gradient.g);
            }
        }
        let writer = Writer::new(tensors)
            .with_metadata("spec", &self.recipe.spec.to_string())
            .with_metadata("shapes", &shapes(&parameters))
            .with_scalar("steps", self.steps.into())
            .with_scalar("skipped", self.skipped.into())
            .with_scalar("summed", (self.sum.1 as u64).into());
        let pack = writer.into_bytes().map_err(broken)?;
        Ok([MAGIC, &Sha256::digest(&pack[..])[..], &pack[..]].concat())
    }
}

impl Recipe {
    /// Goes on where [`save`](Descent::save) was called; `model` is the one saved with it.
    ///
    /// # Errors
    /// If the bytes were not saved by this recipe with such a model, or are not all there.
    pub fn resume<M: Module>(&self, bytes: &[u8], model: &M) -> Result<Descent> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| match MAGIC.starts_with(bytes) {
            true => StateError::Damaged,
            false => StateError::Foreign,
        })?;
        let (hash, pack) = rest.split_at_checked(HASH).ok_or(StateError::Damaged)?;
        if Sha256::digest(pack)[..] != *hash {
            return Err(StateError::Damaged.into());
        }
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(pack.to_vec())).map_err(damaged)?;
        let text = |key: &str| reader.metadata().get(key).cloned().unwrap_or_default();
        let count = |key: &str| reader.scalars().get(key).and_then(|value| u64::try_from(*value).ok()).ok_or(StateError::Damaged);
        let (found, expected) = (text("spec"), self.spec.to_string());
        if found != expected {
            return Err(StateError::OtherOptimizer { found, expected }.into());
        }
        let parameters = parameters(model);
        let (found, expected) = (text("shapes"), shapes(&parameters));
        if found != expected {
            return Err(StateError::OtherModel { found, expected }.into());
        }
        let (steps, skipped, summed) = (count("steps")?, count("skipped")?, count("summed")?);

        let mut descent = self.begin();
        (descent.steps, descent.skipped) = (steps, skipped);
        descent.sum.1 = summed as usize;
        for packed in reader.into_tensors().map_err(damaged)? {
            let (name, dtype, shape, _, bytes) = packed.into_parts().map_err(damaged)?;
            if name == "method" {
                descent.method = taken_up(descent.method, bytes, &parameters)?;
                continue;
            }
            let (kind, place) = name.split_once('.').ok_or(StateError::Damaged)?;
            let (id, of, device) = place.parse().ok().and_then(|place: usize| parameters.get(place)).ok_or(StateError::Damaged)?;
            let tensor = Tensor::<1>::from_data(TensorData::from_bytes(bytes, shape, dtype), (device, dtype));
            match kind {
                "slow" => descent.slow.0.push((*id, tensor)),
                "average" => descent.average.0.push((*id, tensor)),
                _ => descent.sum.0.0.push(Gradient { id: *id, shape: of.clone(), g: tensor }),
            }
        }
        Ok(descent)
    }
}

/// The optimizer with the memory in `bytes`.
fn taken_up(method: Method, bytes: Bytes, parameters: &[(ParamId, Shape, Device)]) -> Result<Method> {
    match method {
        Method::PerTensor { optimizer, rule } => {
            let bytes = renamed(bytes, |place| parameters.get(place as usize).map(|(id, ..)| id.val()))?;
            let record = OptimizerRecord::from_bytes(bytes).map_err(damaged)?;
            let saved = record.len();
            let optimizer: ModuleOptimizer = optimizer.load_record(record);
            // burn leaves out what it cannot read, and would begin anew there
            if optimizer.to_record().len() != saved {
                return Err(StateError::Damaged.into());
            }
            Ok(Method::PerTensor { optimizer, rule })
        }
        Method::Whole(whole) => Ok(Method::Whole(whole.with_bytes(bytes).map_err(damaged)?)),
    }
}

/// A record of burn's `ModuleOptimizer`, in which each parameter has another name.
fn renamed(bytes: Bytes, name: impl Fn(u64) -> Option<u64>) -> Result<Bytes> {
    let reader = Reader::from_bytes(bytes).map_err(broken)?;
    let rename = |key: &str| -> Option<String> {
        let (id, rest) = key.split_at(key.find('.').unwrap_or(key.len()));
        Some(format!("{}{rest}", name(id.parse().ok()?)?))
    };
    let scalars: BTreeMap<String, Scalar> = reader.scalars().iter().filter_map(|(key, value)| Some((rename(key)?, *value))).collect();
    let paths: BTreeMap<String, String> = reader.metadata().iter().filter_map(|(key, value)| Some((rename(key)?, value.clone()))).collect();
    let mut tensors = Vec::new();
    for tensor in reader.into_tensors().map_err(broken)? {
        let (key, dtype, shape, id, bytes) = tensor.into_parts().map_err(broken)?;
        if let Some(key) = rename(&key) {
            tensors.push(Packed::new(key, dtype, shape, id.and_then(&name), bytes));
        }
    }
    // burn keeps its states in a hash map; sorted, the same state makes the same bytes
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let writer = scalars.iter().fold(Writer::new(tensors), |writer, (key, value)| writer.with_scalar(key, *value));
    let writer = paths.iter().fold(writer, |writer, (key, value)| writer.with_metadata(key, value));
    writer.into_bytes().map_err(broken)
}

/// Every parameter, in the order of the model.
fn parameters<M: Module>(model: &M) -> Vec<(ParamId, Shape, Device)> {
    struct All(Vec<(ParamId, Shape, Device)>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let x = param.val().inner();
            self.0.push((param.id, x.shape(), x.device()));
        }
    }
    let mut all = All(Vec::new());
    model.visit(&mut all);
    all.0
}

/// Their shapes as text: `[784, 10] [10]`.
fn shapes(parameters: &[(ParamId, Shape, Device)]) -> String {
    parameters.iter().map(|(_, shape, _)| format!("{:?}", shape.as_slice())).collect::<Vec<_>>().join(" ")
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Asked(format!("cannot write the optimizer's state: {error}"))
}

fn damaged(_: impl std::fmt::Display) -> Error {
    StateError::Damaged.into()
}
