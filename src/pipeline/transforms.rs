//! The gradient transformations of a pipeline: their settings, and the table that describes them.

use super::params::Params;
use crate::optim::{Decay, decay::DecayBy};
use crate::spec::{Allowed, Setting, Settings, Spec, SpecError};

crate::settings! {
    /// Takes one step for every `steps` batches, with the mean of their gradients.
    pub struct Accumulate {
        /// batches per step
        steps: usize = 4, Allowed::Count;
    }
}

/// What [`Nonfinite`] does about a gradient that is infinite or NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Returns an error that names the parameter.
    Error,
    /// Skips the step. Parameters and optimizer state stay as they are.
    Skip,
    /// Takes the step. This is the behaviour of a pipeline without [`Nonfinite`].
    Propagate,
}
crate::words!(Policy { Error = "error", Skip = "skip", Propagate = "propagate" });

crate::settings! {
    /// Looks for gradients that are infinite or NaN.
    pub struct Nonfinite {
        /// what to do about one: error, skip the step, or go on
        policy: Policy = Policy::Error, Policy::WORDS;
    }
}

crate::settings! {
    /// A bound for gradients.
    pub struct Clip {
        /// the bound
        max: f64 = 1.0, Allowed::Positive;
    }
}

crate::settings! {
    /// Weight decay into the gradient.
    pub struct L2 {
        /// g + lambda x
        lambda: f64 = 1e-4, Allowed::NotNegative;
    }
}

crate::settings! {
    /// Decoupled weight decay.
    pub struct Decoupled {
        /// fraction of the parameter that is subtracted
        lambda: f64 = 0.01, Allowed::NotNegative;
        /// what lambda is multiplied by: the learning rate, or the schedule alone
        by: DecayBy = DecayBy::Lr, DecayBy::WORDS;
    }
}

crate::settings! {
    /// Look-ahead: slow weights that follow the fast ones.
    pub struct Lookahead {
        /// steps between two updates of the slow weights
        k: usize = 5, Allowed::Count;
        /// how far an update moves the slow weights towards x: 1 is all the way
        alpha: f64 = 0.5, Allowed::Positive;
    }
}

crate::settings! {
    /// Other settings for a group of parameters.
    pub struct Group {
        /// which parameters: vectors (biases and norm weights), or parts of their paths joined by +
        params: Params = Params::Vectors, Params::ALLOWED;
        /// factor on the learning rate
        lr_scale: f64 = 1.0, Allowed::NotNegative;
        /// their weight decay; none: the decay of the pipeline
        weight_decay: Option<f64> = None, Allowed::NotNegative;
    }
}

crate::settings! {
    /// Exponential moving average of the weights.
    pub struct Ema {
        /// the average becomes decay average + (1 - decay) x; it starts at x after the first step
        decay: f64 = 0.999, Allowed::Decay;
    }
}

/// How gradients are clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// each element
    Value(f64),
    /// the norm of each parameter's gradient
    Norm(f64),
    /// the norm of all gradients together
    Global(f64),
}

/// When a part of a pipeline acts within a step. The variants are in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// sums up gradients
    Accumulate,
    /// checks that gradients are finite
    Nonfinite,
    /// clips gradients
    Clip,
    /// adds weight decay to gradients
    L2,
    /// moves the weights
    Optimizer,
    /// decays the weights
    Decay,
    /// has other settings for some parameters
    Group,
    /// replaces the weights by slow weights
    Lookahead,
    /// averages the weights
    Ema,
    /// sets the learning rate
    Schedule,
}

impl Stage {
    /// All stages in order, as error messages state it.
    pub(super) const ORDER: &'static str =
        "accumulate, nonfinite, clip_*, l2, OPTIMIZER, decay, group, lookahead, ema, SCHEDULE";

    /// Whether a pipeline may have several parts of this stage.
    pub fn may_repeat(self) -> bool {
        self == Stage::Clip || self == Stage::Group
    }
}

/// A gradient transformation with its settings.
pub(super) enum Transform {
    Accumulate(Accumulate),
    Nonfinite(Nonfinite),
    Clip(Bound),
    L2(L2),
    Decay(Decoupled),
    Group(Group),
    Lookahead(Lookahead),
    Ema(Ema),
}

/// A row of the table of gradient transformations.
pub struct TransformEntry {
    /// The name in specs.
    pub name: &'static str,
    /// One line.
    pub docs: &'static str,
    /// Its settings.
    pub settings: &'static [Setting],
    /// Their defaults.
    pub defaults: fn() -> Vec<(&'static str, String)>,
    /// When it acts within a step.
    pub stage: Stage,
    pub(super) read: fn(&Spec) -> Result<Transform, SpecError>,
    /// The spec with every setting spelled out.
    pub(super) canonical: fn(&Spec) -> Result<Spec, SpecError>,
}

impl TransformEntry {
    const fn new<S: Settings>(
        name: &'static str,
        docs: &'static str,
        stage: Stage,
        read: fn(&Spec) -> Result<Transform, SpecError>,
    ) -> TransformEntry {
        TransformEntry {
            name,
            docs,
            settings: S::SETTINGS,
            defaults: || S::default().values(),
            stage,
            read,
            canonical: |spec| Ok(spec.read::<S>()?.spec(&spec.name)),
        }
    }

    /// The row of that name. `None` if there is none.
    pub(super) fn find(name: &str) -> Option<&'static TransformEntry> {
        TRANSFORMS.iter().find(|entry| entry.name == name)
    }
}

/// All gradient transformations, in the order in which they act.
pub const TRANSFORMS: &[TransformEntry] = &[
    TransformEntry::new::<Accumulate>(
        "accumulate",
        "one step for every n batches, with the mean of their gradients",
        Stage::Accumulate,
        |spec| spec.read().map(Transform::Accumulate),
    ),
    TransformEntry::new::<Nonfinite>(
        "nonfinite",
        "an infinite or NaN gradient is an error, skips the step, or is used as it is",
        Stage::Nonfinite,
        |spec| spec.read().map(Transform::Nonfinite),
    ),
    TransformEntry::new::<Clip>(
        "clip_value",
        "each element of the gradient between -max and max",
        Stage::Clip,
        |spec| spec.read().map(|Clip { max }| Transform::Clip(Bound::Value(max))),
    ),
    TransformEntry::new::<Clip>(
        "clip_norm",
        "each parameter's gradient g min(1, max / |g|)",
        Stage::Clip,
        |spec| spec.read().map(|Clip { max }| Transform::Clip(Bound::Norm(max))),
    ),
    TransformEntry::new::<Clip>(
        "clip_global",
        "all gradients g min(1, max / |all g|)",
        Stage::Clip,
        |spec| spec.read().map(|Clip { max }| Transform::Clip(Bound::Global(max))),
    ),
    TransformEntry::new::<L2>(
        "l2",
        "g + lambda x: weight decay into the gradient, biases included",
        Stage::L2,
        |spec| spec.read().map(Transform::L2),
    ),
    TransformEntry::new::<Decoupled>(
        "decay",
        "x - lr lambda x in addition to the step: decoupled weight decay, biases included",
        Stage::Decay,
        |spec| spec.read().map(Transform::Decay),
    ),
    TransformEntry::new::<Group>(
        "group",
        "another learning rate or weight decay for some parameters",
        Stage::Group,
        |spec| spec.read().map(Transform::Group),
    ),
    TransformEntry::new::<Lookahead>(
        "lookahead",
        "every k steps x becomes slow + alpha (x - slow) (arXiv 1907.08610)",
        Stage::Lookahead,
        |spec| spec.read().map(Transform::Lookahead),
    ),
    TransformEntry::new::<Ema>(
        "ema",
        "exponential moving average of the weights, which is evaluated and saved",
        Stage::Ema,
        |spec| spec.read().map(Transform::Ema),
    ),
];

/// The gradient transformations of a pipeline.
#[derive(Clone, Default)]
pub(super) struct Transforms {
    pub accumulate: Option<Accumulate>,
    pub nonfinite: Option<Nonfinite>,
    /// in the order in which they clip
    pub clips: Vec<Bound>,
    pub l2: Option<L2>,
    pub decay: Option<Decoupled>,
    pub groups: Vec<Group>,
    pub lookahead: Option<Lookahead>,
    pub ema: Option<Ema>,
}

impl Transforms {
    pub fn add(&mut self, transform: Transform) {
        match transform {
            Transform::Accumulate(accumulate) => self.accumulate = Some(accumulate),
            Transform::Nonfinite(nonfinite) => self.nonfinite = Some(nonfinite),
            Transform::Clip(bound) => self.clips.push(bound),
            Transform::L2(l2) => self.l2 = Some(l2),
            Transform::Decay(decay) => self.decay = Some(decay),
            Transform::Group(group) => self.groups.push(group),
            Transform::Lookahead(lookahead) => self.lookahead = Some(lookahead),
            Transform::Ema(ema) => self.ema = Some(ema),
        }
    }

    /// The weight decay that the optimizer applies in its own pass. `None` without `l2` and
    /// `decay`.
    pub fn weight_decay(&self) -> Option<Decay> {
        if self.l2.is_none() && self.decay.is_none() {
            return None;
        }
        Some(Decay {
            l2: self.l2.as_ref().map_or(0.0, |l2| l2.lambda),
            lambda: self.decay.as_ref().map_or(0.0, |decay| decay.lambda),
            by: self.decay.as_ref().map_or(DecayBy::Lr, |decay| decay.by),
            lr_scale: 1.0,
        })
    }

    /// Whether the optimizer gets the gradients unchanged. Weight decay is part of the optimizer.
    pub fn keep_gradients(&self) -> bool {
        self.accumulate.is_none() && self.nonfinite.is_none() && self.clips.is_empty()
    }
}
