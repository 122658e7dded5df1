//! Checks that runs fit into the memory before they start.

use super::observer::RunObserver;
use super::options::RunOptions;
use crate::error::Result;
use crate::memory::available;
use crate::task::memory::{self, RunSize};
use crate::train::Plan;

/// How many runs are made at the same time: as many as the options ask for and fit into the memory.
///
/// # Errors
/// If the largest of these runs alone does not fit.
pub(super) fn workers<'a>(
    runs: impl Iterator<Item = (RunSize, &'a Plan)>,
    options: &RunOptions,
    observer: &impl RunObserver,
) -> Result<usize> {
    let (number, remark) = memory::workers(runs, options.workers(), of_device(&options.device))?;
    if let Some(remark) = remark {
        observer.message(&remark);
    }
    Ok(number)
}

/// Checks that a single run fits.
///
/// # Errors
/// If it does not.
pub(super) fn check(size: &RunSize, plan: &Plan, device: &str) -> Result<()> {
    memory::check(size, plan, of_device(device))
}

/// The memory in which models are trained; unknown for a GPU.
fn of_device(device: &str) -> Option<u64> {
    if device == "wgpu" { None } else { available() }
}
