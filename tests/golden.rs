//! The optimizers against the recorded steps of PyTorch, Keras and Optax.

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use downhill::optim::Optimizers;
use serde_json::Value;

/// The case with these settings, as the framework names them, and the spec of the same formula here.
const SAME: &[(&str, &str, &str, &str)] = &[
    ("torch", "sgd", "", "sgd"),
    ("keras", "momentum", "", "momentum:mu=0.9"),
    ("keras", "nag", "", "nag:mu=0.9,point=lookahead"),
    ("torch", "adagrad", "eps=1e-10", "adagrad:eps=1e-10,eps_place=outside"),
    ("keras", "adagrad", "epsilon=1e-8", "adagrad:eps=1e-8"),
    ("torch", "rmsprop", "", "rmsprop:rho=0.9,eps=1e-8,eps_place=outside"),
    ("keras", "rmsprop", "", "rmsprop:rho=0.9,eps=1e-7"),
    ("optax", "rmsprop", "", "rmsprop:rho=0.9,eps=1e-8"),
    ("optax", "rmsprop", "eps_in_sqrt=false", "rmsprop:rho=0.9,eps=1e-8,eps_place=outside"),
    ("torch", "adadelta", "rho=0.95", "adadelta:rho=0.95,eps=1e-6"),
    ("torch", "adadelta", "rho=0.9", "adadelta:rho=0.9,gamma=0.9,eps=1e-6"),
    ("keras", "adadelta", "lr=0.001", "adadelta:rho=0.95,eps=1e-7"),
    ("keras", "adadelta", "lr=1.0", "adadelta:rho=0.95,eps=1e-6"),
    ("optax", "adadelta", "", "adadelta:rho=0.95,eps=1e-6"),
    ("torch", "adam", "", "adam"),
    ("keras", "adam", "", "adam:eps=1e-7,eps_place=hat"),
    ("optax", "adam", "eps=1e-8", "adam"),
    ("optax", "adam", "eps_root=1e-8", "adam@s0"),
    ("torch", "nadam", "momentum_decay=0.004", "nadam:psi=0.004,correction=next,eps_place=outside,product=f32"),
    ("torch", "nadam", "momentum_decay=1.0", "nadam:psi=1,correction=next,eps_place=outside,product=f32"),
    ("keras", "nadam", "", "nadam:psi=1,correction=next,eps=1e-7,eps_place=outside"),
    ("optax", "nadam", "", "nadam:correction=next,eps_place=outside"),
];

/// What changes the formula beyond the settings of this version; a case that has one is left out above.
const BEYOND: &[&str] = &["weight_decay", "dampening", "lr_decay", "centered", "bias_correction", "amsgrad", "initial_accumulator_value"];

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/trajectories.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The one case of a framework and optimizer that has this setting, and none that this version lacks.
fn case<'a>(golden: &'a Value, framework: &str, optimizer: &str, setting: &str) -> &'a Value {
    let has = |case: &Value| {
        let settings = case["settings"].as_object().unwrap();
        let plain = setting.is_empty() || settings.iter().any(|(key, value)| format!("{key}={value}") == setting);
        let default = |key: &str| setting.starts_with(key) || !settings.contains_key(key);
        let velocity = ["momentum", "nag"].contains(&optimizer) || !settings.contains_key("momentum");
        plain
            && velocity
            && default("eps_in_sqrt")
            && default("eps_root")
            && BEYOND.iter().all(|key| settings.get(*key).is_none_or(|value| *value == 0.0))
    };
    let cases: Vec<_> = golden["cases"].as_array().unwrap().iter().collect();
    let found: Vec<_> =
        cases.into_iter().filter(|case| case["framework"] == framework && case["optimizer"] == optimizer && has(case)).collect();
    assert_eq!(found.len(), 1, "cases {framework} {optimizer} {setting}");
    found[0]
}

#[derive(Module, Debug)]
struct Point {
    x: Param<Tensor<1>>,
}

fn f64s(values: &[f64], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), (device, DType::F64))
}

/// The largest relative difference to the recorded parameters, over all steps and coordinates. Where the parameter has hardly moved,
/// the difference counts relative to the way it has come, as far as rounding lets that be seen.
fn error(golden: &Value, case: &Value, spec: &str) -> f64 {
    let device = Device::flex().autodiff();
    let built = Optimizers::default().make(&spec.parse().unwrap()).unwrap();
    let mut optimizer: ModuleOptimizer = built.optimizer;
    let mut point = Point { x: Param::from_tensor(f64s(&numbers(&golden["theta0"]), &device)) };
    let lr = case["settings"]["lr"].as_f64().unwrap();
    let steps = golden["grads"].as_array().unwrap().iter().zip(case["theta"].as_array().unwrap());
    let start = numbers(&golden["theta0"]);
    let mut largest: f64 = 0.0;
    for (t, (gradient, expected)) in steps.enumerate() {
        let mut gradients = GradientsParams::new();
        gradients.register(point.x.id, f64s(&numbers(gradient), &device.clone().inner()));
        point = optimizer.step(if t < 20 { lr } else { lr / 10.0 }, point, gradients);
        let x: Vec<f64> = point.x.val().into_data().try_into_vec().unwrap();
        for ((ours, theirs), start) in x.iter().zip(numbers(expected)).zip(&start) {
            let apart = (ours - theirs).abs();
            let beyond_rounding = (apart - 1e-14 * theirs.abs()).max(0.0);
            let way = (theirs - start).abs().max(f64::MIN_POSITIVE);
            largest = largest.max(apart / theirs.abs()).max(beyond_rounding / way);
        }
    }
    largest
}

#[test]
fn every_optimizer_takes_the_recorded_steps_of_the_frameworks_that_state_its_formula() {
    let golden = golden();
    for (framework, optimizer, setting, spec) in SAME {
        let error = error(&golden, case(&golden, framework, optimizer, setting), spec);
        println!("{framework:6} {optimizer:9} {setting:22} {spec:60} {error:.1e}");
        assert!(error < 1e-10, "{spec} leaves {framework}'s {optimizer} {setting} by {error:e}");
    }
    let covered: std::collections::BTreeSet<_> = SAME.iter().map(|(.., spec)| spec.split([':', '@']).next().unwrap()).collect();
    let all: std::collections::BTreeSet<_> = Optimizers::default().entries().iter().map(|entry| entry.name).collect();
    assert_eq!(covered, all, "every optimizer has a case");
}

#[test]
fn every_optimizer_leaves_the_trajectories_of_a_different_formula() {
    let golden = golden();
    for (framework, optimizer, setting, spec) in [
        ("torch", "sgd", "", "momentum"),
        ("torch", "momentum", "", "momentum"), // lr outside the velocity
        ("optax", "momentum", "", "momentum"),
        ("torch", "nag", "", "nag:point=lookahead"), // lr outside
        ("keras", "nag", "", "momentum"),
        ("torch", "adagrad", "eps=1e-10", "adagrad:eps=1e-10"), // eps inside
        ("keras", "adagrad", "epsilon=1e-8", "adagrad:eps_place=outside"),
        ("torch", "rmsprop", "", "rmsprop"),
        ("keras", "rmsprop", "", "rmsprop:eps=1e-7,eps_place=outside"),
        ("keras", "adadelta", "lr=1.0", "adadelta:gamma=0.9"),
        ("torch", "adam", "", "adam@s0"),
        ("torch", "adam", "", "adam:eps_place=hat"),
        ("keras", "adam", "", "adam:eps=1e-7"),
        ("optax", "adam", "eps_root=1e-8", "adam"),
        ("torch", "nadam", "momentum_decay=0.004", "nadam"),
        ("optax", "nadam", "", "nadam:eps_place=outside"), // m corrected by this step's factor
        ("keras", "nadam", "", "nadam:psi=0.004,correction=next,eps=1e-7,eps_place=outside"),
    ] {
        let error = error(&golden, case(&golden, framework, optimizer, setting), spec);
        assert!(error > 1e-10, "{spec} cannot be told from {framework}'s {optimizer} {setting}: {error:e}");
    }
}

/// S0's Nadam has no recorded case: no framework states it. So it is compared with a transcription of the slides, in plain numbers.
#[test]
fn the_default_nadam_is_the_formula_of_the_slides() {
    let golden = golden();
    let (beta1, beta2, eps, lr) = (0.9f64, 0.999f64, 1e-8, 0.01);
    let mut x = numbers(&golden["theta0"]);
    let (mut m, mut v) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let mut theta = Vec::new();
    for (t, gradient) in golden["grads"].as_array().unwrap().iter().enumerate() {
        let (n, lr) = (t as i32 + 1, if t < 20 { lr } else { lr / 10.0 });
        for (i, g) in numbers(gradient).into_iter().enumerate() {
            m[i] = beta1 * m[i] + (1.0 - beta1) * g;
            v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
            let (m_hat, v_hat) = (m[i] / (1.0 - beta1.powi(n)), v[i] / (1.0 - beta2.powi(n)));
            x[i] -= lr / (v_hat + eps).sqrt() * (beta1 * m_hat + (1.0 - beta1) * g / (1.0 - beta1.powi(n)));
        }
        theta.push(x.clone());
    }
    let case = serde_json::json!({ "settings": { "lr": lr }, "theta": theta });
    assert!(error(&golden, &case, "nadam") < 1e-10);
}
