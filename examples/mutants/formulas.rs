//! A second version of the formulas, for a single number in plain f64. They are written from the
//! papers and the headers of the files, not from the code. They cover what the recorded cases do
//! not cover. `main.rs` copies this file; it is not compiled separately.

/// An optimizer's settings, and its formula with these settings.
pub struct Formula {
    pub spec: &'static str,
    /// the learning rate, even if the settings do not contain it
    pub lr: f64,
    pub step: fn(&mut Element),
}

impl Formula {
    pub fn name(&self) -> &'static str {
        self.spec.split(':').next().unwrap_or_default()
    }
}

/// One element of a parameter. A formula changes `x`, and may set the other expected results.
#[derive(Default)]
pub struct Element {
    pub t: i32,
    pub lr: f64,
    pub g: f64,
    pub x: f64,
    /// zeros before the first step
    pub state: [f64; 5],
    /// the evaluation parameter; `None` if it is x
    pub theta: Option<f64>,
    pub signal: Option<SignalValues>,
    /// the largest distance that a step can move x
    pub bound: Option<f64>,
}

/// The expected [`Signal`](downhill::optim::Signal).
#[derive(Clone, Copy)]
pub struct SignalValues {
    pub m_hat: Option<f64>,
    pub v_hat: f64,
    pub eps: f64,
}

fn signal(m_hat: Option<f64>, v_hat: f64, eps: f64) -> Option<SignalValues> {
    Some(SignalValues { m_hat, v_hat, eps })
}

/// The quotient, or 0 if the denominator is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Updates Adam's moments, and returns them with their bias corrected.
fn moments(e: &mut Element, beta1: f64, beta2: f64) -> (f64, f64) {
    let (t, g) = (e.t, e.g);
    let [m, v, ..] = &mut e.state;
    *m = beta1 * *m + (1.0 - beta1) * g;
    *v = beta2 * *v + (1.0 - beta2) * g.powi(2);
    (*m / (1.0 - beta1.powi(t)), *v / (1.0 - beta2.powi(t)))
}

/// Adam's bound, as a sum over the steps.
fn adam_bound(e: &Element, beta1: f64, beta2: f64) -> f64 {
    let sum: f64 = (0..e.t).map(|i| (beta1.powi(2) / beta2).powi(i)).sum();
    e.lr * (1.0 - beta1) / (1.0 - beta1.powi(e.t))
        * ((1.0 - beta2.powi(e.t)) / (1.0 - beta2) * sum).sqrt()
}

/// Nesterov's method by its definition, with theta, v and the look-ahead point of the next
/// gradient.
fn nesterov(e: &mut Element, mu: f64, mu_next: f64) {
    let [theta, v, ..] = &mut e.state;
    if e.t == 1 {
        *theta = e.x;
    }
    *v = mu * *v + e.lr * e.g;
    *theta -= *v;
    e.x = *theta - mu_next * *v;
    e.theta = Some(*theta);
}

/// Nesterov's method in the form of torch. theta is computed from v.
fn nesterov_outside(e: &mut Element, g: f64) {
    let v = &mut e.state[0];
    *v = 0.9 * *v + g;
    let before = e.x;
    e.x = before - e.lr * (g + 0.9 * *v);
    e.theta = Some(e.x + 0.9 * e.lr * *v);
}

fn grown(t: i32) -> f64 {
    if t >= 10 { 0.9 } else { 0.5 + 0.4 * f64::from(t - 1) / 9.0 }
}

fn nadam(e: &mut Element, mu: impl Fn(i32) -> f64, next: bool, denominator: fn(f64) -> f64) {
    let (_, v_hat) = moments(e, 0.9, 0.999);
    let product = |to: i32| (1..=to).map(&mu).product::<f64>();
    let m_correction = 1.0 - product(if next { e.t + 1 } else { e.t });
    let m_bar =
        mu(e.t + 1) * e.state[0] / m_correction + (1.0 - mu(e.t)) * e.g / (1.0 - product(e.t));
    e.x -= e.lr * ratio(m_bar, denominator(v_hat));
    e.signal = signal(Some(e.state[0] / (1.0 - 0.9f64.powi(e.t))), v_hat, denominator(0.0));
}

fn radam(e: &mut Element, beta2: f64, threshold: f64) {
    let (m_hat, v_hat) = moments(e, 0.9, beta2);
    let n = 2.0 / (1.0 - beta2) - 1.0;
    let p = n - 2.0 * f64::from(e.t) * beta2.powi(e.t) / (1.0 - beta2.powi(e.t));
    let r = ((p - 4.0) * (p - 2.0) * n / ((n - 4.0) * (n - 2.0) * p)).sqrt();
    e.x -= e.lr * if p > threshold { r * m_hat / (v_hat.sqrt() + 1e-8) } else { m_hat };
    e.signal = signal(Some(m_hat), v_hat, 1e-8);
}

/// `beta3` and `alpha` are those of the step.
fn ademamix(e: &mut Element, beta3: f64, alpha: f64, lambda: f64) {
    let (m_hat, v_hat) = moments(e, 0.9, 0.999);
    e.state[2] = beta3 * e.state[2] + (1.0 - beta3) * e.g;
    e.x -= e.lr * (ratio(m_hat + alpha * e.state[2], v_hat.sqrt() + 1e-8) + lambda * e.x);
    e.signal = signal(Some(m_hat), v_hat, 1e-8);
}

fn signum(e: &mut Element, beta: f64, lambda: f64) {
    let m = beta * e.state[0] + (1.0 - beta) * e.g;
    e.state[0] = m;
    e.x -= e.lr * (if m == 0.0 { 0.0 } else { m.signum() } + lambda * e.x);
}

/// Updates the second moment.
fn second_moment(e: &mut Element) -> f64 {
    e.state[1] = 0.999 * e.state[1] + 0.001 * e.g.powi(2);
    e.state[1]
}

fn laprop_denominator(e: &mut Element, eps: f64) -> f64 {
    (second_moment(e) / (1.0 - 0.999f64.powi(e.t))).sqrt() + eps
}

/// The sequences x, y and z by their definition. `weight` is a function of t, lr and the largest lr.
fn schedule_free(e: &mut Element, d: f64, lr: f64, beta: f64, weight: fn(f64, f64, f64) -> f64) {
    let [z, _, x, sum, largest] = &mut e.state;
    if e.t == 1 {
        (*z, *x) = (e.x, e.x);
    }
    *largest = largest.max(lr);
    let weight = weight(f64::from(e.t), lr, *largest);
    *sum += weight;
    *z -= lr * d;
    *x += weight / *sum * (*z - *x);
    e.x = (1.0 - beta) * *z + beta * *x;
    e.theta = Some(*x);
}

/// The initial step size is lr. The previous sign is 0 after a change of sign.
fn rprop(e: &mut Element, lr: f64, min: f64, max: f64) {
    let [d, before, ..] = &mut e.state;
    if e.t == 1 {
        *d = lr;
    }
    let sign = |g: f64| if g == 0.0 { 0.0 } else { g.signum() };
    let mut s = sign(e.g);
    if s * *before > 0.0 {
        *d *= 1.2;
    } else if s * *before < 0.0 {
        *d *= 0.5;
        s = 0.0;
    }
    *d = d.clamp(min, max);
    e.x -= *d * s;
    *before = s;
    e.bound = Some(max);
}

fn delta_bar_delta(e: &mut Element, kappa: f64, phi: f64, theta: f64) {
    let [b, a, ..] = &mut e.state;
    if e.t == 1 {
        *a = 1.0;
    }
    if *b * e.g > 0.0 {
        *a += kappa;
    } else if *b * e.g < 0.0 {
        *a *= 1.0 - phi;
    }
    e.x -= e.lr * *a * e.g;
    *b = theta * *b + (1.0 - theta) * e.g;
}

fn adabelief(e: &mut Element, eps: f64) {
    let [m, s, ..] = &mut e.state;
    *m = 0.9 * *m + 0.1 * e.g;
    *s = 0.999 * *s + 0.001 * (e.g - *m).powi(2) + eps;
    let (m_hat, s_hat) = (*m / (1.0 - 0.9f64.powi(e.t)), *s / (1.0 - 0.999f64.powi(e.t)));
    e.x -= e.lr * m_hat / (s_hat.sqrt() + eps);
    e.signal = signal(Some(m_hat), s_hat, (2000.0 * eps).sqrt());
}

fn adopt(e: &mut Element, largest: Option<f64>) {
    let [m, v, ..] = &mut e.state;
    if e.t == 1 {
        *v = e.g.powi(2);
    } else {
        let normalized = e.g / v.sqrt().max(1e-6);
        let clipped = largest.map_or(normalized, |c| normalized.clamp(-c, c));
        *m = 0.9 * *m + 0.1 * clipped;
        e.x -= e.lr * *m;
        *v = 0.9999 * *v + 0.0001 * e.g.powi(2);
    }
    e.bound = largest.map(|c| c * e.lr);
}

pub const FORMULAS: &[Formula] = &[
    Formula { spec: "sgd", lr: 0.01, step: |e| e.x -= e.lr * e.g },
    Formula {
        spec: "momentum",
        lr: 0.01,
        step: |e| {
            e.state[0] = 0.9 * e.state[0] + e.lr * e.g;
            e.x -= e.state[0];
        },
    },
    Formula {
        spec: "momentum:mu_from=0.5,mu_steps=10",
        lr: 0.01,
        step: |e| {
            e.state[0] = grown(e.t) * e.state[0] + e.lr * e.g;
            e.x -= e.state[0];
        },
    },
    Formula {
        spec: "momentum:dampening=0.2,lr_place=outside",
        lr: 0.01,
        step: |e| {
            e.state[0] = if e.t == 1 { e.g } else { 0.9 * e.state[0] + 0.8 * e.g };
            e.x -= e.lr * e.state[0];
        },
    },
    Formula { spec: "nag", lr: 0.01, step: |e| nesterov(e, 0.9, 0.9) },
    Formula {
        spec: "nag:mu_from=0.5,mu_steps=10",
        lr: 0.01,
        step: |e| nesterov(e, grown(e.t), grown(e.t + 1)),
    },
    Formula { spec: "nag:lr_place=outside", lr: 0.01, step: |e| nesterov_outside(e, e.g) },
    Formula {
        spec: "nag:point=lookahead",
        lr: 0.01,
        step: |e| {
            nesterov(e, 0.9, 0.9);
            e.theta = None;
        },
    },
    Formula {
        spec: "adagrad",
        lr: 0.01,
        step: |e| {
            e.state[0] += e.g.powi(2);
            e.x -= e.lr * e.g / (e.state[0] + 1e-8).sqrt();
            e.signal = signal(None, e.state[0], 1e-4);
            e.bound = Some(e.lr);
        },
    },
    Formula {
        spec: "adagrad:eps=1e-3,eps_place=outside,start=0.1,lr_decay=0.05",
        lr: 0.01,
        step: |e| {
            let lr = e.lr / (1.0 + 0.05 * f64::from(e.t - 1));
            e.state[0] = if e.t == 1 { 0.1 } else { e.state[0] } + e.g.powi(2);
            e.x -= lr * e.g / (e.state[0].sqrt() + 1e-3);
            e.signal = signal(None, e.state[0], 1e-3);
            e.bound = Some(lr);
        },
    },
    Formula {
        spec: "rmsprop",
        lr: 1e-3,
        step: |e| {
            e.state[0] = 0.9 * e.state[0] + 0.1 * e.g.powi(2);
            e.x -= e.lr * e.g / (e.state[0] + 1e-8).sqrt();
            e.signal = signal(None, e.state[0], 1e-4);
        },
    },
    Formula {
        spec: "rmsprop:start=1,mu=0.5,eps=1e-3,eps_place=outside",
        lr: 1e-3,
        step: |e| {
            let [v, u, ..] = &mut e.state;
            *v = 0.9 * if e.t == 1 { 1.0 } else { *v } + 0.1 * e.g.powi(2);
            *u = 0.5 * *u + e.lr * e.g / (v.sqrt() + 1e-3);
            e.x -= *u;
            e.signal = signal(None, *v, 1e-3);
        },
    },
    // eps is large, because the variance of constant gradients is only a rounding error
    Formula {
        spec: "rmsprop:rho=0.5,centered=yes,bias_correction=yes,eps=1e5,eps_place=hat",
        lr: 1e-3,
        step: |e| {
            let [v, b, ..] = &mut e.state;
            *v = 0.5 * *v + 0.5 * e.g.powi(2);
            *b = 0.5 * *b + 0.5 * e.g;
            let correction = 1.0 - 0.5f64.powi(e.t);
            let variance = (*v / correction - (*b / correction).powi(2)).max(0.0);
            e.x -= e.lr * e.g / (variance.sqrt() + 1e5 / correction.sqrt());
        },
    },
    Formula {
        spec: "rmsprop:centered=yes,bias_correction=yes,eps=1e-3,start=1",
        lr: 1e-3,
        step: |e| {
            let [v, b, ..] = &mut e.state;
            *v = 0.9 * if e.t == 1 { 1.0 } else { *v } + 0.1 * e.g.powi(2);
            *b = 0.9 * *b + 0.1 * e.g;
            let correction = 1.0 - 0.9f64.powi(e.t);
            let variance = *v / correction - (*b / correction).powi(2);
            e.x -= e.lr * e.g / (variance + 1e-3).sqrt();
            e.signal = signal(None, variance, 1e-3f64.sqrt());
        },
    },
    Formula {
        spec: "adadelta",
        lr: 1.0,
        step: |e| {
            let [v, u, ..] = &mut e.state;
            *v = 0.95 * *v + 0.05 * e.g.powi(2);
            let d = ((*u + 1e-6) / (*v + 1e-6)).sqrt() * e.g;
            *u = 0.95 * *u + 0.05 * d.powi(2);
            e.x -= e.lr * d;
        },
    },
    Formula {
        spec: "adadelta:gamma=0.8,rho=0.9,eps=1e-3,lr=0.5",
        lr: 0.5,
        step: |e| {
            let [v, u, ..] = &mut e.state;
            *v = 0.9 * *v + 0.1 * e.g.powi(2);
            let d = ((*u + 1e-3) / (*v + 1e-3)).sqrt() * e.g;
            *u = 0.8 * *u + 0.2 * d.powi(2);
            e.x -= e.lr * d;
        },
    },
    Formula {
        spec: "adam",
        lr: 1e-3,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.999);
            e.x -= e.lr * m_hat / (v_hat.sqrt() + 1e-8);
            e.signal = signal(Some(m_hat), v_hat, 1e-8);
            e.bound = Some(adam_bound(e, 0.9, 0.999));
        },
    },
    Formula {
        spec: "adam:eps=1e-3,eps_place=hat,beta1=0.5",
        lr: 1e-3,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.5, 0.999);
            // section 2 of the paper: lr is corrected, and eps is added to the root of the
            // uncorrected v
            let lr = e.lr * (1.0 - 0.999f64.powi(e.t)).sqrt() / (1.0 - 0.5f64.powi(e.t));
            e.x -= lr * e.state[0] / (e.state[1].sqrt() + 1e-3);
            e.signal = signal(Some(m_hat), v_hat, 1e-3 / (1.0 - 0.999f64.powi(e.t)).sqrt());
        },
    },
    Formula {
        spec: "adam:eps=1e-3,eps_place=inside",
        lr: 1e-3,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.999);
            e.x -= e.lr * m_hat / (v_hat + 1e-3).sqrt();
            e.signal = signal(Some(m_hat), v_hat, 1e-3f64.sqrt());
        },
    },
    Formula {
        spec: "adam:bias_correction=no,eps=1e-3",
        lr: 1e-3,
        step: |e| {
            moments(e, 0.9, 0.999);
            e.x -= e.lr * e.state[0] / (e.state[1].sqrt() + 1e-3);
            e.signal = signal(Some(e.state[0]), e.state[1], 1e-3);
        },
    },
    // beta1^2 = beta2, where the formula for the bound's geometric series does not apply
    Formula {
        spec: "adam:beta1=0.5,beta2=0.25,bias_correction=no",
        lr: 1e-3,
        step: |e| {
            moments(e, 0.5, 0.25);
            e.x -= e.lr * e.state[0] / (e.state[1].sqrt() + 1e-8);
            e.bound = Some(e.lr * 0.5 / 0.75f64.sqrt() * f64::from(e.t).sqrt());
        },
    },
    Formula {
        spec: "amsgrad@paper",
        lr: 1e-3,
        step: |e| {
            moments(e, 0.9, 0.999);
            e.state[2] = e.state[2].max(e.state[1]);
            e.x -= e.lr * e.state[0] / (e.state[2].sqrt() + 1e-8);
            e.signal = signal(Some(e.state[0]), e.state[2], 1e-8);
        },
    },
    Formula {
        spec: "amsgrad:eps=1e-3,beta2=0.9",
        lr: 1e-3,
        step: |e| {
            let (m_hat, _) = moments(e, 0.9, 0.9);
            e.state[2] = e.state[2].max(e.state[1]);
            let w_hat = e.state[2] / (1.0 - 0.9f64.powi(e.t));
            e.x -= e.lr * m_hat / (w_hat.sqrt() + 1e-3);
            e.signal = signal(Some(m_hat), w_hat, 1e-3);
        },
    },
    Formula {
        spec: "amsgrad:max_of=corrected,eps=1e-3,beta2=0.9,eps_place=hat",
        lr: 1e-3,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.9);
            e.state[2] = e.state[2].max(v_hat);
            e.x -= e.lr * m_hat / (e.state[2].sqrt() + 1e-3);
            e.signal = signal(Some(m_hat), e.state[2], 1e-3);
        },
    },
    Formula {
        spec: "adamw@paper:lambda=0.1",
        lr: 1e-3,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.999);
            e.x -= e.lr * m_hat / (v_hat.sqrt() + 1e-8) + e.lr / 1e-3 * 0.1 * e.x;
            e.signal = signal(Some(m_hat), v_hat, 1e-8);
        },
    },
    Formula {
        spec: "adamw:lr=0.01",
        lr: 0.01,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.999);
            e.x -= e.lr * m_hat / (v_hat.sqrt() + 1e-8) + e.lr * 1e-4 * e.x;
        },
    },
    Formula {
        spec: "adamw@paper:lr=0.01",
        lr: 0.01,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.999);
            e.x -= e.lr * m_hat / (v_hat.sqrt() + 1e-8) + e.lr / 0.01 * 1e-5 * e.x;
        },
    },
    Formula {
        spec: "adamw@paper:lr=0.01,alpha=0.1,lambda=0.2",
        lr: 0.01,
        step: |e| {
            let (m_hat, v_hat) = moments(e, 0.9, 0.999);
            e.x -= e.lr * m_hat / (v_hat.sqrt() + 1e-8) + e.lr / 0.1 * 0.2 * e.x;
        },
    },
    Formula {
        spec: "nadam",
        lr: 2e-3,
        step: |e| nadam(e, |_| 0.9, true, |v_hat| v_hat.sqrt() + 1e-8),
    },
    Formula {
        spec: "nadam@s0",
        lr: 2e-3,
        step: |e| nadam(e, |_| 0.9, false, |v_hat| (v_hat + 1e-8).sqrt()),
    },
    Formula {
        spec: "nadam:psi=0.5,eps_place=inside",
        lr: 2e-3,
        step: |e| {
            nadam(
                e,
                |t| 0.9 * (1.0 - 0.96f64.powf(0.5 * f64::from(t)) / 2.0),
                true,
                |v_hat| (v_hat + 1e-8).sqrt(),
            )
        },
    },
    Formula { spec: "radam", lr: 1e-3, step: |e| radam(e, 0.999, 5.0) },
    Formula { spec: "radam@paper", lr: 1e-3, step: |e| radam(e, 0.999, 4.0) },
    Formula { spec: "radam:beta2=0.9,threshold=6", lr: 1e-3, step: |e| radam(e, 0.9, 6.0) },
    Formula {
        spec: "adamax",
        lr: 2e-3,
        step: |e| {
            let [m, u, ..] = &mut e.state;
            *m = 0.9 * *m + 0.1 * e.g;
            *u = (0.999 * *u).max(e.g.abs());
            e.x -= e.lr / (1.0 - 0.9f64.powi(e.t)) * ratio(*m, *u);
        },
    },
    Formula {
        spec: "adamax:eps=1e-3,beta2=0.9",
        lr: 2e-3,
        step: |e| {
            let [m, u, ..] = &mut e.state;
            *m = 0.9 * *m + 0.1 * e.g;
            *u = (0.9 * *u).max(e.g.abs() + 1e-3);
            e.x -= e.lr / (1.0 - 0.9f64.powi(e.t)) * *m / *u;
        },
    },
    Formula {
        spec: "adamax:eps=1e-3,eps_place=outside",
        lr: 2e-3,
        step: |e| {
            let [m, u, ..] = &mut e.state;
            *m = 0.9 * *m + 0.1 * e.g;
            *u = (0.999 * *u).max(e.g.abs());
            e.x -= e.lr / (1.0 - 0.9f64.powi(e.t)) * *m / (*u + 1e-3);
        },
    },
    Formula { spec: "adabelief", lr: 1e-3, step: |e| adabelief(e, 1e-8) },
    Formula { spec: "adabelief:eps=1e-3", lr: 1e-3, step: |e| adabelief(e, 1e-3) },
    Formula {
        spec: "lion",
        lr: 1e-4,
        step: |e| {
            let c = 0.9 * e.state[0] + (1.0 - 0.9) * e.g;
            e.state[0] = 0.99 * e.state[0] + (1.0 - 0.99) * e.g;
            e.x -= e.lr * if c == 0.0 { 0.0 } else { c.signum() };
            e.bound = Some(e.lr);
        },
    },
    Formula {
        spec: "lion:lr=0.01,lambda=0.5,beta1=0.5,beta2=0.8",
        lr: 0.01,
        step: |e| {
            let c = 0.5 * e.state[0] + 0.5 * e.g;
            e.state[0] = 0.8 * e.state[0] + (1.0 - 0.8) * e.g;
            e.x -= e.lr * (if c == 0.0 { 0.0 } else { c.signum() } + 0.5 * e.x);
        },
    },
    Formula { spec: "rprop", lr: 0.1, step: |e| rprop(e, 0.1, 1e-6, 50.0) },
    Formula { spec: "rprop:min=0.05,max=0.2", lr: 0.1, step: |e| rprop(e, 0.1, 0.05, 0.2) },
    Formula { spec: "delta_bar_delta", lr: 0.01, step: |e| delta_bar_delta(e, 0.05, 0.1, 0.7) },
    Formula {
        spec: "delta_bar_delta:kappa=0.3,phi=0.5,theta=0.9",
        lr: 0.01,
        step: |e| delta_bar_delta(e, 0.3, 0.5, 0.9),
    },
    Formula {
        spec: "decayed_nag:l2=0.1",
        lr: 0.01,
        step: |e| nesterov_outside(e, e.g + 0.1 * e.x),
    },
    Formula {
        spec: "decayed_nag:lambda=0.1",
        lr: 0.01,
        step: |e| {
            let decay = e.lr * 0.1 * e.x;
            nesterov_outside(e, e.g);
            e.x -= decay;
            e.theta = e.theta.map(|theta| theta - decay);
        },
    },
    Formula {
        spec: "decayed_nag:lambda=0.1,by=schedule,alpha=0.02",
        lr: 0.01,
        step: |e| {
            let decay = e.lr / 0.02 * 0.1 * e.x;
            nesterov_outside(e, e.g);
            e.x -= decay;
            e.theta = e.theta.map(|theta| theta - decay);
        },
    },
    Formula {
        spec: "decayed_nag:lambda=0.1,lr_scale=0.5",
        lr: 0.01,
        step: |e| {
            e.lr *= 0.5;
            let decay = e.lr * 0.1 * e.x;
            nesterov_outside(e, e.g);
            e.x -= decay;
            e.theta = e.theta.map(|theta| theta - decay);
        },
    },
    Formula {
        spec: "decayed_nag:lambda=0.1,cautious=yes",
        lr: 0.01,
        step: |e| {
            let before = e.x;
            nesterov_outside(e, e.g);
            if (before - e.x) * before >= 0.0 {
                let decay = e.lr * 0.1 * before;
                e.x -= decay;
                e.theta = e.theta.map(|theta| theta - decay);
            }
        },
    },
    Formula {
        spec: "adopt",
        lr: 1e-3,
        step: |e| adopt(e, Some(f64::from(e.t - 1).powf(0.25))),
    },
    Formula { spec: "adopt:clip=no", lr: 1e-3, step: |e| adopt(e, None) },
    Formula { spec: "ademamix", lr: 1e-3, step: |e| ademamix(e, 0.9999, 5.0, 0.0) },
    Formula {
        spec: "ademamix:beta3=0.99,alpha_steps=20,beta3_steps=30,lambda=0.1",
        lr: 1e-3,
        step: |e| {
            let half_life = |beta: f64| 0.5f64.ln() / beta.ln();
            let share = (f64::from(e.t) / 30.0).min(1.0);
            let mixed = (1.0 - share) * half_life(0.9) + share * half_life(0.99);
            let alpha = 5.0 * (f64::from(e.t) / 20.0).min(1.0);
            ademamix(e, 0.5f64.powf(1.0 / mixed), alpha, 0.1);
        },
    },
    Formula {
        spec: "nadamw",
        lr: 1e-3,
        step: |e| {
            let decay = e.lr * 1e-4 * e.x;
            nadam(e, |_| 0.9, true, |v_hat| v_hat.sqrt() + 1e-8);
            e.x -= decay;
        },
    },
    Formula {
        spec: "nadamw@timm",
        lr: 1e-3,
        step: |e| {
            let decay = e.lr * 0.01 * e.x;
            nadam(e, |_| 0.9, false, |v_hat| v_hat.sqrt() + 1e-8);
            e.x -= decay;
        },
    },
    Formula {
        spec: "nadamw@keras",
        lr: 1e-3,
        step: |e| {
            nadam(e, |t| 0.9 * (1.0 - 0.96f64.powi(t) / 2.0), true, |v_hat| v_hat.sqrt() + 1e-7)
        },
    },
    Formula {
        spec: "signum",
        lr: 1e-4,
        step: |e| {
            signum(e, 0.9, 0.0);
            e.bound = Some(e.lr);
        },
    },
    Formula { spec: "signum:beta=0.5,lambda=0.3", lr: 1e-4, step: |e| signum(e, 0.5, 0.3) },
    Formula {
        spec: "laprop",
        lr: 4e-4,
        step: |e| {
            let divided = ratio(e.g, laprop_denominator(e, 1e-15));
            e.state[0] = 0.9 * e.state[0] + 0.1 * divided;
            e.x -= e.lr * e.state[0] / (1.0 - 0.9f64.powi(e.t));
        },
    },
    Formula {
        spec: "laprop@authors:eps=1e-3",
        lr: 4e-4,
        step: |e| {
            let divided = ratio(e.g, laprop_denominator(e, 1e-3));
            let [m, _, s, ..] = &mut e.state;
            *m = 0.9 * *m + 0.1 * e.lr * divided;
            *s = 0.9 * *s + 0.1 * e.lr;
            e.x -= *m * e.lr / *s;
        },
    },
    Formula {
        spec: "schedule_free",
        lr: 2.5e-3,
        step: |e| {
            let v_hat = second_moment(e) / (1.0 - 0.999f64.powi(e.t));
            let d = ratio(e.g, v_hat.sqrt() + 1e-8);
            schedule_free(e, d, e.lr, 0.9, |_, _, largest| largest.powi(2));
            e.signal = signal(None, v_hat, 1e-8);
        },
    },
    Formula {
        spec: "schedule_free@paper:lambda=0.2,beta1=0.7",
        lr: 2.5e-3,
        step: |e| {
            let lr = e.lr * (1.0 - 0.999f64.powi(e.t)).sqrt();
            let d = ratio(e.g, second_moment(e).sqrt() + 1e-8) + 0.2 * e.x;
            schedule_free(e, d, lr, 0.7, |_, lr, _| lr.powi(2));
        },
    },
    Formula {
        spec: "schedule_free:r=2,power=1,lambda=0.1",
        lr: 2.5e-3,
        step: |e| {
            let v_hat = second_moment(e) / (1.0 - 0.999f64.powi(e.t));
            let d = ratio(e.g, v_hat.sqrt() + 1e-8) + 0.1 * e.x;
            schedule_free(e, d, e.lr, 0.9, |t, _, largest| t.powi(2) * largest);
        },
    },
    Formula {
        spec: "schedule_free_sgd",
        lr: 1.0,
        step: |e| schedule_free(e, e.g, e.lr, 0.9, |_, _, largest| largest.powi(2)),
    },
    Formula {
        spec: "schedule_free_sgd@paper:lambda=0.1",
        lr: 1.0,
        step: |e| schedule_free(e, e.g + 0.1 * e.x, e.lr, 0.9, |_, lr, _| lr.powi(2)),
    },
];
