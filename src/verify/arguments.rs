//! The arguments of torch, Keras, Optax and other packages, and the settings that they correspond to. An argument
//! that is not in this table is an error.

/// What an argument of a framework means here.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// the learning rate, which the replay gives to each step
    Lr,
    /// this setting of the optimizer
    Setting(&'static str),
    /// settings, from a list of as many numbers
    List(&'static [&'static str]),
    /// two settings with the same value
    Both(&'static str, &'static str),
    /// a gradient transformation before the optimizer, with this setting
    Before(&'static str, &'static str),
    /// a gradient transformation after the optimizer, with this setting
    After(&'static str, &'static str),
    /// a gradient transformation after the optimizer, with this text as its settings, if it is true
    Switch(&'static str, &'static str),
    /// the same before the optimizer, which has to be true
    Fixed(&'static str, &'static str),
    /// no setting: the name of the case implies this value, and any other value is an error
    Only(bool),
    /// Optax's eps under the root: eps_place=inside; eps itself must be 0
    EpsRoot,
    /// Optax's switch: eps_place=inside or outside
    EpsInSqrt,
}
use Meaning::*;

/// An argument of a framework.
pub(super) struct Argument {
    pub framework: &'static str,
    /// the optimizers that have it; empty if all have it
    optimizers: &'static [&'static str],
    pub name: &'static str,
    pub meaning: Meaning,
}

impl Argument {
    /// Whether this optimizer of this framework has the argument.
    pub fn is_of(&self, framework: &str, optimizer: &str) -> bool {
        self.framework == framework
            && (self.optimizers.is_empty() || self.optimizers.contains(&optimizer))
    }
}

const fn argument(
    framework: &'static str,
    optimizers: &'static [&'static str],
    name: &'static str,
    meaning: Meaning,
) -> Argument {
    Argument { framework, optimizers, name, meaning }
}

/// All arguments that are known.
pub(super) const ARGUMENTS: &[Argument] = &[
    argument("torch", &[], "lr", Lr),
    argument("torch", &["momentum", "nag"], "momentum", Setting("mu")),
    argument("torch", &["momentum"], "dampening", Setting("dampening")),
    argument("torch", &["nag"], "nesterov", Only(true)),
    argument("torch", &["sgd", "momentum"], "nesterov", Only(false)),
    argument("torch", &["adagrad"], "lr_decay", Setting("lr_decay")),
    argument("torch", &["adagrad"], "initial_accumulator_value", Setting("start")),
    argument("torch", &["rmsprop"], "alpha", Setting("rho")),
    argument("torch", &["rmsprop"], "momentum", Setting("mu")),
    argument("torch", &["rmsprop"], "centered", Setting("centered")),
    argument("torch", &["adadelta"], "rho", Setting("rho")),
    argument(
        "torch",
        &["adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "lazy_adam"],
        "betas",
        List(&["beta1", "beta2"]),
    ),
    argument(
        "torch",
        &[
            "adagrad",
            "rmsprop",
            "adadelta",
            "adam",
            "amsgrad",
            "adamw",
            "nadam",
            "radam",
            "adamax",
            "lazy_adam",
        ],
        "eps",
        Setting("eps"),
    ),
    argument("torch", &["amsgrad"], "amsgrad", Only(true)),
    argument("torch", &["adam", "adamw"], "amsgrad", Only(false)),
    argument("torch", &["nadam"], "momentum_decay", Setting("psi")),
    argument("torch", &["rprop"], "etas", List(&["eta_minus", "eta_plus"])),
    argument("torch", &["rprop"], "step_sizes", List(&["min", "max"])),
    argument("torch", &["adamw"], "weight_decay", Setting("lambda")),
    argument(
        "torch",
        &[
            "sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "nadam",
            "radam", "adamax",
        ],
        "weight_decay",
        Before("l2", "lambda"),
    ),
    argument(
        "torch",
        &["adam", "amsgrad", "nadam", "radam"],
        "decoupled_weight_decay",
        Only(false),
    ),
    argument("torch", &[], "maximize", Only(false)),
    argument("keras", &[], "lr", Lr),
    argument("keras", &[], "learning_rate", Lr),
    argument("keras", &["momentum", "nag", "rmsprop"], "momentum", Setting("mu")),
    argument("keras", &["nag"], "nesterov", Only(true)),
    argument("keras", &["sgd", "momentum"], "nesterov", Only(false)),
    argument("keras", &["adagrad"], "initial_accumulator_value", Setting("start")),
    argument("keras", &["rmsprop", "adadelta"], "rho", Setting("rho")),
    argument("keras", &["rmsprop"], "centered", Setting("centered")),
    argument(
        "keras",
        &["adam", "amsgrad", "adamw", "nadam", "adamax", "lion"],
        "beta_1",
        Setting("beta1"),
    ),
    argument(
        "keras",
        &["adam", "amsgrad", "adamw", "nadam", "adamax", "lion"],
        "beta_2",
        Setting("beta2"),
    ),
    argument(
        "keras",
        &["adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "adamw", "nadam", "adamax"],
        "epsilon",
        Setting("eps"),
    ),
    argument("keras", &["amsgrad"], "amsgrad", Only(true)),
    argument("keras", &["adam", "adamw"], "amsgrad", Only(false)),
    argument("keras", &["adamw"], "weight_decay", Setting("lambda")),
    argument("keras", &["lion"], "weight_decay", Setting("lambda")),
    argument(
        "keras",
        &[
            "sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "nadam",
            "adamax",
        ],
        "weight_decay",
        After("decay", "lambda"),
    ),
    argument("keras", &[], "clipvalue", Before("clip_value", "max")),
    argument("keras", &[], "clipnorm", Before("clip_norm", "max")),
    argument("keras", &[], "global_clipnorm", Before("clip_global", "max")),
    argument("optax", &[], "lr", Lr),
    argument("optax", &[], "learning_rate", Lr),
    argument("optax", &["momentum", "nag", "rmsprop"], "momentum", Setting("mu")),
    argument("optax", &["nag"], "nesterov", Only(true)),
    argument("optax", &["sgd", "momentum", "rmsprop", "adam"], "nesterov", Only(false)),
    argument("optax", &["adagrad"], "initial_accumulator_value", Setting("start")),
    argument("optax", &["rmsprop"], "decay", Setting("rho")),
    argument("optax", &["rmsprop"], "eps_in_sqrt", EpsInSqrt),
    argument("optax", &["rmsprop"], "bias_correction", Setting("bias_correction")),
    argument("optax", &["rmsprop"], "centered", Setting("centered")),
    argument("optax", &["rmsprop"], "initial_scale", Setting("start")),
    argument("optax", &["adadelta"], "rho", Setting("rho")),
    argument(
        "optax",
        &["adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "adabelief", "lion"],
        "b1",
        Setting("beta1"),
    ),
    argument(
        "optax",
        &["adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "adabelief", "lion"],
        "b2",
        Setting("beta2"),
    ),
    argument(
        "optax",
        &[
            "adagrad",
            "rmsprop",
            "adadelta",
            "adam",
            "amsgrad",
            "adamw",
            "nadam",
            "radam",
            "adamax",
            "adabelief",
        ],
        "eps",
        Setting("eps"),
    ),
    argument("optax", &["adam", "amsgrad", "adamw", "nadam", "radam"], "eps_root", EpsRoot),
    argument("optax", &["adabelief"], "eps_root", Setting("eps_root")),
    argument("optax", &["radam"], "threshold", Setting("threshold")),
    argument("optax", &["adamw", "lion"], "weight_decay", Setting("lambda")),
    argument("optax", &["rprop"], "eta_minus", Setting("eta_minus")),
    argument("optax", &["rprop"], "eta_plus", Setting("eta_plus")),
    argument("optax", &["rprop"], "min_step_size", Setting("min")),
    argument("optax", &["rprop"], "max_step_size", Setting("max")),
    argument("torch", &["nadamw"], "betas", List(&["beta1", "beta2"])),
    argument("torch", &["nadamw"], "eps", Setting("eps")),
    argument("torch", &["nadamw"], "momentum_decay", Setting("psi")),
    argument("torch", &["nadamw"], "weight_decay", Setting("lambda")),
    argument("torch", &["nadamw"], "decoupled_weight_decay", Only(true)),
    argument("keras", &["nadamw"], "beta_1", Setting("beta1")),
    argument("keras", &["nadamw"], "beta_2", Setting("beta2")),
    argument("keras", &["nadamw"], "epsilon", Setting("eps")),
    argument("keras", &["nadamw"], "weight_decay", Setting("lambda")),
    argument("optax", MODERN, "b1", Setting("beta1")),
    argument("optax", MODERN, "b2", Setting("beta2")),
    argument("optax", &["ademamix"], "b3", Setting("beta3")),
    argument("optax", &["ademamix"], "alpha", Setting("alpha")),
    argument("optax", MODERN, "eps", Setting("eps")),
    argument("optax", MODERN, "weight_decay", Setting("lambda")),
    argument("optax", &["signum"], "beta", Setting("beta")),
    argument("optax", SCHEDULE_FREE, "weight_lr_power", Setting("power")),
    argument("schedulefree", &[], "lr", Lr),
    argument("schedulefree", &["schedule_free"], "betas", List(&["beta1", "beta2"])),
    argument("schedulefree", &["schedule_free"], "eps", Setting("eps")),
    argument("schedulefree", &["schedule_free_sgd"], "momentum", Setting("beta1")),
    argument("schedulefree", SCHEDULE_FREE, "weight_decay", Setting("lambda")),
    argument("schedulefree", SCHEDULE_FREE, "r", Setting("r")),
    argument("schedulefree", SCHEDULE_FREE, "weight_lr_power", Setting("power")),
    argument("pytorch_optimizer", &[], "lr", Lr),
    argument("pytorch_optimizer", &["ademamix"], "betas", List(&["beta1", "beta2", "beta3"])),
    argument("pytorch_optimizer", &["ademamix"], "alpha", Setting("alpha")),
    argument(
        "pytorch_optimizer",
        &["ademamix"],
        "t_alpha_beta3",
        Both("alpha_steps", "beta3_steps"),
    ),
    argument("pytorch_optimizer", &["lion", "adam"], "betas", List(&["beta1", "beta2"])),
    argument("pytorch_optimizer", &["ademamix", "adam"], "eps", Setting("eps")),
    argument("pytorch_optimizer", DECOUPLED, "weight_decay", Setting("lambda")),
    argument("pytorch_optimizer", DECOUPLED, "weight_decouple", Only(true)),
    argument("pytorch_optimizer", &["signum"], "momentum", Setting("beta")),
    argument("pytorch_optimizer", &["lion"], "cautious", Switch("cautious", "scale=count")),
    argument(
        "pytorch_optimizer",
        &["adam"],
        "gradfilter_ema.alpha",
        Before("grokfast_ema", "alpha"),
    ),
    argument(
        "pytorch_optimizer",
        &["adam"],
        "gradfilter_ema.lamb",
        Before("grokfast_ema", "lambda"),
    ),
    argument(
        "pytorch_optimizer",
        &["adam"],
        "gradfilter_ma.window_size",
        Before("grokfast_ma", "window"),
    ),
    argument("pytorch_optimizer", &["adam"], "gradfilter_ma.lamb", Before("grokfast_ma", "lambda")),
    argument("timm", &[], "lr", Lr),
    argument(
        "timm",
        &["nadamw", "laprop", "lion", "adam", "adamw"],
        "betas",
        List(&["beta1", "beta2"]),
    ),
    argument("timm", &["nadamw", "laprop", "adam", "adamw"], "eps", Setting("eps")),
    argument("timm", &["nadamw", "lion", "adamw"], "weight_decay", Setting("lambda")),
    argument("timm", &[], "caution", Switch("cautious", "scale=mean")),
    argument("prodigyopt", &[], "lr", Lr),
    argument("prodigyopt", &[], "betas", List(&["beta1", "beta2"])),
    argument("prodigyopt", &[], "beta3", Setting("beta3")),
    argument("prodigyopt", &[], "eps", Setting("eps")),
    argument("prodigyopt", &[], "weight_decay", Setting("lambda")),
    argument("prodigyopt", &[], "decouple", Setting("decouple")),
    argument("prodigyopt", &[], "use_bias_correction", Setting("bias_correction")),
    argument("prodigyopt", &[], "safeguard_warmup", Setting("safeguard_warmup")),
    argument("prodigyopt", &[], "d0", Setting("d0")),
    argument("prodigyopt", &[], "d_coef", Setting("d_coef")),
    argument("prodigyopt", &[], "growth_rate", Setting("growth")),
    argument("dadaptation", &[], "lr", Lr),
    argument("dadaptation", &[], "betas", List(&["beta1", "beta2"])),
    argument("dadaptation", &[], "eps", Setting("eps")),
    argument("dadaptation", &[], "weight_decay", Setting("lambda")),
    argument("dadaptation", &[], "decouple", Setting("decouple")),
    argument("dadaptation", &[], "use_bias_correction", Setting("bias_correction")),
    argument("dadaptation", &[], "d0", Setting("d0")),
    argument("dadaptation", &[], "growth_rate", Setting("growth")),
    argument("pytorch_optimizer", FREE, "betas", List(&["beta1", "beta2"])),
    argument("pytorch_optimizer", &["prodigy"], "beta3", Setting("beta3")),
    argument("pytorch_optimizer", FREE, "eps", Setting("eps")),
    argument("pytorch_optimizer", FREE, "weight_decay", Setting("lambda")),
    argument("pytorch_optimizer", FREE, "weight_decouple", Setting("decouple")),
    argument("pytorch_optimizer", FREE, "bias_correction", Setting("bias_correction")),
    argument("pytorch_optimizer", &["prodigy"], "safeguard_warmup", Setting("safeguard_warmup")),
    argument("pytorch_optimizer", FREE, "d0", Setting("d0")),
    argument("pytorch_optimizer", &["prodigy"], "d_coef", Setting("d_coef")),
    argument("pytorch_optimizer", FREE, "growth_rate", Setting("growth")),
    argument("optax", FREE, "betas", List(&["beta1", "beta2"])),
    argument("optax", &["prodigy"], "beta3", Setting("beta3")),
    argument("optax", FREE, "eps", Setting("eps")),
    argument("optax", FREE, "weight_decay", Setting("lambda")),
    argument("optax", &["prodigy"], "safeguard_warmup", Setting("safeguard_warmup")),
    argument("optax", FREE, "estim_lr0", Setting("d0")),
    argument("optax", &["prodigy"], "estim_lr_coef", Setting("d_coef")),
    argument("heavyball", &[], "lr", Lr),
    argument("heavyball", &["momentum"], "beta", Setting("mu")),
    argument("heavyball", &["momentum"], "weight_decay", After("decay", "lambda")),
    argument("heavyball", &["momentum"], "cautious_weight_decay", After("decay", "cautious")),
    argument("timm", &["adam", "adamw"], "gamma", Before("mars", "gamma")),
    argument("timm", &["adam", "adamw"], "optimize_1d", Fixed("mars", "correct_first=no")),
];

/// The optimizers of Optax that are not in generate.py.
const MODERN: &[&str] = &["ademamix", "nadamw", "adopt", "schedule_free", "schedule_free_sgd"];

/// The optimizers that estimate their learning rate.
const FREE: &[&str] = &["prodigy", "dadapt_adam"];

/// The optimizers of pytorch_optimizer whose weight decay is decoupled with `weight_decouple`.
const DECOUPLED: &[&str] = &["ademamix", "signum", "lion"];

const SCHEDULE_FREE: &[&str] = &["schedule_free", "schedule_free_sgd"];
