//! The state of a pipeline on disk.
//!
//! The file starts with a line that names the format, then the sha256 of the rest. The rest is
//! burn's own format, burnpack. Parameters are identified by their position in the model, because
//! burn's ids are different in the next process.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::store::burn_pack::{Reader, Tensor as PackedTensor, Writer};
use burn::tensor::{Bytes, DType, Device, Shape, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::config::PipelineConfig;
use super::gradients::Gradient;
use super::optimizer_state::{load_method, save_method};
use super::step::Pipeline;
use crate::error::{Error, Result, StateError};

const MAGIC: &[u8] = b"downhill optimizer state 1\n";
const HASH_LENGTH: usize = 32;

/// The name of the optimizer's own state among the tensors.
const METHOD: &str = "method";
/// The names of the other tensors, each followed by the position of a parameter.
const SLOW: &str = "slow";
const AVERAGE: &str = "average";
const SUM: &str = "sum";

impl Pipeline {
    /// The whole state, for [`resume`](PipelineConfig::resume) with the same model in another
    /// process, which continues bit for bit. The schedule is not included: a
    /// [`Scheduler`](crate::schedule::Scheduler) is saved by serde.
    ///
    /// # Errors
    /// If a number cannot be read back from the device.
    pub fn save<M: Module>(&self, model: &M) -> Result<Vec<u8>> {
        let parameters = Parameters::of(model);
        let method =
            save_method(&self.method, |id| parameters.position(id.into())).map_err(cannot_write)?;
        let length = Shape::from([method.len()]);
        let method = PackedTensor::new(METHOD.into(), DType::U8, length, None, method);
        let mut tensors = vec![method];
        let slow = self.slow.0.iter().enumerate();
        tensors.extend(slow.map(|(position, (_, x))| pack(SLOW, position, x)));
        let average = self.average.0.iter().enumerate();
        tensors.extend(average.map(|(position, (_, x))| pack(AVERAGE, position, x)));
        for gradient in &self.accumulated.sum.0 {
            if let Some(position) = parameters.position(gradient.id) {
                tensors.push(pack(SUM, position, &gradient.g));
            }
        }
        let writer = Writer::new(tensors)
            .with_metadata("spec", &self.config.spec.to_string())
            .with_metadata("shapes", &parameters.shapes())
            .with_scalar("steps", self.steps.into())
            .with_scalar("skipped", self.skipped.into())
            .with_scalar("summed", (self.accumulated.batches as u64).into());
        let content = writer.into_bytes().map_err(cannot_write)?;
        Ok([MAGIC, &Sha256::digest(&content[..])[..], &content[..]].concat())
    }
}

impl PipelineConfig {
    /// A pipeline that continues where [`save`](Pipeline::save) was called. `model` is the model
    /// that was saved with it.
    ///
    /// # Errors
    /// If the bytes were saved by another pipeline or with another model, or if they were cut or
    /// changed.
    pub fn resume<M: Module>(&self, bytes: &[u8], model: &M) -> Result<Pipeline> {
        let content = checked_content(bytes)?.to_vec();
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(content)).map_err(damaged)?;
        let parameters = Parameters::of(model);
        self.check_origin(&reader, &parameters)?;
        let mut pipeline = self.begin();
        pipeline.steps = counter(&reader, "steps")?;
        pipeline.skipped = counter(&reader, "skipped")?;
        pipeline.accumulated.batches = counter(&reader, "summed")? as usize;
        for packed in reader.into_tensors().map_err(damaged)? {
            pipeline = load_tensor(pipeline, packed, &parameters)?;
        }
        Ok(pipeline)
    }

    /// Checks that the state was saved by this pipeline and with this model.
    fn check_origin(&self, reader: &Reader, parameters: &Parameters) -> Result<()> {
        let text = |key: &str| reader.metadata().get(key).cloned().unwrap_or_default();
        let (found, expected) = (text("spec"), self.spec.to_string());
        if found != expected {
            return Err(StateError::OtherOptimizer { found, expected }.into());
        }
        let (found, expected) = (text("shapes"), parameters.shapes());
        if found != expected {
            return Err(StateError::OtherModel { found, expected }.into());
        }
        Ok(())
    }
}

/// The content of a file whose first line and checksum are right.
fn checked_content(bytes: &[u8]) -> Result<&[u8]> {
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| match MAGIC.starts_with(bytes) {
        true => StateError::Damaged,
        false => StateError::Foreign,
    })?;
    let (hash, content) = rest.split_at_checked(HASH_LENGTH).ok_or(StateError::Damaged)?;
    match Sha256::digest(content)[..] == *hash {
        true => Ok(content),
        false => Err(StateError::Damaged.into()),
    }
}

fn counter(reader: &Reader, key: &str) -> Result<u64> {
    let value = reader.scalars().get(key).and_then(|value| u64::try_from(*value).ok());
    Ok(value.ok_or(StateError::Damaged)?)
}

fn pack(kind: &str, position: usize, tensor: &Tensor<1>) -> PackedTensor {
    let (bytes, shape, dtype) = tensor.to_data().into_parts();
    PackedTensor::new(format!("{kind}.{position}"), dtype, shape, None, bytes)
}

/// The pipeline with what a saved tensor contains.
fn load_tensor(
    mut pipeline: Pipeline,
    packed: PackedTensor,
    parameters: &Parameters,
) -> Result<Pipeline> {
    let (name, dtype, shape, _, bytes) = packed.into_parts().map_err(damaged)?;
    if name == METHOD {
        pipeline.method = load_method(pipeline.method, bytes, |position| {
            parameters.0.get(position).map(|parameter| parameter.id.val())
        })?;
        return Ok(pipeline);
    }
    let (kind, position) = name.split_once('.').ok_or(StateError::Damaged)?;
    let position: Option<usize> = position.parse().ok();
    let Parameter { id, shape: of, device } =
        position.and_then(|position| parameters.0.get(position)).ok_or(StateError::Damaged)?;
    let data = TensorData::from_bytes(bytes, shape, dtype);
    let tensor = Tensor::<1>::from_data(data, (device, dtype));
    match kind {
        SLOW => pipeline.slow.0.push((*id, tensor)),
        AVERAGE => pipeline.average.0.push((*id, tensor)),
        _ => {
            let gradient = Gradient { id: *id, shape: of.clone(), g: tensor };
            pipeline.accumulated.sum.0.push(gradient);
        }
    }
    Ok(pipeline)
}

/// Every parameter, in the order of the model.
struct Parameters(Vec<Parameter>);

struct Parameter {
    id: ParamId,
    shape: Shape,
    device: Device,
}

impl Parameters {
    fn of<M: Module>(model: &M) -> Parameters {
        let mut parameters = Parameters(Vec::new());
        model.visit(&mut parameters);
        parameters
    }

    fn position(&self, id: ParamId) -> Option<usize> {
        self.0.iter().position(|parameter| parameter.id == id)
    }

    /// Their shapes as text: `[784, 10] [10]`.
    fn shapes(&self) -> String {
        let shapes: Vec<String> =
            self.0.iter().map(|parameter| format!("{:?}", parameter.shape.as_slice())).collect();
        shapes.join(" ")
    }
}

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let x = param.val().inner();
        self.0.push(Parameter { id: param.id, shape: x.shape(), device: x.device() });
    }
}

fn cannot_write(error: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("cannot write the optimizer's state: {error}"))
}

fn damaged(_: impl std::fmt::Display) -> Error {
    StateError::Damaged.into()
}
