//! A run that is saved and resumed equals a run without interruption.
#![cfg(feature = "lab")]

use std::path::Path;
use std::process::Command;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use downhill::Error;
use downhill::error::StateError;
use downhill::lab::model::saved::{self, ModelCard};
use downhill::lab::model::{Mode, Net, Shapes, build};
use downhill::lab::seed::Seed;
use downhill::optim::Optimizers;
use downhill::pipeline::{PipelineConfig, Stepper, TRANSFORMS, TransformEntry};
use downhill::spec::Spec;

const MODEL: &str = "mlp:hidden=7";

fn shapes() -> Shapes {
    Shapes { input: vec![5], classes: 3 }
}

fn model_card() -> ModelCard {
    ModelCard {
        spec: MODEL.parse().unwrap(),
        shapes: shapes(),
        data: "five".into(),
        sha256: String::new(),
    }
}

fn net() -> Net {
    build(&MODEL.parse().unwrap(), &shapes(), Seed(1), &Device::flex().autodiff()).unwrap()
}

fn config(line: &str) -> PipelineConfig {
    PipelineConfig::read(&line.parse().unwrap(), &Optimizers::default()).unwrap()
}

/// Every optimizer, with settings that use all of its state, and every gradient transformation.
fn specs() -> Vec<String> {
    // a plain Newton step fails at a singular Hessian, and the Hessian of a network is singular
    let names = Optimizers::default()
        .entries()
        .iter()
        .map(|entry| entry.name.to_string())
        .collect::<Vec<_>>();
    let mut specs: Vec<String> = names.into_iter().filter(|name| name != "newton").collect();
    specs.extend(
        [
            "newton:line_search=backtracking",
            "rmsprop:mu=0.9,centered=yes",
            "nadam@torch",
            "lazy_adam:clock=row",
            "nag@torch:point=theta",
            "momentum@s1",
            "burn:sgd:momentum=0.9",
            "accumulate:steps=3|adam",
            "nonfinite:policy=skip|clip_norm:max=0.1|adam",
            "clip_value:max=0.01|clip_global:max=0.1|l2:lambda=0.1|momentum|decay:lambda=0.1",
            "adam|decay:by=schedule",
            "adamw|group:weight_decay=0|group:params=layers.1,lr_scale=0.1",
            "adam|lookahead:k=3",
            "adam|ema:decay=0.9",
            "accumulate:steps=2|l2|nadam|decay|lookahead:k=2|ema",
            "lbfgs|lookahead:k=2|ema",
            "sam:rho=0.5|sgd",
            "grokfast_ema:alpha=0.5|sgd",
            "grokfast_ma:window=3|adam",
            "mars:max=none|adam|cautious|decay:lambda=0.1",
        ]
        .map(String::from),
    );
    for TransformEntry { name, .. } in TRANSFORMS {
        let has = |spec: &String| spec.split(['|', ':']).any(|part| part == *name);
        assert!(specs.iter().any(has), "no spec has {name}");
    }
    specs
}

/// A step on a loss that changes from step to step, and a learning rate that does too.
fn step(net: Net, pipeline: &mut Stepper, t: usize) -> Net {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::from_data(
        [[t as f32, 1.0, -1.0, 0.5, 0.0], [1.0, -(t as f32), 0.3, 0.0, 2.0]],
        &device,
    );
    let mut loss = |net: &Net| {
        let loss =
            (net.forward(x.clone(), &mut Mode::Evaluate).tanh() - 0.3).powf_scalar(2.0).sum();
        (loss.clone().into_scalar::<f64>(), GradientsParams::from_grads(loss.backward(), net))
    };
    pipeline.step_with(0.01 / (t + 1) as f64, net, &mut loss).unwrap()
}

fn run(mut net: Net, pipeline: &mut Stepper, steps: std::ops::Range<usize>) -> Net {
    for t in steps {
        net = step(net, pipeline, t);
    }
    net
}

/// The weights in training and the evaluation parameters, without the ids, which differ between
/// processes.
fn bytes(net: &Net, pipeline: &Stepper) -> Vec<u8> {
    let numbers = |net: &Net| {
        downhill::optim::newton::flatten(net)
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    [numbers(net), numbers(&pipeline.evaluation_model(net).unwrap())].concat()
}

/// The number of steps before the interruption. It is inside a period of accumulation and of
/// look-ahead.
const BEFORE: usize = 5;
const AFTER: usize = 12;

/// Run by the test below in another process: resumes what is in the folder, and writes the result.
#[test]
#[ignore = "run by the next test"]
fn the_other_process() {
    let Ok(folder) = std::env::var("DOWNHILL_STATES") else { return };
    for (i, line) in specs().iter().enumerate() {
        let file = |kind: &str| Path::new(&folder).join(format!("{i}.{kind}"));
        // a model that is loaded from a file has other parameter ids
        let (net, ..) = saved::load(&file("safetensors"), &Device::flex().autodiff()).unwrap();
        let mut pipeline =
            config(line).resume(&std::fs::read(file("state")).unwrap(), &net).unwrap();
        let net = run(net, &mut pipeline, BEFORE..AFTER);
        std::fs::write(file("end"), bytes(&net, &pipeline)).unwrap();
        std::fs::write(file("later"), pipeline.save(&net).unwrap()).unwrap();
    }
}

#[test]
fn every_pipeline_resumed_in_another_process_continues_bit_for_bit_and_not_as_without_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = |i: usize, kind: &str| folder.path().join(format!("{i}.{kind}"));
    let mut expected = Vec::new();
    for (i, line) in specs().iter().enumerate() {
        let mut pipeline = config(line).begin();
        let net = run(net(), &mut pipeline, 0..BEFORE);
        saved::save(&net, &model_card(), &file(i, "safetensors")).unwrap();
        std::fs::write(file(i, "state"), pipeline.save(&net).unwrap()).unwrap();
        let mut fresh = config(line).begin();
        let cold = run(net.clone(), &mut fresh, BEFORE..AFTER);
        let net = run(net, &mut pipeline, BEFORE..AFTER);
        expected.push((bytes(&net, &pipeline), pipeline.save(&net).unwrap(), bytes(&cold, &fresh)));
    }
    let other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process", "--ignored"])
        .env("DOWNHILL_STATES", folder.path())
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stdout));
    for (i, (line, (end, state, cold))) in specs().iter().zip(expected).enumerate() {
        assert_eq!(std::fs::read(file(i, "end")).unwrap(), end, "{line} does not continue");
        assert_eq!(std::fs::read(file(i, "later")).unwrap(), state, "{line} has another state");
        // these have no state
        let stateless =
            ["sgd", "burn:sgd", "newton:line_search=backtracking", "newton_cg", "sam:rho=0.5|sgd"];
        let stateless = stateless.contains(&line.as_str());
        assert_eq!(end != cold, !stateless, "{line}: a start without state is the same");
    }
}

fn state_error(result: downhill::Result<Stepper>) -> StateError {
    match result {
        Err(Error::State(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted as a state"),
    }
}

#[test]
fn a_state_that_was_cut_or_changed_or_is_another_file_is_a_typed_error() {
    let line = "accumulate:steps=2|adam|ema";
    let mut pipeline = config(line).begin();
    let net = run(net(), &mut pipeline, 0..3);
    let saved = pipeline.save(&net).unwrap();
    assert!(config(line).resume(&saved, &net).is_ok());
    for length in 0..saved.len() {
        assert_eq!(
            state_error(config(line).resume(&saved[..length], &net)),
            StateError::Damaged,
            "cut to {length} bytes"
        );
    }
    for at in (0..saved.len()).step_by(7) {
        let mut changed = saved.clone();
        changed[at] ^= 1;
        let error = state_error(config(line).resume(&changed, &net));
        assert!(
            [StateError::Damaged, StateError::Foreign].contains(&error),
            "changed at {at}: {error}"
        );
    }
    for foreign in
        [&b"PK\x03\x04 an archive"[..], &net.clone().into_record().into_bytes().unwrap()[..]]
    {
        assert_eq!(state_error(config(line).resume(foreign, &net)), StateError::Foreign);
    }
}

#[test]
fn a_state_of_another_optimizer_or_model_is_a_typed_error_that_names_both() {
    let mut pipeline = config("momentum").begin();
    let net = run(net(), &mut pipeline, 0..3);
    let saved = pipeline.save(&net).unwrap();
    let error = state_error(config("adam").resume(&saved, &net));
    assert!(
        matches!(&error, StateError::OtherOptimizer { found, expected } if found.starts_with("momentum:") && expected.starts_with("adam:"))
    );
    let error = state_error(config("momentum:mu=0.8").resume(&saved, &net));
    assert!(
        error.to_string().ends_with("it was saved with mu=0.9, and this optimizer has mu=0.8"),
        "{error}"
    );
    let wider =
        build(&"mlp:hidden=8".parse().unwrap(), &shapes(), Seed(1), &Device::flex().autodiff())
            .unwrap();
    let error = state_error(config("momentum").resume(&saved, &wider));
    assert!(
        matches!(&error, StateError::OtherModel { .. })
            && error.to_string().contains("[5, 7]")
            && error.to_string().contains("[5, 8]"),
        "{error}"
    );
}

/// Users of burn's own `ModuleOptimizer` save through burn, which starts without state where it
/// cannot read one.
#[test]
fn through_burn_a_rule_continues_too_and_does_not_accept_the_state_of_another_rule() {
    let made = |spec: &str| {
        let built = Optimizers::default().make(&spec.parse::<Spec>().unwrap()).unwrap();
        let downhill::optim::Method::PerTensor { optimizer, .. } = built.method else {
            panic!("{spec} steps whole models")
        };
        optimizer
    };
    let gradients = |net: &Net| {
        let x = Tensor::<2>::ones([2, 5], &Device::flex().autodiff());
        GradientsParams::from_grads(
            net.forward(x, &mut Mode::Evaluate).powf_scalar(2.0).sum().backward(),
            net,
        )
    };
    let mut adam = made("adam");
    let first = net();
    let second = adam.step(0.01, first.clone(), gradients(&first));
    let mut loaded = made("adam").from_bytes(adam.into_bytes().unwrap()).unwrap();
    let numbers = |net: &Net| downhill::optim::newton::flatten(net);
    let (one, other) = (
        adam.step(0.01, second.clone(), gradients(&second)),
        loaded.step(0.01, second.clone(), gradients(&second)),
    );
    assert_eq!(numbers(&one), numbers(&other));

    let mut momentum = made("momentum");
    momentum.step(0.01, first.clone(), gradients(&first));
    let foreign = made("adam").from_bytes(momentum.into_bytes().unwrap()).unwrap();
    assert!(foreign.to_record().is_empty(), "momentum's state was read as Adam's");
}
