//! # NAG: Nesterov's accelerated gradient
//!
//! ```text
//! v     = mu v + lr grad(theta - mu v)
//! theta = theta - v
//! ```
//!
//! The gradient is taken at the look-ahead point x = theta - mu v. Written for x, nothing but the gradient at the present parameter is
//! needed, and the two forms are equal step by step, also when lr or mu change (mu_next is the mu of the next step):
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
//! So while it trains, the model holds x. What to evaluate and save is theta: [`handed_out`](super::handed_out) gives it, and
//! downhill's own loop always evaluates and saves theta (`point=lookahead` keeps x instead).
//!
//! ## Differences
//! torch, Keras and Optax run the same x, but hand out x itself: what they evaluate and save is the look-ahead point. Keras keeps the
//! learning rate inside the velocity as here; torch, Optax and burn keep it outside, which is another path after lr changes.
//!
//! ## Source
//! S0 (Datawhale slides); Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, equations 3 and 4.

use super::rule::ramp;
use super::{At, LrPlace, Rule, Value};
use crate::spec::Allowed;

/// Which point of [`Nag`] is evaluated and saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// theta, the point that the method is about.
    Theta,
    /// theta - mu v, where gradients are taken; what torch, Keras and Optax hand out.
    Lookahead,
}
crate::words!(Point { Theta = "theta", Lookahead = "lookahead" });

crate::settings! {
    /// Nesterov's accelerated gradient, as the change of variables x = theta - mu v.
    pub struct Nag {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
        /// the point to evaluate and save
        point: Point = Point::Theta, Point::WORDS;
        /// where the learning rate stands: inside the velocity or outside
        lr_place: LrPlace = LrPlace::Inside, LrPlace::WORDS;
        /// mu at the first step; none: mu from the beginning
        mu_from: Option<f64> = None, Allowed::Decay;
        /// the step at which mu is reached, with mu_from
        mu_steps: usize = 1000, Allowed::Count;
    }
}

super::dialects! { Nag, lr 0.01;
    /// `torch.optim.SGD(momentum=0.9, nesterov=True)`
    torch: lr 1e-3 { lr_place: LrPlace::Outside, point: Point::Lookahead }
    /// `keras.optimizers.SGD(momentum=0.9, nesterov=True)`
    keras: lr 0.01 { point: Point::Lookahead }
    /// `optax.sgd(momentum=0.9, nesterov=True)`
    optax: lr 0.01 { lr_place: LrPlace::Outside, point: Point::Lookahead }
    /// burn's `SgdConfig` with a nesterov `MomentumConfig` and no dampening
    burn: lr 0.01 { lr_place: LrPlace::Outside, point: Point::Lookahead }
}

impl Nag {
    #[inline(always)]
    fn mu(&self, t: u64) -> f64 {
        ramp(self.mu_from, self.mu, self.mu_steps, t)
    }
}

impl Rule<1> for Nag {
    const MEMORY: [&'static str; 1] = ["v"];

    /// The learning rate of the step, which [`hand_out`](Rule::hand_out) needs where it stands outside the velocity.
    fn carry(&self, at: At) -> f64 {
        at.lr
    }

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let (inside, outside) = self.lr_place.split(at.lr);
        let down = g * inside;
        let v = v * self.mu(at.t) + down.clone();
        ((down + v.clone() * self.mu(at.t + 1)) * outside, [v])
    }

    fn looks_ahead(&self) -> bool {
        self.point == Point::Theta
    }

    fn hand_out<V: Value>(&self, at: At, x: V, [v]: [V; 1]) -> V {
        let (_, outside) = self.lr_place.split(at.carry);
        x + v * (self.mu(at.t + 1) * outside)
    }
}
