//! The state of the optimizer alone, in burn's format, with parameters identified by position.

use std::collections::BTreeMap;

use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::RecordError;
use burn::store::burn_pack::{Reader, Scalar, Tensor as PackedTensor, Writer};
use burn::tensor::Bytes;

use crate::error::{Error, Result, StateError};
use crate::optim::Method;

/// The state of an optimizer. `position` returns the position of the parameter with an id of burn.
pub(super) fn save_method(
    method: &Method,
    position: impl Fn(u64) -> Option<usize>,
) -> std::result::Result<Bytes, RecordError> {
    match method {
        Method::PerTensor { optimizer, .. } => {
            rename_parameters(optimizer.into_bytes()?, |id| Some(position(id)? as u64))
        }
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
            let bytes =
                rename_parameters(bytes, |position| id(position as usize)).map_err(damaged)?;
            let record = OptimizerRecord::from_bytes(bytes).map_err(damaged)?;
            let saved = record.len();
            let optimizer: ModuleOptimizer = optimizer.load_record(record);
            // burn drops what it cannot read, and would restart those parameters
            if optimizer.to_record().len() != saved {
                return Err(StateError::Damaged.into());
            }
            Ok(Method::PerTensor { optimizer, rule })
        }
        Method::WholeModel(whole) => {
            Ok(Method::WholeModel(whole.with_bytes(bytes).map_err(damaged)?))
        }
    }
}

/// A record of burn's `ModuleOptimizer` in which each parameter has another number. Parameters
/// without a new number are dropped.
fn rename_parameters(
    bytes: Bytes,
    number: impl Fn(u64) -> Option<u64>,
) -> std::result::Result<Bytes, RecordError> {
    let reader = Reader::from_bytes(bytes)?;
    let rename = |key: &str| -> Option<String> {
        let (id, rest) = key.split_at(key.find('.').unwrap_or(key.len()));
        Some(format!("{}{rest}", number(id.parse().ok()?)?))
    };
    let scalars: BTreeMap<String, Scalar> =
        reader.scalars().iter().filter_map(|(key, value)| Some((rename(key)?, *value))).collect();
    let metadata: BTreeMap<String, String> = reader
        .metadata()
        .iter()
        .filter_map(|(key, value)| Some((rename(key)?, value.clone())))
        .collect();
    let mut tensors = Vec::new();
    for tensor in reader.into_tensors()? {
        let (key, dtype, shape, id, bytes) = tensor.into_parts()?;
        if let Some(key) = rename(&key) {
            tensors.push(PackedTensor::new(key, dtype, shape, id.and_then(&number), bytes));
        }
    }
    // burn keeps its states in a hash map: sorting makes the bytes of equal states equal
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let mut writer = Writer::new(tensors);
    for (key, value) in &scalars {
        writer = writer.with_scalar(key, *value);
    }
    for (key, value) in &metadata {
        writer = writer.with_metadata(key, value);
    }
    Ok(writer.into_bytes()?)
}

fn damaged(_: RecordError) -> Error {
    StateError::Damaged.into()
}
