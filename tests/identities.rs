//! The optimizers compared with their sources.
//!
//! The first part transcribes every formula again, from the paper or from the framework's code. It
//! computes one element in f64, without the crate's rules. The second part checks identities
//! between rules, which need no transcription.
#![cfg(feature = "lab")]

mod places;

use burn::tensor::DType;
use downhill::optim::{Method, Optimizers, StepContext, optimizer_state};
use downhill::pipeline::PipelineConfig;
use places::{Four, Places, Shapes, begin, config, dialects, lengths, rules};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

// ---------------------------------------------------------------------------------- transcriptions

/// One element of a parameter with its optimizer state, which is zero before the first step.
#[derive(Clone, Default)]
struct Cell {
    x: f64,
    /// the number of the current step, from 1
    t: f64,
    m: f64,
    v: f64,
    u: f64,
    /// a third average
    w: f64,
    /// a second point
    z: f64,
    /// a product over the steps
    p: f64,
    /// whether the argument of a sign was so close to 0 that rounding may have changed the sign
    ambiguous: bool,
}

/// A rule: moves a cell, given the learning rate and the gradient.
type Formula = Box<dyn Fn(&mut Cell, f64, f64)>;

/// The quotient, or 0 if the denominator is 0, which is this crate's convention for eps = 0.
fn div_or_zero(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

impl Cell {
    /// The sign of a sum whose terms have this size.
    fn sign_of_sum(&mut self, sum: f64, size: f64) -> f64 {
        self.ambiguous |= sum != 0.0 && sum.abs() < 1e-4 * size;
        sign(sum)
    }
}

fn sgd() -> Formula {
    Box::new(|c, lr, g| c.x -= lr * g)
}

/// torch/optim/sgd.py, `_single_tensor_sgd`: the first buffer is the gradient itself.
fn torch_sgd(mu: f64, dampening: f64, nesterov: bool) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = if c.t == 1.0 { g } else { mu * c.m + (1.0 - dampening) * g };
        c.x += -lr * if nesterov { g + mu * c.m } else { c.m };
    })
}

/// keras/src/optimizers/sgd.py, `update_step`.
fn keras_sgd(mu: impl Fn(f64) -> f64 + 'static, nesterov: bool) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = mu(c.t) * c.m - lr * g;
        c.x += if nesterov { mu(c.t + 1.0) * c.m - lr * g } else { c.m };
    })
}

/// optax/_src/transform.py, `trace`, then `scale_by_learning_rate`.
fn optax_sgd(decay: f64, nesterov: bool) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = g + decay * c.m;
        let update = if nesterov { g + decay * c.m } else { c.m };
        c.x += -lr * update;
    })
}

/// The text of S0: a moving average of the gradient, starting at the first step.
fn average(mu: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = mu * c.m + (1.0 - mu) * g;
        c.x -= lr * c.m;
    })
}

/// Section 3 of S1: momentum grows from one value to another.
fn growing(from: Option<f64>, to: f64, steps: usize) -> impl Fn(f64) -> f64 {
    move |t| match from {
        Some(from) if t < steps as f64 => from + (to - from) * (t - 1.0) / (steps as f64 - 1.0),
        _ => to,
    }
}

/// The definition: the gradient was taken at theta - mu v.
fn look_ahead(mu: impl Fn(f64) -> f64 + 'static) -> Formula {
    Box::new(move |c, lr, g| {
        let theta = c.x + mu(c.t) * c.m;
        c.m = mu(c.t) * c.m + lr * g;
        c.x = theta - c.m - mu(c.t + 1.0) * c.m;
    })
}

/// torch/optim/adagrad.py, `_single_tensor_adagrad`.
fn torch_adagrad(eps: f64, start: f64, lr_decay: f64) -> Formula {
    Box::new(move |c, lr, g| {
        if c.t == 1.0 {
            c.v = start;
        }
        c.v += g * g;
        let rate = lr / (1.0 + (c.t - 1.0) * lr_decay);
        c.x -= div_or_zero(rate * g, c.v.sqrt() + eps);
    })
}

/// keras/src/optimizers/adagrad.py; optax's `scale_by_rss` is the same.
fn keras_adagrad(eps: f64, start: f64, lr_decay: f64) -> Formula {
    Box::new(move |c, lr, g| {
        if c.t == 1.0 {
            c.v = start;
        }
        c.v += g * g;
        let rate = lr / (1.0 + (c.t - 1.0) * lr_decay);
        c.x -= div_or_zero(rate * g, (c.v + eps).sqrt());
    })
}

/// torch/optim/rmsprop.py, `_single_tensor_rmsprop`.
fn torch_rmsprop(alpha: f64, eps: f64, mu: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.v = alpha * c.v + (1.0 - alpha) * g * g;
        c.u = mu * c.u + div_or_zero(g, c.v.sqrt() + eps);
        c.x -= lr * c.u;
    })
}

/// keras/src/optimizers/rmsprop.py; S0, S3, optax's `scale_by_rms` and TensorFlow 1 are the same.
/// In TensorFlow 1 the initial v is 1.
fn keras_rmsprop(rho: f64, eps: f64, start: f64) -> Formula {
    Box::new(move |c, lr, g| {
        if c.t == 1.0 {
            c.v = start;
        }
        c.v = rho * c.v + (1.0 - rho) * g * g;
        c.x -= div_or_zero(lr * g, (c.v + eps).sqrt());
    })
}

/// Zeiler, arXiv 1212.5701, algorithm 1; torch, Keras and Optax multiply by lr at the end.
fn zeiler(rho: f64, gamma: f64, eps: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.v = rho * c.v + (1.0 - rho) * g * g;
        let delta = -div_or_zero((c.u + eps).sqrt(), (c.v + eps).sqrt()) * g;
        c.u = gamma * c.u + (1.0 - gamma) * delta * delta;
        c.x += lr * delta;
    })
}

/// torch/optim/adam.py, `_single_tensor_adam`, with `amsgrad`; burn's is the same.
/// torch/optim/adamw.py applies the decay first.
fn torch_adam(eps: f64, amsgrad: bool, decay: f64) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.x *= 1.0 - lr * decay;
        c.m += (g - c.m) * (1.0 - beta1);
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let step_size = lr / (1.0 - beta1.powf(c.t));
        c.u = if amsgrad { c.u.max(c.v) } else { c.v };
        let denominator = c.u.sqrt() / (1.0 - beta2.powf(c.t)).sqrt() + eps;
        c.x -= div_or_zero(step_size * c.m, denominator);
    })
}

/// keras/src/optimizers/adam.py, `update_step`; the optimizer's `apply` applies the decay first.
fn keras_adam(eps: f64, amsgrad: bool, decay: f64) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.x -= c.x * decay * lr;
        let alpha = lr * (1.0 - beta2.powf(c.t)).sqrt() / (1.0 - beta1.powf(c.t));
        c.m += (g - c.m) * (1.0 - beta1);
        c.v += (g * g - c.v) * (1.0 - beta2);
        c.u = if amsgrad { c.u.max(c.v) } else { c.v };
        c.x -= div_or_zero(c.m * alpha, c.u.sqrt() + eps);
    })
}

/// optax/_src/transform.py, `scale_by_adam` and `scale_by_amsgrad`, then `add_decayed_weights`.
fn optax_adam(eps: f64, eps_root: f64, amsgrad: bool, decay: f64) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.m = (1.0 - beta1) * g + beta1 * c.m;
        c.v = (1.0 - beta2) * g * g + beta2 * c.v;
        let mu_hat = c.m / (1.0 - beta1.powf(c.t));
        let nu_hat = c.v / (1.0 - beta2.powf(c.t));
        c.u = if amsgrad { c.u.max(nu_hat) } else { nu_hat };
        let update = div_or_zero(mu_hat, (c.u + eps_root).sqrt() + eps) + decay * c.x;
        c.x += -lr * update;
    })
}

/// Without any bias correction: Reddi et al., algorithm 2, and equation 10 of S2.
fn uncorrected(eps: f64, amsgrad: bool) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.m = beta1 * c.m + (1.0 - beta1) * g;
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        c.u = if amsgrad { c.u.max(c.v) } else { c.v };
        c.x -= div_or_zero(lr * c.m, c.u.sqrt() + eps);
    })
}

/// torch/optim/nadam.py, `_single_tensor_nadam`; keras/src/optimizers/nadam.py is the same with psi
/// = 1 and a product in full precision.
fn torch_nadam(eps: f64, psi: f64, single: bool) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        let mu = beta1 * (1.0 - 0.5 * 0.96f64.powf(c.t * psi));
        let mu_next = beta1 * (1.0 - 0.5 * 0.96f64.powf((c.t + 1.0) * psi));
        c.p = if c.t == 1.0 { 1.0 } else { c.p };
        c.p = if single { f64::from(c.p as f32 * mu as f32) } else { c.p * mu };
        c.m += (g - c.m) * (1.0 - beta1);
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let denominator = (c.v / (1.0 - beta2.powf(c.t))).sqrt() + eps;
        c.x += div_or_zero(g * (-lr * (1.0 - mu) / (1.0 - c.p)), denominator);
        c.x += div_or_zero(c.m * (-lr * mu_next / (1.0 - c.p * mu_next)), denominator);
    })
}

/// optax's `scale_by_adam(nesterov=True)`.
fn optax_nadam(eps: f64) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.m = beta1 * c.m + (1.0 - beta1) * g;
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let mu_hat = beta1 * c.m / (1.0 - beta1.powf(c.t + 1.0))
            + (1.0 - beta1) * g / (1.0 - beta1.powf(c.t));
        c.x -= lr * div_or_zero(mu_hat, (c.v / (1.0 - beta2.powf(c.t))).sqrt() + eps);
    })
}

/// The slides S0, in Ruder's form.
fn s0_nadam(eps: f64) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.m = beta1 * c.m + (1.0 - beta1) * g;
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let (m_hat, v_hat) = (c.m / (1.0 - beta1.powf(c.t)), c.v / (1.0 - beta2.powf(c.t)));
        c.x -= lr / (v_hat + eps).sqrt()
            * (beta1 * m_hat + (1.0 - beta1) * g / (1.0 - beta1.powf(c.t)));
    })
}

/// Liu et al., algorithm 2, with the threshold and the place of eps of torch/optim/radam.py
/// (`hat`), or of optax's `scale_by_radam`.
fn liu(
    beta1: f64,
    beta2: f64,
    threshold: f64,
    denominator: impl Fn(f64, f64) -> f64 + 'static,
) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = beta1 * c.m + (1.0 - beta1) * g;
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let (bc1, bc2) = (1.0 - beta1.powf(c.t), 1.0 - beta2.powf(c.t));
        let rho_inf = 2.0 / (1.0 - beta2) - 1.0;
        let rho = rho_inf - 2.0 * c.t * beta2.powf(c.t) / bc2;
        let m_hat = c.m / bc1;
        if rho > threshold {
            let rect = ((rho - 4.0) * (rho - 2.0) * rho_inf
                / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho))
                .sqrt();
            c.x -= lr * rect * div_or_zero(m_hat, denominator(c.v, bc2));
        } else {
            c.x -= lr * m_hat;
        }
    })
}

/// torch/optim/adamax.py and optax's `scale_by_adamax` (eps inside the maximum),
/// keras/src/optimizers/adamax.py (eps outside), the paper (no eps).
fn adamax(beta1: f64, beta2: f64, within: f64, beside: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.m += (g - c.m) * (1.0 - beta1);
        c.u = (beta2 * c.u).max(g.abs() + within);
        c.x -= div_or_zero(lr * c.m, (1.0 - beta1.powf(c.t)) * (c.u + beside));
    })
}

/// Zhuang et al., algorithm 2; optax's `scale_by_belief` has `eps_root` = `eps`.
fn belief(beta1: f64, beta2: f64, eps: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = beta1 * c.m + (1.0 - beta1) * g;
        c.v = beta2 * c.v + (1.0 - beta2) * (g - c.m) * (g - c.m) + eps;
        let (m_hat, s_hat) = (c.m / (1.0 - beta1.powf(c.t)), c.v / (1.0 - beta2.powf(c.t)));
        c.x -= lr * div_or_zero(m_hat, s_hat.sqrt() + eps);
    })
}

/// Taniguchi et al., with the clip of the authors' code; optax's `scale_by_adopt`.
fn adopt(beta1: f64, beta2: f64, eps: f64, clip: bool) -> Formula {
    Box::new(move |c, lr, g| {
        if c.t > 1.0 {
            let largest = if clip { (c.t - 1.0).sqrt().sqrt() } else { f64::MAX };
            let normalized = div_or_zero(g, c.v.sqrt().max(eps)).min(largest).max(-largest);
            c.m = beta1 * c.m + (1.0 - beta1) * normalized;
            c.x -= lr * c.m;
            c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        } else {
            c.v = g * g;
        }
    })
}

/// Pagliardini et al., algorithm 1, with its schedules. `steps` are those of alpha
/// and beta3.
fn pagliardini(
    betas: [f64; 3],
    alpha: f64,
    steps: [Option<f64>; 2],
    eps: f64,
    decay: f64,
) -> Formula {
    let [beta1, beta2, beta3] = betas;
    Box::new(move |c, lr, g| {
        let alpha = steps[0].map_or(alpha, |steps| (c.t * alpha / steps).min(alpha));
        let beta3 = steps[1].filter(|steps| c.t < *steps).map_or(beta3, |steps| {
            let (start, end) = (beta1.ln(), beta3.ln());
            let mixed = (1.0 - c.t / steps) * end + c.t / steps * start;
            (start * end / mixed).exp().min(beta3)
        });
        c.m = beta1 * c.m + (1.0 - beta1) * g;
        c.w = beta3 * c.w + (1.0 - beta3) * g;
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let (m_hat, v_hat) = (c.m / (1.0 - beta1.powf(c.t)), c.v / (1.0 - beta2.powf(c.t)));
        c.x -= lr * (div_or_zero(m_hat + alpha * c.w, v_hat.sqrt() + eps) + decay * c.x);
    })
}

/// A formula with decoupled weight decay before the step, as in torch/optim/nadam.py and in
/// keras/src/optimizers/base_optimizer.py.
fn decayed(decay: f64, formula: Formula) -> Formula {
    Box::new(move |c, lr, g| {
        c.x -= lr * decay * c.x;
        formula(c, lr, g);
    })
}

/// timm/optim/nadamw.py, `_single_tensor_nadamw`, which is AlgoPerf's.
fn timm_nadamw(eps: f64, decay: f64) -> Formula {
    let (beta1, beta2) = (0.9f64, 0.999f64);
    Box::new(move |c, lr, g| {
        c.x *= 1.0 - lr * decay;
        c.m = c.m * beta1 + g * (1.0 - beta1);
        c.v = c.v * beta2 + g * g * (1.0 - beta2);
        let nesterov = c.m * beta1 + g * (1.0 - beta1);
        let denominator = c.v.sqrt() / (1.0 - beta2.powf(c.t)).sqrt() + eps;
        c.x -= div_or_zero(lr / (1.0 - beta1.powf(c.t)) * nesterov, denominator);
    })
}

/// Bernstein et al., algorithm 2.
fn bernstein(beta: f64, decay: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.m = beta * c.m + (1.0 - beta) * g;
        c.v = beta * c.v + (1.0 - beta) * g.abs();
        let update = c.sign_of_sum(c.m, c.v);
        c.x -= lr * (update + decay * c.x);
    })
}

/// Ziyin et al., algorithm 1. `denominator` is a function of v and its bias correction.
fn ziyin(beta1: f64, beta2: f64, denominator: impl Fn(f64, f64) -> f64 + 'static) -> Formula {
    Box::new(move |c, lr, g| {
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let divided = div_or_zero(g, denominator(c.v, 1.0 - beta2.powf(c.t)));
        c.m = beta1 * c.m + (1.0 - beta1) * divided;
        c.x -= lr * c.m / (1.0 - beta1.powf(c.t));
    })
}

/// timm/optim/laprop.py, with the authors' average of learning rates.
fn laprop_code(beta1: f64, beta2: f64, denominator: impl Fn(f64, f64) -> f64 + 'static) -> Formula {
    Box::new(move |c, lr, g| {
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        c.p = c.p * beta1 + (1.0 - beta1) * lr;
        // the authors' code moves by m at lr = 0, and timm does not
        let bias_correction = if lr != 0.0 { c.p / lr } else { f64::INFINITY };
        let divided = div_or_zero(g, denominator(c.v, 1.0 - beta2.powf(c.t)));
        c.m = beta1 * c.m + (1.0 - beta1) * lr * divided;
        c.x -= c.m / bias_correction;
    })
}

/// Defazio et al., algorithm 1, with x, y and z. As in Optax, x is computed from y before each step,
/// so that a y which something else moved is seen. `direction` is that of z. `weight` is a function
/// of t, lr and the largest lr.
fn defazio(
    beta: f64,
    direction: impl Fn(&mut Cell, f64) -> f64 + 'static,
    weight: impl Fn(f64, f64, f64) -> f64 + 'static,
    lr: impl Fn(f64, f64) -> f64 + 'static,
) -> Formula {
    Box::new(move |c, base, g| {
        let lr = lr(base, c.t);
        if c.t == 1.0 {
            c.z = c.x;
        }
        c.w = (c.x - (1.0 - beta) * c.z) / beta;
        c.p = c.p.max(lr);
        let w = weight(c.t, lr, c.p);
        c.u += w;
        let share = if c.u == 0.0 { 0.0 } else { w / c.u };
        c.z -= lr * direction(c, g);
        c.w = (1.0 - share) * c.w + share * c.z;
        c.x = (1.0 - beta) * c.z + beta * c.w;
    })
}

/// The direction of Adam without momentum, with decay. `corrected`: the bias is corrected here.
fn rms_direction(
    beta2: f64,
    eps: f64,
    decay: f64,
    corrected: bool,
) -> impl Fn(&mut Cell, f64) -> f64 {
    move |c, g| {
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let bias = if corrected { 1.0 - beta2.powf(c.t) } else { 1.0 };
        div_or_zero(g, (c.v / bias).sqrt() + eps) + decay * c.x
    }
}

/// Algorithm 1 of the paper with its defaults.
fn schedule_free_paper(beta1: f64, beta2: f64, eps: f64, decay: f64) -> Formula {
    defazio(
        beta1,
        rms_direction(beta2, eps, decay, false),
        |_, lr, _| lr * lr,
        move |lr, t| lr * (1.0 - beta2.powf(t)).sqrt(),
    )
}

/// schedulefree/adamw_schedulefree.py, `step`, where x is not computed.
fn schedulefree_adamw(beta1: f64, beta2: f64, eps: f64, decay: f64, r: f64, power: f64) -> Formula {
    Box::new(move |c, lr, g| {
        if c.t == 1.0 {
            c.z = c.x;
        }
        c.p = lr.max(c.p);
        let weight = c.t.powf(r) * c.p.powf(power);
        c.u += weight;
        let ckp1 = if c.u == 0.0 { 0.0 } else { weight / c.u };
        c.v = beta2 * c.v + (1.0 - beta2) * g * g;
        let denominator = (c.v / (1.0 - beta2.powf(c.t))).sqrt() + eps;
        let normalized = div_or_zero(g, denominator) + decay * c.x;
        c.x += ckp1 * (c.z - c.x);
        c.x += normalized * lr * (beta1 * (1.0 - ckp1) - 1.0);
        c.z -= lr * normalized;
    })
}

/// schedulefree/sgd_schedulefree.py, `step`; optax's `schedule_free_sgd` is the same.
fn schedulefree_sgd(momentum: f64, decay: f64, r: f64, power: f64) -> Formula {
    let weight = move |t: f64, _, largest: f64| t.powf(r) * largest.powf(power);
    defazio(momentum, move |c, g| g + decay * c.x, weight, |lr, _| lr)
}

/// Chen et al., program 1.
fn chen(beta1: f64, beta2: f64, decay: f64) -> Formula {
    Box::new(move |c, lr, g| {
        let (old, new) = (beta1 * c.m, (1.0 - beta1) * g);
        let update = c.sign_of_sum(old + new, old.abs() + new.abs());
        c.m = beta2 * c.m + (1.0 - beta2) * g;
        c.x -= lr * (update + decay * c.x);
    })
}

/// torch/optim/rprop.py, `_single_tensor_rprop`.
fn torch_rprop(eta_minus: f64, eta_plus: f64, min: f64, max: f64) -> Formula {
    Box::new(move |c, lr, g| {
        if c.t == 1.0 {
            c.u = lr;
        }
        let turn = sign(g) * sign(c.m);
        let factor = if turn > 0.0 {
            eta_plus
        } else if turn < 0.0 {
            eta_minus
        } else {
            1.0
        };
        c.u = (c.u * factor).max(min).min(max);
        let g = if turn < 0.0 { 0.0 } else { g };
        c.x -= sign(g) * c.u;
        c.m = g;
    })
}

/// Jacobs, equations 4 to 6, with learning rates in units of lr.
fn jacobs(kappa: f64, phi: f64, theta: f64) -> Formula {
    Box::new(move |c, lr, g| {
        c.u = if c.t == 1.0 { 1.0 } else { c.u };
        let (bar, size) = (c.m, c.v);
        let turn = c.sign_of_sum(bar, size) * sign(g);
        if turn > 0.0 {
            c.u += kappa;
        } else if turn < 0.0 {
            c.u *= 1.0 - phi;
        }
        c.x -= lr * c.u * g;
        c.m = (1.0 - theta) * g + theta * bar;
        c.v = (1.0 - theta) * g.abs() + theta * size;
    })
}

/// Every rule in every dialect: its learning rate, and its formula with the defaults. None of them
/// is read from the crate.
fn sources() -> Vec<(&'static str, f64, Formula)> {
    let outside = |v: f64, bc2: f64| (v / bc2).sqrt() + 1e-8;
    let ademamix = || pagliardini([0.9, 0.999, 0.9999], 5.0, [None, None], 1e-8, 0.0);
    vec![
        ("sgd", 0.01, sgd()),
        ("sgd@torch", 1e-3, torch_sgd(0.0, 0.0, false)),
        ("sgd@keras", 0.01, sgd()),
        ("sgd@optax", 0.01, optax_sgd(0.0, false)),
        ("sgd@burn", 0.01, torch_sgd(0.0, 0.0, false)),
        ("momentum", 0.01, keras_sgd(|_| 0.9, false)),
        ("momentum@torch", 1e-3, torch_sgd(0.9, 0.0, false)),
        ("momentum@keras", 0.01, keras_sgd(|_| 0.9, false)),
        ("momentum@optax", 0.01, optax_sgd(0.9, false)),
        ("momentum@burn", 0.01, torch_sgd(0.9, 0.1, false)),
        ("momentum@ema", 0.01, average(0.9)),
        ("momentum@s1", 0.01, keras_sgd(growing(Some(0.5), 0.9, 1000), false)),
        ("nag", 0.01, look_ahead(|_| 0.9)),
        ("nag@torch", 1e-3, torch_sgd(0.9, 0.0, true)),
        ("nag@keras", 0.01, keras_sgd(|_| 0.9, true)),
        ("nag@optax", 0.01, optax_sgd(0.9, true)),
        ("nag@burn", 0.01, torch_sgd(0.9, 0.0, true)),
        ("adagrad", 0.01, keras_adagrad(1e-8, 0.0, 0.0)),
        ("adagrad@torch", 0.01, torch_adagrad(1e-10, 0.0, 0.0)),
        ("adagrad@keras", 1e-3, keras_adagrad(1e-7, 0.1, 0.0)),
        ("adagrad@optax", 0.01, keras_adagrad(1e-7, 0.1, 0.0)),
        ("adagrad@burn", 0.01, torch_adagrad(1e-5, 0.0, 0.0)),
        ("adagrad@s3", 0.01, torch_adagrad(1e-7, 0.0, 0.0)),
        ("rmsprop", 1e-3, keras_rmsprop(0.9, 1e-8, 0.0)),
        ("rmsprop@torch", 0.01, torch_rmsprop(0.99, 1e-8, 0.0)),
        ("rmsprop@keras", 1e-3, keras_rmsprop(0.9, 1e-7, 0.0)),
        ("rmsprop@optax", 1e-3, keras_rmsprop(0.9, 1e-8, 0.0)),
        ("rmsprop@burn", 1e-3, torch_rmsprop(0.99, 1e-5, 0.9)),
        ("rmsprop@tf1", 1e-3, keras_rmsprop(0.9, 1e-10, 1.0)),
        ("rmsprop@s3", 1e-3, keras_rmsprop(0.9, 1e-7, 0.0)),
        ("adadelta", 1.0, zeiler(0.95, 0.95, 1e-6)),
        ("adadelta@torch", 1.0, zeiler(0.9, 0.9, 1e-6)),
        ("adadelta@keras", 1e-3, zeiler(0.95, 0.95, 1e-7)),
        ("adadelta@optax", 1.0, zeiler(0.9, 0.9, 1e-6)),
        ("adam", 1e-3, torch_adam(1e-8, false, 0.0)),
        ("adam@torch", 1e-3, torch_adam(1e-8, false, 0.0)),
        ("adam@keras", 1e-3, keras_adam(1e-7, false, 0.0)),
        ("adam@optax", 1e-3, optax_adam(1e-8, 0.0, false, 0.0)),
        ("adam@burn", 1e-3, torch_adam(1e-5, false, 0.0)),
        ("adam@s0", 1e-3, optax_adam(0.0, 1e-8, false, 0.0)),
        ("adam@s3", 1e-3, optax_adam(0.0, 1e-8, false, 0.0)),
        ("adam@s2", 1e-3, uncorrected(0.0, false)),
        ("amsgrad", 1e-3, torch_adam(1e-8, true, 0.0)),
        ("amsgrad@torch", 1e-3, torch_adam(1e-8, true, 0.0)),
        ("amsgrad@keras", 1e-3, keras_adam(1e-7, true, 0.0)),
        ("amsgrad@optax", 1e-3, optax_adam(1e-8, 0.0, true, 0.0)),
        ("amsgrad@burn", 1e-3, torch_adam(1e-5, true, 0.0)),
        ("amsgrad@paper", 1e-3, uncorrected(1e-8, true)),
        // lambda is 1e-5 times the schedule lr / 1e-3
        ("adamw", 1e-3, torch_adam(1e-8, false, 1e-4)),
        ("adamw@torch", 1e-3, torch_adam(1e-8, false, 0.01)),
        ("adamw@keras", 1e-3, keras_adam(1e-7, false, 0.004)),
        ("adamw@optax", 1e-3, optax_adam(1e-8, 0.0, false, 1e-4)),
        ("adamw@burn", 1e-3, torch_adam(1e-5, false, 1e-4)),
        // the same as torch's while the learning rate is alpha
        ("adamw@paper", 1e-3, torch_adam(1e-8, false, 0.01)),
        ("nadam", 2e-3, optax_nadam(1e-8)),
        ("nadam@torch", 2e-3, torch_nadam(1e-8, 0.004, true)),
        ("nadam@keras", 1e-3, torch_nadam(1e-7, 1.0, false)),
        ("nadam@optax", 2e-3, optax_nadam(1e-8)),
        ("nadam@s0", 2e-3, s0_nadam(1e-8)),
        ("nadam@paper", 2e-3, s0_nadam(1e-8)),
        ("radam", 1e-3, liu(0.9, 0.999, 5.0, outside)),
        ("radam@torch", 1e-3, liu(0.9, 0.999, 5.0, |v, bc2| (v.sqrt() + 1e-8) / bc2.sqrt())),
        ("radam@optax", 1e-3, liu(0.9, 0.999, 5.0, outside)),
        ("radam@paper", 1e-3, liu(0.9, 0.999, 4.0, outside)),
        ("adamax", 2e-3, adamax(0.9, 0.999, 0.0, 0.0)),
        ("adamax@torch", 2e-3, adamax(0.9, 0.999, 1e-8, 0.0)),
        ("adamax@keras", 1e-3, adamax(0.9, 0.999, 0.0, 1e-7)),
        ("adamax@optax", 2e-3, adamax(0.9, 0.999, 1e-8, 0.0)),
        ("adabelief", 1e-3, belief(0.9, 0.999, 1e-8)),
        ("adabelief@optax", 1e-3, belief(0.9, 0.999, 1e-16)),
        ("lion", 1e-4, chen(0.9, 0.99, 0.0)),
        ("lion@keras", 1e-3, chen(0.9, 0.99, 0.0)),
        ("lion@optax", 1e-4, chen(0.9, 0.99, 1e-3)),
        ("lion@burn", 1e-4, chen(0.9, 0.99, 0.0)),
        ("rprop", 0.1, torch_rprop(0.5, 1.2, 1e-6, 50.0)),
        ("rprop@torch", 0.01, torch_rprop(0.5, 1.2, 1e-6, 50.0)),
        ("rprop@optax", 0.1, torch_rprop(0.5, 1.2, 1e-6, 50.0)),
        ("delta_bar_delta", 0.01, jacobs(0.05, 0.1, 0.7)),
        ("adopt", 1e-3, adopt(0.9, 0.9999, 1e-6, true)),
        ("adopt@optax", 1e-3, adopt(0.9, 0.9999, 1e-6, true)),
        ("ademamix", 1e-3, ademamix()),
        ("ademamix@optax", 1e-3, ademamix()),
        ("ademamix@pytorch_optimizer", 1e-3, ademamix()),
        ("nadamw", 1e-3, decayed(1e-4, optax_nadam(1e-8))),
        ("nadamw@torch", 2e-3, torch_nadam(1e-8, 0.004, true)),
        ("nadamw@keras", 1e-3, torch_nadam(1e-7, 1.0, false)),
        ("nadamw@optax", 1e-3, decayed(1e-4, optax_nadam(1e-8))),
        ("nadamw@timm", 1e-3, timm_nadamw(1e-8, 0.01)),
        ("signum", 1e-4, bernstein(0.9, 0.0)),
        ("signum@optax", 1e-4, bernstein(0.9, 0.0)),
        ("signum@pytorch_optimizer", 1e-3, bernstein(0.9, 0.0)),
        ("laprop", 4e-4, ziyin(0.9, 0.999, |v, bc2| (v / bc2).sqrt() + 1e-15)),
        ("laprop@authors", 4e-4, laprop_code(0.9, 0.999, |v, bc2| (v / bc2).sqrt() + 1e-15)),
        ("laprop@timm", 4e-4, laprop_code(0.9, 0.999, |v, bc2| (v / bc2).sqrt() + 1e-15)),
        ("schedule_free", 2.5e-3, schedulefree_adamw(0.9, 0.999, 1e-8, 0.0, 0.0, 2.0)),
        ("schedule_free@schedulefree", 2.5e-3, schedulefree_adamw(0.9, 0.999, 1e-8, 0.0, 0.0, 2.0)),
        ("schedule_free@optax", 2.5e-3, schedulefree_adamw(0.9, 0.999, 1e-8, 0.0, 0.0, 2.0)),
        ("schedule_free@paper", 2.5e-3, schedule_free_paper(0.9, 0.999, 1e-8, 0.0)),
        ("schedule_free_sgd", 1.0, schedulefree_sgd(0.9, 0.0, 0.0, 2.0)),
        ("schedule_free_sgd@schedulefree", 1.0, schedulefree_sgd(0.9, 0.0, 0.0, 2.0)),
        ("schedule_free_sgd@optax", 1.0, schedulefree_sgd(0.9, 0.0, 0.0, 2.0)),
        ("schedule_free_sgd@paper", 1.0, defazio(0.9, |_, g| g, |_, lr, _| lr * lr, |lr, _| lr)),
    ]
}

/// A place of eps, and the denominator as a function of v, its bias correction and eps.
type Place = (&'static str, fn(f64, f64, f64) -> f64);

const INSIDE: Place = ("inside", |v, correction, eps| (v / correction + eps).sqrt());

/// Numbers from 0 to 1 from which settings are made. Proptest shrinks them to 0, the simplest
/// setting.
struct Knobs<'a>(std::slice::Iter<'a, f64>);

impl Knobs<'_> {
    fn turn(&mut self) -> f64 {
        *self.0.next().expect("a knob for each setting")
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[((self.turn() * choices.len() as f64) as usize).min(choices.len() - 1)]
    }

    /// 0, or up to 0.999.
    fn decay(&mut self) -> f64 {
        let knob = self.turn();
        if knob < 0.1 { 0.0 } else { 1.0 - 10f64.powf((0.1 - knob) / 0.9 * 3.0) }
    }

    /// 0, or from 1e-12 to 0.1.
    fn eps(&mut self) -> f64 {
        let knob = self.turn();
        if knob < 0.2 { 0.0 } else { 10f64.powf(-12.0 + (knob - 0.2) / 0.8 * 11.0) }
    }

    fn place(&mut self) -> Place {
        self.one_of(&[
            INSIDE,
            ("outside", |v, correction, eps| (v / correction).sqrt() + eps),
            ("hat", |v, correction, eps| (v.sqrt() + eps) / correction.sqrt()),
        ])
    }
}

/// A rule with these settings: its spec, and the formula with the same settings.
fn with_settings(name: &str, knobs: &[f64]) -> (String, Formula) {
    let mut k = Knobs(knobs.iter());
    match name {
        "sgd" => ("sgd".into(), sgd()),
        "momentum" | "nag" => {
            let (mu, lr_place, steps) =
                (k.decay(), k.one_of(&["inside", "outside"]), 1 + (k.turn() * 30.0) as usize);
            let from = Some(k.decay()).filter(|_| k.turn() > 0.5);
            let dampening = if name == "momentum" { k.decay() } else { 0.0 };
            let shown = from.map_or("none".into(), |from| from.to_string());
            let mut spec =
                format!("{name}:mu={mu},lr_place={lr_place},mu_from={shown},mu_steps={steps}");
            let ramp = growing(from, mu, steps);
            let formula: Formula = match (name, lr_place) {
                ("momentum", place) => {
                    spec += &format!(",dampening={dampening}");
                    Box::new(move |c, lr, g| {
                        let g = if c.t == 1.0 { g } else { (1.0 - dampening) * g };
                        if place == "inside" {
                            c.m = ramp(c.t) * c.m + lr * g;
                            c.x -= c.m;
                        } else {
                            c.m = ramp(c.t) * c.m + g;
                            c.x -= lr * c.m;
                        }
                    })
                }
                (_, "inside") => look_ahead(ramp),
                _ => Box::new(move |c, lr, g| {
                    c.m = ramp(c.t) * c.m + g;
                    c.x -= lr * (g + ramp(c.t + 1.0) * c.m);
                }),
            };
            (spec, formula)
        }
        "adagrad" => {
            let (eps, start, lr_decay) =
                (k.eps(), k.one_of(&[0.0, 0.1, 1.0]), k.one_of(&[0.0, 0.01, 0.5]));
            let (place, formula): (_, fn(f64, f64, f64) -> Formula) = k.one_of(&[
                ("inside", keras_adagrad as _),
                ("outside", torch_adagrad as _),
                ("hat", torch_adagrad as _),
            ]);
            (
                format!("adagrad:eps={eps},eps_place={place},start={start},lr_decay={lr_decay}"),
                formula(eps, start, lr_decay),
            )
        }
        "rmsprop" => {
            let (rho, lr_place) = (k.decay(), k.one_of(&["inside", "outside"]));
            let (mu, start) = (k.one_of(&[0.0, 0.5, 0.9]), k.one_of(&[0.0, 1.0]));
            let (corrected, centered) = (k.turn() > 0.5, k.turn() > 0.5);
            // v - b^2 cancels; at the first corrected step only rounding errors remain, so eps has
            // to be large
            let eps = if centered { 1e-3 + k.eps() } else { k.eps() };
            let place = k.place();
            let (place, denominator) = if centered && corrected { INSIDE } else { place };
            let word = |yes: bool| if yes { "yes" } else { "no" };
            let spec = format!(
                "rmsprop:rho={rho},eps={eps},eps_place={place},mu={mu},lr_place={lr_place},centered={},bias_correction={},start={start}",
                word(centered),
                word(corrected)
            );
            let formula: Formula = Box::new(move |c, lr, g| {
                if c.t == 1.0 {
                    c.v = start;
                }
                c.v = rho * c.v + (1.0 - rho) * g * g;
                c.m = rho * c.m + (1.0 - rho) * g;
                let correction = if corrected { 1.0 - rho.powf(c.t) } else { 1.0 };
                // the variance, times the bias correction of v
                let mean = if centered { c.m / correction } else { 0.0 };
                let spread = (c.v - correction * mean * mean).max(0.0);
                let scaled = div_or_zero(g, denominator(spread, correction, eps));
                if lr_place == "inside" {
                    c.u = mu * c.u + lr * scaled;
                    c.x -= c.u;
                } else {
                    c.u = mu * c.u + scaled;
                    c.x -= lr * c.u;
                }
            });
            (spec, formula)
        }
        "adadelta" => {
            let (rho, eps) = (k.decay(), k.eps());
            let gamma = Some(k.decay()).filter(|_| k.turn() > 0.5);
            let shown = gamma.map_or("none".into(), |gamma| gamma.to_string());
            (
                format!("adadelta:rho={rho},gamma={shown},eps={eps}"),
                zeiler(rho, gamma.unwrap_or(rho), eps),
            )
        }
        "adam" | "amsgrad" | "adamw" | "nadam" => {
            let (beta1, beta2, eps, (place, denominator)) =
                (k.decay(), k.decay(), k.eps(), k.place());
            let mut spec =
                format!("{name}:beta1={beta1},beta2={beta2},eps={eps},eps_place={place}");
            let moments = move |c: &mut Cell, g: f64| {
                c.m = beta1 * c.m + (1.0 - beta1) * g;
                c.v = beta2 * c.v + (1.0 - beta2) * g * g;
                (1.0 - beta1.powf(c.t), 1.0 - beta2.powf(c.t))
            };
            let formula: Formula = match name {
                "adamw" => {
                    let (lambda, alpha) = (k.one_of(&[0.0, 0.01, 0.1]), k.one_of(&[0.01, 1.0]));
                    let by = k.one_of(&["lr", "schedule"]);
                    spec += &format!(",lambda={lambda},decay_by={by},alpha={alpha}");
                    Box::new(move |c, lr, g| {
                        c.x *= 1.0 - lambda * if by == "lr" { lr } else { lr / alpha };
                        let (bc1, bc2) = moments(c, g);
                        c.x -= lr * div_or_zero(c.m / bc1, denominator(c.v, bc2, eps));
                    })
                }
                "nadam" => {
                    let (psi, now) =
                        (Some(k.turn() * 2.0).filter(|_| k.turn() > 0.3), k.turn() > 0.5);
                    let single = k.turn() > 0.5;
                    let shown = psi.map_or("none".into(), |psi| psi.to_string());
                    let (correction, product) =
                        (if now { "now" } else { "next" }, if single { "f32" } else { "f64" });
                    spec += &format!(",psi={shown},correction={correction},product={product}");
                    Box::new(move |c, lr, g| {
                        let mu = |t: f64| {
                            beta1 * (1.0 - psi.map_or(0.0, |psi| 0.5 * 0.96f64.powf(t * psi)))
                        };
                        c.p = if c.t == 1.0 { 1.0 } else { c.p };
                        c.p = if single {
                            f64::from(c.p as f32 * mu(c.t) as f32)
                        } else {
                            c.p * mu(c.t)
                        };
                        let (_, bc2) = moments(c, g);
                        let ahead = 1.0 - if now { c.p } else { c.p * mu(c.t + 1.0) };
                        let m_bar = mu(c.t + 1.0) * c.m / ahead + (1.0 - mu(c.t)) * g / (1.0 - c.p);
                        c.x -= lr * div_or_zero(m_bar, denominator(c.v, bc2, eps));
                    })
                }
                _ => {
                    let (corrected, of_corrected, largest) =
                        (k.turn() > 0.3, k.turn() > 0.5, name == "amsgrad");
                    spec += &format!(",bias_correction={}", if corrected { "yes" } else { "no" });
                    if largest {
                        spec +=
                            &format!(",max_of={}", if of_corrected { "corrected" } else { "raw" });
                    }
                    Box::new(move |c, lr, g| {
                        let (bc1, bc2) =
                            Some(moments(c, g)).filter(|_| corrected).unwrap_or((1.0, 1.0));
                        let denominator = match (largest, of_corrected) {
                            (false, _) => denominator(c.v, bc2, eps),
                            (true, false) => {
                                c.u = c.u.max(c.v);
                                denominator(c.u, bc2, eps)
                            }
                            (true, true) => {
                                c.u = c.u.max(c.v / bc2);
                                denominator(c.u, 1.0, eps)
                            }
                        };
                        c.x -= lr * div_or_zero(c.m / bc1, denominator);
                    })
                }
            };
            (spec, formula)
        }
        "radam" => {
            let (beta1, beta2, eps, (place, denominator)) =
                (k.decay(), k.decay(), k.eps(), k.place());
            let threshold = k.one_of(&[4.0, 5.0, 20.0]);
            let spec = format!(
                "radam:beta1={beta1},beta2={beta2},eps={eps},eps_place={place},threshold={threshold}"
            );
            (spec, liu(beta1, beta2, threshold, move |v, bc2| denominator(v, bc2, eps)))
        }
        "adamax" => {
            let (beta1, beta2, eps, place) =
                (k.decay(), k.decay(), k.eps(), k.one_of(&["inside", "outside", "hat"]));
            let (within, beside) = if place == "inside" { (eps, 0.0) } else { (0.0, eps) };
            (
                format!("adamax:beta1={beta1},beta2={beta2},eps={eps},eps_place={place}"),
                adamax(beta1, beta2, within, beside),
            )
        }
        "adabelief" => {
            let (beta1, beta2, eps) = (k.decay(), k.decay(), k.eps());
            (format!("adabelief:beta1={beta1},beta2={beta2},eps={eps}"), belief(beta1, beta2, eps))
        }
        "adopt" => {
            let (beta1, beta2, eps, clip) = (k.decay(), k.decay(), k.eps(), k.turn() > 0.5);
            let word = if clip { "yes" } else { "no" };
            (
                format!("adopt:beta1={beta1},beta2={beta2},eps={eps},clip={word}"),
                adopt(beta1, beta2, eps, clip),
            )
        }
        "ademamix" => {
            // the paper's schedule divides by the logarithm of beta1, which is not 0
            let (beta1, beta2, beta3) = (k.decay().max(0.1), k.decay(), k.decay().max(0.1));
            let (alpha, eps, lambda) = (k.one_of(&[0.0, 1.0, 5.0]), k.eps(), k.one_of(&[0.0, 0.1]));
            let mut steps = || Some(1.0 + (k.turn() * 50.0).floor()).filter(|_| k.turn() > 0.3);
            let steps = [steps(), steps()];
            let [alpha_steps, beta3_steps] =
                steps.map(|steps| steps.map_or("none".into(), |steps| steps.to_string()));
            (
                format!(
                    "ademamix:beta1={beta1},beta2={beta2},beta3={beta3},alpha={alpha},alpha_steps={alpha_steps},beta3_steps={beta3_steps},eps={eps},lambda={lambda}"
                ),
                pagliardini([beta1, beta2, beta3], alpha, steps, eps, lambda),
            )
        }
        "nadamw" => {
            let ((spec, formula), lambda) = (with_settings("nadam", knobs), knobs[11]);
            let spec = spec.replace("nadam:", "nadamw:");
            (format!("{spec},lambda={lambda}"), decayed(lambda, formula))
        }
        "signum" => {
            let (beta, lambda) = (k.decay(), k.one_of(&[0.0, 0.1]));
            (format!("signum:beta={beta},lambda={lambda}"), bernstein(beta, lambda))
        }
        "laprop" => {
            let (beta1, beta2, eps, (place, denominator)) =
                (k.decay(), k.decay(), k.eps(), k.place());
            let lr_place = k.one_of(&["inside", "outside"]);
            let spec = format!(
                "laprop:beta1={beta1},beta2={beta2},eps={eps},eps_place={place},lr_place={lr_place}"
            );
            let denominator = move |v: f64, bc2: f64| denominator(v, bc2, eps);
            let formula = match lr_place {
                "inside" => laprop_code(beta1, beta2, denominator),
                _ => ziyin(beta1, beta2, denominator),
            };
            (spec, formula)
        }
        "schedule_free" | "schedule_free_sgd" => {
            let (beta1, beta2) = (k.decay().max(0.3), k.decay());
            let (eps, decay) = (k.eps(), k.one_of(&[0.0, 0.1]));
            let (r, power) = (k.one_of(&[0.0, 0.5, 2.0]), k.one_of(&[0.0, 1.0, 2.0]));
            let (by, corrected) = (k.one_of(&["largest", "lr"]), k.turn() < 0.5);
            let weight = move |t: f64, lr: f64, largest: f64| {
                t.powf(r) * if by == "lr" { lr } else { largest }.powf(power)
            };
            let mut spec =
                format!("{name}:beta1={beta1},lambda={decay},r={r},power={power},weight_by={by}");
            if name == "schedule_free_sgd" {
                return (spec, defazio(beta1, move |c, g| g + decay * c.x, weight, |lr, _| lr));
            }
            let correct = if corrected { "denominator" } else { "lr" };
            spec += &format!(",beta2={beta2},eps={eps},correct={correct}");
            let direction = rms_direction(beta2, eps, decay, corrected);
            let lr = move |lr: f64, t: f64| match corrected {
                true => lr,
                false => lr * (1.0 - beta2.powf(t)).sqrt(),
            };
            (spec, defazio(beta1, direction, weight, lr))
        }
        "lion" => {
            let (beta1, beta2, lambda) = (k.decay(), k.decay(), k.one_of(&[0.0, 0.1]));
            (
                format!("lion:beta1={beta1},beta2={beta2},lambda={lambda}"),
                chen(beta1, beta2, lambda),
            )
        }
        "rprop" => {
            let (plus, minus) = (1.0 + k.turn(), k.decay());
            let (min, max) = (k.one_of(&[0.0, 1e-6, 1e-3]), k.one_of(&[0.02, 1.0, 50.0]));
            (
                format!("rprop:eta_plus={plus},eta_minus={minus},min={min},max={max}"),
                torch_rprop(minus, plus, min, max),
            )
        }
        "delta_bar_delta" => {
            let (kappa, phi, theta) = (k.turn(), k.decay(), k.decay());
            (
                format!("delta_bar_delta:kappa={kappa},phi={phi},theta={theta}"),
                jacobs(kappa, phi, theta),
            )
        }
        other => panic!("{other} is a new rule of the table without a transcription here"),
    }
}

// ------------------------------------------------------------------------------------ trajectories

/// Parameters, and the gradients and learning rates of every step.
#[derive(Clone, Debug)]
struct Trajectory {
    shapes: Shapes,
    dtype: DType,
    steps: usize,
    /// the typical learning rate of the steps
    lr: f64,
    /// whether some of the four parameters sometimes have no gradient
    gaps: bool,
    /// whether the learning rate is the same in every step
    steady: bool,
    /// the factor of all gradients
    scale: f64,
    seed: u64,
}

/// Steps of small tensors in f64.
fn trajectory(steps: usize, lr: f64, seed: u64) -> Trajectory {
    let shapes = ([9], [1, 1], [1; 3], [1; 4]);
    Trajectory {
        shapes,
        dtype: DType::F64,
        steps,
        lr,
        gaps: false,
        steady: false,
        scale: 1.0,
        seed,
    }
}

/// One step of a trajectory.
struct Step {
    lr: f64,
    g: [Option<Vec<f64>>; 4],
}

impl Trajectory {
    /// The initial parameters, and the steps.
    fn numbers(&self) -> (Four, Vec<Step>) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let rounded = |x: f64| if self.dtype == DType::F32 { f64::from(x as f32) } else { x };
        let lengths = lengths(&self.shapes);
        let start = lengths
            .map(|n| (0..n).map(|_| rounded(random.random_range(-2.0..2.0))).collect::<Vec<f64>>());
        // the sizes of an element's gradients, from 1 to 1e-8; some elements never have a gradient
        let sizes = lengths.map(|n| {
            (0..n)
                .map(|_| {
                    if random.random_range(0..20) == 0 {
                        0.0
                    } else {
                        10f64.powf(random.random_range(-8.0..0.0))
                    }
                })
                .collect::<Vec<f64>>()
        });
        let mut step = || {
            let g = sizes.each_ref().map(|sizes| {
                let present = !self.gaps || random.random_range(0..6) > 0;
                let mut one = |size: &f64| {
                    let part = match random.random_range(0..8) {
                        0 | 1 => 0.0,
                        2 => 1e-3,
                        _ => 1.0,
                    };
                    let size = if size * part == 0.0 { 0.0 } else { (size * part).max(1e-8) };
                    rounded(size * random.random_range(-1.0..1.0)) * self.scale
                };
                let g: Vec<f64> = sizes.iter().map(&mut one).collect();
                present.then_some(g)
            });
            let factor = if random.random_range(0..12) == 0 {
                0.0
            } else {
                10f64.powf(random.random_range(-2.0..0.5))
            };
            Step { lr: if self.steady { self.lr } else { self.lr * factor }, g }
        };
        let steps = (0..self.steps).map(|_| step()).collect();
        (start, steps)
    }

    /// Runs a spec: the four parameters initially and after each step.
    fn run(&self, line: &str) -> Vec<Four> {
        let (start, steps) = self.numbers();
        run(line, &start, &steps, self)
    }

    /// Compares the parameters of two specs after each step, up to a tolerance.
    fn same(&self, left: &str, right: &str, tolerance: f64) -> Result<(), String> {
        let max_difference = max_difference(&self.run(left), &self.run(right));
        if max_difference <= tolerance {
            Ok(())
        } else {
            Err(format!("{left} and {right} differ by {max_difference:e} in {:?}", self.dtype))
        }
    }

    /// Compares a spec with a formula, in each element after each step. The allowed difference is
    /// 1e-11 (f64) or 1e-3 (f32) of the distance that the element has moved, plus one rounding
    /// error of the parameter for each step.
    fn compare(&self, line: &str, formula: &Formula, decay: &Decay) -> Result<(), String> {
        let f32s = self.dtype == DType::F32;
        let (tolerance, ulp) =
            if f32s { (1e-3, f64::from(f32::EPSILON)) } else { (1e-11, f64::EPSILON) };
        let (start, steps) = self.numbers();
        let mut cells = start
            .clone()
            .map(|x| x.into_iter().map(|x| Cell { x, ..Cell::default() }).collect::<Vec<_>>());
        let (mut paths, mut largest) = (start.clone().map(|x| vec![0.0; x.len()]), start.clone());
        let mut places = Places::at(&start, &self.shapes, self.dtype);
        let mut pipeline = begin(line);
        for (t, Step { lr, g }) in steps.iter().enumerate() {
            let gradients = places.gradients(g.each_ref().map(Option::as_deref));
            places = pipeline.step(*lr, places, gradients).map_err(|error| error.to_string())?;
            for (which, ours) in places.numbers().iter().enumerate() {
                let Some(g) = &g[which] else { continue };
                for (i, cell) in cells[which].iter_mut().enumerate() {
                    let before = cell.x;
                    cell.t += 1.0;
                    formula(cell, *lr, g[i] + decay.l2 * before);
                    cell.x -= before
                        * decay.lambda
                        * if decay.by_schedule { lr / decay.alpha } else { *lr };
                    paths[which][i] += (cell.x - before).abs();
                    largest[which][i] = cell.x.abs().max(f64::abs(largest[which][i]));
                    let allowed =
                        tolerance * paths[which][i] + (t + 2) as f64 * ulp * largest[which][i];
                    let max_difference = (ours[i] - cell.x).abs();
                    // a comparison with NaN is false
                    if !(cell.ambiguous || max_difference <= allowed) {
                        let shape = format!("{:?}", self.shapes);
                        return Err(format!(
                            "{line}, {:?}, parameter {which} of {shape}, step {}, element {i}: {} and by the formula {}, a difference of {max_difference:e} \
                             where {allowed:e} is allowed",
                            self.dtype,
                            t + 1,
                            ours[i],
                            cell.x
                        ));
                    }
                }
            }
        }
        let count = cells.iter().map(Vec::len).sum::<usize>();
        let ambiguous = cells.iter().flatten().filter(|cell| cell.ambiguous).count();
        if ambiguous * 20 > count + 200 {
            Err(format!("{line}: {ambiguous} of {count} elements are ambiguous"))
        } else {
            Ok(())
        }
    }
}

/// Weight decay in addition to a formula.
#[derive(Clone, Debug, Default)]
struct Decay {
    l2: f64,
    lambda: f64,
    by_schedule: bool,
    alpha: f64,
}

/// A test runner that always generates the same cases.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1951),
        max_shrink_iters: 200,
        ..Config::default()
    })
}

fn check_property<S: Strategy>(
    cases: u32,
    strategy: S,
    test: impl Fn(S::Value) -> Result<(), String>,
) {
    let result = runner(cases).run(&strategy, |case| test(case).map_err(TestCaseError::fail));
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Shapes of ranks 1 to 4, with empty tensors, sizes of 1, and lengths that are not multiples of
/// 32.
fn shapes() -> impl Strategy<Value = Shapes> {
    let few = || prop::sample::select(vec![1usize, 2, 3, 5, 0]);
    let many = || prop::sample::select(vec![1usize, 2, 7, 31, 32, 33, 64, 100, 0]);
    (
        many().prop_map(|a| [a]),
        (few(), many()).prop_map(|(a, b)| [a, b]),
        (few(), few(), few()).prop_map(|(a, b, c)| [a, b, c]),
        (few(), few(), few(), few()).prop_map(|(a, b, c, d)| [a, b, c, d]),
    )
}

fn trajectories(steps: impl Strategy<Value = usize>) -> impl Strategy<Value = Trajectory> {
    let dtype = prop::sample::select(vec![DType::F64, DType::F32]);
    let lr = prop::sample::select(vec![0.01, 1.0, 1e-3, 0.1]);
    (shapes(), dtype, steps, lr, any::<bool>(), any::<u64>()).prop_map(
        |(shapes, dtype, steps, lr, gaps, seed)| Trajectory {
            shapes,
            dtype,
            steps,
            lr,
            gaps,
            steady: false,
            scale: 1.0,
            seed,
        },
    )
}

#[test]
fn every_rule_in_every_dialect_is_the_formula_of_its_source_with_the_defaults_of_its_source() {
    let sources = sources();
    let named: Vec<&str> = sources.iter().map(|(spec, ..)| *spec).collect();
    assert_eq!(
        named,
        dialects(),
        "every dialect of the table has a transcription, in the same order"
    );
    for (spec, lr, formula) in &sources {
        let built = Optimizers::default().make(&spec.parse().unwrap()).unwrap();
        assert_eq!(built.lr, *lr, "the learning rate of {spec}");
        check_property(40, trajectories(1usize..60), |trajectory| {
            Trajectory { lr: *lr, ..trajectory }.compare(spec, formula, &Decay::default())
        });
    }
}

#[test]
fn every_rule_with_any_settings_is_its_formula() {
    let knobs = prop::collection::vec(0.0..1.0f64, 12);
    for name in rules() {
        check_property(200, (trajectories(1usize..40), &knobs), |(trajectory, knobs)| {
            let (spec, formula) = with_settings(name, &knobs);
            trajectory.compare(&spec, &formula, &Decay::default())
        });
    }
}

#[test]
fn every_rule_with_any_settings_is_its_formula_for_a_thousand_steps() {
    let knobs = prop::collection::vec(0.0..1.0f64, 12);
    for name in rules() {
        check_property(6, (trajectories(Just(1000)), &knobs), |(trajectory, knobs)| {
            let (spec, formula) = with_settings(name, &knobs);
            let few = ([trajectory.shapes.0[0].min(3)], [2, 3], [1, 1, 2], [1, 1, 1, 0]);
            Trajectory { shapes: few, lr: trajectory.lr.min(0.1), ..trajectory }.compare(
                &spec,
                &formula,
                &Decay::default(),
            )
        });
    }
}

#[test]
fn every_rule_is_its_formula_on_tensors_that_several_threads_share() {
    for (i, (spec, lr, formula)) in
        sources().iter().filter(|(spec, ..)| !spec.contains('@')).enumerate()
    {
        for (dtype, shapes) in [
            (DType::F32, ([131_072 + 7], [363, 401], [1, 1, 1], [0, 1, 1, 1])),
            (DType::F64, ([1], [1, 262_145], [3, 209, 211], [1; 4])),
        ] {
            let trajectory = Trajectory { shapes, dtype, ..trajectory(3, *lr, i as u64) };
            trajectory
                .compare(spec, formula, &Decay::default())
                .unwrap_or_else(|wrong| panic!("{wrong}"));
        }
    }
}

#[test]
fn weight_decay_around_every_rule_is_the_formula_with_decay() {
    let knobs = prop::collection::vec(0.0..1.0f64, 12);
    let decay = (
        prop::sample::select(vec![0.0, 1e-4, 0.1]),
        prop::sample::select(vec![0.0, 0.01, 0.3]),
        any::<bool>(),
    );
    for name in rules() {
        check_property(
            60,
            (trajectories(1usize..30), &knobs, &decay),
            |(trajectory, knobs, (l2, lambda, by_schedule))| {
                let (spec, formula) = with_settings(name, &knobs);
                // the schedule is 1 at the learning rate of the spec
                let spec = format!(
                    "{spec}{}lr={}",
                    if spec.contains(':') { "," } else { ":" },
                    trajectory.lr
                );
                let by = if by_schedule { "schedule" } else { "lr" };
                trajectory.compare(
                    &format!("l2:lambda={l2}|{spec}|decay:lambda={lambda},by={by}"),
                    &formula,
                    &Decay { l2, lambda, by_schedule, alpha: trajectory.lr },
                )
            },
        );
    }
}

// -------------------------------------------------------------------------------------- identities

fn run(line: &str, start: &Four, steps: &[Step], trajectory: &Trajectory) -> Vec<Four> {
    let mut places = Places::at(start, &trajectory.shapes, trajectory.dtype);
    let mut pipeline = begin(line);
    let mut all = vec![places.numbers()];
    for Step { lr, g } in steps {
        let gradients = places.gradients(g.each_ref().map(Option::as_deref));
        places = pipeline.step(*lr, places, gradients).unwrap();
        all.push(places.numbers());
    }
    all
}

/// The largest difference between two runs, relative where numbers are above 1; infinite if a
/// number is NaN.
fn max_difference(left: &[Four], right: &[Four]) -> f64 {
    let all = |run: &[Four]| run.iter().flatten().flatten().copied().collect::<Vec<f64>>();
    let (left, right) = (all(left), all(right));
    assert_eq!(left.len(), right.len());
    let relative = |(a, b): (f64, f64)| if a == b { 0.0 } else { (a - b).abs() / b.abs().max(1.0) };
    left.into_iter()
        .zip(right)
        .map(relative)
        .fold(0.0, |largest, x| if x.is_nan() { f64::INFINITY } else { x.max(largest) })
}

/// The two specs give bitwise equal parameters.
fn are_the_same(left: &str, right: &str) {
    check_property(30, trajectories(1usize..50), |trajectory| trajectory.same(left, right, 0.0));
}

/// The two specs give equal parameters in f64, up to rounding errors.
fn are_the_same_within(tolerance: f64, left: &str, right: &str) {
    check_property(30, trajectories(1usize..50), |trajectory| {
        Trajectory { dtype: DType::F64, ..trajectory }.same(left, right, tolerance)
    });
}

/// A model with one parameter that is not trivial, of rank 1.
fn single(x: &[f64]) -> (Places, Shapes) {
    let shapes = ([x.len()], [1, 0], [0, 1, 1], [0; 4]);
    (Places::at(&[x.to_vec(), vec![], vec![], vec![]], &shapes, DType::F64), shapes)
}

/// A step of a single parameter.
fn move_single(
    pipeline: &mut downhill::pipeline::Stepper,
    lr: f64,
    places: Places,
    g: &[f64],
) -> Places {
    let gradients = places.gradients([Some(g), None, None, None]);
    pipeline.step(lr, places, gradients).unwrap()
}

#[test]
fn momentum_without_momentum_is_sgd() {
    for left in
        ["momentum:mu=0", "momentum:mu=0,lr_place=outside", "nag:mu=0", "nag:mu=0,lr_place=outside"]
    {
        are_the_same(left, "sgd");
    }
}

#[test]
fn adamw_without_decay_is_adam() {
    for settings in ["beta1=0.9", "beta2=0.9,eps=1e-3", "eps_place=inside", "eps_place=hat,beta1=0"]
    {
        for decay_by in ["lr", "schedule"] {
            are_the_same(
                &format!("adamw:lambda=0,decay_by={decay_by},{settings}"),
                &format!("adam:{settings}"),
            );
        }
    }
}

#[test]
fn adam_without_momentum_is_bias_corrected_rmsprop() {
    for settings in [
        "eps=1e-8,eps_place=inside",
        "eps=1e-8,eps_place=outside",
        "eps=1e-3,eps_place=hat",
        "eps=0,eps_place=outside",
    ] {
        for decay in [0.0, 0.9, 0.999] {
            let rmsprop = format!("rmsprop:rho={decay},bias_correction=yes,{settings}");
            are_the_same_within(1e-13, &format!("adam:beta1=0,beta2={decay},{settings}"), &rmsprop);
            are_the_same_within(
                1e-13,
                &format!("nadam:beta1=0,beta2={decay},{settings}"),
                &rmsprop,
            );
        }
    }
}

#[test]
fn settings_without_effect_give_the_same_parameters() {
    for (left, right) in [
        ("delta_bar_delta:kappa=0,phi=0", "sgd"),
        ("adadelta:rho=0.9,gamma=0.9", "adadelta:rho=0.9"),
        ("adagrad:eps=1e-3,eps_place=hat", "adagrad:eps=1e-3,eps_place=outside"),
        ("adamax:eps=1e-3,eps_place=hat", "adamax:eps=1e-3,eps_place=outside"),
        ("amsgrad@paper:max_of=corrected", "amsgrad@paper"),
        ("momentum:mu=0.5,mu_from=0.5,mu_steps=7", "momentum:mu=0.5"),
        ("nag:mu=0.5,mu_from=0.5,mu_steps=7", "nag:mu=0.5"),
        ("nag:point=lookahead", "nag:point=theta"),
        ("rmsprop:lr_place=outside", "rmsprop"),
        ("ademamix:alpha=0", "adam"),
        ("ademamix:alpha_steps=1,beta3_steps=1", "ademamix"),
        ("nadamw:lambda=0", "nadam"),
        ("nadamw@timm:lambda=0,eps_place=inside", "nadam@s0"),
        // the schedule is 1 at the learning rate of the spec
        ("adamw@paper:lr=0.1,lambda=0.3", "adamw@paper:lambda=0.3,alpha=0.1"),
        ("adamw@paper:lr=0.1,lambda=0.3", "adamw:lambda=3"),
        // the names that torch, Keras, Optax and burn use
        ("adamw:weight_decay=0.1,epsilon=1e-3,b1=0.8", "adamw:lambda=0.1,eps=1e-3,beta1=0.8"),
        ("momentum:momentum=0.5", "momentum:mu=0.5"),
        ("rmsprop:learning_rate=0.1,alpha=0.8", "rmsprop:lr=0.1,rho=0.8"),
    ] {
        // these compute products in another order
        let rounded = ["momentum:mu=0.5", "nag:mu=0.5", "rmsprop", "adamw:lambda=3"];
        let tolerance = if rounded.contains(&right) { 1e-13 } else { 0.0 };
        check_property(20, trajectories(1usize..50), |trajectory| {
            let dtype = if tolerance > 0.0 { DType::F64 } else { trajectory.dtype };
            Trajectory { dtype, ..trajectory }.same(left, right, tolerance)
        });
    }
}

#[test]
fn the_place_of_the_learning_rate_matters_only_when_it_changes() {
    for rule in [
        "momentum:mu=0.9",
        "momentum:mu=0.9,dampening=0.1",
        "nag:mu=0.9",
        "rmsprop:mu=0.9,eps=1e-3",
        "nag:mu=0.9,mu_from=0.1,mu_steps=9",
    ] {
        let (inside, outside) =
            (format!("{rule},lr_place=inside"), format!("{rule},lr_place=outside"));
        let steady =
            |trajectory| Trajectory { steady: true, gaps: false, dtype: DType::F64, ..trajectory };
        check_property(20, trajectories(1usize..50), |trajectory| {
            steady(trajectory).same(&inside, &outside, 1e-12)
        });
        let trajectory = trajectory(20, 0.1, 3);
        assert!(
            trajectory.same(&inside, &outside, 1e-4).is_err(),
            "{rule}: the place of the learning rate makes no difference when it changes"
        );
    }
}

/// The gradient of the sum of curvature x⁴ / 4 + x² / 2. It is not linear, so the gradient at
/// another point differs.
fn nonlinear_gradient(x: &[f64]) -> Vec<f64> {
    x.iter().zip([1.0, 10.0, 0.1]).map(|(x, curvature)| curvature * x.powi(3) + x).collect()
}

/// The average of schedule-free methods, by its definition: all z so far, each with its weight.
#[test]
fn schedule_free_is_evaluated_at_the_weighted_average_of_the_points_z() {
    for (name, beta) in [("schedule_free_sgd", 0.9), ("schedule_free", 0.5)] {
        let line = format!("{name}:beta1={beta},r=1");
        let start = [1.0, -0.5, 2.0];
        let (mut places, mut pipeline) = (single(&start).0, begin(&line));
        let (mut sum, mut total, mut largest) = ([0.0; 3], 0.0, 0.0f64);
        for t in 1..=100 {
            let lr = if t < 10 { 0.002 * t as f64 } else { 0.02 / (t as f64).sqrt() };
            let y = places.numbers()[0].clone();
            places = move_single(&mut pipeline, lr, places, &nonlinear_gradient(&y));
            let x = pipeline.evaluation_model(&places).unwrap().numbers()[0].clone();
            largest = largest.max(lr);
            let weight = t as f64 * largest.powi(2);
            total += weight;
            for i in 0..3 {
                // y = (1 - beta) z + beta x
                let z = (places.numbers()[0][i] - beta * x[i]) / (1.0 - beta);
                sum[i] += weight * z;
                let average = sum[i] / total;
                assert!(
                    (x[i] - average).abs() < 1e-12,
                    "{line}, step {t}: evaluated at {}, and the average is {average}",
                    x[i]
                );
            }
        }
    }
}

/// tests/nag.rs tests this with lr inside and a constant mu.
#[test]
fn nag_is_evaluated_at_the_theta_of_gradients_at_the_look_ahead_point() {
    let start = [1.0, -0.5, 2.0];
    for (from, steps) in [(None, 1), (Some(0.5), 40), (Some(0.0), 2)] {
        for outside in [false, true] {
            let shown = from.map_or("none".into(), |from: f64| from.to_string());
            let place = if outside { "outside" } else { "inside" };
            let line = format!("nag:mu=0.9,lr_place={place},mu_from={shown},mu_steps={steps}");
            let mu = growing(from, 0.9, steps);
            let (mut places, mut pipeline) = (single(&start).0, begin(&line));
            let (mut theta, mut v, mut lr_before) = (start, [0.0; 3], 0.0);
            for t in 1..=100 {
                let lr = if t < 30 { 0.02 } else { 0.02 / (t as f64).sqrt() };
                // the point of the gradient, with the learning rate of the last move of theta
                let ahead: Vec<f64> = theta
                    .iter()
                    .zip(&v)
                    .map(|(theta, v)| {
                        theta - mu(t as f64) * v * if outside { lr_before } else { 1.0 }
                    })
                    .collect();
                for (i, g) in nonlinear_gradient(&ahead).into_iter().enumerate() {
                    if outside {
                        v[i] = mu(t as f64) * v[i] + g;
                        theta[i] = ahead[i] - lr * g;
                    } else {
                        v[i] = mu(t as f64) * v[i] + lr * g;
                        theta[i] -= v[i];
                    }
                }
                lr_before = lr;
                let x = places.numbers()[0].clone();
                for (x, ahead) in x.iter().zip(&ahead) {
                    assert!(
                        (x - ahead).abs() < 1e-13,
                        "{line}, step {t}: in training {x}, the look-ahead point {ahead}"
                    );
                }
                places = move_single(&mut pipeline, lr, places, &nonlinear_gradient(&x));
                let out = pipeline.evaluation_model(&places).unwrap().numbers()[0].clone();
                for (out, theta) in out.iter().zip(&theta) {
                    assert!(
                        (out - theta).abs() < 1e-13,
                        "{line}, step {t}: evaluated at {out}, theta is {theta}"
                    );
                }
            }
        }
    }
}

#[test]
fn nadam_of_torch_with_psi_1_is_that_of_keras_up_to_the_precision_of_the_product() {
    are_the_same_within(1e-13, "nadam@torch:psi=1,eps=1e-7,product=f64", "nadam@keras");
    are_the_same_within(1e-6, "nadam@torch:psi=1,eps=1e-7", "nadam@keras");
    let trajectory = trajectory(20, 0.1, 1);
    assert!(
        trajectory.same("nadam@torch:psi=1,eps=1e-7", "nadam@keras", 1e-12).is_err(),
        "the product is not rounded to f32"
    );
}

#[test]
fn gradient_transformations_without_effect_give_bitwise_equal_parameters() {
    for name in rules() {
        for line in [
            format!("{name}|lookahead:k=1,alpha=1"),
            format!("{name}|ema:decay=0"),
            format!("{name}|ema:decay=0.9"),
            format!("accumulate:steps=1|{name}"),
            format!("nonfinite|{name}"),
            format!("clip_value:max=1e9|{name}"),
            format!("clip_norm:max=1e9|{name}"),
            format!("clip_global:max=1e9|{name}"),
            format!("grokfast_ema:lambda=0|{name}"),
            format!("grokfast_ma:window=50|{name}"),
            format!("mars:gamma=0,max=none|{name}"),
            format!("l2:lambda=0|{name}|decay:lambda=0"),
        ] {
            check_property(4, trajectories(1usize..20), |trajectory| {
                trajectory.same(&line, name, 0.0)
            });
        }
    }
}

#[test]
fn evaluation_parameters_are_the_average_of_the_weights() {
    check_property(
        40,
        (trajectories(1usize..30), prop::sample::select(vec![0.0, 0.5, 0.99])),
        |(trajectory, decay)| {
            let trajectory = Trajectory { dtype: DType::F64, gaps: false, ..trajectory };
            let (start, steps) = trajectory.numbers();
            let weights = trajectory.run("adam");
            let line = format!("adam|ema:decay={decay}");
            let (mut pipeline, mut places) =
                (begin(&line), Places::at(&start, &trajectory.shapes, trajectory.dtype));
            let mut average = weights[1].clone();
            for (t, Step { lr, g }) in steps.iter().enumerate() {
                let gradients = places.gradients(g.each_ref().map(Option::as_deref));
                places = pipeline.step(*lr, places, gradients).unwrap();
                if t > 0 {
                    for (average, x) in
                        average.iter_mut().flatten().zip(weights[t + 1].iter().flatten())
                    {
                        *average = decay * *average + (1.0 - decay) * x;
                    }
                }
                let max_difference = max_difference(
                    &[pipeline.evaluation_model(&places).unwrap().numbers()],
                    std::slice::from_ref(&average),
                );
                if max_difference > if decay == 0.0 { 0.0 } else { 1e-14 } {
                    return Err(format!(
                        "{line}, step {}: {max_difference:e} from the average",
                        t + 1
                    ));
                }
            }
            Ok(())
        },
    );
}

/// Zhang et al., algorithm 1, with Adam, whose optimizer state continues.
#[test]
fn lookahead_is_the_algorithm_of_its_paper() {
    check_property(
        40,
        (trajectories(1usize..30), 1usize..7, prop::sample::select(vec![0.5, 0.8, 1.0])),
        |(trajectory, k, alpha)| {
            let trajectory = Trajectory { dtype: DType::F64, gaps: false, ..trajectory };
            let line = format!("adam|lookahead:k={k},alpha={alpha}");
            let (start, steps) = trajectory.numbers();
            let path = trajectory.run(&line);
            let formula = torch_adam(1e-8, false, 0.0);
            let mut fast = start
                .clone()
                .map(|x| x.into_iter().map(|x| Cell { x, ..Cell::default() }).collect::<Vec<_>>());
            let mut slow = start;
            for (t, Step { lr, g }) in steps.iter().enumerate() {
                for (which, g) in g.iter().enumerate() {
                    let (Some(g), slow) = (g, &mut slow[which]) else { continue };
                    for (i, cell) in fast[which].iter_mut().enumerate() {
                        cell.t += 1.0;
                        formula(cell, *lr, g[i]);
                        if (t + 1) % k == 0 {
                            slow[i] += alpha * (cell.x - slow[i]);
                            cell.x = slow[i];
                        }
                    }
                }
                let fast = fast
                    .each_ref()
                    .map(|cells| cells.iter().map(|cell| cell.x).collect::<Vec<_>>());
                let max_difference = max_difference(std::slice::from_ref(&path[t + 1]), &[fast]);
                if max_difference > 1e-12 {
                    return Err(format!(
                        "{line}, step {}: {max_difference:e} from the paper",
                        t + 1
                    ));
                }
            }
            Ok(())
        },
    );
}

#[test]
fn lazy_adam_is_dense_adam_on_rows_with_gradient_and_changes_no_other_row() {
    let (rows, columns) = (7, 5);
    let shapes: Shapes = ([1], [rows, columns], [2, 3, 2], [1; 4]);
    for dtype in [DType::F64, DType::F32] {
        let trajectory = Trajectory { shapes, dtype, ..trajectory(30, 0.1, 8) };
        let (start, mut steps) = trajectory.numbers();
        // no gradient is zero
        steps.iter_mut().for_each(|step| {
            step.g.iter_mut().flatten().flatten().filter(|g| **g == 0.0).for_each(|g| *g = 0.25)
        });
        let dense = run("adam:eps_place=hat", &start, &steps, &trajectory);
        for clock in ["global", "row"] {
            let lazy = run(&format!("lazy_adam:clock={clock}"), &start, &steps, &trajectory);
            assert_eq!(
                max_difference(&lazy, &dense),
                0.0,
                "lazy_adam:clock={clock} with every row touched, {dtype:?}"
            );
        }

        let mut random = ChaCha8Rng::seed_from_u64(9);
        let touched: Vec<[bool; 7]> =
            steps.iter().map(|_| std::array::from_fn(|_| random.random_range(0..3) == 0)).collect();
        for (step, touched) in steps.iter_mut().zip(&touched) {
            let rows = step.g[1].iter_mut().flat_map(|g| g.chunks_mut(columns));
            rows.zip(touched).filter(|(_, touched)| !**touched).for_each(|(row, _)| row.fill(0.0));
        }
        for clock in ["global", "row"] {
            let lazy = run(&format!("lazy_adam:clock={clock}"), &start, &steps, &trajectory);
            let formula = keras_adam(1e-8, false, 0.0);
            let mut cells: Vec<Cell> =
                start[1].iter().map(|x| Cell { x: *x, ..Cell::default() }).collect();
            for (t, step) in steps.iter().enumerate() {
                let g = step.g[1].as_deref().unwrap();
                for (i, cell) in cells.iter_mut().enumerate() {
                    if touched[t][i / columns] {
                        cell.t = if clock == "row" { cell.t + 1.0 } else { (t + 1) as f64 };
                        formula(cell, step.lr, g[i]);
                        let tolerance = if dtype == DType::F64 { 1e-12 } else { 1e-4 };
                        let found = lazy[t + 1][1][i];
                        assert!(
                            (found - cell.x).abs() <= tolerance,
                            "{clock} {dtype:?}, step {}: {found} and {}",
                            t + 1,
                            cell.x
                        );
                    } else {
                        let (before, after) =
                            (lazy[t][1][i].to_bits(), lazy[t + 1][1][i].to_bits());
                        assert_eq!(
                            before,
                            after,
                            "{clock} {dtype:?}, step {}: an untouched row moved",
                            t + 1
                        );
                    }
                }
            }
        }
        let moved = run("adam:eps_place=hat", &start, &steps, &trajectory);
        assert!(
            max_difference(&moved, &run("lazy_adam", &start, &steps, &trajectory)) > 0.01,
            "dense Adam moves untouched rows"
        );
    }
}

/// The factors are powers of two, so that rounding is the same.
#[test]
fn without_eps_the_size_of_gradients_has_no_effect() {
    for line in [
        "adam:eps=0",
        "adam:eps=0,eps_place=inside",
        "adam:eps=0,eps_place=hat",
        "adam@s2",
        "amsgrad:eps=0",
        "amsgrad@optax:eps=0",
        "nadam:eps=0",
        "nadam@torch:eps=0",
        "adamax",
        "adamw:eps=0",
        "rmsprop:eps=0",
        "rmsprop:eps=0,centered=yes,mu=0.9",
        "adagrad:eps=0",
        "adabelief:eps=0",
        "lion",
        "rprop",
        "ademamix:eps=0,alpha_steps=9,beta3_steps=5",
        "nadamw@torch:eps=0",
        "signum",
        "laprop:eps=0",
        "laprop@authors:eps=0",
        "schedule_free:eps=0",
        "schedule_free@paper:eps=0",
    ] {
        for power in [-20, -1, 20] {
            check_property(10, trajectories(1usize..40), |trajectory| {
                let (plain, scaled) = (
                    trajectory.run(line),
                    Trajectory { scale: 2f64.powi(power), ..trajectory.clone() }.run(line),
                );
                let max_difference = max_difference(&plain, &scaled);
                if max_difference == 0.0 {
                    Ok(())
                } else {
                    Err(format!(
                        "{line}: gradients times 2^{power} differ by {max_difference:e} in {:?}",
                        trajectory.dtype
                    ))
                }
            });
        }
    }
}

#[test]
fn the_effect_of_the_size_of_gradients_falls_with_eps() {
    for place in ["inside", "outside", "hat"] {
        let trajectory =
            Trajectory { shapes: ([40], [1, 1], [1; 3], [1; 4]), ..trajectory(40, 0.01, 5) };
        let max_difference = |eps: f64| {
            // under the root eps is compared with squares
            let line = format!(
                "adam:eps={:e},eps_place={place}",
                if place == "inside" { eps * eps } else { eps }
            );
            max_difference(
                &trajectory.run(&line),
                &Trajectory { scale: 1e-3, ..trajectory.clone() }.run(&line),
            )
        };
        let found: Vec<f64> =
            [1e-8, 1e-12, 1e-16, 1e-20, 1e-24, 1e-40].into_iter().map(max_difference).collect();
        assert!(
            found.is_sorted_by(|larger, smaller| larger > smaller || *smaller < 1e-12),
            "eps_place={place}: {found:?}"
        );
        assert!(found[0] > 1e-3 && found[5] < 1e-12, "eps_place={place}: {found:?}");
    }
}

#[test]
fn the_denominator_of_amsgrad_never_shrinks() {
    let trajectory =
        Trajectory { shapes: ([200], [1, 1], [1; 3], [1; 4]), ..trajectory(60, 0.01, 2) };
    // in Adam the second state is v
    for (line, w, grows) in [
        ("amsgrad:beta2=0.9", 2, true),
        ("amsgrad@paper:beta2=0.9", 2, true),
        ("amsgrad@optax:beta2=0.9", 2, true),
        ("adam:beta2=0.9", 1, false),
    ] {
        let built = Optimizers::default().make(&line.parse().unwrap()).unwrap();
        let Method::PerTensor { mut optimizer, rule: Some(rule) } = built.method else {
            panic!("{line} is not a rule")
        };
        assert_eq!(rule.state_names()[w], if grows { "w" } else { "v" });
        let (start, steps) = trajectory.numbers();
        let mut places = Places::at(&start, &trajectory.shapes, trajectory.dtype);
        let (mut before, mut shrunk) = (vec![0.0; 200], false);
        for Step { lr, g } in steps {
            let gradients = places.gradients(g.each_ref().map(Option::as_deref));
            places = optimizer.step(lr, places, gradients);
            let of_all = optimizer_state(&optimizer, rule.as_ref()).unwrap();
            let now: Vec<f64> = of_all[&places.one.id].tensors[w].iter::<f64>().collect();
            shrunk |= now.iter().zip(&before).any(|(now, before)| now < before);
            before = now;
        }
        assert_eq!(shrunk, !grows, "{line}: whether the denominator shrinks");
    }
}

/// The bound of step t.
fn bound(config: &PipelineConfig, t: usize, lr: f64) -> Option<f64> {
    match &config.optimizer.method {
        Method::PerTensor { rule: Some(rule), .. } => {
            rule.bound(StepContext { t: t as u64, lr, tensor_scalars: [1.0; 2] })
        }
        _ => None,
    }
}

#[test]
fn no_gradients_move_an_element_by_more_than_the_bound() {
    let knobs = prop::collection::vec(0.0..1.0f64, 12);
    let mut bounded = Vec::new();
    for name in rules() {
        let any = std::cell::Cell::new(false);
        // growing gradients are the worst case for Adam; a factor of 1 means no growth
        let growth = prop::sample::select(vec![1.0, 1.11, 1.5, 0.9]);
        check_property(
            100,
            (trajectories(1usize..60), &knobs, growth),
            |(trajectory, knobs, growth)| {
                let trajectory = Trajectory { dtype: DType::F64, gaps: false, ..trajectory };
                let (line, _) = with_settings(name, &knobs);
                let config = config(&line);
                let (start, mut steps) = trajectory.numbers();
                for (t, step) in steps.iter_mut().enumerate() {
                    let factor = f64::powi(growth, t as i32);
                    step.g.iter_mut().flatten().flatten().for_each(|g| {
                        *g = if growth == 1.0 { *g } else { (0.1 + g.abs()) * factor }
                    });
                }
                let path = run(&line, &start, &steps, &trajectory);
                for (t, pair) in path.windows(2).enumerate() {
                    let Some(bound) = bound(&config, t + 1, steps[t].lr) else { return Ok(()) };
                    any.set(true);
                    for (before, after) in pair[0].iter().flatten().zip(pair[1].iter().flatten()) {
                        let moved = (after - before).abs();
                        if moved
                            > bound * (1.0 + 1e-9)
                                + 4.0 * f64::EPSILON * before.abs().max(after.abs())
                        {
                            return Err(format!(
                                "{line}, step {}: moved {moved:e}, and the bound is {bound:e}",
                                t + 1
                            ));
                        }
                    }
                }
                Ok(())
            },
        );
        if any.get() {
            bounded.push(name);
        }
    }
    assert_eq!(
        bounded,
        ["adagrad", "adam", "lion", "rprop", "adopt", "signum"],
        "the rules with a bound"
    );
}

#[test]
fn growing_gradients_reach_adams_bound_and_exceed_the_papers() {
    for (beta1, beta2) in
        [(0.9, 0.999), (0.9, 0.99), (0.5, 0.9), (0.99, 0.9999), (0.9, 0.85), (0.99, 0.9)]
    {
        for corrected in ["yes", "no"] {
            let line =
                format!("adam:beta1={beta1},beta2={beta2},eps=0,bias_correction={corrected}");
            let (mut pipeline, mut places, config) =
                (begin(&line), single(&[0.0]).0, config(&line));
            let (lr, mut furthest) = (1e-3, 0.0);
            for t in 1..=300 {
                let before = places.numbers()[0][0];
                places = move_single(
                    &mut pipeline,
                    lr,
                    places,
                    &[f64::powi(beta2 / beta1, t as i32 - 150)],
                );
                let moved = before - places.numbers()[0][0];
                let bound = bound(&config, t, lr).unwrap();
                assert!(
                    moved <= bound * (1.0 + 1e-9) && moved > 0.99 * bound,
                    "{line}, step {t}: {moved:e} of {bound:e}"
                );
                furthest = f64::max(furthest, moved);
            }
            let claimed = lr * f64::max(1.0, (1.0 - beta1) / f64::sqrt(1.0 - beta2));
            assert!(
                furthest > claimed * 1.05,
                "{line}: at most {furthest:e}, the paper allows {claimed:e}"
            );
            if (beta1, beta2) == (0.9, 0.999) {
                assert!(
                    (furthest / lr - 7.27).abs() < 0.1 || corrected == "yes",
                    "{line}: {}",
                    furthest / lr
                );
            }
        }
    }
}

#[test]
fn a_single_gradient_after_many_zeros_reaches_the_bound_of_adams_paper() {
    let (mut pipeline, mut places, lr) = (begin("adam:eps=0"), single(&[0.0]).0, 1e-3);
    for _ in 0..6000 {
        places = move_single(&mut pipeline, lr, places, &[0.0]);
    }
    assert_eq!(places.numbers()[0], [0.0]);
    places = move_single(&mut pipeline, lr, places, &[1e-3]);
    let share = -places.numbers()[0][0] / (lr * 0.1 / 0.001f64.sqrt());
    assert!((0.99..1.0).contains(&share), "{share} of the paper's bound");
}

#[test]
fn decoupled_decay_and_l2_are_those_of_torch() {
    check_property(
        60,
        (trajectories(1usize..40), prop::sample::select(vec![0.0, 1e-3, 0.3])),
        |(trajectory, lambda)| {
            let (torch, none) = (torch_adam(1e-8, false, lambda), Decay::default());
            trajectory.compare(&format!("adam|decay:lambda={lambda}"), &torch, &none)?;
            trajectory.compare(&format!("adamw@torch:lambda={lambda}"), &torch, &none)?;
            // torch.optim.Adam(weight_decay=lambda): grad = grad.add(param, alpha=weight_decay)
            let plain = torch_adam(1e-8, false, 0.0);
            let l2: Formula = Box::new(move |c, lr, g| {
                let g = g + lambda * c.x;
                plain(c, lr, g);
            });
            trajectory.compare(&format!("l2:lambda={lambda}|adam"), &l2, &none)
        },
    );
    let trajectory = trajectory(20, 0.1, 1);
    assert!(
        trajectory.same("l2:lambda=0.1|adam", "adam|decay:lambda=0.1", 1e-3).is_err(),
        "L2 is not decoupled decay"
    );
    assert_eq!(
        trajectory.same("l2:lambda=0.1|sgd", "sgd|decay:lambda=0.1", 1e-13),
        Ok(()),
        "for plain SGD they are the same"
    );
}

#[test]
fn accumulated_batches_give_one_step_with_their_mean() {
    for name in rules() {
        check_property(8, (trajectories(1usize..12), 1usize..5), |(trajectory, n)| {
            let (start, steps) = trajectory.numbers();
            // n batches from each step's gradients, whose mean differs from each of them
            let batch = |g: &[f64], k: usize| -> Vec<f64> {
                g.iter().map(|g| g * [1.0, -0.5, 4.0, 0.0][k]).collect()
            };
            let line = format!("accumulate:steps={n}|{name}");
            let (mut one, mut many) = (begin(name), begin(&line));
            let mut places = Places::at(&start, &trajectory.shapes, trajectory.dtype);
            let mut other = places.clone();
            for (t, Step { lr, g }) in steps.iter().enumerate() {
                let batches: Vec<[Option<Vec<f64>>; 4]> = (0..n)
                    .map(|k| {
                        g.each_ref().map(|g| {
                            g.as_deref().filter(|_| k % 2 == 0 || n < 3).map(|g| batch(g, k))
                        })
                    })
                    .collect();
                for (k, g) in batches.iter().enumerate() {
                    let before = other.numbers();
                    let gradients = other.gradients(g.each_ref().map(Option::as_deref));
                    other = many.step(*lr, other, gradients).map_err(|error| error.to_string())?;
                    if k + 1 < n && max_difference(&[other.numbers()], &[before]) > 0.0 {
                        return Err(format!("{line} moved after {} of {n} batches", k + 1));
                    }
                }
                // a batch in which the parameter has no gradient counts as zero
                let single = trajectory.dtype == DType::F32;
                let plus =
                    |a: f64, b: f64| if single { f64::from(a as f32 + b as f32) } else { a + b };
                let times =
                    |a: f64, b: f64| if single { f64::from(a as f32 * b as f32) } else { a * b };
                let mean = g.each_ref().map(|g| {
                    let g = g.as_deref()?;
                    let mut sum = batch(g, 0);
                    for k in (1..n).filter(|k| k % 2 == 0 || n < 3) {
                        sum.iter_mut().zip(batch(g, k)).for_each(|(sum, g)| *sum = plus(*sum, g));
                    }
                    Some(
                        sum.into_iter().map(|sum| times(sum, 1.0 / n as f64)).collect::<Vec<f64>>(),
                    )
                });
                let gradients = places.gradients(mean.each_ref().map(Option::as_deref));
                places = one.step(*lr, places, gradients).map_err(|error| error.to_string())?;
                let max_difference = max_difference(&[places.numbers()], &[other.numbers()]);
                if max_difference > 0.0 {
                    return Err(format!(
                        "{line}, step {}: {max_difference:e} from the step with the mean, {:?}",
                        t + 1,
                        trajectory.dtype
                    ));
                }
            }
            Ok(())
        });
    }
}

/// The gradients after clipping. SGD with learning rate 1 from 0 shows them.
fn clipped(line: &str, trajectory: &Trajectory, g: &Four) -> Four {
    let zeros = lengths(&trajectory.shapes).map(|n| vec![0.0; n]);
    let places = Places::at(&zeros, &trajectory.shapes, DType::F64);
    let gradients = places.all_gradients(g);
    begin(&format!("{line}|sgd:lr=1"))
        .step(1.0, places, gradients)
        .unwrap()
        .numbers()
        .map(|x| x.into_iter().map(|x| -x).collect())
}

fn norm<'a>(g: impl IntoIterator<Item = &'a f64>) -> f64 {
    g.into_iter().map(|g| g * g).sum::<f64>().sqrt()
}

#[test]
fn clipping_bounds_the_norm_and_keeps_the_direction() {
    check_property(60, (trajectories(Just(1)), -4i32..2), |(trajectory, power)| {
        let (_, steps) =
            Trajectory { gaps: false, dtype: DType::F64, ..trajectory.clone() }.numbers();
        let g = steps.into_iter().next().unwrap().g.map(Option::unwrap);
        let max = 10f64.powi(power);
        let near = |found: &[f64], expected: &[f64], line: &str| {
            let wrong = found
                .iter()
                .zip(expected)
                .find(|(a, b)| a.is_nan() || (*a - *b).abs() > 1e-14 * b.abs());
            wrong.map_or(Ok(()), |(a, b)| Err(format!("{line}: {a} where {b} is expected")))
        };

        let line = format!("clip_global:max={max}");
        let found = clipped(&line, &trajectory, &g);
        let all = norm(g.iter().flatten());
        if norm(found.iter().flatten()) > max * (1.0 + 1e-14) {
            return Err(format!(
                "{line}: the norm of all gradients is {}",
                norm(found.iter().flatten())
            ));
        }
        for (found, g) in found.iter().zip(&g) {
            let factor = if all > max { max / all } else { 1.0 };
            near(found, &g.iter().map(|g| g * factor).collect::<Vec<_>>(), &line)?;
        }

        let line = format!("clip_norm:max={max}");
        for (found, g) in clipped(&line, &trajectory, &g).iter().zip(&g) {
            let factor = if norm(g) > max { max / norm(g) } else { 1.0 };
            near(found, &g.iter().map(|g| g * factor).collect::<Vec<_>>(), &line)?;
        }

        let line = format!("clip_value:max={max}");
        for (found, g) in clipped(&line, &trajectory, &g).iter().zip(&g) {
            near(found, &g.iter().map(|g| g.max(-max).min(max)).collect::<Vec<_>>(), &line)?;
        }

        // of several transformations, each gets the result of the previous one
        let (first, second) = (
            format!("clip_value:max={max}|clip_global:max=0.1"),
            format!("clip_global:max=0.1|clip_value:max={max}"),
        );
        let one = clipped(
            "clip_global:max=0.1",
            &trajectory,
            &clipped(&format!("clip_value:max={max}"), &trajectory, &g),
        );
        for (found, expected) in clipped(&first, &trajectory, &g).iter().zip(&one) {
            near(found, expected, &first)?;
        }
        let other = clipped(
            &format!("clip_value:max={max}"),
            &trajectory,
            &clipped("clip_global:max=0.1", &trajectory, &g),
        );
        for (found, expected) in clipped(&second, &trajectory, &g).iter().zip(&other) {
            near(found, expected, &second)?;
        }
        Ok(())
    });
}

#[test]
fn gradients_are_clipped_before_l2_is_added_and_averaged_before_they_are_clipped() {
    let (x, g, max, lambda) = ([3.0f64, -4.0], [30.0f64, 40.0], 5.0, 0.5);
    let step = |line: &str| {
        let (places, mut pipeline) = (single(&x).0, begin(line));
        move_single(&mut pipeline, 1.0, places, &g).numbers()[0].clone()
    };
    let found = step(&format!("clip_global:max={max}|l2:lambda={lambda}|sgd"));
    // |g| is 50, so clipping leaves a tenth; clipped after l2, g + lambda x would have norm 5
    let clip_first: Vec<f64> = x.iter().zip(g).map(|(x, g)| x - (g / 10.0 + lambda * x)).collect();
    let sum: Vec<f64> = x.iter().zip(g).map(|(x, g)| g + lambda * x).collect();
    let l2_first: Vec<f64> = x.iter().zip(&sum).map(|(x, g)| x - g * max / norm(&sum)).collect();
    for i in 0..2 {
        assert!(
            (found[i] - clip_first[i]).abs() < 1e-14,
            "{found:?}, clipped first {clip_first:?}"
        );
        assert!((found[i] - l2_first[i]).abs() > 0.1, "{found:?}, clipped last {l2_first:?}");
    }

    let (mut places, mut pipeline) =
        (single(&[0.0, 0.0]).0, begin("accumulate:steps=2|clip_global:max=5|sgd"));
    places = move_single(&mut pipeline, 1.0, places, &[40.0, 0.0]);
    places = move_single(&mut pipeline, 1.0, places, &[-40.0, 2.0]);
    assert_eq!(
        places.numbers()[0],
        [0.0, -1.0],
        "the mean is below the bound; each batch is above"
    );

    for line in [
        "l2|clip_global|sgd",
        "sgd|l2",
        "ema|sgd",
        "decay|sgd",
        "clip_norm|accumulate|sgd",
        "sgd|ema|lookahead",
        "sgd|ema|decay",
    ] {
        let Err(error) = PipelineConfig::read(&line.parse().unwrap(), &Optimizers::default())
        else {
            panic!("{line} has another order")
        };
        assert!(
            error.to_string().contains(
                "the order is sam, accumulate, nonfinite, grokfast_*, mars, clip_*, l2, OPTIMIZER, cautious, decay, group, lookahead, ema, SCHEDULE"
            ),
            "{line}: {error}"
        );
    }
}
