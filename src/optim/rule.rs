//! What an update rule is.

use super::value::Value;

/// The step number, the learning rate and the per-tensor scalars of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepContext {
    /// The number of this step, from 1.
    pub t: u64,
    /// The learning rate of this step.
    pub lr: f64,
    /// Two numbers that a rule keeps for a whole tensor; see [`Rule::tensor_scalars`].
    pub tensor_scalars: [f64; 2],
}

impl StepContext {
    /// 1 − betaᵗ: the divisor that corrects the bias of a moving average that started at zero.
    #[inline(always)]
    pub fn bias_correction(self, beta: f64) -> f64 {
        1.0 - beta.powf(self.t as f64)
    }
}

/// An update rule: it moves a parameter, given the gradient and a state of `N` numbers for each
/// element.
///
/// A rule is written once over [`Value`]. On burn's CPU backends it runs element by element in one
/// pass over the buffers. On every other backend the same code runs as tensor operations.
/// [`IntoOptimizer`](super::IntoOptimizer) makes a burn optimizer of it.
///
/// A complete optimizer:
///
/// ```
/// use downhill::optim::{IntoOptimizer, Rule, StepContext, Value};
///
/// #[derive(Clone)]
/// struct HeavyBall {
///     mu: f64,
/// }
///
/// impl Rule<1> for HeavyBall {
///     const STATE: [&'static str; 1] = ["v"];
///
///     fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
///         let v = v * self.mu + g * ctx.lr;
///         (v.clone(), [v])
///     }
/// }
///
/// let optimizer = HeavyBall { mu: 0.9 }.init(); // burn's ModuleOptimizer
/// ```
pub trait Rule<const N: usize>: Clone + Send + Sync + 'static {
    /// The names of the state, as written to saved states.
    const STATE: [&'static str; N];

    /// The same state in the records of burn's own optimizer, so that a training can change from
    /// burn's to ours at a checkpoint. `None` if burn has no optimizer with this state.
    const BURN_RECORD: Option<BurnRecord<N>> = None;

    /// Which parts of the state these settings need. A part that is not needed takes no space, and
    /// is 0 in every step.
    fn uses_state(&self) -> [bool; N] {
        [true; N]
    }

    /// The state before the first step, whose learning rate is `lr`. Zeros by default.
    fn initial_state(&self, _lr: f64) -> [f64; N] {
        [0.0; N]
    }

    /// Two numbers for the whole tensor, such as a product over a schedule. `ctx.tensor_scalars` are
    /// their values after the previous step, and 1 before the first.
    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        ctx.tensor_scalars
    }

    /// The update, which is subtracted from the parameter `x`, and the new state. `g` is the
    /// gradient at `x`.
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, state: [V; N]) -> (V, [V; N]);

    /// The share of the parameter that the update of the step `ctx` contains as decoupled weight
    /// decay. [`Cautious`](super::Cautious) takes it out of the update.
    fn decay(&self, _ctx: StepContext) -> f64 {
        0.0
    }

    /// Whether [`evaluation_params`](Rule::evaluation_params) differ from the parameters in
    /// training.
    fn has_evaluation_params(&self) -> bool {
        false
    }

    /// The parameter to evaluate and to save after the step `ctx`. Only look-ahead methods, which
    /// take gradients at another point, override this.
    fn evaluation_params<V: Value>(&self, _ctx: StepContext, x: V, _state: [V; N]) -> V {
        x
    }

    /// What the state after the step `ctx` says about signal and noise, for diagnostics of
    /// adaptive rules.
    fn signal<V: Value>(&self, _ctx: StepContext, _state: [V; N]) -> Option<Signal<V>> {
        None
    }

    /// The largest distance that the step `ctx` can move one element, for any gradients; `None` if
    /// there is no bound.
    fn bound(&self, _ctx: StepContext) -> Option<f64> {
        None
    }
}

/// The names of a state in the records of burn's own optimizer.
#[derive(Clone, Copy, Debug)]
pub struct BurnRecord<const N: usize> {
    /// the number of steps; `None` if burn does not count them, because the rule does not use them
    pub step: Option<&'static str>,
    /// each part of [`Rule::STATE`]
    pub state: [&'static str; N],
}

/// What an adaptive rule knows about its gradients.
#[derive(Clone, Debug)]
pub struct Signal<V> {
    /// The bias-corrected average of the gradients; `None` for a rule that has no such average.
    pub m_hat: Option<V>,
    /// The bias-corrected average of the squared gradients.
    pub v_hat: V,
    /// Where √v_hat is below this, eps is the larger part of the denominator.
    pub eps: f64,
}

impl<V: Value> Signal<V> {
    /// The signal of a rule with two moments. Each moment comes with its bias correction.
    pub fn of_moments(
        (m, m_correction): (V, f64),
        (v, v_correction): (V, f64),
        place: EpsPlace,
        eps: f64,
    ) -> Signal<V> {
        Signal {
            m_hat: Some(m * (1.0 / m_correction)),
            v_hat: v * (1.0 / v_correction),
            eps: place.dominates_below(v_correction, eps),
        }
    }
}

/// Momentum that grows linearly from `from` at the first step to `to` at step `steps`, and stays
/// there. Without `from` it is `to` in every step. S1 asks for this: 0.5 at first, 0.9 later.
#[inline(always)]
pub(super) fn ramp(from: Option<f64>, to: f64, steps: usize, t: u64) -> f64 {
    match from {
        Some(from) if t < steps as u64 => {
            from + (to - from) * (t - 1) as f64 / (steps as f64 - 1.0)
        }
        _ => to,
    }
}

/// Where the learning rate is multiplied in a rule with a velocity. Both places give the same path
/// while the learning rate is constant, and different paths after it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LrPlace {
    /// v = mu v + lr g; x = x - v
    Inside,
    /// v = mu v + g; x = x - lr v
    Outside,
}

crate::words!(LrPlace { Inside = "inside", Outside = "outside" });

impl LrPlace {
    /// The factor of the gradient in the velocity, and the factor of the velocity in the update.
    #[inline(always)]
    pub fn split(self, lr: f64) -> (f64, f64) {
        match self {
            LrPlace::Inside => (lr, 1.0),
            LrPlace::Outside => (1.0, lr),
        }
    }
}

/// Where epsilon is added in the denominator of an adaptive step. It matters wherever |g| is not
/// far above epsilon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpsPlace {
    /// √(v + ε)
    Inside,
    /// √v + ε
    Outside,
    /// √v + ε/√(1 − β₂ᵗ): the "epsilon hat" of section 2 of the Adam paper, where the bias
    /// correction is moved into the step size.
    Hat,
}

impl EpsPlace {
    /// The denominator for `v`, the second moment before bias correction, and `correction`, its
    /// divisor.
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
