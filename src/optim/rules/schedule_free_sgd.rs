//! # Schedule-free SGD: an average of the points instead of a schedule
//!
//! ```text
//! d = g + lambda y                                  g is the gradient at y
//! z = z - lr d
//! x = (1 - c) x + c z
//! y = (1 - beta1) z + beta1 x
//!
//! c = w / (the sum of all w so far),  w = t^r lr_max^power
//! lr_max is the largest lr so far                   weight_by=largest (default)
//! w = t^r lr^power                                  weight_by=lr
//! ```
//!
//! x, y and z start at the same point. In training the model contains y. The point to evaluate and
//! to save is x, as for `schedule_free`, where the rest is explained. The averaged x takes the place
//! of momentum, so that lr is larger than for momentum: the default is 1.
//!
//! ## Differences
//! The authors' package `schedulefree` 1.4 and Optax have the same formula; Optax has no r. They call
//! beta1 momentum and b1. Their warm-up is part of the optimizer, here it is the schedule's. The paper
//! weights by lr instead of the largest lr, and with a constant lr all weights are the same. torch,
//! Keras and burn have no schedule-free optimizer.
//!
//! ## Source
//! Defazio et al., "The road less scheduled", NeurIPS 2024, arXiv 2405.15682, equations 4 to 6; the
//! authors' package, github.com/facebookresearch/schedule_free.

use super::schedule_free::{Averaging, WeightBy, check_beta};
use crate::optim::{Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// Schedule-free SGD: it needs no schedule that ends with the training.
    pub struct ScheduleFreeSgd {
        /// how close y, where gradients are taken, is to the average x
        beta1: f64 = 0.9, Allowed::Decay;
        /// weight decay at y, multiplied by lr
        lambda: f64 = 0.0, Allowed::NotNegative;
        /// exponent of t in the weights of the average
        r: f64 = 0.0, Allowed::NotNegative;
        /// exponent of lr in the weights of the average
        power: f64 = 2.0, Allowed::NotNegative;
        /// the lr in the weights: the largest so far, or that of the step
        weight_by: WeightBy = WeightBy::Largest, WeightBy::WORDS;
    }
}

dialects! { ScheduleFreeSgd, lr 1.0;
    /// `schedulefree.SGDScheduleFree`
    schedulefree: lr 1.0 {}
    /// `optax.contrib.schedule_free_sgd`
    optax: lr 1.0 {}
    /// equations 4 to 6 of the paper, with the weights of algorithm 1
    paper: lr 1.0 { weight_by: WeightBy::Lr }
    fn check_together(&self) -> Result<(), &'static str> {
        check_beta(self.beta1)
    }
}

impl ScheduleFreeSgd {
    #[inline(always)]
    fn averaging(&self) -> Averaging {
        Averaging { beta: self.beta1, r: self.r, power: self.power, by: self.weight_by }
    }
}

impl Rule<1> for ScheduleFreeSgd {
    const STATE: [&'static str; 1] = ["z"];

    /// The sum of all weights, and the largest learning rate.
    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        self.averaging().scalars(ctx, ctx.lr)
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, y: &V, g: V, [z]: [V; 1]) -> (V, [V; 1]) {
        let d = g + y.clone() * self.lambda;
        let (update, z) = self.averaging().step(ctx, ctx.lr, y, z, d);
        (update, [z])
    }

    fn has_evaluation_params(&self) -> bool {
        true
    }

    fn evaluation_params<V: Value>(&self, _ctx: StepContext, y: V, [z]: [V; 1]) -> V {
        self.averaging().average(y, z)
    }
}
