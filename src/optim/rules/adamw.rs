//! # AdamW: Adam with decoupled weight decay
//!
//! ```text
//! m, v, m_hat, v_hat as in Adam
//! x = x - lr m_hat / (sqrt(v_hat) + eps) - s lambda x        decay_by=schedule (default)
//! x = x - lr m_hat / (sqrt(v_hat) + eps) - lr lambda x       decay_by=lr
//! s = lr / alpha
//! ```
//!
//! In the paper the decay is multiplied by the schedule s, not by the learning rate. s is 1 while
//! lr is the run's learning rate alpha. So the meaning of lambda does not change when lr is tuned.
//!
//! ## Differences
//! torch, Keras, Optax and burn multiply by lr: their lambda is 1 / lr times the lambda here. Keras
//! also has its epsilon hat. The paper recommends no lambda; 1e-5 is torch's 0.01 at torch's
//! learning rate of 1e-3.
//!
//! ## Source
//! Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, arXiv 1711.05101,
//! algorithm 2.

use super::adam::Adam;
use crate::optim::decay::{DecayBy, Decayed};
use crate::optim::{EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// AdamW: Adam, and a share of each parameter is subtracted in addition.
    pub struct AdamW {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// share of the parameter that each step subtracts
        lambda: f64 = 1e-5, Allowed::NotNegative;
        /// the factor of lambda: the schedule, or the learning rate
        decay_by: DecayBy = DecayBy::Schedule, DecayBy::WORDS;
        /// the learning rate at which the schedule is 1; none: the spec's lr, and 1e-3 in a program
        alpha: Option<f64> = None, Allowed::Positive;
    }
}

dialects! { AdamW, lr 1e-3;
    /// `torch.optim.AdamW`
    torch: lr 1e-3 { lambda: 0.01, decay_by: DecayBy::Lr }
    /// `keras.optimizers.AdamW`
    keras: lr 1e-3 { lambda: 0.004, decay_by: DecayBy::Lr, eps: 1e-7, eps_place: EpsPlace::Hat }
    /// `optax.adamw`, which has no default learning rate
    optax: lr 1e-3 { lambda: 1e-4, decay_by: DecayBy::Lr }
    /// burn's `AdamWConfig`
    burn: lr 1e-3 { lambda: 1e-4, decay_by: DecayBy::Lr, eps: 1e-5 }
    fn at_lr(&mut self, lr: f64) {
        if self.decay_by == DecayBy::Schedule && lr > 0.0 {
            self.alpha.get_or_insert(lr);
        }
    }
}

impl AdamW {
    #[inline(always)]
    fn adam(&self) -> Adam {
        let (beta1, beta2) = (self.beta1, self.beta2);
        Adam { beta1, beta2, eps: self.eps, eps_place: self.eps_place, bias_correction: true }
    }
}

impl Rule<2> for AdamW {
    const STATE: [&'static str; 2] = Adam::STATE;

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, state: [V; 2]) -> (V, [V; 2]) {
        let (rule, alpha) = (self.adam(), self.alpha.unwrap_or(1e-3));
        Decayed { rule, l2: 0.0, lambda: self.lambda, by: self.decay_by, alpha }
            .step(ctx, x, g, state)
    }

    fn signal<V: Value>(&self, ctx: StepContext, state: [V; 2]) -> Option<Signal<V>> {
        self.adam().signal(ctx, state)
    }
}
