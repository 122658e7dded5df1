//! # AdamW: Adam with decoupled weight decay
//!
//! ```text
//! m, v, m_hat, v_hat as in Adam
//! x = x - lr m_hat / (sqrt(v_hat) + eps) - s lambda x        decay_by=schedule (default), s = lr / alpha
//! x = x - lr m_hat / (sqrt(v_hat) + eps) - lr lambda x       decay_by=lr
//! ```
//!
//! In the paper the decay is multiplied by the schedule, but not by the learning rate: s is 1 while lr is the run's learning rate alpha.
//! So lambda keeps its meaning when lr is tuned.
//!
//! ## Differences
//! torch, Keras, Optax and burn multiply by lr: their lambda is 1 / lr times the one here. Keras also has its epsilon hat. The paper
//! recommends no lambda; 1e-5 is torch's 0.01 at its learning rate of 1e-3.
//!
//! ## Source
//! Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, arXiv 1711.05101, algorithm 2.

use super::decay::{DecayBy, Decayed};
use super::{Adam, At, EpsPlace, Rule, Signal, Value};
use crate::spec::Allowed;

crate::settings! {
    /// AdamW: Adam, and apart from it a share of each parameter is taken away.
    pub struct Adamw {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// share of the parameter taken away in each step
        lambda: f64 = 1e-5, Allowed::NotNegative;
        /// what lambda is multiplied by: the schedule, or the learning rate
        decay_by: DecayBy = DecayBy::Schedule, DecayBy::WORDS;
        /// the learning rate at which the schedule is 1; none: the spec's lr, and 1e-3 in a program
        alpha: Option<f64> = None, Allowed::Positive;
    }
}

super::dialects! { Adamw, lr 1e-3;
    /// `torch.optim.AdamW`
    torch: lr 1e-3 { lambda: 0.01, decay_by: DecayBy::Lr }
    /// `keras.optimizers.AdamW`
    keras: lr 1e-3 { lambda: 0.004, decay_by: DecayBy::Lr, eps: 1e-7, eps_place: EpsPlace::Hat }
    /// `optax.adamw`, which asks for a learning rate
    optax: lr 1e-3 { lambda: 1e-4, decay_by: DecayBy::Lr }
    /// burn's `AdamWConfig`
    burn: lr 1e-3 { lambda: 1e-4, decay_by: DecayBy::Lr, eps: 1e-5 }
    fn at_lr(&mut self, lr: f64) {
        if self.decay_by == DecayBy::Schedule && lr > 0.0 {
            self.alpha.get_or_insert(lr);
        }
    }
}

impl Adamw {
    #[inline(always)]
    fn adam(&self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps, eps_place: self.eps_place, bias_correction: true }
    }
}

impl Rule<2> for Adamw {
    const MEMORY: [&'static str; 2] = Adam::MEMORY;

    #[inline(always)]
    fn step<V: Value>(&self, at: At, x: &V, g: V, memory: [V; 2]) -> (V, [V; 2]) {
        let alpha = self.alpha.unwrap_or(1e-3);
        Decayed { rule: self.adam(), l2: 0.0, lambda: self.lambda, by: self.decay_by, alpha }.step(at, x, g, memory)
    }

    fn signal<V: Value>(&self, at: At, memory: [V; 2]) -> Option<Signal<V>> {
        self.adam().signal(at, memory)
    }
}
