//! The table of all optimizers by name.

use burn::optim::ModuleOptimizer;

use super::fused::{Fused, HandOut};
use super::rule::Rule;
use crate::about::About;
use crate::spec::{Given, Setting, Settings, Spec, SpecError, unknown};

/// What an optimizer of the table states besides its formula and settings.
pub trait Named: Settings {
    /// The learning rate where none is given.
    const LR: f64;
    /// Named sets of settings.
    const DIALECTS: &'static [Dialect] = &[];
}

/// A named set of settings: the formula and the defaults of one source.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// the part behind `@`
    pub name: &'static str,
    /// as in a spec: `eps=1e-7,eps_place=hat`
    pub settings: &'static str,
    /// one line
    pub about: &'static str,
}

/// An optimizer made from a spec.
#[derive(Clone)]
pub struct Built {
    /// The spec with every setting spelled out, the learning rate first.
    pub spec: Spec,
    /// The learning rate, for the loop's schedule.
    pub lr: f64,
    /// Fingerprint of the source file of the formula.
    pub formula: String,
    /// burn's optimizer, without state yet.
    pub optimizer: ModuleOptimizer,
    /// The rule, for [`handed_out`](super::handed_out).
    pub rule: std::sync::Arc<dyn HandOut>,
}

/// Makes an optimizer from settings, its name and its fingerprint.
type Make = fn(Vec<(&str, &str)>, &str, String) -> Result<Built, SpecError>;

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name in specs, legends and tables.
    pub name: &'static str,
    /// Title, formula, differences and source.
    pub about: About,
    /// The learning rate where none is given.
    pub lr: f64,
    /// All settings but `lr`.
    pub settings: &'static [Setting],
    /// The defaults of those settings.
    pub defaults: fn() -> Vec<(&'static str, String)>,
    /// Named sets of settings.
    pub dialects: &'static [Dialect],
    /// What is remembered for each element of a parameter.
    pub memory: &'static [&'static str],
    build: Make,
}

impl Entry {
    /// A row for a rule of your own. `about` is for `show`: a title, a fenced formula, and the headings `## Differences` and `## Source`.
    /// Best is the rule's own source file with such a `//!` header, by `include_str!`: records carry its fingerprint, so that runs of
    /// a formula that has changed since are made again.
    pub const fn of<R: Named + Rule<N>, const N: usize>(name: &'static str, about: &'static str) -> Entry {
        Entry {
            name,
            about: About(about),
            lr: R::LR,
            settings: R::SETTINGS,
            defaults: || R::default().values(),
            dialects: R::DIALECTS,
            memory: &R::MEMORY,
            build: build::<R, N>,
        }
    }

    fn make(&self, spec: &Spec) -> Result<Built, SpecError> {
        let mut settings = Vec::new();
        if let Some(wanted) = &spec.dialect {
            let dialect =
                self.dialects.iter().find(|dialect| dialect.name == wanted).ok_or_else(|| {
                    unknown(&format!("dialect of {}", self.name), wanted, self.dialects.iter().map(|dialect| dialect.name))
                })?;
            settings.extend(dialect.settings.split(',').filter_map(|setting| setting.split_once('=')));
        }
        settings.extend(spec.single()?);
        (self.build)(settings, self.name, self.about.fingerprint())
    }
}

fn build<R: Named + Rule<N>, const N: usize>(settings: Vec<(&str, &str)>, name: &str, formula: String) -> Result<Built, SpecError> {
    let (mut rule, mut lr) = (R::default(), R::LR);
    for (key, value) in settings {
        if key == Setting::LR.name {
            lr = f64::read(value, Setting::LR.allowed).ok_or_else(|| SpecError::Value {
                owner: name.into(),
                key: key.into(),
                found: value.into(),
                expected: Setting::LR.allowed.to_string(),
            })?;
        } else {
            // the error lists the settings there are; lr is one of them
            rule.set(name, key, value).map_err(|error| match error {
                SpecError::Unknown { kind, found, known } => {
                    unknown(&kind, &found, [Setting::LR.name].into_iter().chain(known.iter().map(String::as_str)))
                }
                other => other,
            })?;
        }
    }
    let mut spec = rule.spec(name);
    spec.settings.insert(0, (Setting::LR.name.into(), vec![lr.show()]));
    Ok(Built { spec, lr, formula, optimizer: rule.clone().init(), rule: std::sync::Arc::new(Fused(rule)) })
}

/// All optimizers that specs can name. Add your own with [`with`](Optimizers::with).
#[derive(Clone)]
pub struct Optimizers(pub(super) Vec<Entry>);

impl Optimizers {
    /// Adds an optimizer; one of the same name is replaced.
    pub fn with(mut self, entry: Entry) -> Self {
        self.0.retain(|other| other.name != entry.name);
        self.0.push(entry);
        self
    }

    /// Every row.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The row of that name.
    ///
    /// # Errors
    /// If there is none; the nearest name is suggested.
    pub fn find(&self, name: &str) -> Result<&Entry, SpecError> {
        self.0.iter().find(|entry| entry.name == name).ok_or_else(|| unknown("optimizer", name, self.0.iter().map(|entry| entry.name)))
    }

    /// Makes the optimizer that a spec describes.
    ///
    /// # Errors
    /// On an unknown optimizer, dialect or setting, a value that is not allowed, or a sweep.
    pub fn make(&self, spec: &Spec) -> Result<Built, SpecError> {
        self.find(&spec.name)?.make(spec)
    }
}

/// Declares the modules, re-exports the types, fills the table, and gives each type `init` and `build` without importing a trait.
macro_rules! optimizers {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(
            pub mod $module;
            pub use $module::$Type;

            impl $Type {
                /// burn's optimizer of a whole module, as `burn::optim::AdamConfig::init` makes one.
                ///
                /// # Panics
                /// If a setting is out of its range.
                pub fn init(self) -> burn::optim::ModuleOptimizer {
                    self.build().into()
                }

                /// burn's optimizer of one tensor at a time, for `ModuleOptimizer::with_group`.
                ///
                /// # Panics
                /// If a setting is out of its range.
                pub fn build(self) -> Fused<Self, { table::memory(Self::MEMORY) }> {
                    if let Err(error) = $crate::spec::Settings::check(&self, stringify!($module)) {
                        panic!("{error}");
                    }
                    Fused(self)
                }
            }
        )*

        impl Default for Optimizers {
            /// Those of this crate.
            fn default() -> Self {
                Optimizers(vec![$(Entry::of::<$Type, { table::memory($Type::MEMORY) }>(stringify!($module), include_str!(concat!(stringify!($module), ".rs")))),*])
            }
        }
    };
}
pub(super) use optimizers;

/// How many numbers a rule remembers for each element.
pub(super) const fn memory<const N: usize>(_: [&'static str; N]) -> usize {
    N
}
