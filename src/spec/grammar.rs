//! A single spec: parsing, printing, expanding a sweep.

use std::fmt;
use std::str::FromStr;

use super::error::SpecError;
use super::names::{BURN, is_word, shared_name};
use super::range::Range;

/// A name, a dialect and settings, as written. Parsing does not check whether they exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The name of an optimizer, model, schedule, ...
    pub name: String,
    /// The name after `@`: a named set of defaults.
    pub dialect: Option<String>,
    /// Each setting with its values. More than one value is a sweep; a value may be a [`Range`].
    pub settings: Vec<(String, Vec<String>)>,
}

const EXPECTED_NAME: &str = "a name first, like `adam` or `adam:lr=1e-3`";
const EXPECTED_DIALECT: &str = "the name of a dialect after `@`, like `adam@s0`";
const EXPECTED_BRACKETS: &str = "every `[` to be closed by `]`, and every `(` by `)`";
const EXPECTED_SETTINGS: &str = "settings of the form `key=value`, separated by commas, after `:`";
const EXPECTED_VALUES: &str = "at least one value between `[` and `]`";

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let text = text.trim();
        let syntax = |expected| SpecError::Syntax { spec: text.into(), expected };
        let (head, tail) = split_head(text);
        let (name, dialect) = parse_head(head).map_err(syntax)?;
        let parts = match tail {
            Some(tail) => split_outside_brackets(tail).ok_or(syntax(EXPECTED_BRACKETS))?,
            None => Vec::new(),
        };
        let mut settings: Vec<(String, Vec<String>)> = Vec::new();
        for part in parts {
            let (key, values) = parse_setting(part).map_err(syntax)?;
            let same = |(other, _): &&(String, _)| shared_name(other) == shared_name(&key);
            if let Some((other, _)) = settings.iter().find(same) {
                let problem = match *other == key {
                    true => format!("the setting {key} is given twice"),
                    false => format!("{other} and {key} are the same setting, expected only one"),
                };
                return Err(SpecError::Several { spec: text.into(), problem });
            }
            for value in &values {
                Range::read(&name, &key, value)?;
            }
            settings.push((key, values));
        }
        Ok(Spec { name, dialect, settings })
    }
}

/// Splits a spec at the `:` before its settings. The names of burn's optimizers contain a `:` of
/// their own.
fn split_head(text: &str) -> (&str, Option<&str>) {
    let prefix = if text.starts_with(BURN) { BURN.len() } else { 0 };
    match text[prefix..].find(':') {
        Some(colon) => (&text[..prefix + colon], Some(&text[prefix + colon + 1..])),
        None => (text, None),
    }
}

/// Parses `name` or `name@dialect`. The error is what was expected.
fn parse_head(head: &str) -> Result<(String, Option<String>), &'static str> {
    let (name, dialect) = match head.split_once('@') {
        Some((name, dialect)) => (name.trim(), Some(dialect.trim())),
        None => (head.trim(), None),
    };
    if !is_word(name.strip_prefix(BURN).unwrap_or(name)) {
        return Err(EXPECTED_NAME);
    }
    if dialect.is_some_and(|dialect| !is_word(dialect)) {
        return Err(EXPECTED_DIALECT);
    }
    Ok((name.into(), dialect.map(String::from)))
}

/// Parses `key=value` or `key=[value,value]`. The error is what was expected.
fn parse_setting(text: &str) -> Result<(String, Vec<String>), &'static str> {
    let (key, value) = text.split_once('=').ok_or(EXPECTED_SETTINGS)?;
    let (key, value) = (key.trim(), value.trim());
    if value == "[]" {
        return Err(EXPECTED_VALUES);
    }
    let values: Vec<String> = match value.strip_prefix('[') {
        Some(list) => {
            list.trim_end_matches(']').split(',').map(|value| value.trim().to_string()).collect()
        }
        None => vec![value.to_string()],
    };
    if !is_word(key) || values.iter().any(String::is_empty) {
        return Err(EXPECTED_SETTINGS);
    }
    Ok((key.into(), values))
}

/// Splits at the commas that are not in brackets or parentheses. `None` if these are not balanced or
/// nested.
pub(super) fn split_outside_brackets(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, None);
    for (i, c) in text.char_indices() {
        match (c, inside) {
            ('[' | '(', Some(_)) => return None,
            ('[', None) => inside = Some(']'),
            ('(', None) => inside = Some(')'),
            (']' | ')', Some(end)) if c == end => inside = None,
            (']' | ')', _) => return None,
            (',', None) => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    inside.is_none().then_some(parts)
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(dialect) = &self.dialect {
            write!(f, "@{dialect}")?;
        }
        for (i, (key, values)) in self.settings.iter().enumerate() {
            f.write_str(if i == 0 { ":" } else { "," })?;
            match values.as_slice() {
                [value] => write!(f, "{key}={value}")?,
                list => write!(f, "{key}=[{}]", list.join(","))?,
            }
        }
        Ok(())
    }
}

impl Spec {
    /// One spec for each combination of the values of a sweep. The values of the last setting
    /// change fastest.
    pub fn expand(&self) -> Vec<Spec> {
        let without_settings = Spec { settings: Vec::new(), ..self.clone() };
        self.settings.iter().fold(vec![without_settings], |specs, (key, values)| {
            let combine = |spec: &Spec| values.iter().map(|value| spec.with(key, value)).collect();
            specs.iter().flat_map::<Vec<Spec>, _>(combine).collect()
        })
    }

    /// Whether it is `none`, which has no settings. Only the lab has parts that can be left out.
    #[cfg(feature = "lab")]
    pub(crate) fn is_none(&self) -> Result<bool, SpecError> {
        if self.name == "none" && (self.dialect.is_some() || !self.settings.is_empty()) {
            let problem = "found `none` with settings, expected `none` alone".into();
            return Err(SpecError::Several { spec: self.to_string(), problem });
        }
        Ok(self.name == "none")
    }

    /// A copy with one more setting.
    fn with(&self, key: &str, value: &str) -> Spec {
        let mut spec = self.clone();
        spec.settings.push((key.into(), vec![value.into()]));
        spec
    }

    /// Gives a setting another value, also where it is written under an alias.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(other, _)| shared_name(other) != key);
        self.settings.push((key.into(), vec![value.into()]));
    }

    /// Each setting with its single value.
    ///
    /// # Errors
    /// If a setting has several values or a range.
    pub fn single(&self) -> Result<Vec<(&str, &str)>, SpecError> {
        let mut settings = Vec::new();
        for (key, values) in &self.settings {
            let what = match values.as_slice() {
                [value] if !value.contains('(') => {
                    settings.push((key.as_str(), value.as_str()));
                    continue;
                }
                [_] => "is a range".into(),
                several => format!("has {} values", several.len()),
            };
            let problem = format!("{key} {what}, and only one value is allowed here");
            return Err(SpecError::Several { spec: self.to_string(), problem });
        }
        Ok(settings)
    }
}
