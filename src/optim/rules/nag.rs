//! # NAG: Nesterov's accelerated gradient
//!
//! ```text
//! v     = mu v + lr grad(theta - mu v)
//! theta = theta - v
//! ```
//!
//! The gradient is taken at the look-ahead point x = theta - mu v. Written for x, the method needs
//! only the gradient at the current parameter. The two forms are equal step by step, also when lr
//! or mu change (mu_next is the mu of the next step):
//!
//! ```text
//! v     = mu v + lr g                                  lr_place=inside (default)
//! x     = x - (lr g + mu_next v)
//! theta = x + mu_next v
//!
//! v     = mu v + g                                     lr_place=outside
//! x     = x - lr (g + mu_next v)
//! ```
//!
//! In training the model contains x. The point to evaluate and to save is theta.
//! [`evaluation_model`](crate::optim::evaluation_model) computes it, and downhill's own training loop
//! always evaluates and saves it. With `point=lookahead` the loop uses x instead.
//!
//! ## Differences
//! torch, Keras and Optax train the same x, but evaluate and save x itself, the look-ahead point.
//! In Keras the learning rate is inside the velocity as here. In torch, Optax and burn it is
//! outside, which gives another path after lr changes.
//!
//! ## Source
//! S0 (Datawhale slides); Sutskever et al., "On the importance of initialization and momentum in
//! deep learning", 2013, equations 3 and 4.

use crate::optim::rule::ramp;
use crate::optim::{LrPlace, Rule, StepContext, Value, dialects};
use crate::spec::Allowed;

/// The point of [`Nag`] to evaluate and to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationPoint {
    /// theta, the point that the method minimizes at.
    Theta,
    /// theta - mu v, where gradients are taken; torch, Keras and Optax evaluate here.
    Lookahead,
}
crate::words!(EvaluationPoint { Theta = "theta", Lookahead = "lookahead" });

crate::settings! {
    /// Nesterov's accelerated gradient, with the change of variables x = theta - mu v.
    pub struct Nag {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
        /// the point to evaluate and to save
        point: EvaluationPoint = EvaluationPoint::Theta, EvaluationPoint::WORDS;
        /// where the learning rate is multiplied: inside the velocity or outside
        lr_place: LrPlace = LrPlace::Inside, LrPlace::WORDS;
        /// mu at the first step; none: mu is constant
        mu_from: Option<f64> = None, Allowed::Decay;
        /// the step at which mu is reached, with mu_from
        mu_steps: usize = 1000, Allowed::Count;
    }
}

dialects! { Nag, lr 0.01;
    /// `torch.optim.SGD(momentum=0.9, nesterov=True)`
    torch: lr 1e-3 { lr_place: LrPlace::Outside, point: EvaluationPoint::Lookahead }
    /// `keras.optimizers.SGD(momentum=0.9, nesterov=True)`
    keras: lr 0.01 { point: EvaluationPoint::Lookahead }
    /// `optax.sgd(momentum=0.9, nesterov=True)`
    optax: lr 0.01 { lr_place: LrPlace::Outside, point: EvaluationPoint::Lookahead }
    /// burn's `SgdConfig` with a nesterov `MomentumConfig` and no dampening
    burn: lr 0.01 { lr_place: LrPlace::Outside, point: EvaluationPoint::Lookahead }
}

impl Nag {
    #[inline(always)]
    fn mu(&self, t: u64) -> f64 {
        ramp(self.mu_from, self.mu, self.mu_steps, t)
    }
}

impl Rule<1> for Nag {
    const STATE: [&'static str; 1] = ["v"];

    /// The learning rate of the step. With lr_place=outside,
    /// [`evaluation_params`](Rule::evaluation_params) needs it.
    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        [ctx.lr, 0.0]
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let (inside, outside) = self.lr_place.split(ctx.lr);
        let g = g * inside;
        let v = v * self.mu(ctx.t) + g.clone();
        ((g + v.clone() * self.mu(ctx.t + 1)) * outside, [v])
    }

    fn has_evaluation_params(&self) -> bool {
        self.point == EvaluationPoint::Theta
    }

    fn evaluation_params<V: Value>(&self, ctx: StepContext, x: V, [v]: [V; 1]) -> V {
        let (_, outside) = self.lr_place.split(ctx.tensor_scalars[0]);
        x + v * (self.mu(ctx.t + 1) * outside)
    }
}
