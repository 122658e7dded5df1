//! The numbers of a tensor on burn's CPU backends, as slices.

// burn deprecates ndarray, but still has it, so users may choose it
#![cfg_attr(feature = "ndarray", allow(deprecated))]

#[cfg(feature = "ndarray")]
use burn::backend::ndarray::{NdArrayTensor, SharedArray};
use burn::backend::{
    BackendTensor, DispatchAutodiffContext, DispatchDevice, DispatchTensor, DispatchTensorKind,
};
use burn::tensor::{DType, Device, Element, Shape, Tensor, TensorData};

/// A number type that the CPU backends store.
pub(super) trait Number: Element + bytemuck::Pod + Default {
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
pub(super) fn on_cpu(device: &Device) -> bool {
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
pub(super) enum Buffer<T: Number> {
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
