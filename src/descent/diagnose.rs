//! Diagnostics: what a step did to each parameter, and what the optimizer's memory says about signal and noise.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::weights::Weights;
use super::{Descent, unreadable};
use crate::error::Result;
use crate::optim::{At, Insight, Method, Remembered, Signal, remembered};

/// What a step did to one parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// path in the model
    pub name: String,
    /// how many numbers
    pub elements: usize,
    /// effective step size: the root mean square of what the elements moved
    pub step: f64,
    /// the furthest that an element moved
    pub largest_step: f64,
    /// the furthest that the rule can move an element, where there is a bound
    pub bound: Option<f64>,
    /// ‖step‖ / ‖x‖, x before the step; nothing if x was 0
    pub update_to_weight: Option<f64>,
    /// signal-to-noise ratio: the mean of |m_hat| / √v_hat over the elements where v_hat is not 0
    pub signal_to_noise: Option<f64>,
    /// share of the elements in whose denominator eps is the larger part
    pub eps_share: Option<f64>,
}

impl Descent {
    /// What the step from `before` to `after` did, where `after` is what [`step`](Descent::step) made of `before` with this learning rate.
    /// Nothing is computed unless this is called; then both models and the optimizer's memory are read back from the device once.
    ///
    /// # Errors
    /// If burn cannot write out the optimizer's state.
    pub fn diagnose<M: Module>(&self, lr: f64, before: &M, after: &M) -> Result<Vec<Layer>> {
        let names = paths(before);
        let (mut memory, rule) = match &self.method {
            Method::PerTensor { optimizer, rule: Some(rule) } => (remembered(optimizer, rule.as_ref()).map_err(unreadable)?, Some(rule)),
            _ => (HashMap::new(), None),
        };
        // a step of look-ahead that goes to the slow weights is not the rule's alone
        let jumps = self.recipe.lookahead.as_ref().is_some_and(|lookahead| self.steps.is_multiple_of(lookahead.k as u64));
        let pairs = Weights::of(before).0.into_iter().zip(Weights::of(after).0);
        let layer = |((id, before), (_, after)): ((ParamId, Tensor<1>), (ParamId, Tensor<1>))| {
            let read = |x: Tensor<1>| x.into_data().iter::<f64>().collect::<Vec<_>>();
            let (x, moved) = (read(before.clone()), read(after - before));
            let squares = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>();
            let n = x.len().max(1) as f64;
            let known = rule.zip(memory.remove(&id));
            let at = |remembered: &Remembered| At { t: remembered.t, lr, carry: remembered.carry };
            let noise = known.as_ref().and_then(|(rule, remembered)| Noise::of(rule.as_ref(), at(remembered), &remembered.memory));
            Layer {
                name: names.get(&id).cloned().unwrap_or_default(),
                elements: x.len(),
                step: (squares(&moved) / n).sqrt(),
                largest_step: moved.iter().fold(0.0, |largest, x| x.abs().max(largest)),
                bound: known.as_ref().filter(|_| !jumps).and_then(|(rule, remembered)| rule.bound(at(remembered))),
                update_to_weight: Some((squares(&moved) / squares(&x)).sqrt()).filter(|ratio| ratio.is_finite()),
                signal_to_noise: noise.as_ref().and_then(|noise| noise.signal),
                eps_share: noise.map(|noise| noise.eps_share),
            }
        };
        Ok(pairs.map(layer).collect())
    }
}

struct Noise {
    signal: Option<f64>,
    eps_share: f64,
}

impl Noise {
    fn of(rule: &dyn Insight, at: At, memory: &[TensorData]) -> Option<Noise> {
        // in f64 on this machine, wherever the optimizer runs
        let device = burn::tensor::Device::default();
        let tensors = memory.iter().map(|data| {
            let numbers: Vec<f64> = data.iter::<f64>().collect();
            let n = numbers.len();
            Tensor::<1>::from_data(TensorData::new(numbers, [n]), (&device, burn::tensor::DType::F64))
        });
        let Signal { m_hat, v_hat, eps } = rule.signal(at, tensors.collect())?;
        let read = |x: Tensor<1>| x.into_data().iter::<f64>().collect::<Vec<_>>();
        let roots: Vec<f64> = read(v_hat).into_iter().map(f64::sqrt).collect();
        let signal = m_hat.map(read).and_then(|m_hat| {
            let ratios: Vec<f64> = m_hat.iter().zip(&roots).filter(|(_, root)| **root > 0.0).map(|(m, root)| m.abs() / root).collect();
            (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
        });
        let below = roots.iter().filter(|root| **root < eps).count();
        Some(Noise { signal, eps_share: below as f64 / roots.len().max(1) as f64 })
    }
}

/// The path of each parameter: `hidden.0.weight`.
pub(super) fn paths<M: Module>(model: &M) -> HashMap<ParamId, String> {
    #[derive(Default)]
    struct Walk {
        path: Vec<String>,
        found: HashMap<ParamId, String>,
    }
    impl ModuleVisitor for Walk {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.into());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.insert(param.id, self.path.join("."));
        }
    }
    let mut walk = Walk::default();
    model.visit(&mut walk);
    walk.found
}
