//! burn's own optimizers, named `burn:adam` and so on, so that anything can be compared with them. Settings have burn's names and defaults;
//! burn keeps them in f32.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamW, AdamWConfig, AdanConfig, AdjustLrFn, LambConfig, LionConfig, ModuleOptimizer, Muon,
    MuonConfig, Optimizer, RecordState, RmsPropConfig, SgdConfig, StateSink, StateSource,
};
use burn::tensor::{Device, Tensor};

use super::Built;
use super::table::{Decay, Entry, Method};
use crate::about::About;
use crate::spec::{Allowed, Given, Settings, SpecError, YES_OR_NO};

/// An optimizer of burn, described by settings.
trait OfBurn: Settings {
    fn init(&self) -> ModuleOptimizer;
}

const fn entry<S: OfBurn>(name: &'static str, lr: f64, about: &'static str) -> Entry {
    Entry {
        name,
        about: About(about),
        lr,
        settings: || S::SETTINGS.to_vec(),
        defaults: || S::default().values(),
        dialects: &[],
        memory: None,
        build: build::<S>,
    }
}

fn build<S: OfBurn>(entry: &Entry, settings: &[(&str, &str)], decay: Option<Decay>) -> Result<Built, SpecError> {
    entry.no_decay(decay)?;
    let mut thing = S::default();
    let lr = entry.read(&mut thing, settings)?;
    // burn keeps numbers in f32, where a small one becomes 0 and one just below 1 becomes 1
    for (key, value) in thing.values() {
        if let Ok(number) = value.parse::<f64>() {
            S::default().set(entry.name, key, &f64::from(number as f32).show()).map_err(|error| match error {
                SpecError::Value { owner, key, expected, .. } => {
                    SpecError::Value { owner, key, found: value, expected: format!("{expected}, in f32") }
                }
                other => other,
            })?;
        }
    }
    Ok(entry.built(lr, thing.spec(entry.name), Method::PerTensor { optimizer: thing.init(), rule: None }))
}

macro_rules! about {
    ($title:literal, $formula:literal, $differences:literal, $source:literal) => {
        concat!(
            "# ",
            $title,
            "\n\n```text\n",
            $formula,
            "\n```\n\n## Differences\n",
            $differences,
            "\n\n## Source\nburn 0.22.1; ",
            $source,
            "\n"
        )
    };
}

pub(super) const ENTRIES: [Entry; 10] = [
    entry::<Sgd>(
        "burn:sgd",
        0.01,
        about!(
            "SGD: burn's, with momentum where it is given",
            "v = momentum v + (1 - dampening) g\nx = x - lr v",
            "The form of `momentum@burn`; nesterov as `nag` with lr_place=outside.",
            "SgdConfig"
        ),
    ),
    entry::<Adam>(
        "burn:adam",
        1e-3,
        about!("Adam: burn's", "as adam@burn, amsgrad@burn with amsgrad=yes", "Decay rates and epsilon in f32.", "AdamConfig"),
    ),
    entry::<Adamw>(
        "burn:adamw",
        1e-3,
        about!(
            "AdamW: burn's",
            "as adamw@burn",
            "Decay rates and epsilon in f32; cautious: decay only where it has the direction of the step.",
            "AdamWConfig"
        ),
    ),
    entry::<Adagrad>("burn:adagrad", 0.01, about!("AdaGrad: burn's", "as adagrad@burn", "Epsilon in f32.", "AdaGradConfig")),
    entry::<Rmsprop>(
        "burn:rmsprop",
        1e-3,
        about!("RMSProp: burn's", "as rmsprop@burn", "Settings in f32; the default momentum is 0.9.", "RmsPropConfig"),
    ),
    entry::<Lion>("burn:lion", 1e-4, about!("Lion: burn's", "as lion@burn", "Settings in f32.", "LionConfig")),
    entry::<Lamb>(
        "burn:lamb",
        1e-3,
        about!(
            "LAMB: burn's, layer-wise adaptive moments",
            "u = m_hat / (sqrt(v_hat) + eps) + weight_decay x\nx = x - lr |x| / |u| u",
            "Not a rule for single elements: the ratio of norms is that of a tensor.",
            "LambConfig; You et al., arXiv 1904.00962"
        ),
    ),
    entry::<Adan>(
        "burn:adan",
        1e-3,
        about!(
            "Adan: burn's, adaptive Nesterov momentum",
            "m = beta_1 m + (1 - beta_1) g\nd = beta_2 d + (1 - beta_2) (g - g_before)\nv = beta_3 v + (1 - beta_3) (g + beta_2 (g - g_before))^2",
            "burn's decay rates are one minus the paper's.",
            "AdanConfig; Xie et al., arXiv 2208.06677"
        ),
    ),
    entry::<MuonSettings>(
        "burn:muon",
        0.02,
        about!(
            "Muon: burn's, momentum made orthogonal",
            "v = momentum v + g\nx = x - lr orthogonal(g + momentum v)",
            "For matrices. burn's panics on anything else; here burn's AdamW steps the others with its defaults, at the same learning rate.",
            "MuonConfig; Jordan, kellerjordan.github.io/posts/muon"
        ),
    ),
    entry::<Adafactor>(
        "burn:adafactor",
        0.01,
        about!(
            "Adafactor: burn's, a factored second moment",
            "v = r c^T / mean(r), r and c averages of row and column means of g^2",
            "Less memory than Adam for matrices; by default the step is relative to the size of the parameter.",
            "AdafactorConfig; Shazeer & Stern, arXiv 1804.04235"
        ),
    ),
];

fn decay(penalty: f64) -> Option<WeightDecayConfig> {
    (penalty > 0.0).then(|| WeightDecayConfig::new(penalty as f32))
}

crate::settings! {
    /// burn's SGD.
    pub struct Sgd {
        /// share of the velocity that is kept; none: no velocity
        momentum: Option<f64> = None, Allowed::Decay;
        /// share of the gradient that is left out, with momentum
        dampening: f64 = 0.1, Allowed::Decay;
        /// Nesterov's form, with momentum
        nesterov: bool = false, YES_OR_NO;
        /// L2 into the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for Sgd {
    fn init(&self) -> ModuleOptimizer {
        let momentum = self.momentum.map(|momentum| MomentumConfig { momentum, dampening: self.dampening, nesterov: self.nesterov });
        SgdConfig::new().with_momentum(momentum).with_weight_decay(decay(self.weight_decay)).init()
    }
}

crate::settings! {
    /// burn's Adam.
    pub struct Adam {
        /// decay rate of the first moment
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment
        beta_2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// the largest second moment so far
        amsgrad: bool = false, YES_OR_NO;
        /// L2 into the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for Adam {
    fn init(&self) -> ModuleOptimizer {
        let config = AdamConfig::new().with_beta_1(self.beta_1 as f32).with_beta_2(self.beta_2 as f32).with_epsilon(self.epsilon as f32);
        config.with_amsgrad(self.amsgrad).with_weight_decay(decay(self.weight_decay)).init()
    }
}

crate::settings! {
    /// burn's AdamW.
    pub struct Adamw {
        /// decay rate of the first moment
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment
        beta_2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 1e-4, Allowed::NotNegative;
        /// decay only where it has the direction of the step
        cautious: bool = false, YES_OR_NO;
        /// the largest second moment so far
        amsgrad: bool = false, YES_OR_NO;
    }
}
impl OfBurn for Adamw {
    fn init(&self) -> ModuleOptimizer {
        let config = AdamWConfig::new().with_beta_1(self.beta_1 as f32).with_beta_2(self.beta_2 as f32).with_epsilon(self.epsilon as f32);
        let config = config.with_weight_decay(self.weight_decay as f32).with_cautious_weight_decay(self.cautious);
        config.with_amsgrad(self.amsgrad).init()
    }
}

crate::settings! {
    /// burn's AdaGrad.
    pub struct Adagrad {
        /// how fast the learning rate falls
        lr_decay: f64 = 0.0, Allowed::NotNegative;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// L2 into the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for Adagrad {
    fn init(&self) -> ModuleOptimizer {
        let config = AdaGradConfig::new().with_lr_decay(self.lr_decay).with_epsilon(self.epsilon as f32);
        config.with_weight_decay(decay(self.weight_decay)).init()
    }
}

crate::settings! {
    /// burn's RMSProp.
    pub struct Rmsprop {
        /// decay rate of the average of g²
        alpha: f64 = 0.99, Allowed::Decay;
        /// momentum of the scaled gradient
        momentum: f64 = 0.9, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-5, Allowed::Positive;
        /// divide by the standard deviation
        centered: bool = false, YES_OR_NO;
        /// L2 into the gradient
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for Rmsprop {
    fn init(&self) -> ModuleOptimizer {
        let config = RmsPropConfig::new().with_alpha(self.alpha as f32).with_momentum(self.momentum as f32);
        let config = config.with_epsilon(self.epsilon as f32).with_centered(self.centered);
        config.with_weight_decay(decay(self.weight_decay)).init()
    }
}

crate::settings! {
    /// burn's Lion.
    pub struct Lion {
        /// share of the momentum in the sign
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the momentum
        beta_2: f64 = 0.99, Allowed::Decay;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for Lion {
    fn init(&self) -> ModuleOptimizer {
        let config = LionConfig::new().with_beta_1(self.beta_1 as f32).with_beta_2(self.beta_2 as f32);
        config.with_weight_decay(self.weight_decay as f32).init()
    }
}

crate::settings! {
    /// burn's LAMB.
    pub struct Lamb {
        /// decay rate of the first moment
        beta_1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment
        beta_2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-6, Allowed::Positive;
        /// share of the parameter added to the step
        weight_decay: f64 = 0.0, Allowed::NotNegative;
        /// scale by the ratio of norms
        trust_ratio: bool = true, YES_OR_NO;
    }
}
impl OfBurn for Lamb {
    fn init(&self) -> ModuleOptimizer {
        let config = LambConfig::new().with_beta_1(self.beta_1 as f32).with_beta_2(self.beta_2 as f32).with_epsilon(self.epsilon as f32);
        config.with_weight_decay(self.weight_decay as f32).with_use_trust_ratio(self.trust_ratio).init()
    }
}

crate::settings! {
    /// burn's Adan.
    pub struct Adan {
        /// decay rate of the first moment
        beta_1: f64 = 0.98, Allowed::Decay;
        /// decay rate of the gradient's difference
        beta_2: f64 = 0.92, Allowed::Decay;
        /// decay rate of the second moment
        beta_3: f64 = 0.99, Allowed::Decay;
        /// keeps the denominator from zero
        epsilon: f64 = 1e-8, Allowed::Positive;
        /// weight decay
        weight_decay: f64 = 0.0, Allowed::NotNegative;
        /// decoupled instead of proximal decay
        no_prox: bool = false, YES_OR_NO;
    }
}
impl OfBurn for Adan {
    fn init(&self) -> ModuleOptimizer {
        let config = AdanConfig::new().with_beta_1(self.beta_1 as f32).with_beta_2(self.beta_2 as f32).with_beta_3(self.beta_3 as f32);
        let config = config.with_epsilon(self.epsilon as f32).with_weight_decay(self.weight_decay as f32);
        config.with_no_prox(self.no_prox).init()
    }
}

/// How [`MuonSettings`] fits the learning rate to the shape of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjust {
    /// lr √max(1, rows / columns)
    Original,
    /// so that the step is as large as AdamW's
    MatchRmsAdamW,
}
crate::words!(Adjust { Original = "original", MatchRmsAdamW = "match_rms_adamw" });

crate::settings! {
    /// burn's Muon.
    pub struct MuonSettings {
        /// share of the velocity that is kept
        momentum: f64 = 0.95, Allowed::Decay;
        /// Nesterov's form
        nesterov: bool = true, YES_OR_NO;
        /// iterations of Newton and Schulz
        ns_steps: usize = 5, Allowed::Count;
        /// how lr is fitted to the shape
        adjust: Adjust = Adjust::Original, Adjust::WORDS;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for MuonSettings {
    fn init(&self) -> ModuleOptimizer {
        let momentum = MomentumConfig { momentum: self.momentum, dampening: 0.0, nesterov: self.nesterov };
        let adjust = match self.adjust {
            Adjust::Original => AdjustLrFn::Original,
            Adjust::MatchRmsAdamW => AdjustLrFn::MatchRmsAdamW,
        };
        let config = MuonConfig::new().with_momentum(momentum).with_ns_steps(self.ns_steps).with_adjust_lr_fn(adjust);
        Matrices { muon: config.with_weight_decay(decay(self.weight_decay)).build(), other: AdamWConfig::new().build() }.into()
    }
}

crate::settings! {
    /// burn's Adafactor.
    pub struct Adafactor {
        /// the largest root mean square of an update
        clip_threshold: f64 = 1.0, Allowed::Positive;
        /// minus the exponent of the decay rate of the second moment
        decay_rate: f64 = 0.8, Allowed::Positive;
        /// lr is at most 1/√t
        relative_step: bool = true, YES_OR_NO;
        /// steps relative to the size of the parameter
        scale_parameter: bool = true, YES_OR_NO;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}
impl OfBurn for Adafactor {
    fn init(&self) -> ModuleOptimizer {
        let config = AdafactorConfig::new().with_clip_threshold(self.clip_threshold as f32).with_decay_rate(-self.decay_rate);
        let config = config.with_relative_step(self.relative_step).with_scale_parameter(self.scale_parameter);
        config.with_weight_decay(self.weight_decay as f32).init()
    }
}

/// Muon for matrices, AdamW for everything else.
#[derive(Clone)]
struct Matrices {
    muon: Muon,
    other: AdamW,
}

/// The state of one or the other.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // a few hundred bytes for each parameter tensor
enum Either<const D: usize> {
    Muon(<Muon as Optimizer>::State<D>),
    Other(<AdamW as Optimizer>::State<D>),
}

impl Optimizer for Matrices {
    type State<const D: usize> = Either<D>;

    fn step<const D: usize>(&self, lr: f64, x: Tensor<D>, g: Tensor<D>, state: Option<Either<D>>) -> (Tensor<D>, Option<Either<D>>) {
        let (muon, other) = match state {
            Some(Either::Muon(state)) => (Some(state), None),
            Some(Either::Other(state)) => (None, Some(state)),
            None => (None, None),
        };
        if D == 2 {
            let (x, state) = self.muon.step(lr, x, g, muon);
            (x, state.map(Either::Muon))
        } else {
            let (x, state) = self.other.step(lr, x, g, other);
            (x, state.map(Either::Other))
        }
    }

    fn to_device<const D: usize>(state: Either<D>, device: &Device) -> Either<D> {
        match state {
            Either::Muon(state) => Either::Muon(Muon::to_device(state, device)),
            Either::Other(state) => Either::Other(AdamW::to_device(state, device)),
        }
    }
}

impl<const D: usize> RecordState for Either<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        match self {
            Either::Muon(state) => state.state_flatten(prefix, out),
            Either::Other(state) => state.state_flatten(prefix, out),
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        if D == 2 {
            RecordState::state_unflatten(prefix, from, device).map(Either::Muon)
        } else {
            RecordState::state_unflatten(prefix, from, device).map(Either::Other)
        }
    }
}
