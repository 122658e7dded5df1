//! Whether runs can be compared: all that decides their numbers is equal, except what the report
//! compares.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::record::{Header, Run};

/// What runs of one report may differ in, besides optimizer and seed.
#[derive(Clone, Copy, Debug)]
pub struct MayDiffer {
    /// the task of a series, as in an experiment
    pub tasks: bool,
    /// the kind of processor
    pub processors: bool,
}

/// Refuses runs that one report would mix although they differ in more than optimizer and seed.
///
/// # Errors
/// Names two such runs and the fields in which they differ.
pub fn check(runs: &[Run], may_differ: MayDiffer) -> Result<()> {
    let Some(first) = runs.first() else { return Ok(()) };
    let mut of_setting: HashMap<[&str; 3], &Run> = HashMap::new();
    for run in runs {
        let same_setting = *of_setting.entry(run.header.setting()).or_insert(run);
        for other in [first, same_setting] {
            if std::ptr::eq(other, run) {
                continue;
            }
            let differ = differences(&other.header, &run.header, may_differ);
            if !differ.is_empty() {
                let [a, b] = [other, run].map(|run| run.header.file_name());
                let found = format!(
                    "runs that differ in more than the optimizer and the seed: {}",
                    differ.join(", ")
                );
                let expected =
                    format!("runs of one protocol, code and machine; {}", way_out(&differ));
                return Err(Error::mismatch(format!("{a} and {b}"), found, expected));
            }
        }
    }
    Ok(())
}

const PROCESSOR: &str = "processor ";

/// What to do about runs that differ.
fn way_out(differ: &[String]) -> &'static str {
    match differ.iter().all(|line| line.starts_with(PROCESSOR)) {
        true => "move the others away, or give --mix-processors, since only last digits can differ",
        false => "move the others away",
    }
}

/// The fields of two headers that differ but should not, with both values:
/// `task batch 128 and 64`.
fn differences(a: &Header, b: &Header, may_differ: MayDiffer) -> Vec<String> {
    let same_setting = a.setting() == b.setting();
    // runs of the same setting have the same fingerprint
    let free: &[&str] = if same_setting {
        &["seed "]
    } else {
        &["series ", "optimizer ", "fingerprint ", "schedule ", "seed "]
    };
    // the task of each series was checked before, but the data have to be the same for all
    let only_common = may_differ.tasks && !same_setting;
    let mut found = Vec::new();
    collect("", &comparable(a, only_common), &comparable(b, only_common), &mut found);
    found.retain(|line| !free.iter().any(|key| line.starts_with(key)));
    found.retain(|line| !(may_differ.processors && line.starts_with(PROCESSOR)));
    found
}

/// Collects the differences between two values, field by field.
fn collect(path: &str, a: &Value, b: &Value, found: &mut Vec<String>) {
    let (Some(a_fields), Some(b_fields)) = (a.as_object(), b.as_object()) else {
        if a != b {
            found.push(format!("{path}{a} and {b}"));
        }
        return;
    };
    // a feature that is off is not written, so either side may lack a field
    let none = json!("none");
    let names: BTreeSet<&String> = a_fields.keys().chain(b_fields.keys()).collect();
    for name in names {
        let (a, b) = (a_fields.get(name).unwrap_or(&none), b_fields.get(name).unwrap_or(&none));
        collect(&format!("{path}{name} "), a, b, found);
    }
}

/// A header as it is compared: with all fields of the task, or only with those that all series have
/// in common.
fn comparable(header: &Header, only_common: bool) -> Value {
    let mut fields = json!(header);
    if only_common {
        fields["task"] = header.task.common();
    }
    fields
}
