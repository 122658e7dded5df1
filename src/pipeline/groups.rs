//! Parameter groups: which parameters they contain, and what differs for them.

use std::sync::Arc;

use burn::module::{Module, ParamGroup};

use super::params::Params;
use super::paths::{parameter_paths, vector_paths};
use super::transforms::{Group, Transforms};
use crate::error::{Error, Result};
use crate::optim::decay::DecayBy;
use crate::optim::{ConfiguredOptimizer, Decay, DynRule, Method, Optimizers};
use crate::spec::{SettingValue, Spec, SpecError};

/// The group of a model.
///
/// # Errors
/// If no path of the model contains any of the texts.
pub(super) fn group_of<M: Module>(params: &Params, model: &M) -> Result<ParamGroup> {
    let Params::Paths(parts) = params else { return Ok(vectors(model)) };
    let paths = parameter_paths(model);
    let contains = |path: &String| parts.iter().any(|part| path.contains(part.as_str()));
    let found: Vec<&String> = paths.values().filter(|path| contains(path)).collect();
    if found.is_empty() {
        let mut known: Vec<String> = paths.into_values().collect();
        known.sort();
        return Err(Error::EmptyGroup { params: params.show(), known: known.join(", ") });
    }
    Ok(ParamGroup::from_paths(found))
}

/// The parameters with fewer than two dimensions: biases and the weights of normalization layers.
/// Weight decay usually leaves them out. The group contains their paths, not burn's ids, because
/// a model that is loaded gets other ids.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use downhill::optim::AdamW;
/// use downhill::pipeline::vectors;
///
/// let model = LinearConfig::new(2, 3).init(&Device::flex().autodiff());
/// let optimizer = AdamW::new().with_weight_decay(0.01).init();
/// let optimizer =
///     optimizer.with_group(vectors(&model), AdamW::new().with_weight_decay(0.0).build(), None);
/// ```
pub fn vectors<M: Module>(model: &M) -> ParamGroup {
    ParamGroup::from_paths(vector_paths(model))
}

/// A group and the rule for it.
#[derive(Clone)]
pub(super) struct GroupRule {
    pub params: Params,
    pub rule: Arc<dyn DynRule>,
}

/// The rules of all groups of a pipeline. `spec` is the spec of the optimizer as written.
pub(super) fn read_groups(
    spec: &Spec,
    optimizer: &ConfiguredOptimizer,
    transforms: &Transforms,
    optimizers: &Optimizers,
) -> Result<Vec<GroupRule>> {
    let rule = |group: &Group| {
        let (spec, decay) = group_optimizer(spec, optimizer, transforms, group)?;
        match optimizers.make_decayed(&spec, decay)?.method {
            Method::PerTensor { rule: Some(rule), .. } => {
                Ok(GroupRule { params: group.params.clone(), rule })
            }
            // `make_decayed` refuses all others
            _ => Err(Error::NeedsLoss { optimizer: spec.name }),
        }
    };
    transforms.groups.iter().map(rule).collect()
}

/// The setting of decoupled weight decay in a rule.
const LAMBDA: &str = "lambda";
/// The learning rate at which the schedule of that decay is 1.
const ALPHA: &str = "alpha";

/// The value of a setting of the optimizer, if it has that setting and it is a number.
fn number(optimizer: &ConfiguredOptimizer, key: &str) -> Option<f64> {
    let (_, values) = optimizer.spec.settings.iter().find(|(other, _)| other == key)?;
    values.first()?.parse().ok()
}

/// The optimizer of a group: the spec as written with another decay, and what is around it.
fn group_optimizer(
    spec: &Spec,
    optimizer: &ConfiguredOptimizer,
    transforms: &Transforms,
    group: &Group,
) -> Result<(Spec, Decay)> {
    let mut spec = spec.clone();
    let mut decay = transforms.weight_decay().unwrap_or(Decay {
        l2: 0.0,
        lambda: 0.0,
        by: DecayBy::Lr,
        cautious_decay: false,
        lr_scale: 1.0,
        cautious: None,
    });
    decay.lr_scale = group.lr_scale;
    // the decay by the schedule does not depend on the learning rate
    if let Some(alpha) = number(optimizer, ALPHA).filter(|_| group.lr_scale > 0.0) {
        spec.set(ALPHA, &(alpha * group.lr_scale).show());
    }
    let Some(weight_decay) = group.weight_decay else { return Ok((spec, decay)) };
    let around = transforms.l2.is_some() || transforms.decay.is_some();
    let own = number(optimizer, LAMBDA);
    // Lion's own decay is 0 by default
    let own_counts = own.is_some_and(|lambda| lambda > 0.0 || !around);
    let places = [own_counts, transforms.l2.is_some(), transforms.decay.is_some()];
    if weight_decay != 0.0 && places.iter().filter(|place| **place).count() != 1 {
        return Err(no_single_decay(weight_decay, places).into());
    }
    if own_counts {
        spec.set(LAMBDA, &weight_decay.show());
    }
    let only_where = |present: bool| if present { weight_decay } else { 0.0 };
    decay.l2 = only_where(transforms.l2.is_some());
    decay.lambda = only_where(transforms.decay.is_some());
    Ok((spec, decay))
}

fn no_single_decay(weight_decay: f64, places: [bool; 3]) -> SpecError {
    let expected = match places.contains(&true) {
        false => "0 or none, because the pipeline has no weight decay",
        true => "0 or none, because the pipeline has more than one weight decay",
    };
    SpecError::Value {
        owner: "group".into(),
        key: "weight_decay".into(),
        found: weight_decay.show(),
        expected: expected.into(),
    }
}
