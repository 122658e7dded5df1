//! What an update rule is.

use burn::optim::ModuleOptimizer;

use super::fused::Fused;
use super::value::Value;

/// When a step happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At {
    /// The number of this step, from 1.
    pub t: u64,
    /// The learning rate of this step.
    pub lr: f64,
    /// One number that a rule keeps for a whole tensor; see [`Rule::carry`].
    pub carry: f64,
}

impl At {
    /// 1 − betaᵗ, what divides a moving average that started at zero.
    #[inline(always)]
    pub fn bias_correction(self, beta: f64) -> f64 {
        1.0 - beta.powf(self.t as f64)
    }
}

/// An update rule: how one parameter moves, given its gradient and `N` numbers of memory for each of its elements.
///
/// Written once over [`Value`]. On burn's CPU backends the rule runs element by element in one pass over the buffers; on every other
/// backend the same lines run as tensor operations.
///
/// A whole optimizer:
///
/// ```
/// use downhill::optim::{At, Rule, Value};
///
/// #[derive(Clone)]
/// struct HeavyBall {
///     mu: f64,
/// }
///
/// impl Rule<1> for HeavyBall {
///     const MEMORY: [&'static str; 1] = ["v"];
///
///     fn step<V: Value>(&self, at: At, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
///         let v = v * self.mu + g * at.lr;
///         (v.clone(), [v])
///     }
/// }
///
/// let optimizer = HeavyBall { mu: 0.9 }.init(); // burn's ModuleOptimizer
/// ```
pub trait Rule<const N: usize>: Clone + Send + Sync + 'static {
    /// The names of the memory, for saved states.
    const MEMORY: [&'static str; N];

    /// Which of the memory these settings need; what is not needed takes no space, and is 0 in every step.
    fn uses(&self) -> [bool; N] {
        [true; N]
    }

    /// What the memory holds before the first step, whose learning rate is `lr`: zeros, unless a rule says otherwise.
    fn start(&self, _lr: f64) -> [f64; N] {
        [0.0; N]
    }

    /// One number kept for the whole tensor from step to step, such as a product over a schedule: `at.carry` is that of the step before,
    /// and 1 before the first.
    fn carry(&self, at: At) -> f64 {
        at.carry
    }

    /// What to subtract from the parameter `x`, and the new memory. `g` is the gradient at `x`.
    fn step<V: Value>(&self, at: At, x: &V, g: V, memory: [V; N]) -> (V, [V; N]);

    /// Whether [`hand_out`](Rule::hand_out) does anything.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// The parameter to hand out after step `at`, where that is not the point at which gradients are taken. Only look-ahead methods
    /// need it.
    fn hand_out<V: Value>(&self, _at: At, x: V, _memory: [V; N]) -> V {
        x
    }

    /// What the memory after step `at` says about signal and noise, for diagnostics of adaptive rules.
    fn signal<V: Value>(&self, _at: At, _memory: [V; N]) -> Option<Signal<V>> {
        None
    }

    /// The furthest that step `at` can move one element, whatever the gradients were; nothing if there is no bound.
    fn bound(&self, _at: At) -> Option<f64> {
        None
    }

    /// This rule as burn's `Optimizer`, for one parameter group: `ModuleOptimizer::with_group(group, rule.build(), None)`.
    fn build(self) -> Fused<Self, N> {
        Fused(self)
    }

    /// This rule as burn's optimizer of a whole module.
    fn init(self) -> ModuleOptimizer {
        self.build().into()
    }
}

/// What an adaptive rule knows of its gradients.
#[derive(Clone, Debug)]
pub struct Signal<V> {
    /// The average gradient, bias corrected; nothing for a rule that has none.
    pub m_hat: Option<V>,
    /// The average of the squared gradients, bias corrected.
    pub v_hat: V,
    /// Where √v_hat is below this, eps is the larger part of the denominator.
    pub eps: f64,
}

impl<V: Value> Signal<V> {
    /// That of a rule with two moments, each with what divides it.
    pub fn of((m, m_correction): (V, f64), (v, v_correction): (V, f64), place: EpsPlace, eps: f64) -> Signal<V> {
        Signal { m_hat: Some(m * (1.0 / m_correction)), v_hat: v * (1.0 / v_correction), eps: place.dominates_below(v_correction, eps) }
    }
}

/// Momentum that grows linearly from `from` at the first step to `to` at step `over`, and stays there; `to` from the beginning without
/// `from`. S1 asks for it: 0.5 at first, 0.9 once learning is under way.
#[inline(always)]
pub(super) fn ramp(from: Option<f64>, to: f64, over: usize, t: u64) -> f64 {
    match from {
        Some(from) if t < over as u64 => from + (to - from) * (t - 1) as f64 / (over as f64 - 1.0),
        _ => to,
    }
}

/// Where the learning rate stands in a rule with a velocity. The same path while it is constant, another one after it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LrPlace {
    /// v = mu v + lr g; x = x - v
    Inside,
    /// v = mu v + g; x = x - lr v
    Outside,
}

crate::words!(LrPlace { Inside = "inside", Outside = "outside" });

impl LrPlace {
    /// What multiplies the gradient on its way into the velocity, and the velocity on its way to the parameter.
    #[inline(always)]
    pub fn split(self, lr: f64) -> (f64, f64) {
        match self {
            LrPlace::Inside => (lr, 1.0),
            LrPlace::Outside => (1.0, lr),
        }
    }
}

/// Where epsilon stands in the denominator of an adaptive step. It matters wherever |g| is not far above epsilon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpsPlace {
    /// √(v + ε)
    Inside,
    /// √v + ε
    Outside,
    /// √v + ε/√(1 − β₂ᵗ): the "epsilon hat" of section 2 of the Adam paper, where the bias correction is moved into the step size.
    Hat,
}

impl EpsPlace {
    /// The denominator for `v`, the second moment before bias correction, and `correction`, what divides it.
    #[inline(always)]
    pub fn denominator<V: Value>(self, v: V, correction: f64, eps: f64) -> V {
        let v_hat = v * (1.0 / correction);
        match self {
            EpsPlace::Inside => (v_hat + eps).sqrt(),
            EpsPlace::Outside => v_hat.sqrt() + eps,
            EpsPlace::Hat => v_hat.sqrt() + eps / correction.sqrt(),
        }
    }

    /// Where √v_hat is below this, eps is the larger part of the denominator.
    pub fn dominates_below(self, correction: f64, eps: f64) -> f64 {
        match self {
            EpsPlace::Inside => eps.sqrt(),
            EpsPlace::Outside => eps,
            EpsPlace::Hat => eps / correction.sqrt(),
        }
    }
}

crate::words!(EpsPlace { Inside = "inside", Outside = "outside", Hat = "hat" });
