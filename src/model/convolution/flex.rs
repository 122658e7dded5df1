//! The convolution as an operation of burn's flex backend, with its gradient for autodiff.

use burn::nn::conv::Conv2d;
use burn::tensor::{DType, Shape, Tensor, TensorData};

use super::passes;
use super::product::Number;
use super::sizes::Sizes;
use crate::burn_internals::{FlexOp, FlexTensor, apply};

/// The convolution, or `None` if the tensors are not all of this backend and of one number type.
pub(super) fn convolve(
    layer: &Conv2d,
    x: &Tensor<4>,
    bias: &Tensor<1>,
    pad: usize,
) -> Option<Tensor<4>> {
    let weight = layer.weight.val();
    let dtype = x.dtype();
    let is_supported = [DType::F32, DType::F64].contains(&dtype);
    if !is_supported || weight.dtype() != dtype || bias.dtype() != dtype {
        return None;
    }
    let sizes = Sizes::of(&x.dims(), &weight.dims(), pad)?;
    apply(Convolution(sizes), x, weight, bias.clone())
}

#[derive(Clone, Copy, Debug)]
struct Convolution(Sizes);

impl FlexOp for Convolution {
    fn forward(&self, x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor) -> FlexTensor {
        match x.dtype() {
            DType::F64 => forward::<f64>(self.0, x, weight, bias),
            _ => forward::<f32>(self.0, x, weight, bias),
        }
    }

    fn backward(
        &self,
        x: &FlexTensor,
        weight: &FlexTensor,
        dout: &FlexTensor,
        with_images: bool,
    ) -> [Option<FlexTensor>; 3] {
        match x.dtype() {
            DType::F64 => backward::<f64>(self.0, x, weight, dout, with_images),
            _ => backward::<f32>(self.0, x, weight, dout, with_images),
        }
    }
}

fn forward<T: Number>(
    s: Sizes,
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
) -> FlexTensor {
    let [height, width] = s.out();
    let out = passes::forward::<T>(s, numbers(x), numbers(weight), numbers(bias));
    tensor(out, &[s.images, s.outputs, height, width])
}

/// The gradients with respect to images, if requested, weights and biases.
fn backward<T: Number>(
    s: Sizes,
    x: &FlexTensor,
    weight: &FlexTensor,
    dout: &FlexTensor,
    with_images: bool,
) -> [Option<FlexTensor>; 3] {
    let passes::Gradients { x, weight, bias } =
        passes::backward::<T>(s, numbers(x), numbers(weight), numbers(dout), with_images);
    [
        with_images.then(|| tensor(x, &[s.images, s.channels, s.height, s.width])),
        Some(tensor(weight, &[s.outputs, s.channels, s.kernel, s.kernel])),
        Some(tensor(bias, &[s.outputs])),
    ]
}

/// The numbers of a contiguous tensor.
fn numbers<T: Number>(tensor: &FlexTensor) -> &[T] {
    tensor.as_slice().unwrap_or_default()
}

fn tensor<T: Number>(numbers: Vec<T>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, Shape::from(shape.to_vec())))
}
