//! # Nadam: Adam with Nesterov's momentum
//!
//! ```text
//! m     = beta1 m + (1 - beta1) g
//! v     = beta2 v + (1 - beta2) g^2
//! v_hat = v / (1 - beta2^t)
//! m_bar = mu_next m / (1 - p) + (1 - mu) g / (1 - p)                correction=now (default)
//! m_bar = mu_next m / (1 - p mu_next) + (1 - mu) g / (1 - p)        correction=next
//! x     = x - lr m_bar / sqrt(v_hat + eps)                          eps_place=inside (default); outside and hat as in Adam
//!
//! mu = mu_next = beta1, p = beta1^t                                 psi=none (default)
//! mu = beta1 (1 - 0.96^(t psi) / 2), mu_next the same at t + 1, p = the product of all mu up to t
//! ```
//!
//! ## Differences
//! The default is S0's form, which is Ruder's. Optax corrects the m term one step ahead: `correction=next`. torch and Keras also warm mu up
//! by a schedule, torch with psi 0.004, Keras with psi 1; all three have eps outside the root (torch and Optax 1e-8, Keras 1e-7).
//! torch rounds p to f32 even for f64 parameters (`product=f32`), which shows at 5e-10 in the recorded steps.
//! psi=0 does not switch the schedule off: it freezes mu at beta1 / 2. burn has no Nadam.
//!
//! ## Source
//! S0 (Datawhale slides); Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

use super::{At, EpsPlace, Rule, Signal, Value};
use crate::spec::Allowed;

/// How [`Nadam`] corrects the bias of its m term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// by 1 - beta1ᵗ, as the gradient's
    Now,
    /// by 1 - beta1ᵗ⁺¹, as that of the next step
    Next,
}
crate::words!(Correction { Now = "now", Next = "next" });

/// The precision in which [`Nadam`] keeps the product of all mu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// rounded to f32 after each step, as torch does whatever the precision of the parameters
    F32,
    /// f64
    F64,
}
crate::words!(Product { F32 = "f32", F64 = "f64" });

crate::settings! {
    /// Nadam: Adam whose momentum looks one step ahead.
    pub struct Nadam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands in the denominator
        eps_place: EpsPlace = EpsPlace::Inside, EpsPlace::WORDS;
        /// speed of the schedule of mu; none: mu is beta1
        psi: Option<f64> = None, Allowed::NotNegative;
        /// how the bias of the m term is corrected
        correction: Correction = Correction::Now, Correction::WORDS;
        /// precision of the product of all mu
        product: Product = Product::F64, Product::WORDS;
    }
}

impl Nadam {
    #[inline(always)]
    fn mu(&self, t: u64) -> f64 {
        self.psi.map_or(self.beta1, |psi| self.beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * psi)))
    }
}

super::dialects! { Nadam, lr 2e-3;
    /// `torch.optim.NAdam`
    torch: lr 2e-3 { psi: Some(0.004), correction: Correction::Next, eps_place: EpsPlace::Outside, product: Product::F32 }
    /// `keras.optimizers.Nadam`
    keras: lr 1e-3 { psi: Some(1.0), correction: Correction::Next, eps: 1e-7, eps_place: EpsPlace::Outside }
    /// `optax.nadam`, which asks for a learning rate
    optax: lr 2e-3 { correction: Correction::Next, eps_place: EpsPlace::Outside }
}

impl Rule<2> for Nadam {
    const MEMORY: [&'static str; 2] = ["m", "v"];

    fn carry(&self, at: At) -> f64 {
        match self.product {
            Product::F32 => f64::from(at.carry as f32 * self.mu(at.t) as f32),
            Product::F64 => at.carry * self.mu(at.t),
        }
    }

    #[inline(always)]
    fn step<V: Value>(&self, at: At, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let (mu, mu_next, product) = (self.mu(at.t), self.mu(at.t + 1), at.carry);
        let correction = match self.correction {
            Correction::Now => 1.0 - product,
            Correction::Next => 1.0 - product * mu_next,
        };
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.clone().square() * (1.0 - self.beta2);
        let m_bar = m.clone() * (at.lr * mu_next / correction) + g * (at.lr * (1.0 - mu) / (1.0 - product));
        (m_bar.over(self.eps_place.denominator(v.clone(), at.bias_correction(self.beta2), self.eps)), [m, v])
    }

    fn signal<V: Value>(&self, at: At, [m, v]: [V; 2]) -> Option<Signal<V>> {
        let (m_correction, v_correction) = (at.bias_correction(self.beta1), at.bias_correction(self.beta2));
        Some(Signal::of((m, m_correction), (v, v_correction), self.eps_place, self.eps))
    }
}
