//! # NAG: Nesterov's accelerated gradient
//!
//! ```text
//! v     = mu v + lr grad(theta - mu v)
//! theta = theta - v
//! ```
//!
//! The gradient is taken at the look-ahead point x = theta - mu v. Written for x, nothing but the gradient at the present parameter is
//! needed, and the two forms are equal step by step, also when lr changes:
//!
//! ```text
//! v     = mu v + lr g
//! x     = x - (lr g + mu v)
//! theta = x + mu v
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

use super::{At, Named, Rule, Value};
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
    }
}

impl Named for Nag {
    const LR: f64 = 0.01;
}

impl Rule<1> for Nag {
    const MEMORY: [&'static str; 1] = ["v"];

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let down = g * at.lr;
        let v = v * self.mu + down.clone();
        (down + v.clone() * self.mu, [v])
    }

    fn looks_ahead(&self) -> bool {
        self.point == Point::Theta
    }

    fn hand_out<V: Value>(&self, x: V, [v]: [V; 1]) -> V {
        x + v * self.mu
    }
}
