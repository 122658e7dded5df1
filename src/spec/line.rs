//! Several specs in one text: joined by `|`, or in a list.

use std::fmt;
use std::str::FromStr;

use super::error::SpecError;
use super::grammar::{Spec, split_outside_brackets};

/// Specs joined by `|`, applied from left to right: a pipeline
/// `clip_global:max=1|adam:lr=1e-3|ema`, augmentations `hflip|crop:pad=4`, data preparations, or
/// penalties.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecLine(pub Vec<Spec>);

impl FromStr for SpecLine {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text.contains('|') && text.split('|').any(|part| part.trim().is_empty()) {
            return Err(SpecError::Syntax {
                spec: text.into(),
                expected: "a spec on both sides of each `|`",
            });
        }
        text.split('|').map(str::parse).collect::<Result<_, _>>().map(SpecLine)
    }
}

impl fmt::Display for SpecLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, spec) in self.0.iter().enumerate() {
            write!(f, "{}{spec}", if i == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}

impl SpecLine {
    /// The names without settings: `clip_global|adam@torch`.
    pub fn names(&self) -> String {
        let name = |spec: &Spec| Spec { settings: Vec::new(), ..spec.clone() }.to_string();
        self.0.iter().map(name).collect::<Vec<_>>().join("|")
    }

    /// The names, with the dialects that `written` names. A canonical spec has no dialects, because
    /// it has every setting.
    pub fn names_as_in(&self, written: &SpecLine) -> String {
        let as_written = |spec: &Spec| {
            let same_name = written.0.iter().find(|other| other.name == spec.name);
            let dialect = same_name.and_then(|other| other.dialect.clone());
            Spec { dialect: spec.dialect.clone().or(dialect), ..spec.clone() }
        };
        SpecLine(self.0.iter().map(as_written).collect()).names()
    }

    /// How many lines [`expand`](SpecLine::expand) returns. `None` if the number overflows.
    pub fn size(&self) -> Option<usize> {
        let settings = self.0.iter().flat_map(|spec| &spec.settings);
        settings.map(|(_, values)| values.len()).try_fold(1usize, usize::checked_mul)
    }

    /// One line for each combination of the values of all sweeps. The values of the last setting
    /// change fastest.
    pub fn expand(&self) -> Vec<SpecLine> {
        self.0.iter().fold(vec![SpecLine(Vec::new())], |lines, spec| {
            let choices = spec.expand();
            let combine = |line: &SpecLine| choices.iter().map(|spec| line.with(spec)).collect();
            lines.iter().flat_map::<Vec<SpecLine>, _>(combine).collect()
        })
    }

    /// A copy with one more spec at the end.
    fn with(&self, spec: &Spec) -> SpecLine {
        let mut line = self.clone();
        line.0.push(spec.clone());
        line
    }
}

/// Splits a list of lines, `sgd:lr=0.1,adam:lr=0.1,beta1=0.8,nag`. A comma starts a new line,
/// unless a setting follows it.
pub fn split_lines(list: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in split_outside_brackets(list).unwrap_or_else(|| vec![list]) {
        let is_setting = part.split_once('=').is_some_and(|(key, _)| !key.contains([':', '|']));
        match lines.last_mut() {
            Some(last) if is_setting => *last += &format!(",{part}"),
            _ => lines.push(part.trim().to_string()),
        }
    }
    lines
}

/// That a state was saved by another optimizer: the settings that differ, or the whole specs if their names do.
pub fn other_optimizer(found: &str, expected: &str) -> String {
    match different_settings(found, expected) {
        Some((found, expected)) => {
            format!("it was saved with {found}, and this optimizer has {expected}")
        }
        None => format!("it was saved by `{found}`, and this optimizer is `{expected}`"),
    }
}

/// The settings of both specs that differ: `lr=0.01` and `lr=0.02`. `None` if the specs differ in
/// more than values.
fn different_settings(found: &str, expected: &str) -> Option<(String, String)> {
    let [found, expected] = [found, expected].map(|spec| spec.parse::<SpecLine>().ok());
    let (SpecLine(found), SpecLine(expected)) = (found?, expected?);
    let names = |specs: &[Spec]| -> Vec<String> {
        let keys = |spec: &Spec| {
            let keys = spec.settings.iter().map(|(key, _)| format!("{}.{key}", spec.name));
            keys.collect::<Vec<_>>()
        };
        specs.iter().flat_map(keys).collect()
    };
    if names(&found) != names(&expected) {
        return None;
    }
    let values = |specs: Vec<Spec>| specs.into_iter().flat_map(|spec| spec.settings);
    let pairs = values(found).zip(values(expected)).filter(|(a, b)| a != b);
    let shown = |(key, values): (String, Vec<String>)| format!("{key}={}", values.join(","));
    let (found, expected): (Vec<_>, Vec<_>) = pairs.map(|(a, b)| (shown(a), shown(b))).unzip();
    (!found.is_empty()).then(|| (found.join(", "), expected.join(", ")))
}
