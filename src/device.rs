//! The devices that a run can use, by name.

use burn::tensor::Device;

use crate::error::{DeviceError, Result};
use crate::spec::unknown;

/// The names of all devices. Each is also the name of the crate feature that compiles it in.
pub const DEVICES: &[&str] = &["flex", "ndarray", "wgpu"];

/// The device of this name, without autodiff.
///
/// # Errors
/// If there is no such device, the program was compiled without it, or the machine has no GPU.
pub fn find(name: &str) -> Result<Device> {
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)] // available as long as burn has it
        "ndarray" => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        "wgpu" => {
            let probe = std::panic::catch_unwind(|| {
                let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
                burn::tensor::Tensor::<1>::zeros([1], &device).into_data();
                device
            });
            probe.map_err(|_| DeviceError::NotFound { device: name.into() }.into())
        }
        other if DEVICES.contains(&other) => {
            Err(DeviceError::NotCompiled { device: other.into() }.into())
        }
        other => Err(unknown("device", other, DEVICES.iter().copied()).into()),
    }
}
