//! # NAdamW: NAdam with decoupled weight decay
//!
//! ```text
//! x = x - lr m_bar / (sqrt(v_hat) + eps) - lr lambda x
//! m_bar, v_hat and their settings as in NAdam
//! ```
//!
//! ## Differences
//! The formulas of NAdam differ between libraries, and so do those of NAdamW. Optax has a constant mu
//! (`correction=next`), and so does plain `nadamw`. torch has a schedule of mu, psi 0.004, and rounds
//! the product of all mu to f32. timm and AlgoPerf have a constant mu and `correction=now`, which is
//! Ruder's form. Keras' Nadam decays the weights like this with any `weight_decay`, with psi 1.
//! lambda is 0 in torch, 1e-4 in Optax, 0.01 in timm and AlgoPerf. burn has no NAdamW.
//!
//! ## Source
//! Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, with the decay of
//! Loshchilov & Hutter, arXiv 1711.05101; Dahl et al., "Benchmarking neural network training
//! algorithms", 2023, arXiv 2306.07179, for the form of AlgoPerf.

use super::nadam::{Correction, NAdam, Product};
use crate::optim::decay::{DecayBy, Decayed};
use crate::optim::{EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

crate::settings! {
    /// NAdamW: NAdam, and a share of each parameter is subtracted in addition.
    pub struct NAdamW {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added in the denominator
        eps_place: EpsPlace = EpsPlace::Outside, EpsPlace::WORDS;
        /// speed of the schedule of mu; none: mu is beta1
        psi: Option<f64> = None, Allowed::NotNegative;
        /// how the bias of the m term is corrected
        correction: Correction = Correction::Next, Correction::WORDS;
        /// precision of the product of all mu
        product: Product = Product::F64, Product::WORDS;
        /// decoupled weight decay, multiplied by lr
        lambda: f64 = 1e-4, Allowed::NotNegative;
    }
}

dialects! { NAdamW, lr 1e-3;
    /// `torch.optim.NAdam(decoupled_weight_decay=True)`
    torch: lr 2e-3 { psi: Some(0.004), product: Product::F32, lambda: 0.0 }
    /// `keras.optimizers.Nadam`, whose weight decay is always decoupled
    keras: lr 1e-3 { psi: Some(1.0), eps: 1e-7, lambda: 0.0 }
    /// `optax.nadamw`, which has no default learning rate
    optax: lr 1e-3 {}
    /// `timm.optim.NAdamW`, from AlgoPerf
    timm: lr 1e-3 { correction: Correction::Now, lambda: 0.01 }
}

impl NAdamW {
    #[inline(always)]
    fn decayed(&self) -> Decayed<NAdam> {
        let NAdamW { beta1, beta2, eps, eps_place, psi, correction, product, lambda } = *self;
        let rule = NAdam { beta1, beta2, eps, eps_place, psi, correction, product };
        Decayed {
            rule,
            l2: 0.0,
            lambda,
            by: DecayBy::Lr,
            cautious: false,
            alpha: 1.0,
            lr_scale: 1.0,
        }
    }
}

impl Rule<2> for NAdamW {
    const STATE: [&'static str; 2] = NAdam::STATE;

    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        self.decayed().tensor_scalars(ctx)
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, x: &V, g: V, state: [V; 2]) -> (V, [V; 2]) {
        self.decayed().step(ctx, x, g, state)
    }

    fn decay(&self, ctx: StepContext) -> f64 {
        self.decayed().decay(ctx)
    }

    fn signal<V: Value>(&self, ctx: StepContext, state: [V; 2]) -> Option<Signal<V>> {
        self.decayed().signal(ctx, state)
    }
}
