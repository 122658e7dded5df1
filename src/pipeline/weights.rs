//! Copies of a model's weights: the slow weights of look-ahead, and averages.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use crate::optim::reshaped;

/// The weights of a model, flattened, in the order of its parameters.
#[derive(Clone, Default)]
pub(super) struct Weights(pub(super) Vec<(ParamId, Tensor<1>)>);

impl Weights {
    pub fn of<M: Module>(model: &M) -> Weights {
        let mut weights = Weights::default();
        model.visit(&mut weights);
        weights
    }

    /// Interpolates towards the weights of the model: own + (model - own) share.
    pub fn approach<M: Module>(&mut self, model: &M, share: f64) {
        for ((_, own), (_, theirs)) in self.0.iter_mut().zip(Weights::of(model).0) {
            // this form keeps a weight that has not moved bit for bit
            *own = own.clone() + (theirs - own.clone()) * share;
        }
    }

    /// The model with these weights.
    pub fn put_into<M: Module>(&self, model: M) -> M {
        model.map(&mut WeightMapper(self.0.iter()))
    }
}

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let x = param.val().inner();
        let n = x.shape().num_elements();
        self.0.push((param.id, reshaped(x, [n])));
    }
}

struct WeightMapper<'a>(std::slice::Iter<'a, (ParamId, Tensor<1>)>);

impl ModuleMapper for WeightMapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((_, weights)) = self.0.next() else { return param };
        param.map(|x| {
            let weights = weights.clone().to_device(&x.device().inner());
            Tensor::from_inner(reshaped(weights, x.shape())).set_require_grad(x.is_require_grad())
        })
    }
}
