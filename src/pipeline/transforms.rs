//! The gradient transformations of a pipeline: their settings, and the table that describes them.

use super::filters::{FilterSettings, GrokfastEma, GrokfastMa, Mars};
use super::gradients::Bound;
use super::params::Params;
use super::sharpness::Sam;
use crate::optim::{Decay, Scale, decay::DecayBy};
use crate::spec::{Allowed, Setting, Settings, Spec, SpecError, YES_OR_NO};

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
    /// Moves only where the update agrees with the gradient.
    pub struct Caution {
        /// how the update grows: by the mean of the mask (authors' code) or its count (paper)
        scale: Scale = Scale::Mean, Scale::WORDS;
    }
}

crate::settings! {
    /// Decoupled weight decay.
    pub struct Decoupled {
        /// fraction of the parameter that is subtracted
        lambda: f64 = 0.01, Allowed::NotNegative;
        /// what lambda is multiplied by: the learning rate, or the schedule alone
        by: DecayBy = DecayBy::Lr, DecayBy::WORDS;
        /// decay only where the step moves towards 0 as well (arXiv 2510.12402)
        cautious: bool = false, YES_OR_NO;
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

/// When a part of a pipeline acts within a step. The variants are in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// takes the gradients at another point
    Sam,
    /// sums up gradients
    Accumulate,
    /// checks that gradients are finite
    Nonfinite,
    /// adds an average of gradients
    Grokfast,
    /// corrects gradients by their change
    Mars,
    /// clips gradients
    Clip,
    /// adds weight decay to gradients
    L2,
    /// moves the weights
    Optimizer,
    /// masks the update
    Cautious,
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

/// The order of the parts of a pipeline spec.
pub const ORDER: &str = "sam|accumulate|nonfinite|grokfast_*|mars|clip_*|l2|OPTIMIZER|cautious|decay|group|lookahead|\
                         ema|SCHEDULE";

impl Stage {
    /// Whether a pipeline may have several parts of this stage.
    pub fn may_repeat(self) -> bool {
        self == Stage::Clip || self == Stage::Group
    }
}

/// A gradient transformation with its settings.
pub(super) enum Transform {
    Sam(Sam),
    Accumulate(Accumulate),
    Nonfinite(Nonfinite),
    GrokfastEma(GrokfastEma),
    GrokfastMa(GrokfastMa),
    Mars(Mars),
    Clip(Bound),
    L2(L2),
    Cautious(Caution),
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
    TransformEntry::new::<Sam>(
        "sam",
        "the gradient a distance of rho uphill, which takes a second one (arXiv 2010.01412)",
        Stage::Sam,
        |spec| spec.read().map(Transform::Sam),
    ),
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
    TransformEntry::new::<GrokfastEma>(
        "grokfast_ema",
        "g + lambda average: amplifies a moving average of the gradients (arXiv 2405.20233)",
        Stage::Grokfast,
        |spec| spec.read().map(Transform::GrokfastEma),
    ),
    TransformEntry::new::<GrokfastMa>(
        "grokfast_ma",
        "g + lambda mean: amplifies the mean of the last gradients (arXiv 2405.20233)",
        Stage::Grokfast,
        |spec| spec.read().map(Transform::GrokfastMa),
    ),
    TransformEntry::new::<Mars>(
        "mars",
        "g + gamma beta1 / (1 - beta1) (g - g of the step before), clipped (arXiv 2411.10438)",
        Stage::Mars,
        |spec| spec.read().map(Transform::Mars),
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
    TransformEntry::new::<Caution>(
        "cautious",
        "moves only where the update agrees with the gradient, and further (arXiv 2411.16085)",
        Stage::Cautious,
        |spec| spec.read().map(Transform::Cautious),
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
    pub sam: Option<Sam>,
    pub accumulate: Option<Accumulate>,
    pub nonfinite: Option<Nonfinite>,
    pub filters: FilterSettings,
    /// in the order in which they clip
    pub clips: Vec<Bound>,
    pub l2: Option<L2>,
    pub cautious: Option<Caution>,
    pub decay: Option<Decoupled>,
    pub groups: Vec<Group>,
    pub lookahead: Option<Lookahead>,
    pub ema: Option<Ema>,
}

impl Transforms {
    pub fn add(&mut self, transform: Transform) {
        match transform {
            Transform::Sam(sam) => self.sam = Some(sam),
            Transform::Accumulate(accumulate) => self.accumulate = Some(accumulate),
            Transform::Nonfinite(nonfinite) => self.nonfinite = Some(nonfinite),
            Transform::GrokfastEma(grokfast) => self.filters.grokfast_ema = Some(grokfast),
            Transform::GrokfastMa(grokfast) => self.filters.grokfast_ma = Some(grokfast),
            Transform::Mars(mars) => self.filters.mars = Some(mars),
            Transform::Clip(bound) => self.clips.push(bound),
            Transform::L2(l2) => self.l2 = Some(l2),
            Transform::Cautious(caution) => self.cautious = Some(caution),
            Transform::Decay(decay) => self.decay = Some(decay),
            Transform::Group(group) => self.groups.push(group),
            Transform::Lookahead(lookahead) => self.lookahead = Some(lookahead),
            Transform::Ema(ema) => self.ema = Some(ema),
        }
    }

    /// The weight decay and the caution that the optimizer applies itself. `None` without `l2`,
    /// `cautious` and `decay`.
    pub fn weight_decay(&self) -> Option<Decay> {
        if self.l2.is_none() && self.cautious.is_none() && self.decay.is_none() {
            return None;
        }
        Some(Decay {
            l2: self.l2.as_ref().map_or(0.0, |l2| l2.lambda),
            lambda: self.decay.as_ref().map_or(0.0, |decay| decay.lambda),
            by: self.decay.as_ref().map_or(DecayBy::Lr, |decay| decay.by),
            cautious_decay: self.decay.as_ref().is_some_and(|decay| decay.cautious),
            lr_scale: 1.0,
            cautious: self.cautious.as_ref().map(|caution| caution.scale),
        })
    }

    /// Whether the optimizer gets the gradients unchanged. Weight decay is part of the optimizer.
    pub fn keep_gradients(&self) -> bool {
        self.accumulate.is_none()
            && self.nonfinite.is_none()
            && self.filters == FilterSettings::default()
            && self.clips.is_empty()
    }
}
