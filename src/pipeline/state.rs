//! The state of a pipeline on disk.
//!
//! The file starts with a line that names the format, then the sha256 of the rest. The rest is
//! burn's own format, burnpack. Parameters are identified by their position in the model, because
//! burn's ids are different in the next process.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bytes, DType, Device, Shape, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::averages::{EmaWeights, LookaheadWeights};
use super::config::PipelineConfig;
use super::filters::{Filters, History};
use super::gradients::Gradient;
use super::optimizer_state::{damaged, load_method, refused_by_burn, save_method};
use super::step::Stepper;
use super::transforms::{Ema, Lookahead};
use super::weights::Weights;
use crate::burn_internals::{NamedTensor, Pack};
use crate::error::{Result, StateError};

const MAGIC: &[u8] = b"downhill optimizer state 1\n";
const HASH_LENGTH: usize = 32;

/// The name of the optimizer's own state among the tensors.
const METHOD: &str = "method";
/// The names of the other tensors, each followed by the position of a parameter.
const SLOW: &str = "slow";
const AVERAGE: &str = "average";
const SUM: &str = "sum";
/// The same with the number of the gradient before the position, from the oldest.
const GROKFAST: &str = "grokfast";
const MARS: &str = "mars";

impl Stepper {
    /// The whole state, for [`resume`](PipelineConfig::resume) with the same model in another
    /// process, which continues bit for bit. A [`Pipeline`](super::Pipeline) saves its schedule
    /// too.
    ///
    /// # Errors
    /// If a number cannot be read back from the device.
    pub fn save<M: Module>(&self, model: &M) -> Result<Vec<u8>> {
        seal(self.pack(model)?)
    }

    /// The state as named tensors and numbers.
    pub(super) fn pack<M: Module>(&self, model: &M) -> Result<Pack> {
        let parameters = Parameters::of(model);
        let method = save_method(&self.method, |id| parameters.position(id.into()))
            .map_err(refused_by_burn)?;
        let length = Shape::from([method.len()]);
        let data = TensorData::from_bytes(method, length, DType::U8);
        let mut pack = Pack::default();
        pack.tensors.push(NamedTensor { name: METHOD.into(), data, param_id: None });
        let slow = self.lookahead.iter().flat_map(|lookahead| &lookahead.slow.0).enumerate();
        pack.tensors.extend(slow.map(|(position, (_, x))| named(SLOW, position, x)));
        let average = self.ema.iter().flat_map(|ema| &ema.average.0).enumerate();
        pack.tensors.extend(average.map(|(position, (_, x))| named(AVERAGE, position, x)));
        for gradient in &self.accumulated.sum.0 {
            if let Some(position) = parameters.position(gradient.id) {
                pack.tensors.push(named(SUM, position, &gradient.g));
            }
        }
        for (kind, history) in [(GROKFAST, &self.filters.grokfast), (MARS, &self.filters.mars)] {
            for (id, gradients) in &history.0 {
                let Some(position) = parameters.position(*id) else { continue };
                let names = (0..).map(|n| format!("{kind}-{n}"));
                let tensors = names.zip(gradients).map(|(kind, g)| named(&kind, position, g));
                pack.tensors.extend(tensors);
            }
        }
        pack.metadata.insert("spec".into(), self.config.spec.to_string());
        pack.metadata.insert("shapes".into(), parameters.shapes());
        pack.scalars.insert("steps".into(), self.steps.into());
        pack.scalars.insert("skipped".into(), self.skipped.into());
        pack.scalars.insert("summed".into(), (self.accumulated.batches as u64).into());
        Ok(pack)
    }
}

impl PipelineConfig {
    /// A pipeline that continues where [`save`](Stepper::save) was called. `model` is the model
    /// that was saved with it.
    ///
    /// # Errors
    /// If the bytes were saved by another pipeline or with another model, or if they were cut or
    /// changed.
    pub fn resume<M: Module>(&self, bytes: &[u8], model: &M) -> Result<Stepper> {
        self.unpack(unseal(bytes)?, model)
    }

    pub(super) fn unpack<M: Module>(&self, pack: Pack, model: &M) -> Result<Stepper> {
        let parameters = Parameters::of(model);
        self.check_origin(&pack, &parameters)?;
        let counter = |name: &str| pack.count(name).ok_or(StateError::Damaged);
        let mut stepper = self.begin();
        stepper.attach_groups(model)?;
        stepper.steps = counter("steps")?;
        stepper.skipped = counter("skipped")?;
        stepper.accumulated.batches = counter("summed")? as usize;
        let (mut slow, mut average, mut sum) = (Vec::new(), Vec::new(), Vec::new());
        let (mut grokfast, mut mars) = (Vec::new(), Vec::new());
        for NamedTensor { name, data, .. } in pack.tensors {
            if name == METHOD {
                let (bytes, ..) = data.into_parts();
                stepper.method = load_method(stepper.method, bytes, |position| {
                    parameters.0.get(position).map(|parameter| parameter.id.val())
                })?;
                continue;
            }
            let (kind, position) = name.split_once('.').ok_or(StateError::Damaged)?;
            let position: usize = position.parse().map_err(|_| StateError::Damaged)?;
            let Parameter { id, shape, device } =
                parameters.0.get(position).ok_or(StateError::Damaged)?;
            let dtype = data.dtype();
            let is_vector = data.rank() == 1 && data.num_elements() == shape.num_elements();
            if !is_vector || !dtype.is_float() {
                return Err(StateError::Damaged.into());
            }
            let tensor = Tensor::<1>::from_data(data, (device, dtype));
            match kind {
                SLOW => slow.push((position, *id, tensor)),
                AVERAGE => average.push((position, *id, tensor)),
                SUM => {
                    sum.push((position, Gradient { id: *id, shape: shape.clone(), g: tensor }));
                }
                _ => {
                    let (kind, n) = kind.split_once('-').ok_or(StateError::Damaged)?;
                    let n: usize = n.parse().map_err(|_| StateError::Damaged)?;
                    match kind {
                        GROKFAST => grokfast.push((position, n, *id, tensor)),
                        _ => mars.push((position, n, *id, tensor)),
                    }
                }
            }
        }
        stepper.filters = Filters { grokfast: history(grokfast), mars: history(mars) };
        // the file is in the order of names, where 10 comes before 2
        sum.sort_by_key(|(position, _)| *position);
        stepper.accumulated.sum.0 = sum.into_iter().map(|(_, gradient)| gradient).collect();
        let transforms = &self.transforms;
        if let (false, Some(Lookahead { k, alpha })) = (slow.is_empty(), &transforms.lookahead) {
            let steps = stepper.steps;
            stepper.lookahead = Some(LookaheadWeights::of(*k, *alpha, in_order(slow), steps));
        }
        if let Some(Ema { decay }) = &transforms.ema {
            stepper.ema = Some(EmaWeights::of(*decay, in_order(average)));
        }
        Ok(stepper)
    }

    /// Checks that the state was saved by this pipeline and with this model.
    fn check_origin(&self, pack: &Pack, parameters: &Parameters) -> Result<()> {
        let text = |key: &str| pack.metadata.get(key).cloned().unwrap_or_default();
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

/// The bytes of a file: a line that names the format, a checksum, and the content.
pub(super) fn seal(pack: Pack) -> Result<Vec<u8>> {
    let content = pack.write().map_err(refused_by_burn)?;
    Ok([MAGIC, &Sha256::digest(&content[..])[..], &content[..]].concat())
}

/// The content of a file whose first line and checksum are right.
pub(super) fn unseal(bytes: &[u8]) -> Result<Pack> {
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| match MAGIC.starts_with(bytes) {
        true => StateError::Damaged,
        false => StateError::Foreign,
    })?;
    let (hash, content) = rest.split_at_checked(HASH_LENGTH).ok_or(StateError::Damaged)?;
    if Sha256::digest(content)[..] != *hash {
        return Err(StateError::Damaged.into());
    }
    Pack::read(Bytes::from_bytes_vec(content.to_vec())).map_err(damaged)
}

fn named(kind: &str, position: usize, tensor: &Tensor<1>) -> NamedTensor {
    NamedTensor { name: format!("{kind}.{position}"), data: tensor.to_data(), param_id: None }
}

/// Weights in the order of the model's parameters.
fn in_order(mut weights: Vec<(usize, ParamId, Tensor<1>)>) -> Weights {
    weights.sort_by_key(|(position, ..)| *position);
    Weights(weights.into_iter().map(|(_, id, tensor)| (id, tensor)).collect())
}

/// Earlier gradients of each parameter, from the oldest.
fn history(mut gradients: Vec<(usize, usize, ParamId, Tensor<1>)>) -> History {
    gradients.sort_by_key(|(position, n, ..)| (*position, *n));
    let of_one = gradients.chunk_by(|one, next| one.0 == next.0);
    History(
        of_one
            .map(|of_one| (of_one[0].2, of_one.iter().map(|(.., tensor)| tensor.clone()).collect()))
            .collect(),
    )
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
