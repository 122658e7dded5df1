//! # Schedule-free AdamW: an average of the points instead of a schedule
//!
//! ```text
//! v = beta2 v + (1 - beta2) g^2                     g is the gradient at y
//! d = g / (sqrt(v / (1 - beta2^t)) + eps) + lambda y
//! z = z - lr d
//! x = (1 - c) x + c z
//! y = (1 - beta1) z + beta1 x
//!
//! c = w / (the sum of all w so far),  w = t^r lr_max^power
//! lr_max is the largest lr so far                   weight_by=largest (default)
//! w = t^r lr^power                                  weight_by=lr
//!
//! correct=denominator (default): as above
//! correct=lr: d = g / (sqrt(v) + eps) + lambda y, and lr sqrt(1 - beta2^t) for lr everywhere
//! ```
//!
//! x, y and z start at the same point. In training the model contains y. The point to evaluate and
//! to save is x. [`evaluation_model`](crate::optim::evaluation_model) computes it, and downhill's own
//! training loop always evaluates and saves it. The state contains z; x = y + (1 - 1 / beta1) (z - y).
//!
//! Use it with `constant` and a warm-up, such as `constant:warmup=1000`. During the warm-up the small
//! lr makes small weights w. Other parts of a pipeline that move the weights, `decay` among them, move
//! y and not z.
//!
//! ## Differences
//! The authors' package `schedulefree` 1.4 and Optax correct the bias of v in the denominator, and so
//! does plain `schedule_free`; Optax has no r. Their warm-up is part of the optimizer, here it is the
//! schedule's. The paper (`schedule_free@paper`) corrects the bias in lr, so that also the decay and
//! the weights are smaller in the first steps, and weights by lr instead of the largest lr. While lr
//! does not fall, both weights are the same. Earlier versions of the package have `correct=lr`. torch,
//! Keras and burn have no schedule-free optimizer.
//!
//! ## Source
//! Defazio et al., "The road less scheduled", NeurIPS 2024, arXiv 2405.15682, algorithm 1; the
//! authors' package, github.com/facebookresearch/schedule_free.

use crate::optim::{EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

/// Where [`ScheduleFreeAdamW`] corrects the bias of the second moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correct {
    /// in the denominator, as Adam
    Denominator,
    /// in the learning rate, and so in the decay and the weights
    Lr,
}
crate::words!(Correct { Denominator = "denominator", Lr = "lr" });

/// The learning rate that weights a point in the average of [`ScheduleFreeAdamW`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightBy {
    /// the largest so far
    Largest,
    /// that of the step
    Lr,
}
crate::words!(WeightBy { Largest = "largest", Lr = "lr" });

crate::settings! {
    /// Schedule-free AdamW: it needs no schedule that ends with the training.
    pub struct ScheduleFreeAdamW {
        /// how close y, where gradients are taken, is to the average x
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// weight decay at y, multiplied by lr
        lambda: f64 = 0.0, Allowed::NotNegative;
        /// exponent of t in the weights of the average
        r: f64 = 0.0, Allowed::NotNegative;
        /// exponent of lr in the weights of the average
        power: f64 = 2.0, Allowed::NotNegative;
        /// the lr in the weights: the largest so far, or that of the step
        weight_by: WeightBy = WeightBy::Largest, WeightBy::WORDS;
        /// where the bias of v is corrected: in the denominator or in lr
        correct: Correct = Correct::Denominator, Correct::WORDS;
    }
}

dialects! { ScheduleFreeAdamW, lr 2.5e-3;
    /// `schedulefree.AdamWScheduleFree`
    schedulefree: lr 2.5e-3 {}
    /// `optax.contrib.schedule_free_adamw`
    optax: lr 2.5e-3 {}
    /// algorithm 1 of the paper
    paper: lr 2.5e-3 { correct: Correct::Lr, weight_by: WeightBy::Lr }
    fn check_together(&self) -> Result<(), &'static str> {
        check_beta(self.beta1)
    }
}

/// Without any share of x in y, x could not be computed from y.
pub(super) fn check_beta(beta: f64) -> Result<(), &'static str> {
    match beta == 0.0 {
        true => Err("beta1=0, expected a number above 0 and below 1"),
        false => Ok(()),
    }
}

/// The sequences x, y and z.
pub(super) struct Averaging {
    pub beta: f64,
    pub r: f64,
    pub power: f64,
    pub by: WeightBy,
}

impl Averaging {
    /// The weight of a point in the average, if this is the largest lr so far.
    #[inline(always)]
    fn weight(&self, t: u64, lr: f64, largest: f64) -> f64 {
        let lr = match self.by {
            WeightBy::Largest => largest,
            WeightBy::Lr => lr,
        };
        (t as f64).powf(self.r) * lr.powf(self.power)
    }

    /// The sum of all weights, and the largest lr.
    #[inline(always)]
    pub fn scalars(&self, ctx: StepContext, lr: f64) -> [f64; 2] {
        let [sum, largest] = if ctx.t == 1 { [0.0; 2] } else { ctx.tensor_scalars };
        let largest = largest.max(lr);
        [sum + self.weight(ctx.t, lr, largest), largest]
    }

    /// The update of y, and the new z, which move along `d`.
    #[inline(always)]
    pub fn step<V: Value>(&self, ctx: StepContext, lr: f64, y: &V, z: V, d: V) -> (V, V) {
        let [sum, largest] = ctx.tensor_scalars;
        let c = if sum == 0.0 { 0.0 } else { self.weight(ctx.t, lr, largest) / sum };
        // z and x start at y
        let z = if ctx.t == 1 { y.clone() } else { z };
        let along = d.clone() * (lr * (1.0 - self.beta * (1.0 - c)));
        ((y.clone() - z.clone()) * c + along, z - d * lr)
    }

    /// x.
    pub fn average<V: Value>(&self, y: V, z: V) -> V {
        y.clone() + (z - y) * (1.0 - 1.0 / self.beta)
    }
}

impl ScheduleFreeAdamW {
    #[inline(always)]
    fn averaging(&self) -> Averaging {
        Averaging { beta: self.beta1, r: self.r, power: self.power, by: self.weight_by }
    }

    /// The learning rate, and the bias correction of v in the denominator.
    #[inline(always)]
    fn corrected(&self, ctx: StepContext) -> (f64, f64) {
        let correction = ctx.bias_correction(self.beta2);
        match self.correct {
            Correct::Denominator => (ctx.lr, correction),
            Correct::Lr => (ctx.lr * correction.sqrt(), 1.0),
        }
    }
}

impl Rule<2> for ScheduleFreeAdamW {
    const STATE: [&'static str; 2] = ["z", "v"];

    /// The sum of all weights, and the largest learning rate.
    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        self.averaging().scalars(ctx, self.corrected(ctx).0)
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, y: &V, g: V, [z, v]: [V; 2]) -> (V, [V; 2]) {
        let (lr, correction) = self.corrected(ctx);
        let v = v * self.beta2 + g.clone().square() * (1.0 - self.beta2);
        let denominator = EpsPlace::Outside.denominator(v.clone(), correction, self.eps);
        let d = g.div_or_zero(denominator) + y.clone() * self.lambda;
        let (update, z) = self.averaging().step(ctx, lr, y, z, d);
        (update, [z, v])
    }

    fn has_evaluation_params(&self) -> bool {
        true
    }

    fn evaluation_params<V: Value>(&self, _ctx: StepContext, y: V, [z, _]: [V; 2]) -> V {
        self.averaging().average(y, z)
    }

    fn signal<V: Value>(&self, ctx: StepContext, [_, v]: [V; 2]) -> Option<Signal<V>> {
        let v_hat = v * (1.0 / ctx.bias_correction(self.beta2));
        Some(Signal { m_hat: None, v_hat, eps: self.eps })
    }
}
