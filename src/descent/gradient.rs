//! The gradients of a model, and what is done to them before the optimizer sees them.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Shape, Tensor};

use super::Bound;
use crate::optim::reshaped;

/// The gradients of the parameters that have one, flattened, in the order of the model's parameters.
#[derive(Clone, Default)]
pub(super) struct Gradients(pub(super) Vec<Gradient>);

/// The gradient of one parameter.
#[derive(Clone)]
pub(super) struct Gradient {
    pub id: ParamId,
    pub shape: Shape,
    pub g: Tensor<1>,
}

impl Gradients {
    pub fn of<M: Module>(gradients: GradientsParams, model: &M) -> Gradients {
        struct Take {
            from: GradientsParams,
            all: Vec<Gradient>,
        }
        impl ModuleVisitor for Take {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(g) = self.from.remove::<D>(param.id) {
                    let shape = g.shape();
                    self.all.push(Gradient { id: param.id, g: reshaped(g, [shape.num_elements()]), shape });
                }
            }
        }
        let mut take = Take { from: gradients, all: Vec::new() };
        model.visit(&mut take);
        Gradients(take.all)
    }

    pub fn into_params(self) -> GradientsParams {
        let mut params = GradientsParams::new();
        for Gradient { id, shape, g } in self.0 {
            macro_rules! register {
                ($($D:literal)*) => {
                    match shape.num_dims() {
                        $($D => params.register(id, reshaped::<1, $D>(g, shape)),)*
                        more => unreachable!("burn's tensors have at most 8 dimensions, and this one {more}"),
                    }
                };
            }
            register!(0 1 2 3 4 5 6 7 8);
        }
        params
    }

    /// A parameter without gradient in one batch counts there as zero.
    pub fn add(&mut self, others: Gradients) {
        for other in others.0 {
            match self.0.iter_mut().find(|own| own.id == other.id) {
                Some(own) => own.g = own.g.clone() + other.g,
                None => self.0.push(other),
            }
        }
    }

    pub fn scale(&mut self, factor: f64) {
        for gradient in &mut self.0 {
            gradient.g = gradient.g.clone() * factor;
        }
    }

    /// The path of the first parameter whose gradient is not finite, and what it holds.
    pub fn nonfinite<M: Module>(&self, model: &M) -> Option<(String, f64)> {
        let (gradient, value) = self.0.iter().find_map(|gradient| {
            // 0 times a number is 0 only if it is finite, so one sum tells
            let all: f64 = (gradient.g.clone() * 0.0).sum().into_scalar();
            (all != 0.0).then(|| (gradient, gradient.g.to_data().iter::<f64>().find(|g| !g.is_finite()).unwrap_or(f64::NAN)))
        })?;
        Some((super::diagnose::paths(model).remove(&gradient.id).unwrap_or_default(), value))
    }

    pub fn clip(&mut self, bound: Bound) {
        let squares = |gradient: &Gradient| (gradient.g.clone() * gradient.g.clone()).sum();
        // a norm of 0 makes an infinite factor, which the clamp makes 1
        let factor = |squares: Tensor<1>, max: f64| (squares.sqrt().recip() * max).clamp_max(1.0);
        match bound {
            Bound::Value(max) => self.0.iter_mut().for_each(|gradient| gradient.g = gradient.g.clone().clamp(-max, max)),
            Bound::Norm(max) => {
                for gradient in &mut self.0 {
                    gradient.g = gradient.g.clone() * factor(squares(gradient), max);
                }
            }
            Bound::Global(max) => {
                let Some(all) = self.0.iter().map(squares).reduce(|a, b| a + b) else { return };
                let factor = factor(all, max);
                for gradient in &mut self.0 {
                    gradient.g = gradient.g.clone() * factor.clone();
                }
            }
        }
    }
}
