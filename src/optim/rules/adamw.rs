//! # AdamW: Adam with decoupled weight decay
//!
//! ```text
//! m, v, m_hat, v_hat as in Adam
//! x = x - lr m_hat / (sqrt(v_hat) + eps) - lr lambda x       decay_by=lr (default)
//! x = x - lr m_hat / (sqrt(v_hat) + eps) - s lambda x        decay_by=schedule
//! s = lr / alpha
//! ```
//!
//! ## Differences
//! torch, Keras, Optax and burn multiply the decay by lr, and so does plain `adamw`. Their default
//! lambda differs: 0.01 in torch, 0.004 in Keras, 1e-4 in Optax, burn and here. Keras also has its
//! epsilon hat. burn's eps is 1e-5.
//!
//! The paper (`adamw@paper`) multiplies the decay by the schedule s, not by the learning rate. s is
//! 1 while lr is the base learning rate alpha. So the meaning of the paper's lambda does not change
//! when lr is tuned: it is lr times the lambda of the libraries. The paper recommends no lambda;
//! 1e-5 is torch's 0.01 at torch's learning rate of 1e-3. In a spec, alpha is the spec's lr if it
//! is not given. In a program, `AdamW::paper()` needs `with_alpha`.
//!
//! ## Source
//! Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019, arXiv 1711.05101,
//! algorithm 2.

use super::adam::Adam;
use crate::optim::decay::{DecayBy, Decayed};
use crate::optim::{BurnRecord, EpsPlace, Rule, Signal, StepContext, Value, dialects};
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
        lambda: f64 = 1e-4, Allowed::NotNegative;
        /// the factor of lambda: the learning rate, or the schedule lr / alpha
        decay_by: DecayBy = DecayBy::Lr, DecayBy::WORDS;
        /// the learning rate at which the schedule is 1, for decay_by=schedule; none: the spec's lr
        alpha: Option<f64> = None, Allowed::Positive;
    }
}

dialects! { AdamW, lr 1e-3;
    /// `torch.optim.AdamW`
    torch: lr 1e-3 { lambda: 0.01 }
    /// `keras.optimizers.AdamW`
    keras: lr 1e-3 { lambda: 0.004, eps: 1e-7, eps_place: EpsPlace::Hat }
    /// `optax.adamw`, which has no default learning rate
    optax: lr 1e-3 {}
    /// burn's `AdamWConfig`
    burn: lr 1e-3 { eps: 1e-5 }
    /// algorithm 2 of the paper: the decay is multiplied by the schedule only
    paper: lr 1e-3 { lambda: 1e-5, decay_by: DecayBy::Schedule }
    fn at_lr(&mut self, lr: f64) {
        if self.decay_by == DecayBy::Schedule && lr > 0.0 {
            self.alpha.get_or_insert(lr);
        }
    }
    fn check_together(&self) -> Result<(), &'static str> {
        match (self.decay_by, self.alpha) {
            (DecayBy::Schedule, None) => Err(
                "decay_by=schedule needs alpha, the learning rate at which the schedule is 1",
            ),
            _ => Ok(()),
        }
    }
}

impl AdamW {
    #[inline(always)]
    fn adam(&self) -> Adam {
        let (beta1, beta2) = (self.beta1, self.beta2);
        Adam { beta1, beta2, eps: self.eps, eps_place: self.eps_place, bias_correction: true }
    }

    #[inline(always)]
    fn decayed(&self) -> Decayed<Adam> {
        // `check` refuses a schedule without alpha
        let (rule, alpha) = (self.adam(), self.alpha.unwrap_or(1e-3));
        let (lr_scale, l2) = (1.0, 0.0);
        Decayed {
            rule,
            l2,
            lambda: self.lambda,
            by: self.decay_by,
            cautious: false,
            alpha,
            lr_scale,
        }
    }
}

impl Rule<2> for AdamW {
    const STATE: [&'static str; 2] = Adam::STATE;
    const BURN_RECORD: Option<BurnRecord<2>> = Adam::BURN_RECORD;

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, state: [V; 2]) -> (V, [V; 2]) {
        self.decayed().step(ctx, x, g, state)
    }

    fn decay(&self, ctx: StepContext) -> f64 {
        self.decayed().decay(ctx)
    }

    fn signal<V: Value>(&self, ctx: StepContext, state: [V; 2]) -> Option<Signal<V>> {
        self.adam().signal(ctx, state)
    }
}
