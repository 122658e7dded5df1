//! Specs: `adam:lr=1e-3,beta2=0.99`, `adam@s0:lr=[1e-3,1e-2]`, `mlp:hidden=1000-1000`, `inverse_sqrt`.
//!
//! ```text
//! spec    = name [ "@" dialect ] [ ":" setting { "," setting } ]
//! setting = key "=" ( value | "[" value { "," value } "]" )
//! ```
//!
//! A list in brackets is a sweep: [`Spec::expand`] makes one spec of each combination. Whatever has settings declares them with
//! [`settings!`](crate::settings); name, default, allowed values and explanation stand in one place, and from there come the
//! builder methods, the checks, `downhill show` and the header of a record.

use std::fmt;

use thiserror::Error;

/// A name, a dialect and settings, as written; whether they exist is not known yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Which optimizer, model, schedule, ...
    pub name: String,
    /// A named set of defaults, the part behind `@`.
    pub dialect: Option<String>,
    /// Each setting with its values: more than one is a sweep.
    pub settings: Vec<(String, Vec<String>)>,
}

/// The beginning of the name of an optimizer that is burn's own: `burn:adam`.
pub const BURN: &str = "burn:";

/// What is wrong with a spec.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SpecError {
    /// Not of the form `name@dialect:key=value`.
    #[error("`{spec}` is not a spec: expected {expected}")]
    Syntax {
        /// the text
        spec: String,
        /// what was missing
        expected: &'static str,
    },
    /// A name that nobody registered.
    #[error("unknown {kind} `{found}`; {}", instead(.found, .known))]
    Unknown {
        /// `optimizer`, `model`, `setting of adam`, ...
        kind: String,
        /// the name given
        found: String,
        /// the names there are
        known: Vec<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{owner}: {key} is `{found}`, expected {expected}")]
    Value {
        /// whose setting
        owner: String,
        /// which setting
        key: String,
        /// the value given
        found: String,
        /// what is allowed
        expected: String,
    },
    /// A sweep where one value is wanted, or a setting given twice.
    #[error("`{spec}`: {problem}")]
    Several {
        /// the text
        spec: String,
        /// what is there more than once
        problem: String,
    },
}

/// More names than this are not listed where one of them is close enough to be meant.
const FEW: usize = 12;

/// What other libraries call it, what it is called here, and where it is if there is no such setting.
const ELSEWHERE: [(&str, &str, &str); 7] = [
    ("learning_rate", "lr", ""),
    ("epsilon", "eps", ""),
    ("betas", "beta1", ""),
    ("b1", "beta1", ""),
    ("b2", "beta2", ""),
    ("momentum", "mu", "momentum is an optimizer of its own, `momentum:mu=0.9`"),
    ("weight_decay", "lambda", "weight decay stands around the optimizer: `l2:lambda=1e-4|adam` or `adam|decay:lambda=0.01`"),
];

/// What could be meant, and what there is.
fn instead(found: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "there is none".into();
    }
    let all = format!("known: {}", known.join(", "));
    let elsewhere = ELSEWHERE.iter().find(|(name, ..)| *name == found);
    let near = match elsewhere {
        Some((_, here, _)) if known.iter().any(|name| name == here) => Some(*here),
        Some((.., hint)) if !hint.is_empty() => return format!("{hint}; {all}"),
        _ => near(found, known),
    };
    match near {
        Some(name) if known.len() > FEW => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? {}{}", all[..1].to_uppercase(), &all[1..]),
        None => all,
    }
}

/// The known name that is close enough, if there is one.
fn near<'a>(found: &str, known: &'a [String]) -> Option<&'a str> {
    let burns = format!("{BURN}{found}");
    if let Some(name) = known.iter().find(|name| **name == burns) {
        return Some(name);
    }
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&found.to_lowercase(), name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4);
    let begun = known.iter().find(|name| found.len() > 2 && name.starts_with(found));
    // whoever left out the end meant it rather than that several letters are others
    near.filter(|(distance, _)| *distance <= 1).map(|(_, name)| name).or(begun).or(near.map(|(_, name)| name)).map(String::as_str)
}

/// The error of a name that is not among `known`.
pub fn unknown<'a>(kind: &str, found: &str, known: impl IntoIterator<Item = &'a str>) -> SpecError {
    SpecError::Unknown { kind: kind.into(), found: found.into(), known: known.into_iter().map(String::from).collect() }
}

impl std::str::FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let wrong = |expected| SpecError::Syntax { spec: text.into(), expected };
        let text = text.trim();
        // the optimizers of burn have a colon in their names
        let named = text.strip_prefix(BURN).map_or(0, |_| BURN.len());
        let (head, tail) = match text[named..].split_once(':') {
            Some((head, tail)) => (&text[..named + head.len()], Some(tail)),
            None => (text, None),
        };
        let (name, dialect) = match head.split_once('@') {
            Some((name, dialect)) => (name.trim(), Some(dialect.trim().to_string())),
            None => (head.trim(), None),
        };
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
        if !word(name.strip_prefix(BURN).unwrap_or(name)) {
            return Err(wrong("a name first, like `adam` or `adam:lr=1e-3`"));
        }
        if dialect.as_deref().is_some_and(|dialect| !word(dialect)) {
            return Err(wrong("the name of a dialect behind `@`, like `adam@s0`"));
        }
        let mut settings: Vec<(String, Vec<String>)> = Vec::new();
        for part in
            tail.map(|tail| split_outside_brackets(tail).ok_or(wrong("every `[` to be closed by `]`"))).transpose()?.unwrap_or_default()
        {
            let (key, value) = part.split_once('=').ok_or(wrong("settings of the form `key=value`, separated by commas, behind `:`"))?;
            let (key, value) = (key.trim(), value.trim());
            let values: Vec<String> = match value.strip_prefix('[') {
                Some(list) => list.trim_end_matches(']').split(',').map(|v| v.trim().to_string()).collect(),
                None => vec![value.to_string()],
            };
            if value == "[]" {
                return Err(wrong("at least one value between `[` and `]`"));
            }
            if !word(key) || values.iter().any(String::is_empty) {
                return Err(wrong("settings of the form `key=value`, separated by commas, behind `:`"));
            }
            if settings.iter().any(|(other, _)| other == key) {
                return Err(SpecError::Several { spec: text.into(), problem: format!("the setting {key} is given twice") });
            }
            settings.push((key.into(), values));
        }
        Ok(Spec { name: name.into(), dialect, settings })
    }
}

/// The parts between commas, brackets kept whole; nothing if a bracket is not closed.
fn split_outside_brackets(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (i, c) in text.char_indices() {
        match c {
            '[' if inside => return None,
            '[' => inside = true,
            ']' if !inside => return None,
            ']' => inside = false,
            ',' if !inside => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!inside).then_some(parts)
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
    /// One spec for each combination of the values of a sweep, the last setting turning fastest.
    pub fn expand(&self) -> Vec<Spec> {
        let mut specs = vec![Spec { settings: Vec::new(), ..self.clone() }];
        for (key, values) in &self.settings {
            specs = specs
                .iter()
                .flat_map(|spec| {
                    values.iter().map(move |value| {
                        let mut spec = spec.clone();
                        spec.settings.push((key.clone(), vec![value.clone()]));
                        spec
                    })
                })
                .collect();
        }
        specs
    }

    /// Each setting with its one value.
    ///
    /// # Errors
    /// If a setting has several.
    pub fn single(&self) -> Result<Vec<(&str, &str)>, SpecError> {
        self.settings
            .iter()
            .map(|(key, values)| match values.as_slice() {
                [value] => Ok((key.as_str(), value.as_str())),
                _ => Err(SpecError::Several {
                    spec: self.to_string(),
                    problem: format!("{key} has {} values, and here only one can be used", values.len()),
                }),
            })
            .collect()
    }

    /// The thing of type `S` that this spec describes: its defaults, changed by the settings.
    ///
    /// # Errors
    /// On an unknown setting, a value out of range, a dialect (those are for optimizers) or a sweep.
    pub fn read<S: Settings>(&self) -> Result<S, SpecError> {
        if let Some(dialect) = &self.dialect {
            return Err(unknown(&format!("dialect of {}", self.name), dialect, []));
        }
        let mut thing = S::default();
        for (key, value) in self.single()? {
            thing.set(&self.name, key, value)?;
        }
        Ok(thing)
    }
}

/// Specs one behind another, `clip_global:max=1|adam:lr=1e-3|ema`: what is done in a step, from left to right.
#[derive(Clone, Debug, PartialEq)]
pub struct Line(pub Vec<Spec>);

impl std::str::FromStr for Line {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text.contains('|') && text.split('|').any(|part| part.trim().is_empty()) {
            return Err(SpecError::Syntax { spec: text.into(), expected: "a spec on both sides of each `|`" });
        }
        text.split('|').map(str::parse).collect::<Result<_, _>>().map(Line)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, spec) in self.0.iter().enumerate() {
            write!(f, "{}{spec}", if i == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}

impl Line {
    /// The names alone: `clip_global|adam`.
    pub fn names(&self) -> String {
        self.0.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join("|")
    }

    /// How many lines [`expand`](Line::expand) makes; nothing if there are too many to count.
    pub fn size(&self) -> Option<usize> {
        let settings = self.0.iter().flat_map(|spec| &spec.settings);
        settings.map(|(_, values)| values.len()).try_fold(1usize, usize::checked_mul)
    }

    /// One line for each combination of the values of all sweeps, the last setting turning fastest.
    pub fn expand(&self) -> Vec<Line> {
        self.0.iter().fold(vec![Line(Vec::new())], |lines, spec| {
            let choices = spec.expand();
            let longer =
                |line: &Line| choices.iter().map(|choice| Line([&line.0[..], std::slice::from_ref(choice)].concat())).collect::<Vec<_>>();
            lines.iter().flat_map(longer).collect()
        })
    }
}

/// Lines in a list, `sgd:lr=0.1,adam:lr=0.1,beta1=0.8,nag`: a comma begins a new one unless a setting follows it.
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

/// A thing that is described by settings; made by [`settings!`](crate::settings).
pub trait Settings: Default {
    /// All settings, in the order in which they are shown.
    const SETTINGS: &'static [Setting];

    /// Sets one from text. `owner` is named in the error.
    ///
    /// # Errors
    /// If there is no such setting, or its value is not allowed.
    fn set(&mut self, owner: &str, key: &str, value: &str) -> Result<(), SpecError>;

    /// Every setting with its present value, as text that [`set`](Settings::set) reads.
    fn values(&self) -> Vec<(&'static str, String)>;

    /// Whether every present value is allowed.
    ///
    /// # Errors
    /// Names the first that is not.
    fn check(&self, owner: &str) -> Result<(), SpecError> {
        let mut copy = Self::default();
        self.values().iter().try_for_each(|(key, value)| copy.set(owner, key, value))
    }

    /// The canonical spec: every setting spelled out.
    fn spec(&self, name: &str) -> Spec {
        let settings = self.values().into_iter().map(|(key, value)| (key.to_string(), vec![value])).collect();
        Spec { name: name.into(), dialect: None, settings }
    }
}

/// One setting: what `show` prints and what is checked.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// the key of the spec
    pub name: &'static str,
    /// one line
    pub about: &'static str,
    /// the values it takes
    pub allowed: Allowed,
}

impl Setting {
    /// The learning rate, which every optimizer has.
    pub const LR: Setting = Setting { name: "lr", about: "learning rate", allowed: Allowed::NotNegative };

    /// Its value from text. `owner` is named in the error.
    ///
    /// # Errors
    /// If the text cannot be read or is not allowed.
    pub fn read<T: Given>(&self, owner: &str, text: &str) -> Result<T, SpecError> {
        T::read(text, self.allowed).ok_or_else(|| SpecError::Value {
            owner: owner.into(),
            key: self.name.into(),
            found: text.into(),
            expected: self.allowed.to_string(),
        })
    }
}

/// The values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowed {
    /// A number above zero.
    Positive,
    /// Zero or a number above.
    NotNegative,
    /// A decay rate: from 0 up to, but not including, 1.
    Decay,
    /// A part of a whole: from 0 to 1, both included.
    Share,
    /// This number or one above.
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
}

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
                Allowed::OneOf(_) => true,
            }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Positive => f.write_str("a finite number above 0"),
            Allowed::NotNegative => f.write_str("0 or a finite number above"),
            Allowed::Decay => f.write_str("a number from 0 up to, but not including, 1"),
            Allowed::Share => f.write_str("a number from 0 to 1"),
            Allowed::Whole => f.write_str("a whole number from 0"),
            Allowed::Rising => f.write_str("whole numbers from 1, each above the one before, such as 30-60-90"),
            Allowed::AtLeast(least) => write!(f, "{least} or a finite number above"),
            Allowed::Count => f.write_str("a whole number from 1"),
            Allowed::Counts => f.write_str("whole numbers from 1, such as 500-300"),
            Allowed::OneOf(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

/// A type that a setting may have.
pub trait Given: Sized {
    /// Reads text; nothing if it cannot be read or is not allowed.
    fn read(text: &str, allowed: Allowed) -> Option<Self>;
    /// Text that [`read`](Given::read) takes back to the same value.
    fn show(&self) -> String;
}

impl Given for f64 {
    fn read(text: &str, allowed: Allowed) -> Option<f64> {
        text.parse().ok().filter(|x| allowed.contains(*x))
    }
    fn show(&self) -> String {
        let text = format!("{self:?}");
        text.strip_suffix(".0").map_or(text.clone(), String::from)
    }
}

/// `none`, or a value.
impl<T: Given> Given for Option<T> {
    fn read(text: &str, allowed: Allowed) -> Option<Self> {
        if text == "none" { Some(None) } else { T::read(text, allowed).map(Some) }
    }
    fn show(&self) -> String {
        self.as_ref().map_or("none".into(), T::show)
    }
}

impl Given for usize {
    fn read(text: &str, allowed: Allowed) -> Option<usize> {
        text.parse().ok().filter(|n| allowed.contains(*n as f64))
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

/// `yes` or `no`, to be declared with [`YES_OR_NO`].
impl Given for bool {
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

/// The values of a setting that is on or off.
pub const YES_OR_NO: Allowed = Allowed::OneOf(&["yes", "no"]);

/// Sizes one after another: `1000-500`.
impl Given for Vec<usize> {
    fn read(text: &str, allowed: Allowed) -> Option<Vec<usize>> {
        let list: Vec<usize> = text.split('-').map(|n| usize::read(n, allowed)).collect::<Option<_>>()?;
        (allowed != Allowed::Rising || list.is_sorted_by(|before, after| before < after)).then_some(list)
    }
    fn show(&self) -> String {
        self.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
    }
}

/// An enumeration whose variants are written as words: those of [`Allowed::OneOf`], in the same order.
#[macro_export]
macro_rules! words {
    ($Type:ty { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $Type {
            /// The words that settings of this type take.
            pub const WORDS: $crate::spec::Allowed = $crate::spec::Allowed::OneOf(&[$($word),*]);
        }
        impl $crate::spec::Given for $Type {
            fn read(text: &str, _: $crate::spec::Allowed) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
            fn show(&self) -> String {
                match self { $(Self::$variant => $word),* }.to_string()
            }
        }
    };
}

/// Declares a struct with its settings: `name: type = default, allowed;`, each under a line of documentation.
///
/// ```
/// use downhill::spec::{Allowed, Settings};
///
/// downhill::settings! {
///     /// A rule with one setting.
///     pub struct HeavyBall {
///         /// share of the velocity that is kept
///         mu: f64 = 0.9, Allowed::Decay;
///     }
/// }
///
/// let ball = HeavyBall::new().with_mu(0.5);
/// assert_eq!(ball.spec("heavy_ball").to_string(), "heavy_ball:mu=0.5");
/// let spec: downhill::spec::Spec = "heavy_ball:mu=1.5".parse().unwrap();
/// assert!(spec.read::<HeavyBall>().is_err());
/// ```
#[macro_export]
macro_rules! settings {
    ($(#[$meta:meta])* pub struct $Name:ident { $(#[doc = $about:literal] $field:ident: $Type:ty = $default:expr, $allowed:expr;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Name {
            $(#[doc = $about] pub $field: $Type,)*
        }

        impl Default for $Name {
            fn default() -> Self {
                $Name { $($field: $default),* }
            }
        }

        $crate::spec::__paste! {
            impl $Name {
                /// With every setting at its default.
                pub fn new() -> Self {
                    Self::default()
                }
                $(
                    #[doc = concat!("Sets", $about, ".")]
                    pub fn [<with_ $field>](mut self, $field: $Type) -> Self {
                        self.$field = $field;
                        self
                    }
                )*
            }
        }

        impl $crate::spec::Settings for $Name {
            const SETTINGS: &'static [$crate::spec::Setting] = &[
                $($crate::spec::Setting { name: stringify!($field), about: $about.trim_ascii(), allowed: $allowed }),*
            ];

            #[allow(unused_variables)] // where there are no settings
            fn set(&mut self, owner: &str, key: &str, value: &str) -> ::std::result::Result<(), $crate::spec::SpecError> {
                match key {
                    $(stringify!($field) => {
                        let setting = $crate::spec::Setting { name: stringify!($field), about: $about, allowed: $allowed };
                        self.$field = setting.read::<$Type>(owner, value)?;
                        Ok(())
                    })*
                    _ => Err($crate::spec::unknown(
                        &format!("setting of {owner}"),
                        key,
                        <Self as $crate::spec::Settings>::SETTINGS.iter().map(|setting| setting.name),
                    )),
                }
            }

            fn values(&self) -> Vec<(&'static str, String)> {
                vec![$((stringify!($field), $crate::spec::Given::show(&self.$field))),*]
            }
        }
    };
}

#[doc(hidden)]
pub use pastey::paste as __paste;
