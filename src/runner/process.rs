//! Which process this is, and whether another one still runs.

use std::fmt;
use std::fs;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A process of this or another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub host: String,
    /// changes with each start of the host, and from container to container; empty if not known
    pub system: String,
    pub process: u32,
    /// when the process was started, in ticks since the start of the host; 0 if not known
    pub started: u64,
}

impl Process {
    /// Whether it ran in this system and has ended. `false` if that is not known.
    pub fn has_ended(&self) -> bool {
        let this = this_process();
        let is_here = self.host == this.host && self.system == this.system;
        is_here && !this.system.is_empty() && started(self.process) != Some(self.started)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.process, self.host)
    }
}

/// This process.
pub(super) fn this_process() -> &'static Process {
    static THIS: OnceLock<Process> = OnceLock::new();
    THIS.get_or_init(|| {
        let process = std::process::id();
        Process {
            host: host(),
            system: system().unwrap_or_default(),
            process,
            started: started(process).unwrap_or(0),
        }
    })
}

fn host() -> String {
    let variable = |name| std::env::var(name).ok();
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"));
    name.map_or_else(|| "unknown host".into(), |name| name.trim().into())
}

/// The start of the host and the namespace of its process numbers: process 7 of a container is not
/// process 7 of its host. Linux only.
fn system() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// When a process of this system was started; `None` if it does not run. A process that has ended
/// and that its parent has not noticed yet does not run.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // the name in brackets may contain anything
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_is_recognized() {
        assert!(!this_process().has_ended());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = child.id();
        let other = Process { process, ..this_process().clone() };
        child.wait().unwrap();
        assert!(other.has_ended());
        let elsewhere = Process { host: "elsewhere".into(), ..other };
        assert!(!elsewhere.has_ended(), "not known");
        // the number of this process, used by an earlier one
        let earlier = Process { started: 1, ..this_process().clone() };
        assert!(earlier.has_ended());
    }
}
