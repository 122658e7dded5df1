//! The values of settings: which are allowed, and how they are read and printed.

use std::fmt;

/// The values that a setting allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// A number above zero.
    Positive,
    /// A number of at least zero.
    NotNegative,
    /// A decay rate: a number from 0 up to, but not including, 1.
    Decay,
    /// A fraction: a number from 0 to 1, both included.
    Share,
    /// A number of at least this one.
    AtLeast(f64),
    /// A whole number from 0.
    Whole,
    /// A whole number from 1.
    Count,
    /// Whole numbers from 1.
    Counts,
    /// Whole numbers from 1, each above the one before.
    Rising,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A text of this form.
    Text(&'static str),
}

/// The values of a setting that is on or off.
pub const YES_OR_NO: Allowed = Allowed::OneOf(&["yes", "no"]);

impl Allowed {
    fn contains(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Allowed::Positive => x > 0.0,
                Allowed::NotNegative => x >= 0.0,
                Allowed::Decay => (0.0..1.0).contains(&x),
                Allowed::Share => (0.0..=1.0).contains(&x),
                Allowed::AtLeast(least) => x >= least,
                Allowed::Whole => x >= 0.0,
                Allowed::Count | Allowed::Counts | Allowed::Rising => x >= 1.0,
                Allowed::OneOf(_) | Allowed::Text(_) => true,
            }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Positive => f.write_str("a finite number above 0"),
            Allowed::NotNegative => f.write_str("a finite number of at least 0"),
            Allowed::Decay => f.write_str("a number from 0 up to, but not including, 1"),
            Allowed::Share => f.write_str("a number from 0 to 1"),
            Allowed::AtLeast(least) => write!(f, "a finite number of at least {least}"),
            Allowed::Whole => f.write_str("a whole number from 0"),
            Allowed::Count => f.write_str("a whole number from 1"),
            Allowed::Counts => f.write_str("whole numbers from 1, such as 500-300"),
            Allowed::Rising => {
                f.write_str("whole numbers from 1, each above the one before, such as 30-60-90")
            }
            Allowed::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Allowed::Text(form) => f.write_str(form),
        }
    }
}

/// A type that a setting may have.
pub trait SettingValue: Sized {
    /// Reads text. `None` if the text cannot be read or the value is not allowed.
    fn read(text: &str, allowed: Allowed) -> Option<Self>;
    /// Text that [`read`](SettingValue::read) turns into the same value.
    fn show(&self) -> String;
}

impl SettingValue for f64 {
    fn read(text: &str, allowed: Allowed) -> Option<f64> {
        text.parse().ok().filter(|x| allowed.contains(*x))
    }
    fn show(&self) -> String {
        let text = format!("{self:?}");
        text.strip_suffix(".0").map_or(text.clone(), String::from)
    }
}

/// `none`, or a value.
impl<T: SettingValue> SettingValue for Option<T> {
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        if text == "none" { Some(None) } else { T::read(text, allowed).map(Some) }
    }
    fn show(&self) -> String {
        self.as_ref().map_or("none".into(), T::show)
    }
}

impl SettingValue for usize {
    fn read(text: &str, allowed: Allowed) -> Option<usize> {
        text.parse().ok().filter(|n| allowed.contains(*n as f64))
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

/// `yes` or `no`, to be declared with [`YES_OR_NO`].
impl SettingValue for bool {
    fn read(text: &str, _: Allowed) -> Option<bool> {
        match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }
    fn show(&self) -> String {
        if *self { "yes" } else { "no" }.into()
    }
}

/// Sizes joined by `-`: `1000-500`.
impl SettingValue for Vec<usize> {
    fn read(text: &str, allowed: Allowed) -> Option<Vec<usize>> {
        let list: Vec<usize> =
            text.split('-').map(|n| usize::read(n, allowed)).collect::<Option<_>>()?;
        (allowed != Allowed::Rising || list.is_sorted_by(|before, after| before < after))
            .then_some(list)
    }
    fn show(&self) -> String {
        self.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
    }
}
