//! Mutations of what is not a rule for single elements: gradient transformations, `adafactor`, and
//! the rules with sums over the model. Each consists of a text that occurs once in its file, in which
//! `«»` marks an expression, and another expression.
//!
//! Some mutations are left out because they do not change the numbers: the sum of a row for its mean
//! in Adafactor, since r is divided by its mean; and the constants `LEAST_SHARE` and `LEAST_NORM`,
//! which only matter where a mask or a gradient is 0 everywhere.

pub struct Switched {
    /// the path of the file, from the root of the repository
    pub file: &'static str,
    /// with a marked expression
    pub text: &'static str,
    pub replacement: &'static str,
    /// what is wrong in the mutant
    pub what: &'static str,
}

impl Switched {
    /// The text before the marked expression, the expression, and the text after it.
    pub fn parts(&self) -> [&'static str; 3] {
        let (before, rest) = self.text.split_once('«').expect("a marked expression");
        let (marked, after) = rest.split_once('»').expect("a marked expression");
        [before, marked, after]
    }

    /// The text as it is in the file.
    pub fn place(&self) -> String {
        self.parts().concat()
    }
}

const fn of(
    file: &'static str,
    text: &'static str,
    replacement: &'static str,
    what: &'static str,
) -> Switched {
    Switched { file, text, replacement, what }
}

pub const SWITCHED: &[Switched] = &[
    of(
        "src/optim/cautious.rs",
        "«(update.clone().sign() * g.sign())».clamp_min",
        "(update.clone().sign() * x.clone().sign())",
        "masked by the parameter",
    ),
    of(
        "src/optim/cautious.rs",
        "«(update.clone().sign() * g.sign())».clamp_min",
        "(update.clone().sign() * -g.sign())",
        "the opposite mask",
    ),
    of(
        "src/optim/cautious.rs",
        "let update = «update - decay.clone()»;",
        "update",
        "decay is masked too",
    ),
    of(
        "src/optim/cautious.rs",
        "Scale::Mean => «(mask.clone().sum() / n).clamp_min(LEAST_SHARE).recip()»",
        "mask.clone().sum().ones_like()",
        "mean: no scale",
    ),
    of(
        "src/optim/cautious.rs",
        "Scale::Count => «(mask.clone().sum() + 1.0).recip() * n»",
        "mask.clone().sum().recip() * n",
        "count: 1 forgotten",
    ),
    of(
        "src/optim/cautious.rs",
        "(«update * mask * factor» + decay,",
        "update * factor",
        "mask forgotten",
    ),
    of(
        "src/optim/decay.rs",
        "let moves = «if own == 0.0 { update.clone() } else { update.clone() - x.clone() * own }»;",
        "update.clone()",
        "cautious decay compares with the rule's own decay",
    ),
    of(
        "src/pipeline/transforms.rs",
        "cautious: bool = «false»",
        "true",
        "cautious decay by default",
    ),
    of(
        "src/pipeline/filters.rs",
        "«average * self.alpha + g.clone() * (1.0 - self.alpha)»",
        "average * (1.0 - self.alpha) + g.clone() * self.alpha",
        "grokfast_ema: alpha for 1 - alpha",
    ),
    of(
        "src/pipeline/filters.rs",
        "None => «g.clone()»,\n        };\n        kept",
        "g.clone() * (1.0 - self.alpha)",
        "grokfast_ema: the average starts at 0",
    ),
    of(
        "src/pipeline/filters.rs",
        "g + average * «self.lambda»",
        "1.0",
        "grokfast_ema: lambda forgotten",
    ),
    of(
        "src/pipeline/filters.rs",
        "if «kept.len() == self.window» {",
        "kept.len() > self.window",
        "grokfast_ma: a longer window",
    ),
    of(
        "src/pipeline/filters.rs",
        "Some(sum) if «kept.len() == self.window» =>",
        "true",
        "grokfast_ma: before the window is full",
    ),
    of(
        "src/pipeline/filters.rs",
        "(self.lambda / «self.window as f64»)",
        "1.0",
        "grokfast_ma: the sum for the mean",
    ),
    of(
        "src/pipeline/filters.rs",
        "let factor = «self.gamma * self.beta1 / (1.0 - self.beta1)»;",
        "self.gamma / (1.0 - self.beta1)",
        "mars: beta1 forgotten",
    ),
    of(
        "src/pipeline/filters.rs",
        "let factor = «self.gamma * self.beta1 / (1.0 - self.beta1)»;",
        "self.gamma * self.beta1",
        "mars: 1 - beta1 forgotten",
    ),
    of(
        "src/pipeline/filters.rs",
        "g.clone() + «(g - before) * factor»",
        "(before - g) * factor",
        "mars: sign of the change",
    ),
    of(
        "src/pipeline/filters.rs",
        "None if «self.correct_first» =>",
        "true",
        "mars: always corrects the first gradient",
    ),
    of(
        "src/pipeline/filters.rs",
        "g * «(1.0 + factor)»",
        "1.0",
        "mars: never corrects the first gradient",
    ),
    of(
        "src/pipeline/filters.rs",
        "let squared_norm = «corrected.clone().square().sum()»;",
        "corrected.clone().square().mean()",
        "mars: mean for the norm",
    ),
    of(
        "src/pipeline/filters.rs",
        "kept.push_back(«g.clone()»);\n        let corrected",
        "g.clone() * 0.0",
        "mars: forgets the gradient",
    ),
    of(
        "src/pipeline/filters.rs",
        "max: Option<f64> = «Some(1.0)»",
        "None",
        "mars: no bound by default",
    ),
    of(
        "src/pipeline/gradients.rs",
        "«(squared_norm.sqrt().recip() * max).clamp_max(1.0)»",
        "squared_norm.sqrt().recip() * max",
        "clips make short gradients longer",
    ),
    of(
        "src/pipeline/sharpness.rs",
        "uphill.rho = «self.rho / (norm + LEAST_NORM)»;",
        "self.rho",
        "sam: not normalized",
    ),
    of(
        "src/pipeline/sharpness.rs",
        "uphill.rho = «self.rho / (norm + LEAST_NORM)»;",
        "-self.rho / (norm + LEAST_NORM)",
        "sam: downhill",
    ),
    of(
        "src/pipeline/sharpness.rs",
        "true => «flat(param.val().inner()).abs() * g»",
        "g",
        "sam: adaptive norm without the weights",
    ),
    of(
        "src/pipeline/sharpness.rs",
        "if adaptive { «x.clone().square() * g» }",
        "x.clone().abs() * g",
        "sam: adaptive by |x|",
    ),
    of(
        "src/pipeline/sharpness.rs",
        "let norm: f64 = «sum.sqrt()».into_scalar();",
        "sum",
        "sam: root of the norm forgotten",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "let b = «1.0 - (t as f64).powf(-self.decay_rate)»;",
        "0.999",
        "a constant decay rate",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "let b = «1.0 - (t as f64).powf(-self.decay_rate)»;",
        "1.0 - (t as f64 + 1.0).powf(-self.decay_rate)",
        "t off by one",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "let squares = «g.square() + added»;",
        "g.square()",
        "eps forgotten",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "rows * b + «squares.clone().mean_dim(2) * (1.0 - b)»;",
        "squares.clone().mean_dim(2)",
        "rows added up",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "columns * b + «squares.mean_dim(1) * (1.0 - b)»;",
        "squares.sum_dim(1) * (1.0 - b)",
        "sums of columns",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "let v = «rows.clone().div_or_zero(mean) * columns.clone()»;",
        "rows.clone() * columns.clone()",
        "mean of the rows forgotten",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "EpsUse::Least => «mean.clamp_min(self.eps)»,",
        "mean",
        "least: no bound of the mean",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "EpsUse::Least => («v.clamp_min(self.eps * self.eps)», state)",
        "v.clamp_min(self.eps)",
        "least: eps for its square",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "let v = «v * b + squares * (1.0 - b)»;",
        "v * b + squares",
        "vectors: squares added up",
    ),
    of("src/optim/rules/adafactor.rs", "let u = «u / largest.clamp_min(1.0)»;", "u", "no clip"),
    of(
        "src/optim/rules/adafactor.rs",
        "{ «lr.min(1.0 / (t as f64).sqrt())» }",
        "lr",
        "lr not bounded",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "{ «lr.min(1.0 / (t as f64).sqrt())» }",
        "lr.min(1.0 / t as f64)",
        "lr bounded by 1/t",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "true => «u * rms(x.clone()).clamp_min(self.least_rms)»,",
        "u * rms(x.clone())",
        "least_rms forgotten",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "u * step + «x * (lr * self.lambda)»",
        "x * self.lambda",
        "decay without lr",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "reshaped(«x.square().mean().sqrt()», [1, 1, 1])",
        "x.square().sum().sqrt()",
        "norm for the root mean square",
    ),
    of(
        "src/optim/rules/adafactor.rs",
        "decay_rate: f64 = «0.8»",
        "0.9",
        "another decay rate by default",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "«(1.0 - beta2.powf(t as f64)).sqrt() / (1.0 - beta1.powf(t as f64))»",
        "1.0",
        "bias not corrected",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "«(1.0 - beta2.powf(t as f64)).sqrt() / (1.0 - beta1.powf(t as f64))»",
        "(1.0 - beta2.powf(t as f64)).sqrt()",
        "bias of m not corrected",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "«self.beta3.unwrap_or(self.beta2.sqrt())»",
        "self.beta3.unwrap_or(self.beta2)",
        "root of beta2 forgotten",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "if coupled { «g + x.clone() * self.lambda» }",
        "g",
        "coupled decay forgotten",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "let factor = «if self.safeguard_warmup { d } else { self.d_lr(ctx) }»;",
        "self.d_lr(ctx)",
        "no safeguard of the warm-up",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "g * «(d / self.d0 * factor)»",
        "(d * factor)",
        "s not divided by d0",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "[«g.clone() * (x0 - x.clone())», ",
        "g.clone() * (x.clone() - x0)",
        "sign of the distance",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "«self.next_s(ctx, g, s).abs()»]",
        "self.next_s(ctx, g, s)",
        "absolute values forgotten",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "«self.beta3() * numerator» + d",
        "numerator",
        "n does not decay",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "let estimate = «self.d_coef * numerator / norm»;",
        "numerator / norm",
        "d_coef forgotten",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "let d = «if d == self.d0 { d.max(estimate) } else { d }»;",
        "d",
        "growth bounded from d0 on",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "let d_max = «d_max.max(estimate)»;",
        "estimate",
        "d may fall",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "|growth| «d_max.min(d * growth)»)",
        "d_max",
        "growth not bounded",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "g.clone() * «(d * (1.0 - self.beta1))»",
        "(1.0 - self.beta1)",
        "m without d",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "g.square() * «(d * d * (1.0 - self.beta2))»",
        "(d * (1.0 - self.beta2))",
        "v with d for its square",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "EpsD::New => «ctx.now.d»,",
        "ctx.before.d",
        "eps with the old d",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "EpsD::Old => «d»,",
        "ctx.now.d",
        "the paper's eps with the new d",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "v.clone().sqrt() + «self.eps * eps_d»)",
        "self.eps",
        "eps without d",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "x.clone() * «(d_lr * self.lambda)»",
        "(ctx.lr * self.lambda)",
        "decay without d",
    ),
    of(
        "src/optim/rules/prodigy.rs",
        "bias_correction: bool = «false»",
        "true",
        "bias corrected by default",
    ),
    of("src/optim/rules/prodigy.rs", "d0: f64 = «1e-6»", "1e-5", "another d0 by default"),
    of(
        "src/optim/rules/prodigy.rs",
        "decouple: bool = «true»",
        "false",
        "coupled decay by default",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "let weighted = «s.clone().div_or_zero(v.sqrt() + self.eps)»;",
        "s.clone()",
        "product without the denominator",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "g * «((1.0 - b) * self.d_lr(ctx))»",
        "((1.0 - b) * ctx.before.d)",
        "s without lr",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "«b * before.numerator» + (1.0 - b)",
        "before.numerator",
        "n does not decay",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "numerator / «((1.0 - b) * norm)»",
        "norm",
        "1 - b forgotten",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "let d = «before.d.max(estimate.min(largest))»;",
        "before.d.max(estimate)",
        "growth not bounded",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "let d = «before.d.max(estimate.min(largest))»;",
        "estimate.min(largest)",
        "d may fall",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "g.clone() * «((1.0 - self.beta1) * d_lr)»",
        "((1.0 - self.beta1) * ctx.lr)",
        "m without d",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "x.clone() * «(d_lr * self.lambda)»",
        "(ctx.lr * self.lambda)",
        "decay without d",
    ),
    of(
        "src/optim/rules/dadapt_adam.rs",
        "decouple: bool = «false»",
        "true",
        "decoupled decay by default",
    ),
    of(
        "src/optim/joint_state.rs",
        "|i| «self.sums[i] + terms[i]»)",
        "terms[i]",
        "sums of the last parameter only",
    ),
    of("src/optim/joint_state.rs", "t: «self.t + 1», lr", "self.t + 2", "t off by one"),
    of(
        "src/optim/pass.rs",
        "return «[left[0] + right[0], left[1] + right[1]]»;",
        "left",
        "sums of half of a large parameter",
    ),
];
