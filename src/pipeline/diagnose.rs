//! Diagnostics: what a step did to each parameter, and the signal and noise in the optimizer state.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::optimizer_state::refused_by_burn;
use super::paths::parameter_paths;
use super::step::Stepper;
use super::vector::tensor;
use super::weights::Weights;
use crate::error::Result;
use crate::optim::{DynRule, Method, ParamState, Signal, StepContext, optimizer_state};

/// What a step did to one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDiagnostics {
    /// path in the model
    pub name: String,
    /// number of elements
    pub elements: usize,
    /// effective step size: the root mean square of the changes of the elements
    pub step: f64,
    /// the largest change of an element
    pub largest_step: f64,
    /// the largest change that the rule can make, if it has a bound
    pub bound: Option<f64>,
    /// ‖step‖ / ‖x‖, x before the step; `None` if x was 0
    pub update_to_weight: Option<f64>,
    /// signal-to-noise ratio: the mean of |m_hat| / √v_hat over the elements where v_hat is not 0
    pub signal_to_noise: Option<f64>,
    /// share of the elements in whose denominator eps is the larger part
    pub eps_share: Option<f64>,
}

impl Stepper {
    /// What the step from `before` to `after` did, where `after` is the model that
    /// [`step`](Stepper::step) made of `before` with this learning rate. Only this call costs
    /// time: it reads both models and the optimizer state back from the device once.
    ///
    /// # Errors
    /// If burn cannot write out the optimizer's state.
    pub fn diagnose<M: Module>(
        &self,
        lr: f64,
        before: &M,
        after: &M,
    ) -> Result<Vec<LayerDiagnostics>> {
        let mut names = parameter_paths(before);
        let mut states = self.rule_states(lr, &names)?;
        let pairs = Weights::of(before).0.into_iter().zip(Weights::of(after).0);
        let layers = pairs.map(|((id, before), (_, after))| {
            let name = names.remove(&id).unwrap_or_default();
            let (x, change) = (numbers(before.clone()), numbers(after - before));
            layer(name, &x, &change, states.remove(&id))
        });
        Ok(layers.collect())
    }

    /// What the rule knows of each parameter; empty if the optimizer is none of our rules.
    fn rule_states(
        &self,
        lr: f64,
        paths: &HashMap<ParamId, String>,
    ) -> Result<HashMap<ParamId, RuleState>> {
        let Method::PerTensor { optimizer, rule: Some(rule) } = &self.method else {
            return Ok(HashMap::new());
        };
        let groups = self.groups.as_deref().unwrap_or_default();
        let rule_of = |id: &ParamId| {
            let path = paths.get(id).map(String::as_str);
            let own = groups.iter().rev().find(|group| group.group.matches(id, path));
            own.map_or(rule, |group| &group.rule)
        };
        // a step in which look-ahead returns to the slow weights is not the rule's alone
        let lookahead = self.config.transforms.lookahead.as_ref();
        let bounded = lookahead.is_none_or(|ahead| !self.steps.is_multiple_of(ahead.k as u64));
        let states = optimizer_state(optimizer, rule.as_ref()).map_err(refused_by_burn)?;
        Ok(states
            .into_iter()
            .map(|(id, state)| (id, RuleState::of(rule_of(&id).as_ref(), lr, &state, bounded)))
            .collect())
    }
}

fn layer(name: String, x: &[f64], change: &[f64], state: Option<RuleState>) -> LayerDiagnostics {
    let state = state.unwrap_or_default();
    LayerDiagnostics {
        name,
        elements: x.len(),
        step: (sum_of_squares(change) / x.len().max(1) as f64).sqrt(),
        largest_step: change.iter().fold(0.0, |largest, x| x.abs().max(largest)),
        bound: state.bound,
        update_to_weight: Some((sum_of_squares(change) / sum_of_squares(x)).sqrt())
            .filter(|ratio| ratio.is_finite()),
        signal_to_noise: state.signal_to_noise,
        eps_share: state.eps_share,
    }
}

fn sum_of_squares(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum()
}

fn numbers(x: Tensor<1>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// What a rule knows of a parameter after its last step.
#[derive(Default)]
struct RuleState {
    bound: Option<f64>,
    signal_to_noise: Option<f64>,
    eps_share: Option<f64>,
}

impl RuleState {
    fn of(rule: &dyn DynRule, lr: f64, state: &ParamState, bounded: bool) -> RuleState {
        let ctx = StepContext { t: state.t, lr, tensor_scalars: state.tensor_scalars };
        let bound = rule.bound(ctx).filter(|_| bounded);
        // on this machine's processor, wherever the optimizer runs
        let on_cpu = |data: &TensorData| {
            tensor(&data.iter::<f64>().collect::<Vec<_>>(), &Device::default(), DType::F64)
        };
        let memory = state.tensors.iter().map(on_cpu).collect();
        let Some(Signal { m_hat, v_hat, eps }) = rule.signal(ctx, memory) else {
            return RuleState { bound, ..RuleState::default() };
        };
        let roots: Vec<f64> = numbers(v_hat).into_iter().map(f64::sqrt).collect();
        let dominated = roots.iter().filter(|root| **root < eps).count();
        RuleState {
            bound,
            signal_to_noise: m_hat.and_then(|m_hat| signal_to_noise(&numbers(m_hat), &roots)),
            eps_share: Some(dominated as f64 / roots.len().max(1) as f64),
        }
    }
}

/// The mean of |m_hat| / √v_hat where v_hat is not 0. `None` if it is 0 everywhere.
fn signal_to_noise(m_hat: &[f64], roots: &[f64]) -> Option<f64> {
    let pairs = m_hat.iter().zip(roots).filter(|(_, root)| **root > 0.0);
    let ratios: Vec<f64> = pairs.map(|(m, root)| m.abs() / root).collect();
    (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
}
