//! The values of a module as named tensors, in the order of its parameters.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};

use crate::burn_internals::NamedTensor;

/// The values of all parameters of a module, named `PREFIX.0`, `PREFIX.1`, ...
pub(super) fn named_weights<M: Module>(prefix: &str, model: &M) -> Vec<NamedTensor> {
    let mut values = Values(Vec::new());
    model.visit(&mut values);
    let named = values.0.into_iter().enumerate();
    named
        .map(|(at, data)| NamedTensor { name: format!("{prefix}.{at}"), data, param_id: None })
        .collect()
}

/// The module with the values of this prefix. `None` if one is missing or has another shape.
pub(super) fn with_weights<M: Module>(
    prefix: &str,
    model: M,
    tensors: &mut BTreeMap<String, TensorData>,
) -> Option<M> {
    let mut put = Put { prefix, tensors, next: 0, fits: true };
    let model = model.map(&mut put);
    put.fits.then_some(model)
}

struct Values(Vec<TensorData>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().into_data());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.0.push(param.val().into_data());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.0.push(param.val().into_data());
    }
}

struct Put<'a> {
    prefix: &'a str,
    tensors: &'a mut BTreeMap<String, TensorData>,
    next: usize,
    fits: bool,
}

impl Put<'_> {
    /// The value of the next parameter, if it has this shape.
    fn next(&mut self, shape: &[usize]) -> Option<TensorData> {
        let data = self.tensors.remove(&format!("{}.{}", self.prefix, self.next));
        self.next += 1;
        let data = data.filter(|data| data.shape().as_slice() == shape);
        self.fits &= data.is_some();
        data
    }
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|x| match self.next(x.shape().as_slice()) {
            None => x,
            Some(data) => {
                let to = (&x.device().inner(), data.dtype());
                let value = Tensor::<D>::from_data(data, to);
                match x.is_autodiff() {
                    true => Tensor::from_inner(value).set_require_grad(x.is_require_grad()),
                    false => value,
                }
            }
        })
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        param.map(|x| match self.next(x.shape().as_slice()) {
            None => x,
            Some(data) => {
                let dtype = data.dtype();
                Tensor::from_data(data, (&x.device(), dtype))
            }
        })
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        param.map(|x| match self.next(x.shape().as_slice()) {
            None => x,
            Some(data) => Tensor::from_data(data, &x.device()),
        })
    }
}
