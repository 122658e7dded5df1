//! The table of all optimizers by name.

use std::sync::Arc;

use burn::optim::ModuleOptimizer;

use super::decay::{DecayBy, Decayed};
use super::fused::{Fused, Insight};
use super::rule::Rule;
use super::whole::Whole;
use crate::about::About;
use crate::spec::{Given, Setting, Settings, Spec, SpecError, unknown};

/// What an optimizer of the table states besides its formula and settings.
pub trait Named: Settings {
    /// The learning rate where none is given.
    const LR: f64;
    /// Named sets of settings.
    const DIALECTS: &'static [Dialect] = &[];

    /// Told the learning rate of its spec, for settings whose default depends on it.
    fn at_lr(&mut self, _lr: f64) {}
}

/// A named set of settings: the formula and the defaults of one source.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// the part behind `@`
    pub name: &'static str,
    /// one line: what has this name there
    pub about: &'static str,
    /// the learning rate where none is given
    pub lr: f64,
    /// every setting with its value
    pub values: fn() -> Vec<(&'static str, String)>,
}

/// The dialect that every optimizer has: its defaults.
pub const PAPER: &str = "paper";

/// An optimizer made from a spec.
#[derive(Clone)]
pub struct Built {
    /// The spec with every setting spelled out, the learning rate first.
    pub spec: Spec,
    /// The learning rate, for the loop's schedule.
    pub lr: f64,
    /// Fingerprint of the source file of the formula.
    pub formula: String,
    /// What takes the steps, without state yet.
    pub method: Method,
}

/// What takes the steps.
#[derive(Clone)]
pub enum Method {
    /// One parameter at a time, from its gradient.
    PerTensor {
        /// burn's optimizer
        optimizer: ModuleOptimizer,
        /// the rule, where it is one of ours; for [`handed_out`](super::handed_out) and diagnostics
        rule: Option<Arc<dyn Insight>>,
    },
    /// The whole model at once, evaluating the loss as often as it wants.
    Whole(Whole),
}

/// Weight decay to be built into a rule's pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// into the gradient
    pub l2: f64,
    /// decoupled, and what it is multiplied by
    pub lambda: f64,
    /// what lambda is multiplied by
    pub by: DecayBy,
}

/// Makes an optimizer from settings and decay.
pub(super) type Make = fn(&Entry, &[(&str, &str)], Option<Decay>) -> Result<Built, SpecError>;

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
    pub settings: fn() -> Vec<Setting>,
    /// The defaults of those settings.
    pub defaults: fn() -> Vec<(&'static str, String)>,
    /// Named sets of settings, besides [`PAPER`].
    pub dialects: &'static [Dialect],
    /// What is remembered for each element of a parameter, by the default settings; nothing where that cannot be said.
    pub memory: Option<fn() -> Vec<&'static str>>,
    pub(super) build: Make,
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
            settings: || R::SETTINGS.to_vec(),
            defaults: || R::default().values(),
            dialects: R::DIALECTS,
            memory: Some(|| Fused(R::default()).memory()),
            build: build::<R, N>,
        }
    }

    /// The dialect of that name; nothing for [`PAPER`], which is the defaults.
    ///
    /// # Errors
    /// If there is none.
    pub fn dialect(&self, name: &str) -> Result<Option<&'static Dialect>, SpecError> {
        match self.dialects.iter().find(|dialect| dialect.name == name) {
            None if name == PAPER => Ok(None),
            None => {
                let known = [PAPER].into_iter().chain(self.dialects.iter().map(|dialect| dialect.name));
                Err(unknown(&format!("dialect of {}", self.name), name, known))
            }
            found => Ok(found),
        }
    }

    /// The settings in which a dialect differs from the defaults, the learning rate first.
    pub fn differs(&self, dialect: &Dialect) -> Vec<(&'static str, String)> {
        let defaults = (self.defaults)();
        let lr = Some((Setting::LR.name, dialect.lr.show())).filter(|_| dialect.lr != self.lr);
        lr.into_iter().chain((dialect.values)().into_iter().filter(|value| !defaults.contains(value))).collect()
    }

    fn make(&self, spec: &Spec, decay: Option<Decay>) -> Result<Built, SpecError> {
        let dialect = spec.dialect.as_deref().map(|name| self.dialect(name)).transpose()?.flatten();
        let values = dialect.map_or(Vec::new(), |dialect| (dialect.values)());
        let lr = dialect.map_or(self.lr, |dialect| dialect.lr).show();
        let mut settings = vec![(Setting::LR.name, lr.as_str())];
        settings.extend(values.iter().map(|(key, value)| (*key, value.as_str())));
        settings.extend(spec.single()?);
        (self.build)(self, &settings, decay)
    }

    /// Reads the settings of a spec into `thing`, and returns the learning rate.
    pub(super) fn read(&self, thing: &mut impl Settings, settings: &[(&str, &str)]) -> Result<f64, SpecError> {
        let mut rate = self.lr;
        for (key, value) in settings {
            if *key == Setting::LR.name {
                rate = Setting::LR.read(self.name, value)?;
            } else {
                thing.set(self.name, key, value).map_err(with_lr)?;
            }
        }
        Ok(rate)
    }

    /// An optimizer made, its spec spelled out.
    pub(super) fn built(&self, lr: f64, mut spec: Spec, method: Method) -> Built {
        spec.settings.insert(0, (Setting::LR.name.into(), vec![lr.show()]));
        Built { spec, lr, formula: self.about.fingerprint(), method }
    }

    fn names(&self) -> Vec<&'static str> {
        (self.settings)().iter().map(|setting| setting.name).collect()
    }

    /// The error of weight decay where the optimizer is no rule of ours.
    pub(super) fn no_decay(&self, decay: Option<Decay>) -> Result<(), SpecError> {
        match decay {
            None => Ok(()),
            Some(_) => Err(SpecError::Several {
                spec: self.name.into(),
                problem: format!("l2 or decay around it, which go with rules only; its own settings: {}", self.names().join(", ")),
            }),
        }
    }
}

/// The error lists the settings there are; lr is one of them.
fn with_lr(error: SpecError) -> SpecError {
    match error {
        SpecError::Unknown { kind, found, known } => {
            unknown(&kind, &found, [Setting::LR.name].into_iter().chain(known.iter().map(String::as_str)))
        }
        other => other,
    }
}

fn build<R: Named + Rule<N>, const N: usize>(entry: &Entry, settings: &[(&str, &str)], decay: Option<Decay>) -> Result<Built, SpecError> {
    let mut rule = R::default();
    let lr = entry.read(&mut rule, settings)?;
    rule.at_lr(lr);
    let spec = rule.spec(entry.name);
    let method = match decay {
        None => Method::of(rule),
        Some(Decay { l2, lambda, by }) => Method::of(Decayed { rule, l2, lambda, by, alpha: if lr > 0.0 { lr } else { 1.0 } }),
    };
    Ok(entry.built(lr, spec, method))
}

impl Method {
    fn of<R: Rule<N>, const N: usize>(rule: R) -> Method {
        Method::PerTensor { optimizer: Fused(rule.clone()).into(), rule: Some(Arc::new(Fused(rule))) }
    }
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

    /// Its place in the table, which gives it its colour.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|entry| entry.name == name)
    }

    /// Makes the optimizer that a spec describes.
    ///
    /// # Errors
    /// On an unknown optimizer, dialect or setting, a value that is not allowed, or a sweep.
    pub fn make(&self, spec: &Spec) -> Result<Built, SpecError> {
        self.find(&spec.name)?.make(spec, None)
    }

    /// The same with weight decay, in the same pass over the parameter.
    ///
    /// # Errors
    /// As [`make`](Optimizers::make), and where the optimizer is no rule of ours.
    pub fn make_decayed(&self, spec: &Spec, decay: Decay) -> Result<Built, SpecError> {
        self.find(&spec.name)?.make(spec, Some(decay))
    }
}

/// Declares the learning rate and the dialects of an optimizer; each becomes a constructor and a name behind `@`.
macro_rules! dialects {
    ($Type:ident, lr $lr:literal;
        $($(#[doc = $about:literal])+ $name:ident: lr $own:literal { $($field:ident: $value:expr),* $(,)? })*
        $(fn at_lr(&mut $self:ident, $rate:ident: f64) $body:block)?
    ) => {
        $crate::spec::__paste! {
            impl $Type {
                $(
                    #[doc = concat!("The formula and the defaults of", $($about),+, ".")]
                    pub fn $name() -> Self {
                        Self::default()$(.[<with_ $field>]($value))*
                    }
                )*
            }
        }

        impl super::Named for $Type {
            const LR: f64 = $lr;
            const DIALECTS: &'static [super::Dialect] = &[$(super::Dialect {
                name: stringify!($name),
                about: concat!($($about),+).trim_ascii(),
                lr: $own,
                values: || $crate::spec::Settings::values(&Self::$name()),
            }),*];
            $(
                fn at_lr(&mut $self, $rate: f64) $body
            )?
        }
    };
}
pub(super) use dialects;

/// Declares the modules, re-exports the types, fills the table, and gives each type `init` and `build` without importing a trait.
macro_rules! optimizers {
    ($($module:ident::$Type:ident),* $(,)?; $($other:path),* $(,)?) => {
        $(
            pub mod $module;
            pub use $module::$Type;

            impl $Type {
                /// burn's optimizer of a whole module, as `burn::optim::AdamConfig::init` makes one.
                ///
                /// # Panics
                /// If a setting is out of its range.
                #[track_caller]
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
                Optimizers([$(Entry::of::<$Type, { table::memory($Type::MEMORY) }>(stringify!($module), include_str!(concat!(stringify!($module), ".rs")))),*]
                    .into_iter()
                    .chain([$(&$other[..]),*].into_iter().flatten().copied())
                    .collect())
            }
        }
    };
}
pub(super) use optimizers;

/// How many numbers a rule remembers for each element.
pub(super) const fn memory<const N: usize>(_: [&'static str; N]) -> usize {
    N
}
