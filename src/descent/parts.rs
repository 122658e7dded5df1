//! What can stand around an optimizer in a line, and in which order.

use crate::error::{Error, Result};
use crate::optim::{Built, Decay, Method, Optimizers, decay::DecayBy};
use crate::schedule::{SCHEDULES, Schedule};
use crate::spec::{Allowed, Line, Setting, Settings, Spec, SpecError, unknown};

crate::settings! {
    /// Steps only every n-th time, with the mean of the gradients since the step before.
    pub struct Accumulate {
        /// gradients to a step
        steps: usize = 4, Allowed::Count;
    }
}

/// What to do about a gradient that is infinite or NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// end with an error that names the parameter
    Error,
    /// leave out the whole step, so that neither parameters nor memory are touched
    Skip,
    /// go on with it, which is what happens without this part
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
        /// the largest allowed
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
        /// share of the parameter taken away
        lambda: f64 = 0.01, Allowed::NotNegative;
        /// what lambda is multiplied by: the learning rate, or the schedule alone
        by: DecayBy = DecayBy::Lr, DecayBy::WORDS;
    }
}

crate::settings! {
    /// Look-ahead: slow weights that follow the fast ones.
    pub struct Lookahead {
        /// fast steps to a slow one
        k: usize = 5, Allowed::Count;
        /// how far a slow step goes to the fast weights
        alpha: f64 = 0.5, Allowed::Positive;
    }
}

crate::settings! {
    /// Exponential moving average of the weights.
    pub struct Ema {
        /// decay rate
        decay: f64 = 0.999, Allowed::Decay;
    }
}

/// How gradients are bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// each element
    Value(f64),
    /// the norm of each parameter's gradient
    Norm(f64),
    /// the norm of all gradients together
    Global(f64),
}

/// A part in the table: name, one line, settings and their defaults.
pub type Entry = (&'static str, &'static str, &'static [Setting], fn() -> Vec<(&'static str, String)>);

/// All parts in the order in which they work; the optimizer stands behind the first [`BEFORE`], and a schedule at the end.
pub const PARTS: &[Entry] = &[
    ("accumulate", "steps every n-th time, with the mean of the gradients", Accumulate::SETTINGS, || Accumulate::default().values()),
    ("nonfinite", "an infinite or NaN gradient is an error, skips the step, or goes on", Nonfinite::SETTINGS, || {
        Nonfinite::default().values()
    }),
    ("clip_value", "each element of the gradient between -max and max", Clip::SETTINGS, || Clip::default().values()),
    ("clip_norm", "each parameter's gradient g min(1, max / |g|)", Clip::SETTINGS, || Clip::default().values()),
    ("clip_global", "all gradients g min(1, max / |all g|)", Clip::SETTINGS, || Clip::default().values()),
    ("l2", "g + lambda x: weight decay into the gradient, biases included", L2::SETTINGS, || L2::default().values()),
    ("decay", "x - lr lambda x besides the step: decoupled weight decay, biases included", Decoupled::SETTINGS, || {
        Decoupled::default().values()
    }),
    ("lookahead", "every k steps slow + alpha (x - slow), which x becomes; Zhang et al., arXiv 1907.08610", Lookahead::SETTINGS, || {
        Lookahead::default().values()
    }),
    (
        "ema",
        "average of the weights, decay average + (1 - decay) x, beginning at the first x, to be forgotten in some 1 / (1 - decay) steps; it is what is evaluated",
        Ema::SETTINGS,
        || Ema::default().values(),
    ),
];

/// How many of [`PARTS`] stand before the optimizer.
pub const BEFORE: usize = 6;

/// What is done in a step. From left to right, as it is written:
///
/// ```text
/// accumulate | nonfinite | clip_value, clip_norm, clip_global in any order | l2 | OPTIMIZER | decay | lookahead | ema | SCHEDULE
/// ```
#[derive(Clone)]
pub struct Recipe {
    /// the line with every setting spelled out, without the schedule
    pub spec: Line,
    /// the optimizer, weight decay built in
    pub built: Built,
    /// the schedule, where the line has one
    pub schedule: Option<Schedule>,
    pub(super) accumulate: Option<Accumulate>,
    pub(super) nonfinite: Option<Nonfinite>,
    pub(super) clips: Vec<Bound>,
    pub(super) lookahead: Option<Lookahead>,
    pub(super) ema: Option<Ema>,
}

impl Recipe {
    /// Reads a line.
    ///
    /// # Errors
    /// On an unknown name, dialect or setting, a value that is not allowed, a sweep, parts in another order than they work in, or one that
    /// does not go with the optimizer.
    pub fn read(line: &Line, optimizers: &Optimizers) -> Result<Recipe> {
        let place = |spec: &Spec| PARTS.iter().position(|(name, ..)| *name == spec.name);
        let is_schedule = |spec: &Spec| SCHEDULES.iter().any(|schedule| schedule.name == spec.name);
        let found: Vec<&Spec> = line.0.iter().filter(|spec| place(spec).is_none() && !is_schedule(spec)).collect();
        let [optimizer] = found[..] else {
            let problem = match found.len() {
                0 => format!("no optimizer; {} stands around one, such as adam", line.0.first().map_or("this", |spec| &spec.name)),
                _ => {
                    // two optimizers, or one and a name that nobody knows
                    found.iter().try_for_each(|spec| known(spec, optimizers))?;
                    let names: Vec<&str> = found.iter().map(|spec| spec.name.as_str()).collect();
                    format!("the optimizers {}, and only one can step", names.join(" and "))
                }
            };
            return Err(SpecError::Several { spec: line.to_string(), problem }.into());
        };
        known(optimizer, optimizers)?;

        // every part has a rank; those of clips are one
        let rank = |spec: &Spec| match place(spec) {
            Some(2..=4) => 2,
            Some(place) if place < BEFORE => place,
            Some(place) => place + 1,
            None if is_schedule(spec) => usize::MAX,
            None => BEFORE,
        };
        for pair in line.0.windows(2) {
            let (left, right) = (rank(&pair[0]), rank(&pair[1]));
            if left > right || (left == right && left != 2) {
                let order = "accumulate, nonfinite, clip_*, l2, OPTIMIZER, decay, lookahead, ema, SCHEDULE";
                let (left, right) = (&pair[0].name, &pair[1].name);
                let problem = match left == right {
                    true => format!("{left} is given twice"),
                    false => format!("{left} before {right}; what is done in a step has this order, each at most once: {order}"),
                };
                return Err(SpecError::Several { spec: line.to_string(), problem }.into());
            }
        }

        let part = |name: &str| line.0.iter().find(|spec| spec.name == name);
        let (l2, decoupled) = (read::<L2>(part("l2"))?, read::<Decoupled>(part("decay"))?);
        let built = match (&l2, &decoupled) {
            (None, None) => optimizers.make(optimizer)?,
            (l2, decoupled) => optimizers.make_decayed(
                optimizer,
                Decay {
                    l2: l2.as_ref().map_or(0.0, |l2| l2.lambda),
                    lambda: decoupled.as_ref().map_or(0.0, |decay| decay.lambda),
                    by: decoupled.as_ref().map_or(DecayBy::Lr, |decay| decay.by),
                },
            )?,
        };
        if let (Method::Whole(_), Some(before)) = (&built.method, line.0.iter().find(|spec| rank(spec) < BEFORE)) {
            let problem = format!("{} evaluates the loss itself, and {} cannot stand before it", optimizer.name, before.name);
            return Err(SpecError::Several { spec: line.to_string(), problem }.into());
        }

        let clips = line.0.iter().filter_map(|spec| {
            let bound = match spec.name.as_str() {
                "clip_value" => Bound::Value,
                "clip_norm" => Bound::Norm,
                "clip_global" => Bound::Global,
                _ => return None,
            };
            Some(spec.read::<Clip>().map(|clip| bound(clip.max)))
        });
        let recipe = Recipe {
            spec: Line(Vec::new()),
            schedule: line.0.last().filter(|spec| is_schedule(spec)).map(Schedule::read).transpose()?,
            accumulate: read(part("accumulate"))?,
            nonfinite: read(part("nonfinite"))?,
            clips: clips.collect::<std::result::Result<_, _>>()?,
            lookahead: read(part("lookahead"))?,
            ema: read(part("ema"))?,
            built,
        };
        let canonical = |spec: &Spec| -> Option<Spec> {
            Some(match place(spec) {
                None if is_schedule(spec) => return None,
                None => recipe.built.spec.clone(),
                Some(0) => recipe.accumulate.as_ref()?.spec("accumulate"),
                Some(1) => recipe.nonfinite.as_ref()?.spec("nonfinite"),
                Some(2..=4) => spec.read::<Clip>().ok()?.spec(&spec.name),
                Some(5) => l2.as_ref()?.spec("l2"),
                Some(6) => decoupled.as_ref()?.spec("decay"),
                Some(7) => recipe.lookahead.as_ref()?.spec("lookahead"),
                Some(_) => recipe.ema.as_ref()?.spec("ema"),
            })
        };
        let spec = Line(line.0.iter().filter_map(canonical).collect());
        Ok(Recipe { spec, ..recipe })
    }
}

impl Recipe {
    /// Whether a step with a gradient that is not finite is left out.
    pub fn skips(&self) -> bool {
        self.nonfinite.as_ref().is_some_and(|nonfinite| nonfinite.policy == Policy::Skip)
    }

    /// How many batches make a step.
    pub fn batches_a_step(&self) -> usize {
        self.accumulate.as_ref().map_or(1, |accumulate| accumulate.steps)
    }

    /// Whether so many batches are enough for a step.
    ///
    /// # Errors
    /// If gradients are accumulated over more.
    pub fn fits(&self, batches: usize) -> Result<()> {
        match &self.accumulate {
            Some(Accumulate { steps }) if *steps > batches => Err(SpecError::Value {
                owner: "accumulate".into(),
                key: "steps".into(),
                found: steps.to_string(),
                expected: format!("at most {batches}, the batches of the whole run"),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// Whether gradients reach the optimizer as they are; weight decay is in the optimizer's own pass.
    pub(super) fn leaves_gradients_alone(&self) -> bool {
        self.accumulate.is_none() && self.nonfinite.is_none() && self.clips.is_empty()
    }
}

fn read<S: Settings>(spec: Option<&Spec>) -> Result<Option<S>> {
    Ok(spec.map(Spec::read).transpose()?)
}

/// The error of a name that is neither an optimizer nor anything else that a line can have.
fn known(spec: &Spec, optimizers: &Optimizers) -> Result<()> {
    let names = optimizers.entries().iter().map(|entry| entry.name);
    if names.clone().any(|name| name == spec.name) {
        return Ok(());
    }
    let parts = PARTS.iter().map(|(name, ..)| *name).chain(SCHEDULES.iter().map(|schedule| schedule.name));
    Err(Error::Spec(unknown("optimizer, part or schedule", &spec.name, names.chain(parts))))
}
