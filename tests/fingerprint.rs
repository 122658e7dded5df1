//! Fingerprints of pipelines: equal for equal behaviour, different for any other.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;
use std::time::Instant;

use downhill::optim::{NamedRule, OptimizerEntry, Optimizers, Rule, StepContext, Value};
use downhill::pipeline::{PipelineConfig, TRANSFORMS};
use downhill::spec::{Allowed, Setting};

fn config(spec: &str) -> Option<PipelineConfig> {
    PipelineConfig::read(&spec.parse().unwrap(), &Optimizers::default()).ok()
}

fn fingerprint(spec: &str) -> String {
    config(spec).unwrap_or_else(|| panic!("{spec} is not allowed")).fingerprint()
}

/// Some values of a setting. A value that is not allowed is left out by the caller.
fn values(setting: &Setting) -> Vec<String> {
    match setting.allowed {
        Allowed::OneOf(words) => words.iter().map(|word| word.to_string()).collect(),
        _ => ["none", "0", "1e-12", "1e-3", "0.05", "0.3", "0.5", "0.96", "1", "2", "3", "30"]
            .map(String::from)
            .to_vec(),
    }
}

/// Whether some value of `setting` changes the fingerprint of a spec.
fn is_seen(spec: &str, setting: &Setting) -> bool {
    let Some(before) = config(spec) else { return false };
    let before = before.fingerprint();
    let specs = values(setting).into_iter().map(|value| format!("{spec},{}={value}", setting.name));
    let mut fingerprints = specs.filter_map(|spec| Some(config(&spec)?.fingerprint()));
    fingerprints.any(|fingerprint| fingerprint != before)
}

#[test]
fn every_setting_of_every_optimizer_is_seen() {
    for entry in Optimizers::default().entries() {
        let settings = (entry.settings)();
        for setting in &settings {
            // a setting may act only together with another one, such as `mu_steps` with `mu_from`
            let plain = format!("{}:lr=0.01", entry.name);
            // and some act only at a large learning rate
            let mut specs = vec![plain.clone(), format!("{}:lr=1", entry.name)];
            for other in settings.iter().filter(|other| other.name != setting.name) {
                let values = values(other).into_iter();
                specs.extend(values.map(|value| format!("{plain},{}={value}", other.name)));
            }
            let seen = specs.iter().any(|spec| is_seen(spec, setting));
            let key = format!("{}:{}", entry.name, setting.name);
            assert!(seen, "no value of {key} changes the fingerprint");
        }
    }
}

#[test]
fn the_learning_rate_is_seen() {
    for entry in Optimizers::default().entries() {
        let at = |lr: &str| fingerprint(&format!("{}:lr={lr}", entry.name));
        assert_ne!(at("0.01"), at("0.02"), "{}", entry.name);
    }
}

#[test]
fn dialects_have_the_same_fingerprint_only_with_the_same_settings() {
    for entry in Optimizers::default().entries() {
        let mut known: BTreeMap<String, (String, String)> = BTreeMap::new();
        let names = std::iter::once("paper").chain(entry.dialects.iter().map(|it| it.name));
        for dialect in names {
            let spec = format!("{}@{dialect}:lr=0.01", entry.name);
            let config = config(&spec).unwrap();
            let settings = config.spec.to_string();
            let (other, others) = known
                .entry(config.fingerprint())
                .or_insert_with(|| (spec.clone(), settings.clone()))
                .clone();
            assert_eq!(others, settings, "{other} and {spec} have one fingerprint");
        }
    }
}

#[test]
fn every_setting_of_every_gradient_transformation_is_seen() {
    for entry in TRANSFORMS {
        for setting in entry.settings {
            let prefix = format!("{}:{}=", entry.name, setting.name);
            let all = ["1e-6", "0.3", "1", "2", "3", "50", "1000", "lr", "schedule", "yes", "no"];
            let policies = ["error", "skip", "propagate", "mean", "count"];
            let specs = all.iter().chain(&policies).filter_map(|value| {
                // a group may change weight decay where there is one
                let optimizer = if entry.name == "group" { "adamw" } else { "adam" };
                let spec = match entry.stage < downhill::pipeline::Stage::Optimizer {
                    true => format!("{prefix}{value}|{optimizer}:lr=0.01"),
                    false => format!("{optimizer}:lr=0.01|{prefix}{value}"),
                };
                config(&spec).map(|config| (spec, config.fingerprint()))
            });
            let specs: Vec<(String, String)> = specs.collect();
            assert!(specs.len() > 1, "{prefix}");
            for (i, (spec, fingerprint)) in specs.iter().enumerate() {
                for (other, others) in &specs[..i] {
                    assert_ne!(fingerprint, others, "{spec} and {other}");
                }
            }
        }
    }
    assert_ne!(
        fingerprint("clip_value:max=2|clip_norm:max=3|sgd"),
        fingerprint("clip_norm:max=3|clip_value:max=2|sgd")
    );
}

#[test]
fn a_fingerprint_is_the_same_each_time_and_in_another_thread() {
    let specs = [
        "adam",
        "nag@torch:point=theta",
        "burn:adam",
        "lbfgs",
        "newton_cg",
        "accumulate:steps=2|nonfinite:policy=skip|clip_global|l2|nadam|decay|lookahead|ema|cosine",
    ];
    let all = move || specs.map(fingerprint);
    let here = all();
    assert_eq!(here, all());
    assert_eq!(here.to_vec(), std::thread::spawn(move || all().to_vec()).join().unwrap());
    for text in &here {
        assert!(text.len() == 8 && text.chars().all(|c| c.is_ascii_hexdigit()), "{text}");
    }
}

#[test]
fn equal_behaviour_has_an_equal_fingerprint() {
    assert_eq!(fingerprint("adam"), fingerprint("adam@paper:beta1=9e-1,lr=0.001"));
    assert_eq!(fingerprint("sgd:lr=0.1"), fingerprint("momentum:lr=0.1,mu=0"));
    assert_eq!(
        fingerprint("adam"),
        fingerprint("adam|cosine:warmup=5"),
        "the schedule is not seen"
    );
    // this one goes through burn's tensors
    assert_eq!(fingerprint("adam"), fingerprint("l2:lambda=0|adam"));
}

#[test]
fn a_step_that_fails_or_overflows_has_a_fingerprint_too() {
    let overflow = fingerprint("sgd:lr=1e308");
    assert_ne!(overflow, fingerprint("sgd:lr=1e307"));
    assert_eq!(overflow.len(), 8);
    assert_ne!(fingerprint("nonfinite|sgd"), fingerprint("nonfinite:policy=skip|sgd"));
}

downhill::settings! {
    /// A rule of a user.
    pub struct Mine {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
    }
}

downhill::settings! {
    /// The same with another formula.
    pub struct Changed {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
    }
}

impl NamedRule for Mine {
    const LR: f64 = 0.01;
}

impl NamedRule for Changed {
    const LR: f64 = 0.01;
}

impl Rule<1> for Mine {
    const STATE: [&'static str; 1] = ["v"];

    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v]: [V; 1]) -> (V, [V; 1]) {
        let v = v * self.mu + g;
        (v.clone() * ctx.lr, [v])
    }
}

impl Rule<1> for Changed {
    const STATE: [&'static str; 1] = ["u"];

    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [u]: [V; 1]) -> (V, [V; 1]) {
        let u = u * self.mu + g.clone();
        ((u.clone() * self.mu + g) * ctx.lr, [u])
    }
}

#[test]
fn a_fingerprint_is_that_of_the_formula_and_not_of_its_documentation() {
    let with = |entry: OptimizerEntry| {
        let optimizers = Optimizers::default().with(entry);
        PipelineConfig::read(&"mine:mu=0.8".parse().unwrap(), &optimizers).unwrap().fingerprint()
    };
    let mine = with(OptimizerEntry::of::<Mine, 1>("mine", "# Mine"));
    assert_eq!(mine, with(OptimizerEntry::of::<Mine, 1>("mine", "# Mine, documented")));
    assert_ne!(mine, with(OptimizerEntry::of::<Changed, 1>("mine", "# Mine")));
    // it is momentum in the dialect of torch
    assert_eq!(mine, fingerprint("momentum@torch:lr=0.01,mu=0.8"));
}

/// `cargo test --release --test fingerprint -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn microseconds_of_a_fingerprint() {
    let mut specs: Vec<String> =
        Optimizers::default().entries().iter().map(|entry| entry.name.to_string()).collect();
    specs.push("clip_global|l2|adam|ema".into());
    specs.push("accumulate|nonfinite|clip_value|clip_norm|nag|decay|lookahead|ema".into());
    for spec in specs {
        let config = config(&spec).unwrap();
        config.fingerprint();
        let (start, turns) = (Instant::now(), 20);
        for _ in 0..turns {
            config.fingerprint();
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(turns);
        println!("{each:10.0} us  {spec}");
    }
}
