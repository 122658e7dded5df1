//! The weights of a model to which penalties apply: parameters of at least two dimensions. Biases
//! are not included.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

/// One layer's weights as a matrix. The weights into one unit are a column of a linear layer,
/// `[in, out]`, and a row of a convolution, `[out, in, height, width]`, flattened.
pub(super) struct Layer {
    pub w: Tensor<2>,
    /// the dimension along the weights into one unit
    incoming: usize,
}

impl Layer {
    fn of<const D: usize>(w: Tensor<D>) -> Layer {
        let (first, n) = (w.dims()[0], w.shape().num_elements());
        Layer { w: w.reshape([first, n / first.max(1)]), incoming: if D == 2 { 0 } else { 1 } }
    }

    /// All weights in one row, as if into one unit.
    pub fn in_one_row(self) -> Layer {
        let n = self.w.shape().num_elements();
        Layer { w: self.w.reshape([1, n]), incoming: 1 }
    }

    /// The Euclidean norm of the weights into each unit.
    pub fn norms(&self) -> Vec<f64> {
        let norms = |w: Tensor<2>| {
            numbers((w.clone() * w).sum_dim(self.incoming))
                .into_iter()
                .map(f64::sqrt)
                .collect::<Vec<_>>()
        };
        let plain = norms(self.w.clone());
        if plain.iter().all(|norm| norm.is_finite()) {
            return plain;
        }
        // the squares overflow before the weights do
        let largest = self.w.clone().abs().max_dim(self.incoming);
        let scaled = norms(self.w.clone() / largest.clone());
        let scaled = scaled.into_iter().zip(numbers(largest)).map(|(norm, largest)| norm * largest);
        plain
            .into_iter()
            .zip(scaled)
            .map(|(plain, scaled)| if plain.is_finite() { plain } else { scaled })
            .collect()
    }

    /// The weights into each unit, multiplied by its factor.
    pub fn scaled(self, factors: Vec<f64>) -> Tensor<2> {
        if factors.iter().all(|factor| *factor == 1.0) {
            return self.w;
        }
        let shape = if self.incoming == 0 { [1, factors.len()] } else { [factors.len(), 1] };
        let options = (&self.w.device(), self.w.dtype());
        self.w * Tensor::from_data(TensorData::new(factors, shape), options)
    }
}

/// The factor that shrinks a larger norm to `most`. It is slightly smaller, so that rounding does
/// not leave the norm above `most` and a second projection changes nothing. A norm that is NaN or
/// infinite is not changed, so that the training loop notices it.
pub(super) fn factor(norm: f64, most: f64) -> f64 {
    if norm > most && norm.is_finite() { most / norm * (1.0 - 1e-6) } else { 1.0 }
}

fn numbers(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Whether a parameter has at least two dimensions and is not empty.
pub(super) fn is_weight<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    D >= 2 && param.shape().num_elements() > 0
}

/// Whether a parameter is frozen. Without autodiff this is not known, and the result is false.
fn frozen<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    let w = param.val();
    w.is_autodiff() && !w.is_require_grad()
}

/// All layers that are not frozen, without autodiff.
pub(super) fn layers<M: Module>(model: &M) -> Vec<Layer> {
    struct Layers(Vec<Layer>);
    impl ModuleVisitor for Layers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if is_weight(param) && !frozen(param) {
                self.0.push(Layer::of(param.val().inner()));
            }
        }
    }
    let mut layers = Layers(Vec::new());
    model.visit(&mut layers);
    layers.0
}

/// The model with changed weights in each of its [`layers`]. The ids are kept, because the
/// optimizer state refers to them.
pub(super) fn map<M: Module>(model: M, change: impl FnMut(Layer) -> Tensor<2>) -> M {
    struct Change<F>(F);
    impl<F: FnMut(Layer) -> Tensor<2>> ModuleMapper for Change<F> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !is_weight(&param) || frozen(&param) {
                return param;
            }
            param.map(|w| {
                let (shape, autodiff) = (w.shape(), w.is_autodiff());
                let w = (self.0)(Layer::of(w.inner())).reshape(shape);
                if autodiff { Tensor::from_inner(w).require_grad() } else { w }
            })
        }
    }
    model.map(&mut Change(change))
}
