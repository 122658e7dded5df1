//! Everything that uses burn's internals: types that burn does not document as its interface, and
//! that may change in any release. No other file names them, so only this file has to be changed
//! for another version of burn.
//!
//! | | |
//! |---|---|
//! | [`Buffer`] | the numbers of a tensor of a CPU backend as a slice, without a copy |
//! | [`Pack`] | burn's file format for named tensors |
//! | [`FlexOp`] | an operation of our own on the flex backend, with a gradient |

// burn deprecates ndarray, but still has it, so users may choose it
#![cfg_attr(feature = "ndarray", allow(deprecated))]

use std::collections::BTreeMap;

#[cfg(feature = "ndarray")]
use burn::backend::ndarray::{NdArrayTensor, SharedArray};
use burn::backend::{
    BackendTensor, DispatchAutodiffContext, DispatchDevice, DispatchTensor, DispatchTensorKind,
};
use burn::store::RecordError;
use burn::tensor::{Bytes, DType, Device, Element, Shape, Tensor, TensorData};
use burn_pack::{Reader, Scalar, Tensor as PackedTensor, Writer};

#[cfg(all(feature = "lab", feature = "flex"))]
pub(crate) use flex_op::{FlexOp, FlexTensor, apply, primitive};

/// A number type that the CPU backends store.
pub(crate) trait Number: Element + bytemuck::Pod + Default {
    const DTYPE: DType;
    #[cfg(feature = "ndarray")]
    fn from_ndarray(tensor: NdArrayTensor) -> Result<SharedArray<Self>, NdArrayTensor>;
    #[cfg(feature = "ndarray")]
    fn into_ndarray(array: SharedArray<Self>) -> NdArrayTensor;
}

macro_rules! number {
    ($float:ty, $variant:ident) => {
        impl Number for $float {
            const DTYPE: DType = DType::$variant;
            #[cfg(feature = "ndarray")]
            fn from_ndarray(tensor: NdArrayTensor) -> Result<SharedArray<Self>, NdArrayTensor> {
                match tensor {
                    // this copies data that burn only borrows, for example from a file
                    NdArrayTensor::$variant(storage) if storage.view().as_slice().is_some() => {
                        Ok(storage.into_shared())
                    }
                    other => Err(other),
                }
            }
            #[cfg(feature = "ndarray")]
            fn into_ndarray(array: SharedArray<Self>) -> NdArrayTensor {
                array.into()
            }
        }
    };
}
number!(f32, F32);
number!(f64, F64);

/// Whether tensors of this device are buffers in main memory, which [`Buffer::from_tensor`] takes
/// without a copy.
pub(crate) fn on_cpu(device: &Device) -> bool {
    match device.as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

/// The numbers of one tensor in row-major order.
pub(crate) enum Buffer<T: Number> {
    #[cfg(feature = "flex")]
    Flex(burn::backend::flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(SharedArray<T>),
    /// New numbers that are not in a tensor yet.
    Owned(Vec<T>),
}

impl<T: Number> Buffer<T> {
    /// Takes the buffer out of a tensor. It copies only if the numbers are not contiguous or have
    /// another type.
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>) -> Buffer<T> {
        let dispatch = tensor.into_dispatch();
        let kind = match dispatch.kind {
            #[cfg(feature = "flex")]
            DispatchTensorKind::Flex(BackendTensor::Float(flex))
                if flex.as_slice::<T>().is_some() =>
            {
                return Buffer::Flex(flex);
            }
            #[cfg(feature = "ndarray")]
            DispatchTensorKind::NdArray(BackendTensor::Float(nd)) => match T::from_ndarray(nd) {
                Ok(array) => return Buffer::NdArray(array),
                Err(nd) => DispatchTensorKind::NdArray(BackendTensor::Float(nd)),
            },
            other => other,
        };
        let tensor =
            Tensor::<D>::from_dispatch(DispatchTensor { kind, autodiff: dispatch.autodiff });
        Buffer::Owned(tensor.into_data().iter::<T>().collect())
    }

    /// The numbers, to read.
    pub fn as_slice(&self) -> &[T] {
        match self {
            #[cfg(feature = "flex")]
            Buffer::Flex(flex) => flex.as_slice().unwrap_or_default(),
            #[cfg(feature = "ndarray")]
            Buffer::NdArray(array) => array.as_slice().unwrap_or_default(),
            Buffer::Owned(numbers) => numbers,
        }
    }

    /// The numbers, to write in place; `None` if another tensor shares them.
    pub fn as_mut_slice(&mut self) -> Option<&mut [T]> {
        match self {
            #[cfg(feature = "flex")]
            Buffer::Flex(flex) => {
                let (start, end) = flex.layout().contiguous_offsets()?;
                flex.try_storage_mut().map(|all| &mut all[start..end])
            }
            #[cfg(feature = "ndarray")]
            Buffer::NdArray(array) if array.is_unique() => array.as_slice_mut(),
            #[cfg(feature = "ndarray")]
            Buffer::NdArray(_) => None,
            Buffer::Owned(numbers) => Some(numbers),
        }
    }

    /// The same numbers in a buffer that no other tensor shares. It copies only a shared buffer.
    pub fn into_unshared(mut self) -> Buffer<T> {
        match self.as_mut_slice() {
            Some(_) => self,
            None => Buffer::Owned(self.as_slice().to_vec()),
        }
    }

    /// A tensor with these numbers, without a copy.
    pub fn into_tensor<const D: usize>(self, shape: Shape, device: &Device) -> Tensor<D> {
        let kind = match self {
            #[cfg(feature = "flex")]
            Buffer::Flex(flex) => DispatchTensorKind::Flex(BackendTensor::Float(flex)),
            #[cfg(feature = "ndarray")]
            Buffer::NdArray(array) => {
                DispatchTensorKind::NdArray(BackendTensor::Float(T::into_ndarray(array)))
            }
            Buffer::Owned(numbers) => {
                return Tensor::from_data(TensorData::new(numbers, shape), (device, T::DTYPE));
            }
        };
        Tensor::from_dispatch(DispatchTensor { kind, autodiff: DispatchAutodiffContext::Disabled })
    }
}

/// A named tensor in a file of burn's format.
pub(crate) struct NamedTensor {
    pub name: String,
    pub data: TensorData,
    /// burn's id of the parameter that the tensor belongs to
    pub param_id: Option<u64>,
}

/// The content of a file of burn's format, burnpack.
#[derive(Default)]
pub(crate) struct Pack {
    pub tensors: Vec<NamedTensor>,
    pub scalars: BTreeMap<String, Scalar>,
    pub metadata: BTreeMap<String, String>,
}

impl Pack {
    /// Reads the content of a file.
    pub fn read(bytes: Bytes) -> Result<Pack, RecordError> {
        let reader = Reader::from_bytes(bytes)?;
        let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
        let mut tensors = Vec::new();
        for tensor in reader.into_tensors()? {
            let (name, dtype, shape, param_id, bytes) = tensor.into_parts()?;
            let data = TensorData::from_bytes(bytes, shape, dtype);
            tensors.push(NamedTensor { name, data, param_id });
        }
        let metadata = metadata.into_iter().collect();
        Ok(Pack { tensors, scalars, metadata })
    }

    /// The content as the bytes of a file.
    pub fn write(self) -> Result<Bytes, RecordError> {
        let packed = |NamedTensor { name, data, param_id }: NamedTensor| {
            let (bytes, shape, dtype) = data.into_parts();
            PackedTensor::new(name, dtype, shape, param_id, bytes)
        };
        let mut writer = Writer::new(self.tensors.into_iter().map(packed).collect());
        for (key, value) in &self.scalars {
            writer = writer.with_scalar(key, *value);
        }
        for (key, value) in &self.metadata {
            writer = writer.with_metadata(key, value);
        }
        Ok(writer.into_bytes()?)
    }

    /// A scalar of this name, if it is a whole number.
    pub fn count(&self, name: &str) -> Option<u64> {
        u64::try_from(*self.scalars.get(name)?).ok()
    }
}

#[cfg(all(feature = "lab", feature = "flex"))]
mod flex_op {
    use std::fmt::Debug;
    use std::marker::PhantomData;

    use burn::backend::autodiff::NodeId;
    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
    pub use burn::backend::flex::FlexTensor;
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{
        Autodiff, BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, Flex,
    };
    use burn::tensor::Tensor;

    type Tracked = FloatTensor<Autodiff<Flex>>;

    /// An operation of images, weights and biases on the flex backend.
    pub trait FlexOp: Copy + Debug + Send + Sync + 'static {
        /// The output. All tensors are contiguous and of one number type.
        fn forward(&self, x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor) -> FlexTensor;

        /// The gradients of images, weights and biases from that of the output. Those of the
        /// images are needed only if `with_images`.
        fn backward(
            &self,
            x: &FlexTensor,
            weight: &FlexTensor,
            dout: &FlexTensor,
            with_images: bool,
        ) -> [Option<FlexTensor>; 3];
    }

    /// The output of the operation, or `None` if the tensors are not all of this backend.
    pub fn apply<O: FlexOp>(
        op: O,
        x: &Tensor<4>,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> Option<Tensor<4>> {
        let tensors = [x.clone().into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        let autodiff = tensors[0].autodiff;
        let kind = match tensors.map(|tensor| tensor.kind) {
            [
                DispatchTensorKind::Flex(BackendTensor::Float(x)),
                DispatchTensorKind::Flex(BackendTensor::Float(weight)),
                DispatchTensorKind::Flex(BackendTensor::Float(bias)),
            ] => DispatchTensorKind::Flex(BackendTensor::Float(forward(op, &x, &weight, &bias))),
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
                    let out = BackendTensor::Autodiff(tracked(op, &x, &weight, &bias));
                    DispatchTensorKind::Autodiff(Box::new(DispatchTensorKind::Flex(out)))
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(Tensor::from_dispatch(DispatchTensor { kind, autodiff }))
    }

    /// The tensor of this backend, with or without autodiff.
    pub fn primitive(x: &Tensor<4>) -> Option<FlexTensor> {
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

    fn forward<O: FlexOp>(
        op: O,
        x: &FlexTensor,
        weight: &FlexTensor,
        bias: &FlexTensor,
    ) -> FlexTensor {
        op.forward(&x.to_contiguous(), &weight.to_contiguous(), &bias.to_contiguous())
    }

    /// The operation on tensors with autodiff.
    fn tracked<O: FlexOp>(op: O, x: &Tracked, weight: &Tracked, bias: &Tracked) -> Tracked {
        let out = forward(op, x.primitive(), weight.primitive(), bias.primitive());
        let node = Node::<O>(PhantomData);
        let prepared = node.prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state =
                    Saved { op, x: prepared.checkpoint(x), weight: prepared.checkpoint(weight) };
                prepared.finish(state, out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    /// The operation in the graph of autodiff.
    #[derive(Debug)]
    struct Node<O>(PhantomData<O>);

    /// What the backward pass needs.
    #[derive(Clone, Debug)]
    struct Saved<O> {
        op: O,
        x: NodeId,
        weight: NodeId,
    }

    impl<O: FlexOp> Backward<Flex, 3> for Node<O> {
        type State = Saved<O>;

        fn backward(
            self,
            ops: Ops<Self::State, 3>,
            grads: &mut Gradients,
            checkpointer: &mut Checkpointer,
        ) {
            let dout = grads.consume::<Flex>(&ops.node).to_contiguous();
            let Saved { op, x, weight } = ops.state;
            let x: FlexTensor = checkpointer.retrieve_node_output(x);
            let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
            let with_images = ops.parents[0].is_some();
            let gradients =
                op.backward(&x.to_contiguous(), &weight.to_contiguous(), &dout, with_images);
            for (node, gradient) in ops.parents.into_iter().zip(gradients) {
                if let (Some(node), Some(gradient)) = (node, gradient) {
                    grads.register::<Flex>(node.id, gradient);
                }
            }
        }
    }
}
