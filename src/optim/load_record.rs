//! Loading a record of burn's, with an error where burn skips a state.

use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::Bytes;

use crate::burn_internals::Pack;
use crate::error::{Error, Result, StateError};

/// The optimizer with the state of a record. The record may be of the same optimizer, or of burn's
/// own optimizer that has the same state: `AdamConfig` for [`Adam`](super::Adam), `AdamWConfig` for
/// [`AdamW`](super::AdamW), `AdamConfig` with `amsgrad` for [`AmsGrad`](super::AmsGrad),
/// `AdaGradConfig` for [`AdaGrad`](super::AdaGrad), `LionConfig` for [`Lion`](super::Lion).
///
/// `ModuleOptimizer::load_record` of burn does the same, but silently starts again where it cannot
/// read a state.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::{AdamConfig, GradientsParams};
/// use burn::tensor::{Device, Tensor};
/// use downhill::optim::{Adam, Sgd, load_record};
///
/// let device = Device::flex().autodiff();
/// let model = LinearConfig::new(2, 3).init(&device);
/// let loss = model.forward(Tensor::<2>::ones([1, 2], &device)).sum();
/// let gradients = GradientsParams::from_grads(loss.backward(), &model);
/// let mut burns = AdamConfig::new().init();
/// let model = burns.step(1e-3, model, gradients);
///
/// let ours = load_record(Adam::burn().init(), burns.to_record())?; // goes on where burn's was
/// assert!(load_record(Sgd::new().init(), burns.to_record()).is_err());
/// # Ok::<(), downhill::Error>(())
/// ```
///
/// # Errors
/// If the state of a parameter cannot be read, because the record is of another optimizer.
pub fn load_record(optimizer: ModuleOptimizer, record: OptimizerRecord) -> Result<ModuleOptimizer> {
    let burn = |error: burn::store::RecordError| Error::from(StateError::Burn(error.to_string()));
    let bytes = record.into_bytes().map_err(burn)?;
    let found = parameters(bytes.clone())?;
    let optimizer = optimizer.from_bytes(bytes).map_err(burn)?;
    let read = parameters(optimizer.into_bytes().map_err(burn)?)?;
    if read < found {
        return Err(StateError::Unreadable { found, read }.into());
    }
    Ok(optimizer)
}

/// The number of parameters that have a state. burn writes the rank of each.
fn parameters(bytes: Bytes) -> Result<usize> {
    let pack = Pack::read(bytes).map_err(|error| StateError::Burn(error.to_string()))?;
    Ok(pack.scalars.keys().filter(|key| key.ends_with(".__rank")).count())
}
