//! The state of the optimizer alone, in burn's format, with parameters identified by position.

use burn::module::ParamId;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::RecordError;
use burn::tensor::Bytes;

use crate::burn_internals::{NamedTensor, Pack};
use crate::error::{Error, Result, StateError};
use crate::optim::Method;

/// The largest rank of a parameter that burn's optimizers know.
const MAX_RANK: usize = 8;

/// The state of an optimizer. `position` returns the position of the parameter with an id of burn.
pub(super) fn save_method(
    method: &Method,
    position: impl Fn(u64) -> Option<usize>,
) -> std::result::Result<Bytes, RecordError> {
    match method {
        Method::PerTensor { optimizer, .. } => {
            rename_parameters(Pack::read(optimizer.into_bytes()?)?, |id| Some(position(id)? as u64))
        }
        Method::Joint(joint) => joint.pack(|id| Some(position(id)? as u64)).write(),
        Method::WholeModel(whole) => whole.to_bytes(),
    }
}

/// The optimizer with the state in `bytes`. `id` returns burn's id of the parameter at a position.
pub(super) fn load_method(
    method: Method,
    bytes: Bytes,
    id: impl Fn(usize) -> Option<u64>,
) -> Result<Method> {
    match method {
        Method::PerTensor { optimizer, rule } => {
            let pack = Pack::read(bytes).map_err(damaged)?;
            check_ranks(&pack)?;
            let bytes =
                rename_parameters(pack, |position| id(position as usize)).map_err(damaged)?;
            let record = OptimizerRecord::from_bytes(bytes).map_err(damaged)?;
            let saved = record.len();
            let optimizer: ModuleOptimizer = optimizer.load_record(record);
            // burn drops what it cannot read, and would restart those parameters
            if optimizer.to_record().len() != saved {
                return Err(StateError::Damaged.into());
            }
            Ok(Method::PerTensor { optimizer, rule })
        }
        Method::Joint(joint) => {
            let pack = Pack::read(bytes).map_err(damaged)?;
            let id = |position: u64| id(position as usize).map(ParamId::from);
            Ok(Method::Joint(joint.unpack(pack, id).ok_or(StateError::Damaged)?))
        }
        Method::WholeModel(whole) => {
            Ok(Method::WholeModel(whole.with_bytes(bytes).map_err(damaged)?))
        }
    }
}

/// Checks the ranks in a record of burn's `ModuleOptimizer`: burn panics at those that it does not
/// know.
fn check_ranks(pack: &Pack) -> Result<()> {
    let of_scalars = pack.scalars.iter().filter(|(key, _)| key.ends_with(".__rank"));
    let of_scalars = of_scalars.filter_map(|(_, rank)| usize::try_from(*rank).ok());
    let of_tensors = pack.tensors.iter().map(|tensor| tensor.data.rank());
    match of_scalars.chain(of_tensors).all(|rank| rank <= MAX_RANK) {
        true => Ok(()),
        false => Err(StateError::Damaged.into()),
    }
}

/// A record of burn's `ModuleOptimizer` in which each parameter has another number. Parameters
/// without a new number are dropped.
fn rename_parameters(
    pack: Pack,
    number: impl Fn(u64) -> Option<u64>,
) -> std::result::Result<Bytes, RecordError> {
    let rename = |key: &str| -> Option<String> {
        let (id, rest) = key.split_at(key.find('.').unwrap_or(key.len()));
        Some(format!("{}{rest}", number(id.parse().ok()?)?))
    };
    let renamed = |tensor: NamedTensor| {
        // burn panics at a tensor without an id
        let (name, id) = (rename(&tensor.name)?, number(tensor.param_id?)?);
        Some(NamedTensor { name, data: tensor.data, param_id: Some(id) })
    };
    let mut tensors: Vec<NamedTensor> = pack.tensors.into_iter().filter_map(renamed).collect();
    // burn keeps its states in a hash map: sorting makes the bytes of equal states equal
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let scalars = pack.scalars.iter().filter_map(|(key, value)| Some((rename(key)?, *value)));
    let metadata =
        pack.metadata.iter().filter_map(|(key, value)| Some((rename(key)?, value.clone())));
    Pack { tensors, scalars: scalars.collect(), metadata: metadata.collect() }.write()
}

/// The error for content that is not what was written.
pub(super) fn damaged(_: impl std::fmt::Display) -> Error {
    StateError::Damaged.into()
}

/// The error for a state that burn cannot write or read.
pub(super) fn refused_by_burn(error: impl std::fmt::Display) -> Error {
    StateError::Burn(error.to_string()).into()
}
