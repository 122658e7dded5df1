//! The optimizers against recorded steps of PyTorch, Keras, Optax and other packages.
#![cfg(feature = "lab")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use downhill::lab::verify::{Tolerance, Trajectories, read};
use downhill::optim::Optimizers;
use downhill::spec::Settings;

const FILE: &str = "tests/golden/trajectories.json";
const MODERN: &str = "tests/golden/modern.json";
const FREE: &str = "tests/golden/learning_rate_free.json";

fn golden(file: &str) -> Trajectories {
    read(Path::new(file)).unwrap()
}

#[test]
fn every_recorded_case_is_replayed_step_by_step_in_f64_and_f32() {
    let replay = |file: &str| {
        golden(file).replay(Path::new(file), &Optimizers::default(), Tolerance::default()).unwrap()
    };
    let (replays, modern, free) = (replay(FILE), replay(MODERN), replay(FREE));
    // the first estimates of Prodigy are from x0 - x, of which f32 has few digits
    let ill_conditioned = |line: &str| line.starts_with("prodigy");
    for replay in replays.iter().chain(&modern).chain(&free) {
        assert!(
            replay.agrees() && (replay.single.left_at.is_none() || ill_conditioned(&replay.line)),
            "{} replayed as {} differs: {:?} {:?}",
            replay.case,
            replay.line,
            replay.double,
            replay.single
        );
    }
    assert_eq!(replays.iter().filter(|replay| !replay.sparse).count(), 51);
    assert_eq!(replays.iter().filter(|replay| replay.sparse).count(), 2);
    assert_eq!(modern.len(), 35);
    assert_eq!(free.len(), 20);
}

/// Settings without effect in a replay of plain steps.
const INERT: &[&str] = &["point", "alpha", "mu_steps"];

#[test]
fn a_replay_with_the_formula_of_another_dialect_fails() {
    let optimizers = Optimizers::default();
    let (mut wrong, mut same) = (BTreeSet::new(), 0);
    let files = [FILE, MODERN, FREE].map(|file| (file, golden(file)));
    let cases = files.iter().flat_map(|(file, golden)| {
        golden.cases.iter().enumerate().map(move |(i, case)| (*file, golden, i, case))
    });
    for (file, golden, i, case) in cases {
        let entry = optimizers.find(&case.optimizer).unwrap();
        let replay = |dialect: &str| {
            golden.replay_as(Path::new(file), i, dialect, &optimizers, Tolerance::default())
        };
        // the formula with this case's arguments, with every setting written out
        let formula = |line: &str| {
            let spec = line.split('|').find(|part| part.contains("lr=")).unwrap().parse().unwrap();
            let mut spec = optimizers.make(&spec).unwrap().spec;
            let is_zero = |name: &str| {
                spec.settings.iter().any(|(key, value)| key == name && value == &["0"])
            };
            let (plain, undecayed) = (is_zero("mu"), is_zero("lambda"));
            let inert = |key: &str| {
                INERT.contains(&key)
                    || (key == "lr_place" && plain && entry.name == "rmsprop")
                    || (key == "decouple" && undecayed)
            };
            spec.settings.retain(|(key, _)| !inert(key));
            spec
        };
        let own = replay(case.dialect()).unwrap();
        for dialect in entry
            .dialects
            .iter()
            .map(|dialect| dialect.name)
            .chain(["paper"])
            .filter(|name| *name != case.dialect())
        {
            let other = replay(dialect).unwrap();
            if formula(&other.line) == formula(&own.line) {
                assert!(
                    other.agrees(),
                    "{dialect} has the same formula and differs from {}",
                    own.case
                );
                same += 1;
            } else {
                assert!(
                    other.double.left_at.is_some(),
                    "{} cannot be distinguished from {} by {}",
                    other.line,
                    own.line,
                    own.case
                );
                wrong.insert(format!("{}: {dialect} for {}", entry.name, case.framework));
            }
        }
    }
    println!(
        "{} wrong pairs fail, {same} replays with the same formula agree:\n{wrong:#?}",
        wrong.len()
    );
    assert!(wrong.len() >= 40, "only {} pairs differ", wrong.len());
}

#[test]
fn the_constructors_of_the_library_are_the_dialects_of_specs() {
    use downhill::optim::{Adam, AdamW, Momentum, NAdam, RmsProp};
    for (spec, values) in [
        ("adam@keras", Adam::keras().values()),
        ("adam@s0", Adam::s0().values()),
        ("adamw@torch", AdamW::torch().values()),
        ("momentum@burn", Momentum::burn().values()),
        ("nadam@optax", NAdam::optax().values()),
        ("rmsprop@tf1", RmsProp::tf1().values()),
        ("adam", Adam::new().values()),
        ("adam@paper", Adam::new().values()),
    ] {
        let made = Optimizers::default().make(&spec.parse().unwrap()).unwrap().spec;
        let made: Vec<_> =
            made.settings[1..].iter().map(|(key, value)| (key.clone(), value[0].clone())).collect();
        assert_eq!(
            made,
            values.into_iter().map(|(key, value)| (key.to_string(), value)).collect::<Vec<_>>(),
            "{spec}"
        );
    }
}

fn verify(file: &Path) -> (Option<i32>, String, String) {
    let out =
        Command::new(env!("CARGO_BIN_EXE_downhill")).arg("verify").arg(file).output().unwrap();
    (
        out.status.code(),
        String::from_utf8(out.stdout).unwrap(),
        String::from_utf8(out.stderr).unwrap(),
    )
}

#[test]
fn the_command_prints_the_count_and_the_first_step_outside_the_tolerance() {
    let (code, out, _) = verify(Path::new(FILE));
    assert_eq!(code, Some(0));
    assert_eq!(out.lines().last(), Some("51 of 51 cases agree"));

    let folder = tempfile::tempdir().unwrap();
    let mut json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let step = json["cases"][14]["theta"][6][3].as_f64().unwrap();
    json["cases"][14]["theta"][6][3] = (step * (1.0 + 1e-9)).into();
    let path = folder.path().join("changed.json");
    std::fs::write(&path, json.to_string()).unwrap();
    let (code, out, _) = verify(&path);
    assert_eq!(code, Some(1));
    assert_eq!(out.lines().last(), Some("50 of 51 cases agree"));
    let differs: Vec<&str> = out.lines().filter(|line| line.contains("DIFFERS")).collect();
    assert!(
        differs.len() == 1 && differs[0].contains("torch Adam") && differs[0].contains("step 7"),
        "{differs:?}"
    );
}

#[test]
fn an_invalid_file_is_one_sentence_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let original: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let change = |name: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = original.clone();
        change(&mut json);
        let path = folder.path().join(name);
        std::fs::write(&path, json.to_string()).unwrap();
        verify(&path)
    };
    type Change<'a> = &'a dyn Fn(&mut serde_json::Value);
    let cases: [(&str, Change, &[&str]); 10] = [
        (
            "argument",
            &|json| json["cases"][14]["settings"]["cautious"] = true.into(),
            &["case 15", "cautious", "betas"],
        ),
        (
            "framework",
            &|json| json["cases"][0]["framework"] = "jax".into(),
            &["case 1", "jax", "torch, keras, optax"],
        ),
        ("optimizer", &|json| json["cases"][0]["optimizer"] = "adan".into(), &["case 1", "adan"]),
        (
            "value",
            &|json| json["cases"][14]["settings"]["betas"] = 0.9.into(),
            &["betas", "0.9", "a list of two numbers"],
        ),
        (
            "range",
            &|json| json["cases"][14]["settings"]["betas"] = serde_json::json!([0.9, 1.5]),
            &["beta2", "1.5"],
        ),
        (
            "flag",
            &|json| json["cases"][5]["settings"]["nesterov"] = false.into(),
            &["nesterov", "false", "true"],
        ),
        (
            "lr",
            &|json| json["lr"] = "lr for steps 1-1000000000000".into(),
            &["lr for steps 1-1000000000000", "in order"],
        ),
        (
            "short",
            &|json| drop(json["cases"][3]["theta"].as_array_mut().unwrap().pop()),
            &["case 4, theta", "39 rows", "40"],
        ),
        (
            "nothing",
            &|json| {
                json["cases"] = serde_json::json!([]);
                json.as_object_mut().unwrap().remove("sparse");
            },
            &["0 cases"],
        ),
        (
            "rows",
            &|json| json["sparse"]["steps"][0]["rows"][0] = 99.into(),
            &["sparse.steps 1, rows", "99", "below 6"],
        ),
    ];
    for (name, mutate, words) in cases {
        let (code, out, err) = change(name, mutate);
        assert_eq!((code, out.as_str(), err.lines().count()), (Some(2), "", 1), "{name}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{name}: {err}");
    }
    let (code, _, err) = verify(Path::new("Cargo.toml"));
    assert!(code == Some(2) && err.contains("expected a file of recorded trajectories"), "{err}");
    let (code, _, err) = verify(Path::new("nowhere.json"));
    assert!(code == Some(2) && err.contains("cannot read nowhere.json"), "{err}");
}

/// theta crosses zero and reaches it, where a relative error has no meaning.
#[test]
fn a_parameter_that_passes_through_zero_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let (mut x, mut theta) = (2.2f64, Vec::new());
    for step in 0..40 {
        x -= if step < 20 { 0.1 } else { 0.1 / 10.0 };
        theta.push(vec![x]);
    }
    let json = serde_json::json!({
        "lr": "lr for steps 1-20, lr/10 for steps 21-40", "theta0": [2.2], "grads": vec![vec![1.0]; 40],
        "cases": [{ "framework": "torch", "call": "SGD", "optimizer": "sgd", "settings": { "lr": 0.1 }, "theta": theta }],
    });
    let path = folder.path().join("zero.json");
    std::fs::write(&path, json.to_string()).unwrap();
    let (code, out, _) = verify(&path);
    assert_eq!((code, out.lines().last()), (Some(0), Some("1 of 1 cases agree")), "{out}");
}
