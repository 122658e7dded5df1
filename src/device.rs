//! The devices a run can use, by name.

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::spec::unknown;

/// All names, each with the feature of ours that builds it in.
pub const DEVICES: &[&str] = &["flex", "ndarray", "wgpu"];

/// The device of that name, without autodiff.
///
/// # Errors
/// If there is no such device, this program was built without it, or the machine has no GPU.
pub fn find(name: &str) -> Result<Device> {
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)] // as long as burn has it, our users may choose it
        "ndarray" => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        "wgpu" => {
            let probe = std::panic::catch_unwind(|| {
                let device = Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
                burn::tensor::Tensor::<1>::zeros([1], &device).into_data();
                device
            });
            probe.map_err(|_| Error::Asked("device wgpu: no GPU adapter answers on this machine; expected one, or --device flex".into()))
        }
        other if DEVICES.contains(&other) => Err(Error::Asked(format!(
            "device {other} is not built into this program; build it in with `cargo build --release --features {other}`"
        ))),
        other => Err(unknown("device", other, DEVICES.iter().copied()).into()),
    }
}
