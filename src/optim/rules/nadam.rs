//! # NAdam: Adam with Nesterov's momentum
//!
//! ```text
//! m     = beta1 m + (1 - beta1) g
//! v     = beta2 v + (1 - beta2) g^2
//! v_hat = v / (1 - beta2^t)
//! m_bar = mu_next m / (1 - p mu_next) + (1 - mu) g / (1 - p)        correction=next (default)
//! m_bar = mu_next m / (1 - p) + (1 - mu) g / (1 - p)                correction=now
//! x     = x - lr m_bar / (sqrt(v_hat) + eps)                        eps_place=outside (default)
//! the other places of eps as in Adam
//!
//! mu = mu_next = beta1, p = beta1^t                                 psi=none (default)
//! mu = beta1 (1 - 0.96^(t psi) / 2), mu_next the same at t + 1, p = the product of all mu up to t
//! ```
//!
//! ## Differences
//! torch, Keras and Optax correct the bias of the m term one step ahead (`correction=next`) and add
//! eps outside the root, and so does plain `nadam`, which is Optax's formula. torch and Keras also
//! have a schedule of mu, torch with psi 0.004, Keras with psi 1 (and eps 1e-7). `nadam@s0` and
//! `nadam@paper` are the form of S0, which is Ruder's. Dozat's algorithm 2 multiplies v by beta2
//! once more, as Flux does; there is no dialect for that. torch
//! rounds p to f32 even for f64 parameters (`product=f32`), which changes the recorded steps by
//! 5e-10. psi=0 does not turn the schedule off: mu stays at beta1 / 2. burn has no NAdam.
//!
//! ## Source
//! S0 (Datawhale slides); Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

use crate::optim::{EpsPlace, Rule, Signal, StepContext, Value, dialects};
use crate::spec::Allowed;

/// How [`NAdam`] corrects the bias of its m term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// by 1 - beta1ᵗ, like that of the gradient
    Now,
    /// by 1 - beta1ᵗ⁺¹, like that of the next step
    Next,
}
crate::words!(Correction { Now = "now", Next = "next" });

/// The precision of the product of all mu in [`NAdam`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// rounded to f32 after each step, as in torch, for parameters of any precision
    F32,
    /// f64
    F64,
}
crate::words!(Product { F32 = "f32", F64 = "f64" });

crate::settings! {
    /// NAdam: Adam whose momentum looks one step ahead.
    pub struct NAdam {
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
    }
}

dialects! { NAdam, lr 2e-3;
    /// `torch.optim.NAdam`
    torch: lr 2e-3 {
        psi: Some(0.004), product: Product::F32
    }
    /// `keras.optimizers.Nadam`
    keras: lr 1e-3 {
        psi: Some(1.0), eps: 1e-7
    }
    /// `optax.nadam`, which has no default learning rate
    optax: lr 2e-3 {}
    /// as in the slides S0
    s0: lr 2e-3 { correction: Correction::Now, eps_place: EpsPlace::Inside }
    /// the same as `nadam@s0`
    paper: lr 2e-3 { correction: Correction::Now, eps_place: EpsPlace::Inside }
}

impl NAdam {
    #[inline(always)]
    fn mu(&self, t: u64) -> f64 {
        self.psi.map_or(self.beta1, |psi| self.beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * psi)))
    }
}

impl Rule<2> for NAdam {
    const STATE: [&'static str; 2] = ["m", "v"];

    /// The product of all mu.
    fn tensor_scalars(&self, ctx: StepContext) -> [f64; 2] {
        let [before, unused] = ctx.tensor_scalars;
        let product = match self.product {
            Product::F32 => f64::from(before as f32 * self.mu(ctx.t) as f32),
            Product::F64 => before * self.mu(ctx.t),
        };
        [product, unused]
    }

    #[inline(always)]
    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [m, v]: [V; 2]) -> (V, [V; 2]) {
        let (mu, mu_next, product) = (self.mu(ctx.t), self.mu(ctx.t + 1), ctx.tensor_scalars[0]);
        let m_correction = match self.correction {
            Correction::Now => 1.0 - product,
            Correction::Next => 1.0 - product * mu_next,
        };
        let v_correction = ctx.bias_correction(self.beta2);
        let m = m * self.beta1 + g.clone() * (1.0 - self.beta1);
        let v = v * self.beta2 + g.clone().square() * (1.0 - self.beta2);
        let m_bar = m.clone() * (ctx.lr * mu_next / m_correction)
            + g * (ctx.lr * (1.0 - mu) / (1.0 - product));
        let denominator = self.eps_place.denominator(v.clone(), v_correction, self.eps);
        (m_bar.div_or_zero(denominator), [m, v])
    }

    fn signal<V: Value>(&self, ctx: StepContext, [m, v]: [V; 2]) -> Option<Signal<V>> {
        let m_correction = ctx.bias_correction(self.beta1);
        let v_correction = ctx.bias_correction(self.beta2);
        Some(Signal::of_moments((m, m_correction), (v, v_correction), self.eps_place, self.eps))
    }
}
