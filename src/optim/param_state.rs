//! Reading the optimizer state of every parameter.

use std::collections::{BTreeSet, HashMap};

use burn::module::ParamId;
use burn::optim::{ModuleOptimizer, StateSource};
use burn::store::RecordError;
use burn::tensor::TensorData;

use super::dyn_rule::DynRule;
use super::fused_state::{STEP, take_scalars};
use crate::burn_internals::Pack;

/// The optimizer state of one parameter.
#[derive(Clone, Debug)]
pub struct ParamState {
    /// the number of the last step
    pub t: u64,
    /// [`Rule::tensor_scalars`](super::Rule::tensor_scalars) after that step
    pub tensor_scalars: [f64; 2],
    /// the state in the order of [`DynRule::state_names`], each as large as the parameter
    pub tensors: Vec<TensorData>,
}

/// The optimizer state of every parameter that has taken a step. burn keeps the states private, so
/// this reads them from the record that burn saves.
///
/// # Errors
/// If burn cannot write the optimizer's state.
pub fn optimizer_state(
    optimizer: &ModuleOptimizer,
    rule: &dyn DynRule,
) -> Result<HashMap<ParamId, ParamState>, RecordError> {
    let pack = Pack::read(optimizer.into_bytes()?)?;
    let ids: BTreeSet<u64> =
        pack.scalars.keys().filter_map(|key| parameter_with_step(key)).collect();
    let mut source = StateSource::new(pack.scalars);
    for tensor in pack.tensors {
        source.insert_tensor(tensor.name, tensor.data);
    }
    let state = |id: u64| Some((ParamId::from(id), read_param(&mut source, id, rule)?));
    Ok(ids.into_iter().filter_map(state).collect())
}

/// The id of a parameter from the key of its step number: `7.t` gives 7.
fn parameter_with_step(key: &str) -> Option<u64> {
    let (id, name) = key.rsplit_once('.')?;
    if name == STEP { id.parse().ok() } else { None }
}

fn read_param(source: &mut StateSource, id: u64, rule: &dyn DynRule) -> Option<ParamState> {
    let prefix = id.to_string();
    let t = u64::try_from(source.take_scalar(&prefix, STEP)?).ok()?;
    let tensor_scalars = take_scalars(&prefix, source)?;
    let names = rule.state_names();
    let tensors =
        names.iter().map(|name| source.take_tensor(&prefix, name)).collect::<Option<_>>()?;
    Some(ParamState { t, tensor_scalars, tensors })
}
