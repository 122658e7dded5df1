//! The memory that is left for this process, and the refusal of what needs more.
//!
//! Linux says how much is left: `MemAvailable` of the machine, the limits of the control groups
//! (v1 and v2) that contain this process, and its limit of address space. The least of them counts.
//! Elsewhere nothing is known, and nothing is refused.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// A part of what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// what it is, such as `the state of the optimizer`
    pub name: &'static str,
    /// its bytes
    pub bytes: u64,
    /// what makes it smaller
    pub less: &'static str,
}

/// The memory that something needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need(pub Vec<Part>);

impl Need {
    /// All bytes.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
    }

    /// Refuses what needs more than `available` bytes; nothing if that is `None`. `what` is what
    /// needs the memory.
    ///
    /// # Errors
    /// Names the bytes that are needed and those that are available, the largest part, and what
    /// makes it smaller.
    pub fn check(&self, what: &str, available: Option<u64>) -> Result<()> {
        let (Some(available), needed) = (available, self.total()) else { return Ok(()) };
        let Some(largest) = self.0.iter().max_by_key(|part| part.bytes) else { return Ok(()) };
        if needed <= available {
            return Ok(());
        }
        let found = format!(
            "a need of {} of memory, {} of it for {}",
            shown(needed),
            shown(largest.bytes),
            largest.name
        );
        let expected =
            format!("at most the {} that are available; {}", shown(available), largest.less);
        Err(Error::mismatch(what, found, expected))
    }
}

/// A number of bytes as text: `1.5 GB`.
pub fn shown(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let unit = (0..units.len() as u32).rev().find(|unit| bytes >= 1000u64.pow(*unit)).unwrap_or(0);
    match unit {
        0 => format!("{bytes} bytes"),
        _ => format!("{:.1} {}", bytes as f64 / 1000f64.powi(unit as i32), units[unit as usize]),
    }
}

/// The bytes that this process can still take; `None` if the system does not say.
pub fn available() -> Option<u64> {
    let limits = [of_machine(), of_control_groups(), of_address_space()];
    limits.into_iter().flatten().min()
}

fn of_machine() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")
}

/// The number of a line such as `VmSize:  5932 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What `ulimit -v` leaves.
fn of_address_space() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?; // or `unlimited`
    let used = kilobytes(&fs::read_to_string("/proc/self/status").ok()?, "VmSize:")?;
    Some(limit.saturating_sub(used))
}

/// What the control groups of this process leave.
fn of_control_groups() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let left = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let (root, names) = match controllers {
            "" => ("/sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file "]),
            "memory" => (
                "/sys/fs/cgroup/memory",
                ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
            ),
            _ => return None,
        };
        // inside a container the path may not exist, and its end is the root
        let path = Path::new(path.trim_start_matches('/'));
        let folders = path.ancestors().map(|folder| Path::new(root).join(folder));
        folders.filter_map(|folder| of_control_group(&folder, names)).min()
    };
    groups.lines().filter_map(left).min()
}

/// What one control group leaves. Cached files count as free: the system drops them first.
fn of_control_group(folder: &Path, [limit, used, cached]: [&str; 3]) -> Option<u64> {
    let number = |name: &str| -> Option<u64> {
        fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok()
    };
    let (limit, used) = (number(limit)?, number(used)?); // the limit may be `max`
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let cached = stat.lines().find_map(|line| line.strip_prefix(cached)?.parse::<u64>().ok());
    Some(limit.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_above_the_available_memory_is_refused_with_its_numbers() {
        let part = |name, bytes, less| Part { name, bytes, less };
        let need = Need(vec![
            part("the model", 1_000_000_000, "a smaller model needs less"),
            part("the data", 2_500_000, "fewer examples need less"),
        ]);
        assert!(need.check("train", Some(1_002_500_000)).is_ok());
        assert!(need.check("train", None).is_ok());
        assert_eq!(
            need.check("train", Some(999)).unwrap_err().to_string(),
            "train: found a need of 1.0 GB of memory, 1.0 GB of it for the model, expected at \
             most the 999 bytes that are available; a smaller model needs less"
        );
        assert!(Need(vec![part("", u64::MAX, ""); 2]).check("", Some(u64::MAX)).is_ok());
    }

    #[test]
    fn the_limits_of_both_versions_of_control_groups_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["memory.max", "memory.current", "inactive_file "];
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(of_control_group(folder.path(), names), None);
        write("memory.max", "1000\n");
        write("memory.current", "700\n");
        assert_eq!(of_control_group(folder.path(), names), Some(300));
        write("memory.stat", "anon 600\ninactive_file 100\n");
        assert_eq!(of_control_group(folder.path(), names), Some(400));
        write("memory.max", "max\n");
        assert_eq!(of_control_group(folder.path(), names), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_says_what_is_available() {
        assert!(available().unwrap() > 1 << 20);
        assert_eq!(kilobytes("A: 1 kB\nVmSize:\t  12 kB\n", "VmSize:"), Some(12 * 1024));
    }
}
