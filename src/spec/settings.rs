//! Things that are described by settings.

use super::error::{SpecError, unknown};
use super::grammar::Spec;
use super::value::{Allowed, SettingValue};

/// A type that is described by settings. [`settings!`](crate::settings) implements it.
pub trait Settings: Default {
    /// All settings, in the order in which they are shown.
    const SETTINGS: &'static [Setting];

    /// Sets one setting from text. `owner` is the name in the error.
    ///
    /// # Errors
    /// If the setting does not exist, or its value is not allowed.
    fn set(&mut self, owner: &str, key: &str, value: &str) -> Result<(), SpecError>;

    /// Every setting with its current value, as text that [`set`](Settings::set) reads.
    fn values(&self) -> Vec<(&'static str, String)>;

    /// Checks whether every current value is allowed.
    ///
    /// # Errors
    /// Names the first setting whose value is not allowed.
    fn check(&self, owner: &str) -> Result<(), SpecError> {
        let mut copy = Self::default();
        self.values().iter().try_for_each(|(key, value)| copy.set(owner, key, value))
    }

    /// The spec that contains every setting.
    fn spec(&self, name: &str) -> Spec {
        let settings =
            self.values().into_iter().map(|(key, value)| (key.to_string(), vec![value])).collect();
        Spec { name: name.into(), dialect: None, settings }
    }
}

/// One setting: what `show` prints, and which values are allowed.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// the key in specs
    pub name: &'static str,
    /// a description of one line
    pub docs: &'static str,
    /// the allowed values
    pub allowed: Allowed,
}

impl Setting {
    /// The learning rate, which every optimizer has.
    pub const LR: Setting =
        Setting { name: "lr", docs: "learning rate", allowed: Allowed::NotNegative };

    /// Reads a value of this setting from text. `owner` is the name in the error.
    ///
    /// # Errors
    /// If the text cannot be read or the value is not allowed.
    pub fn read<T: SettingValue>(&self, owner: &str, text: &str) -> Result<T, SpecError> {
        T::read(text, self.allowed).ok_or_else(|| SpecError::Value {
            owner: owner.into(),
            key: self.name.into(),
            found: text.into(),
            expected: self.allowed.to_string(),
        })
    }
}

impl Spec {
    /// The value of type `S` that this spec describes: the defaults of `S`, changed by the
    /// settings.
    ///
    /// # Errors
    /// If a setting does not exist or its value is not allowed, and for a sweep or a dialect (only
    /// optimizers have dialects).
    pub fn read<S: Settings>(&self) -> Result<S, SpecError> {
        if let Some(dialect) = &self.dialect {
            return Err(unknown(&format!("dialect of {}", self.name), dialect, []));
        }
        let mut value = S::default();
        for (key, text) in self.single()? {
            value.set(&self.name, key, text)?;
        }
        Ok(value)
    }
}
