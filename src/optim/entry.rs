//! One row of the table of optimizers: its documentation, its settings, and how it is made.

use std::sync::Arc;

use burn::optim::{ModuleOptimizer, Optimizer};

use super::cautious::{Cautious, Scale};
use super::decay::{DecayBy, Decayed};
use super::dyn_rule::DynRule;
use super::fused::Fused;
use super::joint::JointOptimizer;
use super::joint_rule::JointRule;
use super::rule::Rule;
use super::second_order::WholeModel;
use crate::docs::Docs;
use crate::spec::{Setting, SettingValue, Settings, Spec, SpecError, alias, unknown};

/// What an optimizer declares in addition to its formula and settings.
pub trait NamedRule: Settings {
    /// The default learning rate.
    const LR: f64;
    /// Named sets of settings.
    const DIALECTS: &'static [Dialect] = &[];

    /// Gets the learning rate of the spec, for settings whose default depends on it.
    fn at_lr(&mut self, _lr: f64) {}

    /// Checks settings that are allowed one by one, but not together.
    ///
    /// # Errors
    /// What is missing or contradicts.
    fn check_together(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// Checks every setting, and all of them together.
    ///
    /// # Errors
    /// Names the first setting whose value is not allowed.
    fn check_all(&self, owner: &str) -> Result<(), SpecError> {
        self.check(owner)?;
        self.check_together()
            .map_err(|problem| SpecError::Several { spec: owner.into(), problem: problem.into() })
    }
}

/// A named set of settings: the formula and the defaults of one source.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// the name after `@`
    pub name: &'static str,
    /// one line: what the source calls it
    pub docs: &'static str,
    /// the default learning rate
    pub lr: f64,
    /// every setting with its value
    pub values: fn() -> Vec<(&'static str, String)>,
}

/// The dialect that every optimizer has: the version of its source. It is the defaults, unless the
/// optimizer has a row of that name.
pub const PAPER: &str = "paper";

/// An optimizer made from a spec.
#[derive(Clone)]
pub struct ConfiguredOptimizer {
    /// The spec with every setting written out, the learning rate first.
    pub spec: Spec,
    /// The learning rate, for the loop's schedule.
    pub lr: f64,
    /// How it takes steps, without state yet.
    pub method: Method,
}

/// How an optimizer takes steps.
#[derive(Clone)]
pub enum Method {
    /// One parameter at a time, from its gradient.
    PerTensor {
        /// burn's optimizer
        optimizer: ModuleOptimizer,
        /// the rule, if it is one of this crate or of the user, for
        /// [`evaluation_model`](super::evaluation_model) and diagnostics
        rule: Option<Arc<dyn DynRule>>,
    },
    /// All parameters together, from their gradients.
    Joint(JointOptimizer),
    /// The whole model at once, with as many evaluations of the loss as it needs.
    WholeModel(WholeModel),
}

impl Method {
    fn of_rule<R: Rule<N>, const N: usize>(rule: R) -> Method {
        Method::PerTensor {
            optimizer: Fused(rule.clone()).into(),
            rule: Some(Arc::new(Fused(rule))),
        }
    }

    fn of_cautious<R: Rule<N>, const N: usize>(rule: Cautious<R, N>) -> Method {
        Method::PerTensor { optimizer: rule.clone().into(), rule: Some(Arc::new(rule)) }
    }
}

/// What is around a rule: weight decay and a factor of the learning rate, in its pass, and caution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// L2, added to the gradient
    pub l2: f64,
    /// decoupled weight decay
    pub lambda: f64,
    /// the factor of lambda
    pub by: DecayBy,
    /// whether the decoupled decay is cautious
    pub cautious_decay: bool,
    /// factor of the learning rate
    pub lr_scale: f64,
    /// cautious updates; `None`: all elements move
    pub cautious: Option<Scale>,
}

/// Makes an optimizer from settings and decay.
pub(super) type Build =
    fn(&OptimizerEntry, &[(&str, &str)], Option<Decay>) -> Result<ConfiguredOptimizer, SpecError>;

/// One row of the table.
#[derive(Clone, Copy)]
pub struct OptimizerEntry {
    /// The name in specs, legends and tables.
    pub name: &'static str,
    /// Title, formula, differences and source.
    pub docs: Docs,
    /// The default learning rate.
    pub lr: f64,
    /// All settings but `lr`.
    pub settings: fn() -> Vec<Setting>,
    /// The defaults of those settings.
    pub defaults: fn() -> Vec<(&'static str, String)>,
    /// Named sets of settings. [`PAPER`] is the defaults where it is not among them.
    pub dialects: &'static [Dialect],
    /// The names of the state for each element of a parameter, with the default settings; `None` if
    /// the state has another form.
    pub memory: Option<fn() -> Vec<&'static str>>,
    pub(super) build: Build,
}

impl OptimizerEntry {
    /// A row for a rule of your own. `docs` is what `show` prints: a title, a fenced formula, and
    /// the headings `## Differences` and `## Source`. The best choice is the rule's own source file
    /// with such a `//!` header, by `include_str!`.
    pub const fn of<R: NamedRule + Rule<N>, const N: usize>(
        name: &'static str,
        docs: &'static str,
    ) -> OptimizerEntry {
        OptimizerEntry {
            name,
            docs: Docs(docs),
            lr: R::LR,
            settings: || R::SETTINGS.to_vec(),
            defaults: || R::default().values(),
            dialects: R::DIALECTS,
            memory: Some(|| Fused(R::default()).state_names()),
            build: build_rule::<R, N>,
        }
    }

    /// A row for a [`JointRule`] of your own, with `docs` as in [`of`](OptimizerEntry::of).
    pub const fn of_joint<R: NamedRule + JointRule<N>, const N: usize>(
        name: &'static str,
        docs: &'static str,
    ) -> OptimizerEntry {
        OptimizerEntry {
            name,
            docs: Docs(docs),
            lr: R::LR,
            settings: || R::SETTINGS.to_vec(),
            defaults: || R::default().values(),
            dialects: R::DIALECTS,
            memory: Some(|| R::STATE.to_vec()),
            build: build_joint::<R, N>,
        }
    }

    /// A row for an optimizer of single tensors that is not a [`Rule`].
    pub(super) const fn of_tensors<O: NamedRule + Optimizer>(
        name: &'static str,
        docs: &'static str,
        memory: Option<fn() -> Vec<&'static str>>,
    ) -> OptimizerEntry {
        OptimizerEntry {
            name,
            docs: Docs(docs),
            lr: O::LR,
            settings: || O::SETTINGS.to_vec(),
            defaults: || O::default().values(),
            dialects: O::DIALECTS,
            memory,
            build: build_tensors::<O>,
        }
    }

    /// The dialect of that name; `None` for [`PAPER`] where that is the defaults.
    ///
    /// # Errors
    /// If there is no such dialect.
    pub fn dialect(&self, name: &str) -> Result<Option<&'static Dialect>, SpecError> {
        match self.dialects.iter().find(|dialect| dialect.name == name) {
            None if name == PAPER => Ok(None),
            None => {
                let others = self.dialects.iter().map(|dialect| dialect.name);
                let known = [PAPER].into_iter().chain(others.filter(|name| *name != PAPER));
                Err(unknown(&format!("dialect of {}", self.name), name, known))
            }
            found => Ok(found),
        }
    }

    /// The settings in which a dialect differs from the defaults, the learning rate first.
    pub fn differs(&self, dialect: &Dialect) -> Vec<(&'static str, String)> {
        let defaults = (self.defaults)();
        let lr = (dialect.lr != self.lr).then(|| (Setting::LR.name, dialect.lr.show()));
        let changed = (dialect.values)().into_iter().filter(|value| !defaults.contains(value));
        lr.into_iter().chain(changed).collect()
    }

    /// The optimizer of a spec.
    pub(super) fn make(
        &self,
        spec: &Spec,
        decay: Option<Decay>,
    ) -> Result<ConfiguredOptimizer, SpecError> {
        let dialect = spec.dialect.as_deref().map(|name| self.dialect(name)).transpose()?.flatten();
        let values = dialect.map_or(Vec::new(), |dialect| (dialect.values)());
        let lr = dialect.map_or(self.lr, |dialect| dialect.lr).show();
        let mut settings = vec![(Setting::LR.name, lr.as_str())];
        settings.extend(values.iter().map(|(key, value)| (*key, value.as_str())));
        settings.extend(spec.single()?);
        (self.build)(self, &settings, decay)
    }

    /// Reads the settings of a spec into `thing`, and returns the learning rate.
    pub(super) fn read(
        &self,
        thing: &mut impl Settings,
        settings: &[(&str, &str)],
    ) -> Result<f64, SpecError> {
        let mut lr = self.lr;
        for (key, value) in settings {
            if *key == Setting::LR.name || alias(key, [Setting::LR.name]).is_some() {
                lr = Setting::LR.read(self.name, value).map_err(|error| error.about(key))?;
            } else {
                thing.set(self.name, key, value).map_err(list_lr)?;
            }
        }
        Ok(lr)
    }

    /// The rule or optimizer with these settings, and the learning rate.
    fn read_named<S: NamedRule>(&self, settings: &[(&str, &str)]) -> Result<(S, f64), SpecError> {
        let mut named = S::default();
        let lr = self.read(&mut named, settings)?;
        named.at_lr(lr);
        named.check_all(self.name)?;
        Ok((named, lr))
    }

    /// An optimizer with its spec written out.
    pub(super) fn configured(&self, lr: f64, spec: Spec, method: Method) -> ConfiguredOptimizer {
        let mut spec = spec;
        spec.settings.insert(0, (Setting::LR.name.into(), vec![lr.show()]));
        ConfiguredOptimizer { spec, lr, method }
    }

    /// The error for weight decay around an optimizer that is not a [`Rule`].
    pub(super) fn no_decay(&self, decay: Option<Decay>) -> Result<(), SpecError> {
        let names: Vec<&str> = (self.settings)().iter().map(|setting| setting.name).collect();
        match decay {
            None => Ok(()),
            Some(_) => Err(SpecError::Several {
                spec: self.name.into(),
                problem: format!(
                    "l2, cautious, decay or group around it, which go with rules only; its own settings: {}",
                    names.join(", ")
                ),
            }),
        }
    }
}

/// Adds lr to the settings that the error lists.
fn list_lr(error: SpecError) -> SpecError {
    match error {
        SpecError::Unknown { kind, found, known } => unknown(
            &kind,
            &found,
            [Setting::LR.name].into_iter().chain(known.iter().map(String::as_str)),
        ),
        other => other,
    }
}

fn build_rule<R: NamedRule + Rule<N>, const N: usize>(
    entry: &OptimizerEntry,
    settings: &[(&str, &str)],
    decay: Option<Decay>,
) -> Result<ConfiguredOptimizer, SpecError> {
    let (rule, lr) = entry.read_named::<R>(settings)?;
    let spec = rule.spec(entry.name);
    let method = match decay {
        None => Method::of_rule(rule),
        Some(Decay { l2, lambda, by, cautious_decay, lr_scale, cautious }) => {
            let alpha = if lr > 0.0 { lr } else { 1.0 };
            let decayed =
                Decayed { rule, l2, lambda, by, cautious: cautious_decay, alpha, lr_scale };
            match cautious {
                None => Method::of_rule(decayed),
                Some(_) if cautious_decay => return Err(two_cautions(entry.name)),
                Some(scale) => Method::of_cautious(Cautious::new(decayed, scale)),
            }
        }
    };
    Ok(entry.configured(lr, spec, method))
}

/// The error for cautious decay around cautious updates: what the decay is to compare with the
/// parameter, the update before or after its mask, is not defined.
fn two_cautions(optimizer: &str) -> SpecError {
    SpecError::Several {
        spec: optimizer.into(),
        problem: "found cautious and decay:cautious=yes around it, expected only one of them"
            .into(),
    }
}

fn build_joint<R: NamedRule + JointRule<N>, const N: usize>(
    entry: &OptimizerEntry,
    settings: &[(&str, &str)],
    decay: Option<Decay>,
) -> Result<ConfiguredOptimizer, SpecError> {
    entry.no_decay(decay)?;
    let (rule, lr) = entry.read_named::<R>(settings)?;
    let spec = rule.spec(entry.name);
    Ok(entry.configured(lr, spec, Method::Joint(JointOptimizer::new(rule))))
}

fn build_tensors<O: NamedRule + Optimizer>(
    entry: &OptimizerEntry,
    settings: &[(&str, &str)],
    decay: Option<Decay>,
) -> Result<ConfiguredOptimizer, SpecError> {
    entry.no_decay(decay)?;
    let (optimizer, lr) = entry.read_named::<O>(settings)?;
    let spec = optimizer.spec(entry.name);
    let method = Method::PerTensor { optimizer: optimizer.into(), rule: None };
    Ok(entry.configured(lr, spec, method))
}

/// Declares the learning rate and the dialects of an optimizer. Each dialect becomes a constructor
/// and a name after `@`.
macro_rules! dialects {
    ($Type:ident, lr $lr:literal;
        $(
            $(#[doc = $docs:literal])+
            $name:ident: lr $dialect_lr:literal { $($field:ident: $value:expr),* $(,)? }
        )*
        $(fn $method:ident($($args:tt)*) $(-> $Output:ty)? $body:block)*
    ) => {
        $crate::spec::__paste! {
            impl $Type {
                $(
                    #[doc = concat!("The formula and the defaults of", $($docs),+, ".")]
                    pub fn $name() -> Self {
                        Self::default()$(.[<with_ $field>]($value))*
                    }
                )*
            }
        }

        impl crate::optim::NamedRule for $Type {
            const LR: f64 = $lr;
            const DIALECTS: &'static [crate::optim::Dialect] = &[$(crate::optim::Dialect {
                name: stringify!($name),
                docs: concat!($($docs),+).trim_ascii(),
                lr: $dialect_lr,
                values: || $crate::spec::Settings::values(&Self::$name()),
            }),*];
            $(
                fn $method($($args)*) $(-> $Output)? $body
            )*
        }
    };
}
pub(crate) use dialects;
