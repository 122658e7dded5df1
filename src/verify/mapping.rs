//! Translates a framework's optimizer and its arguments to a pipeline spec.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::arguments::{ARGUMENTS, Argument, Meaning};
use crate::error::{Error, Result};
use crate::spec::Spec;

/// What a case is replayed with.
pub(super) struct MappedCase {
    /// the optimizer with its dialect and settings, and its gradient transformations
    pub spec: String,
    /// the learning rate of the case
    pub lr: f64,
}

/// The pipeline spec of a framework's optimizer with these arguments. Errors name `place`.
/// `dialect` is the framework's own, unless a test chooses another one.
pub(super) fn map_case(
    place: &str,
    framework: &str,
    optimizer: &str,
    dialect: &str,
    arguments: &Map<String, Value>,
) -> Result<MappedCase> {
    let mut mapping = Mapping::new(place, framework, optimizer);
    if !ARGUMENTS.iter().any(|argument| argument.framework == framework) {
        let found = format!("`{framework}`");
        let expected = "torch, keras, optax, schedulefree, pytorch_optimizer, timm, prodigyopt, \
                        dadaptation or heavyball";
        return Err(mapping.wrong("framework", found, expected));
    }
    for (key, value) in arguments {
        mapping.add(key, value)?;
    }
    let eps_is_zero = arguments.get("eps").is_some_and(|eps| eps.as_f64() == Some(0.0));
    mapping.into_case(dialect, eps_is_zero)
}

/// The arguments that were translated so far.
struct Mapping<'a> {
    place: &'a str,
    framework: &'a str,
    optimizer: &'a str,
    lr: Option<f64>,
    /// Optax's `eps_root`, if it is not 0
    eps_root: Option<String>,
    /// settings of the optimizer
    settings: Vec<String>,
    /// gradient transformations before the optimizer, each with its settings
    before: BTreeMap<&'static str, Vec<String>>,
    /// gradient transformations after it
    after: BTreeMap<&'static str, Vec<String>>,
}

impl<'a> Mapping<'a> {
    fn new(place: &'a str, framework: &'a str, optimizer: &'a str) -> Mapping<'a> {
        Mapping {
            place,
            framework,
            optimizer,
            lr: None,
            eps_root: None,
            settings: Vec::new(),
            before: BTreeMap::new(),
            after: BTreeMap::new(),
        }
    }

    fn wrong(&self, key: &str, found: String, expected: impl Into<String>) -> Error {
        Error::content(format!("{}, {key}", self.place), found, expected)
    }

    fn number(&self, key: &str, value: &Value) -> Result<String> {
        let whole = value.as_u64().map(|n| n.to_string());
        let number = whole.or_else(|| value.as_f64().map(|x| format!("{x:?}")));
        number.ok_or_else(|| self.wrong(key, value.to_string(), "a number"))
    }

    /// A number, or yes or no.
    fn value(&self, key: &str, value: &Value) -> Result<String> {
        match value {
            Value::Bool(true) => Ok("yes".into()),
            Value::Bool(false) => Ok("no".into()),
            value => self.number(key, value),
        }
    }

    fn add(&mut self, key: &str, value: &Value) -> Result<()> {
        let meaning = self.meaning(key, value)?;
        if value.is_null() {
            // null is the framework's default; for momentum it means none
            if matches!(meaning, Meaning::Setting("mu")) {
                self.settings.push("mu=0".into());
            }
            return Ok(());
        }
        self.add_value(meaning, key, value)
    }

    /// Adds an argument that is not null.
    fn add_value(&mut self, meaning: Meaning, key: &str, value: &Value) -> Result<()> {
        match meaning {
            Meaning::Lr => self.add_lr(key, value)?,
            Meaning::Setting(name) => {
                let value = self.value(key, value)?;
                self.settings.push(format!("{name}={value}"));
            }
            Meaning::List(names) => {
                let list = value.as_array().filter(|list| list.len() == names.len());
                let Some(list) = list else {
                    let count = if names.len() == 2 { "two" } else { "three" };
                    let expected = format!("a list of {count} numbers");
                    return Err(self.wrong(key, value.to_string(), expected));
                };
                for (name, value) in names.iter().zip(list) {
                    self.settings.push(format!("{name}={}", self.number(key, value)?));
                }
            }
            Meaning::Both(first, second) => {
                let number = self.number(key, value)?;
                self.settings.extend([format!("{first}={number}"), format!("{second}={number}")]);
            }
            Meaning::Before(..) | Meaning::After(..) if value.as_f64() == Some(0.0) => {}
            Meaning::Before(transform, setting) => {
                let number = self.number(key, value)?;
                self.before.entry(transform).or_default().push(format!("{setting}={number}"));
            }
            Meaning::After(transform, setting) => {
                let value = self.value(key, value)?;
                self.after.entry(transform).or_default().push(format!("{setting}={value}"));
            }
            Meaning::Switch(transform, setting) => match value.as_bool() {
                Some(false) => {}
                Some(true) => self.after.entry(transform).or_default().push(setting.into()),
                None => return Err(self.wrong(key, value.to_string(), "true or false")),
            },
            Meaning::Fixed(before, settings) if value.as_bool() == Some(true) => {
                self.before.entry(before).or_default().push(settings.into());
            }
            Meaning::Fixed(..) => return Err(self.wrong(key, value.to_string(), "true")),
            Meaning::Only(only) if value.as_bool() == Some(only) => {}
            Meaning::Only(only) => {
                let expected = format!("{only}, because the case is called {}", self.optimizer);
                return Err(self.wrong(key, value.to_string(), expected));
            }
            Meaning::EpsRoot => {
                let number = self.number(key, value)?;
                self.eps_root = Some(number).filter(|_| value.as_f64() != Some(0.0));
            }
            Meaning::EpsInSqrt => {
                let Some(inside) = value.as_bool() else {
                    return Err(self.wrong(key, value.to_string(), "true or false"));
                };
                let place = if inside { "inside" } else { "outside" };
                self.settings.push(format!("eps_place={place}"));
            }
        }
        Ok(())
    }

    fn meaning(&self, key: &str, value: &Value) -> Result<Meaning> {
        let known: Vec<&Argument> = ARGUMENTS
            .iter()
            .filter(|argument| argument.is_of(self.framework, self.optimizer))
            .collect();
        if let Some(argument) = known.iter().find(|argument| argument.name == key) {
            return Ok(argument.meaning);
        }
        let names: Vec<&str> = known.iter().map(|argument| argument.name).collect();
        let found = format!("the argument `{key}` = {value}");
        let (framework, optimizer) = (self.framework, self.optimizer);
        let owner = format!("{framework}'s {optimizer}");
        let expected = format!("an argument of {owner} that downhill knows: {}", names.join(", "));
        Err(self.wrong("settings", found, expected))
    }

    fn add_lr(&mut self, key: &str, value: &Value) -> Result<()> {
        if self.lr.is_some() {
            let found = "a second learning rate".into();
            return Err(self.wrong(key, found, "one of lr and learning_rate"));
        }
        self.lr = value.as_f64().filter(|lr| lr.is_finite() && *lr >= 0.0);
        match self.lr {
            Some(_) => Ok(()),
            None => Err(self.wrong(key, value.to_string(), "a finite number, 0 or above")),
        }
    }

    fn into_case(mut self, dialect: &str, eps_is_zero: bool) -> Result<MappedCase> {
        let Some(lr) = self.lr else {
            return Err(self.wrong("settings", "no learning rate".into(), "`lr`, 0 or above"));
        };
        if let Some(root) = self.eps_root.take() {
            if !eps_is_zero {
                let expected = "0, or `eps` = 0 as well; here eps is either inside or outside \
                                the root";
                return Err(self.wrong("eps_root", root, expected));
            }
            self.settings.retain(|setting| !setting.starts_with("eps="));
            self.settings.extend([format!("eps={root}"), "eps_place=inside".into()]);
        }
        if let Some(mars) = self.before.get_mut("mars") {
            // the same beta1 as the optimizer's
            let beta1 = self.settings.iter().find(|setting| setting.starts_with("beta1="));
            mars.extend(beta1.cloned());
        }
        self.settings.insert(0, format!("lr={lr:?}"));
        let spec = |(name, settings): (&str, Vec<String>)| format!("{name}:{}", settings.join(","));
        // by name, so clips come before l2, and cautious before decay
        let before: String = self.before.into_iter().map(|part| spec(part) + "|").collect();
        let after: String = self.after.into_iter().map(|part| format!("|{}", spec(part))).collect();
        let (optimizer, settings) = (self.optimizer, self.settings.join(","));
        let spec = format!("{before}{optimizer}@{dialect}:{settings}{after}");
        for part in spec.split('|') {
            part.parse::<Spec>()?;
        }
        Ok(MappedCase { spec, lr })
    }
}
