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

    /// What the memory holds before the first step: zeros, unless a rule says otherwise.
    fn start(&self) -> [f64; N] {
        [0.0; N]
    }

    /// One number kept for the whole tensor from step to step, such as a product over a schedule: `before` is that of step `t - 1`,
    /// and 1 before the first.
    fn carry(&self, _t: u64, before: f64) -> f64 {
        before
    }

    /// What to subtract from the parameter `x`, and the new memory. `g` is the gradient at `x`.
    fn step<V: Value>(&self, at: At, x: &V, g: V, memory: [V; N]) -> (V, [V; N]);

    /// Whether [`hand_out`](Rule::hand_out) does anything.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// The parameter to hand out, where that is not the point at which gradients are taken. Only look-ahead methods need it.
    fn hand_out<V: Value>(&self, x: V, _memory: [V; N]) -> V {
        x
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
}

crate::words!(EpsPlace { Inside = "inside", Outside = "outside", Hat = "hat" });
