//! Translates a framework's optimizer and its arguments to a pipeline spec.

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
        return Err(mapping.wrong("framework", found, "torch, keras or optax"));
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
    /// gradient transformations before the optimizer, each followed by `|`
    before: Vec<String>,
    /// gradient transformations after it, each preceded by `|`
    after: Vec<String>,
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
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    fn wrong(&self, key: &str, found: String, expected: impl Into<String>) -> Error {
        Error::content(format!("{}, {key}", self.place), found, expected)
    }

    fn number(&self, key: &str, value: &Value) -> Result<String> {
        let number = value.as_f64().map(|x| format!("{x:?}"));
        number.ok_or_else(|| self.wrong(key, value.to_string(), "a number"))
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
                let value = match value {
                    Value::Bool(true) => "yes".into(),
                    Value::Bool(false) => "no".into(),
                    value => self.number(key, value)?,
                };
                self.settings.push(format!("{name}={value}"));
            }
            Meaning::Pair(first, second) => {
                let Some([a, b]) = value.as_array().map(Vec::as_slice) else {
                    return Err(self.wrong(key, value.to_string(), "a list of two numbers"));
                };
                let (a, b) = (self.number(key, a)?, self.number(key, b)?);
                self.settings.extend([format!("{first}={a}"), format!("{second}={b}")]);
            }
            Meaning::Before(..) | Meaning::After(..) if value.as_f64() == Some(0.0) => {}
            Meaning::Before(transform, setting) => {
                let number = self.number(key, value)?;
                self.before.push(format!("{transform}:{setting}={number}|"));
            }
            Meaning::After(transform, setting) => {
                let number = self.number(key, value)?;
                self.after.push(format!("|{transform}:{setting}={number}"));
            }
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
        // arguments come in alphabetical order, so clips come before l2
        self.before.sort();
        self.settings.insert(0, format!("lr={lr:?}"));
        let (before, after) = (self.before.concat(), self.after.concat());
        let (optimizer, settings) = (self.optimizer, self.settings.join(","));
        let spec = format!("{before}{optimizer}@{dialect}:{settings}{after}");
        for part in spec.split('|') {
            part.parse::<Spec>()?;
        }
        Ok(MappedCase { spec, lr })
    }
}
