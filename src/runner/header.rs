//! The header of a run.

use crate::record::{FORMAT, Header, RecordedTask};
use crate::train::Plan;

/// burn's version, for records.
pub const BURN: &str = "0.22.1";

/// What a run belongs to.
pub(super) struct RunName<'a> {
    pub experiment: &'a str,
    pub scale: &'a str,
    pub series: &'a str,
    pub device: &'a str,
}

/// The header of a run.
pub(super) fn header(task: &RecordedTask, name: &RunName<'_>, plan: &Plan, seed: u64) -> Header {
    Header {
        format: FORMAT,
        downhill: env!("CARGO_PKG_VERSION").into(),
        burn: BURN.into(),
        experiment: name.experiment.into(),
        scale: name.scale.into(),
        series: name.series.into(),
        optimizer: plan.pipeline.spec.to_string(),
        fingerprint: plan.pipeline.fingerprint(),
        schedule: plan.schedule.spec(),
        epochs: plan.epochs,
        seed,
        device: name.device.into(),
        processor: processor(),
        task: task.clone(),
    }
}

/// Architecture, and the vector instructions between which burn and the fused pass choose.
fn processor() -> String {
    #[allow(unused_mut)]
    let mut name = std::env::consts::ARCH.to_string();
    #[cfg(target_arch = "x86_64")]
    for (feature, there) in [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ] {
        if there {
            name += &format!(" {feature}");
        }
    }
    name
}
