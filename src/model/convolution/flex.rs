//! The convolution as an operation of burn's flex backend, with its gradient for autodiff. Only
//! this file uses burn's internals.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, Flex,
};
use burn::nn::conv::Conv2d;
use burn::tensor::{DType, Shape, Tensor, TensorData};

use super::passes;
use super::product::Number;
use super::sizes::Sizes;

type Tracked = FloatTensor<Autodiff<Flex>>;

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
    let tensors = [x.clone().into_dispatch(), weight.into_dispatch(), bias.clone().into_dispatch()];
    let autodiff = tensors[0].autodiff;
    let kind = match tensors.map(|tensor| tensor.kind) {
        [
            DispatchTensorKind::Flex(BackendTensor::Float(x)),
            DispatchTensorKind::Flex(BackendTensor::Float(weight)),
            DispatchTensorKind::Flex(BackendTensor::Float(bias)),
        ] => {
            let (_, out) = forward(&x, &weight, &bias, pad)?;
            DispatchTensorKind::Flex(BackendTensor::Float(out))
        }
        [
            DispatchTensorKind::Autodiff(x),
            DispatchTensorKind::Autodiff(weight),
            DispatchTensorKind::Autodiff(bias),
        ] => match (autodiff, *x, *weight, *bias) {
            (
                DispatchAutodiffContext::Enabled(strategy),
                DispatchTensorKind::Flex(BackendTensor::Autodiff(x)),
                DispatchTensorKind::Flex(BackendTensor::Autodiff(weight)),
                DispatchTensorKind::Flex(BackendTensor::Autodiff(bias)),
            ) if strategy == Default::default() => {
                let out = tracked(&x, &weight, &bias, pad)?;
                let out = DispatchTensorKind::Flex(BackendTensor::Autodiff(out));
                DispatchTensorKind::Autodiff(Box::new(out))
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(Tensor::from_dispatch(DispatchTensor { kind, autodiff }))
}

/// The tensor of this backend, with or without autodiff.
pub(super) fn primitive(x: &Tensor<4>) -> Option<FlexTensor> {
    match x.clone().into_dispatch().kind {
        DispatchTensorKind::Flex(BackendTensor::Float(x)) => Some(x),
        DispatchTensorKind::Autodiff(inner) => match *inner {
            DispatchTensorKind::Flex(BackendTensor::Autodiff(x)) => Some(x.into_primitive()),
            _ => None,
        },
        #[allow(unreachable_patterns)] // flex may be the only backend
        _ => None,
    }
}

fn forward(
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
    pad: usize,
) -> Option<(Sizes, FlexTensor)> {
    let sizes = Sizes::of(x.layout().shape(), weight.layout().shape(), pad)?;
    let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
    let out = match x.dtype() {
        DType::F64 => typed_forward::<f64>(sizes, &x, &weight, &bias),
        _ => typed_forward::<f32>(sizes, &x, &weight, &bias),
    };
    Some((sizes, out))
}

fn typed_forward<T: Number>(
    s: Sizes,
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
) -> FlexTensor {
    let [height, width] = s.out();
    let out = passes::forward::<T>(s, numbers(x), numbers(weight), numbers(bias));
    tensor(out, &[s.images, s.outputs, height, width])
}

/// The convolution of tensors with autodiff.
fn tracked(x: &Tracked, weight: &Tracked, bias: &Tracked, pad: usize) -> Option<Tracked> {
    let (sizes, out) = forward(x.primitive(), weight.primitive(), bias.primitive(), pad)?;
    let prepared = Convolution.prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()]);
    Some(match prepared.compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state =
                State { x: prepared.checkpoint(x), weight: prepared.checkpoint(weight), sizes };
            prepared.finish(state, out)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    })
}

/// The operation in the graph of autodiff.
#[derive(Debug)]
struct Convolution;

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State {
    x: NodeId,
    weight: NodeId,
    sizes: Sizes,
}

impl Backward<Flex, 3> for Convolution {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dout = grads.consume::<Flex>(&ops.node).to_contiguous();
        let State { x, weight, sizes } = ops.state;
        let x: FlexTensor = checkpointer.retrieve_node_output(x);
        let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let with_images = ops.parents[0].is_some();
        let gradients = match x.dtype() {
            DType::F64 => typed_backward::<f64>(sizes, &x, &weight, &dout, with_images),
            _ => typed_backward::<f32>(sizes, &x, &weight, &dout, with_images),
        };
        for (node, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// The gradients with respect to images, if requested, weights and biases.
fn typed_backward<T: Number>(
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
