//! How torch, Keras and Optax name what is a setting here. An argument that is not in this table is an error.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::spec::Spec;

/// What becomes of an argument.
#[derive(Clone, Copy)]
enum Becomes {
    /// the learning rate, which the replay gives to each step
    Lr,
    /// this setting of the optimizer
    Setting(&'static str),
    /// two settings, from a list of two numbers
    Two(&'static str, &'static str),
    /// a part before the optimizer, with this setting
    Before(&'static str, &'static str),
    /// a part behind it
    Behind(&'static str, &'static str),
    /// nothing, if it has this value; the name of the case says it already
    Only(bool),
    /// Optax's eps under the root: eps_place=inside, where eps itself is 0
    EpsRoot,
    /// Optax's switch: eps_place=inside or outside
    EpsInSqrt,
}
use Becomes::*;

/// Framework, optimizers (all if none is named), argument, and what becomes of it.
const ARGUMENTS: &[(&str, &[&str], &str, Becomes)] = &[
    ("torch", &[], "lr", Lr),
    ("torch", &["momentum", "nag"], "momentum", Setting("mu")),
    ("torch", &["momentum"], "dampening", Setting("dampening")),
    ("torch", &["nag"], "nesterov", Only(true)),
    ("torch", &["sgd", "momentum"], "nesterov", Only(false)),
    ("torch", &["adagrad"], "lr_decay", Setting("lr_decay")),
    ("torch", &["adagrad"], "initial_accumulator_value", Setting("start")),
    ("torch", &["rmsprop"], "alpha", Setting("rho")),
    ("torch", &["rmsprop"], "momentum", Setting("mu")),
    ("torch", &["rmsprop"], "centered", Setting("centered")),
    ("torch", &["adadelta"], "rho", Setting("rho")),
    ("torch", &["adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "lazy_adam"], "betas", Two("beta1", "beta2")),
    (
        "torch",
        &["adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "lazy_adam"],
        "eps",
        Setting("eps"),
    ),
    ("torch", &["amsgrad"], "amsgrad", Only(true)),
    ("torch", &["adam", "adamw"], "amsgrad", Only(false)),
    ("torch", &["nadam"], "momentum_decay", Setting("psi")),
    ("torch", &["rprop"], "etas", Two("eta_minus", "eta_plus")),
    ("torch", &["rprop"], "step_sizes", Two("min", "max")),
    ("torch", &["adamw"], "weight_decay", Setting("lambda")),
    (
        "torch",
        &["sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "nadam", "radam", "adamax"],
        "weight_decay",
        Before("l2", "lambda"),
    ),
    ("torch", &["adam", "amsgrad", "nadam", "radam"], "decoupled_weight_decay", Only(false)),
    ("torch", &[], "maximize", Only(false)),
    ("keras", &[], "lr", Lr),
    ("keras", &[], "learning_rate", Lr),
    ("keras", &["momentum", "nag", "rmsprop"], "momentum", Setting("mu")),
    ("keras", &["nag"], "nesterov", Only(true)),
    ("keras", &["sgd", "momentum"], "nesterov", Only(false)),
    ("keras", &["adagrad"], "initial_accumulator_value", Setting("start")),
    ("keras", &["rmsprop", "adadelta"], "rho", Setting("rho")),
    ("keras", &["rmsprop"], "centered", Setting("centered")),
    ("keras", &["adam", "amsgrad", "adamw", "nadam", "adamax", "lion"], "beta_1", Setting("beta1")),
    ("keras", &["adam", "amsgrad", "adamw", "nadam", "adamax", "lion"], "beta_2", Setting("beta2")),
    ("keras", &["adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "adamw", "nadam", "adamax"], "epsilon", Setting("eps")),
    ("keras", &["amsgrad"], "amsgrad", Only(true)),
    ("keras", &["adam", "adamw"], "amsgrad", Only(false)),
    ("keras", &["adamw"], "weight_decay", Setting("lambda")),
    ("keras", &["lion"], "weight_decay", Setting("lambda")),
    (
        "keras",
        &["sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "nadam", "adamax"],
        "weight_decay",
        Behind("decay", "lambda"),
    ),
    ("keras", &[], "clipvalue", Before("clip_value", "max")),
    ("keras", &[], "clipnorm", Before("clip_norm", "max")),
    ("keras", &[], "global_clipnorm", Before("clip_global", "max")),
    ("optax", &[], "lr", Lr),
    ("optax", &[], "learning_rate", Lr),
    ("optax", &["momentum", "nag", "rmsprop"], "momentum", Setting("mu")),
    ("optax", &["nag"], "nesterov", Only(true)),
    ("optax", &["sgd", "momentum", "rmsprop", "adam"], "nesterov", Only(false)),
    ("optax", &["adagrad"], "initial_accumulator_value", Setting("start")),
    ("optax", &["rmsprop"], "decay", Setting("rho")),
    ("optax", &["rmsprop"], "eps_in_sqrt", EpsInSqrt),
    ("optax", &["rmsprop"], "bias_correction", Setting("bias_correction")),
    ("optax", &["rmsprop"], "centered", Setting("centered")),
    ("optax", &["rmsprop"], "initial_scale", Setting("start")),
    ("optax", &["adadelta"], "rho", Setting("rho")),
    ("optax", &["adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "adabelief", "lion"], "b1", Setting("beta1")),
    ("optax", &["adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "adabelief", "lion"], "b2", Setting("beta2")),
    (
        "optax",
        &["adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "adamw", "nadam", "radam", "adamax", "adabelief"],
        "eps",
        Setting("eps"),
    ),
    ("optax", &["adam", "amsgrad", "adamw", "nadam", "radam"], "eps_root", EpsRoot),
    ("optax", &["adabelief"], "eps_root", Setting("eps_root")),
    ("optax", &["radam"], "threshold", Setting("threshold")),
    ("optax", &["adamw", "lion"], "weight_decay", Setting("lambda")),
    ("optax", &["rprop"], "eta_minus", Setting("eta_minus")),
    ("optax", &["rprop"], "eta_plus", Setting("eta_plus")),
    ("optax", &["rprop"], "min_step_size", Setting("min")),
    ("optax", &["rprop"], "max_step_size", Setting("max")),
];

/// What a case is replayed with.
pub(super) struct Mapped {
    /// the optimizer with its dialect and settings, and what stands around it
    pub line: String,
    /// the learning rate of the case
    pub lr: f64,
}

/// The line for a framework's optimizer with these arguments; `place` is named in errors. `dialect` is the framework's own, unless another
/// one is to be tried.
pub(super) fn line(place: &str, framework: &str, optimizer: &str, dialect: &str, arguments: &Map<String, Value>) -> Result<Mapped> {
    let wrong = |key: &str, found: String, expected: String| Error::content(format!("{place}, {key}"), found, expected);
    if !ARGUMENTS.iter().any(|(known, ..)| *known == framework) {
        return Err(wrong("framework", format!("`{framework}`"), "torch, keras or optax".into()));
    }
    let number =
        |key: &str, value: &Value| value.as_f64().map(|x| format!("{x:?}")).ok_or_else(|| wrong(key, value.to_string(), "a number".into()));
    let (mut lr, mut root, mut own, mut before, mut behind) = (None, None, Vec::new(), Vec::new(), Vec::new());
    for (key, value) in arguments {
        let known =
            |row: &&(&str, &[&str], &str, Becomes)| row.0 == framework && row.2 == key && (row.1.is_empty() || row.1.contains(&optimizer));
        let Some((.., becomes)) = ARGUMENTS.iter().find(known) else {
            let all = ARGUMENTS.iter().filter(|row| row.0 == framework && (row.1.is_empty() || row.1.contains(&optimizer)));
            let all: Vec<&str> = all.map(|row| row.2).collect();
            return Err(wrong(
                "settings",
                format!("the argument `{key}` = {value}"),
                format!("those of {framework}'s {optimizer} that downhill knows: {}", all.join(", ")),
            ));
        };
        if value.is_null() {
            // the framework's default, and None is no momentum
            if matches!(becomes, Setting("mu")) {
                own.push("mu=0".into());
            }
            continue;
        }
        match becomes {
            Lr if lr.is_some() => return Err(wrong(key, "a second learning rate".into(), "one of lr and learning_rate".into())),
            Lr => {
                let rate = value.as_f64().filter(|rate| rate.is_finite() && *rate >= 0.0);
                lr = Some(rate.ok_or_else(|| wrong(key, value.to_string(), "a finite number, 0 or above".into()))?);
            }
            Setting(name) => match value {
                Value::Bool(on) => own.push(format!("{name}={}", if *on { "yes" } else { "no" })),
                value => own.push(format!("{name}={}", number(key, value)?)),
            },
            Two(first, second) => match value.as_array().map(Vec::as_slice) {
                Some([a, b]) => own.extend([format!("{first}={}", number(key, a)?), format!("{second}={}", number(key, b)?)]),
                _ => return Err(wrong(key, value.to_string(), "a list of two numbers".into())),
            },
            Before(..) | Behind(..) if value.as_f64() == Some(0.0) => {}
            Before(part, setting) => before.push(format!("{part}:{setting}={}|", number(key, value)?)),
            Behind(part, setting) => behind.push(format!("|{part}:{setting}={}", number(key, value)?)),
            Only(only) if value.as_bool() == Some(*only) => {}
            Only(only) => return Err(wrong(key, value.to_string(), format!("{only}, since the case is called {optimizer}"))),
            EpsRoot => root = Some(number(key, value)?).filter(|_| value.as_f64() != Some(0.0)),
            EpsInSqrt => match value.as_bool() {
                Some(inside) => own.push(format!("eps_place={}", if inside { "inside" } else { "outside" })),
                None => return Err(wrong(key, value.to_string(), "true or false".into())),
            },
        }
    }
    let lr = lr.ok_or_else(|| wrong("settings", "no learning rate".into(), "`lr`, 0 or above".into()))?;
    if let Some(root) = root {
        if arguments.get("eps").is_none_or(|eps| eps.as_f64() != Some(0.0)) {
            let expected = "0, or `eps` = 0 beside it; there is one eps here, inside or outside the root";
            return Err(wrong("eps_root", root, expected.into()));
        }
        own.retain(|setting| !setting.starts_with("eps="));
        own.extend([format!("eps={root}"), "eps_place=inside".into()]);
    }
    // clips come before l2, whatever the order in the file
    before.sort();
    let settings = std::iter::once(format!("lr={lr:?}")).chain(own).collect::<Vec<_>>().join(",");
    let line = format!("{}{optimizer}@{dialect}:{settings}{}", before.concat(), behind.concat());
    // a sweep in a file would be no replay
    line.split('|').try_for_each(|part| part.parse::<Spec>().map(|_| ()))?;
    Ok(Mapped { line, lr })
}
