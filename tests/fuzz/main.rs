//! Mutated inputs for every reader of text and bytes: each gives a value or an error of one
//! sentence, without a panic, within seconds, and without allocating much. The formats of data sets
//! have the same tests in `formats.rs`.
//!
//! `DOWNHILL_FUZZ=100000 cargo test --release --test fuzz` tries so many mutations of each. The
//! seeds are fixed, so a failure repeats. This is a plain loop and not a fuzzing engine, because on
//! stable Rust an engine has no coverage to guide it, and none of them bounds the memory.
#![cfg(feature = "lab")]

mod checkpoints;
#[path = "../counting/mod.rs"]
mod counting;
mod inputs;

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use downhill::Pipeline;
use downhill::lab::augment::Augment;
use downhill::lab::data::prepare::Prepare;
use downhill::lab::experiment::{self, BUILT_IN};
use downhill::lab::model::saved::{self, ModelCard};
use downhill::lab::model::{self, Mode, Net, Shapes};
use downhill::lab::regularizer::Penalty;
use downhill::lab::seed::Seed;
use downhill::lab::surface::Surface;
use downhill::lab::verify::{self, Tolerance};
use downhill::lab::{record, report::Report};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::schedule::Schedule;
use downhill::spec::{Spec, SpecLine};
use sha2::{Digest, Sha256};

use inputs::{fuzz, fuzz_file, fuzz_text};

#[test]
fn pipeline_specs() {
    let optimizers = Optimizers::default();
    let examples = [
        "accumulate:steps=2|nonfinite:policy=skip|clip_global:max=1|adamw:lr=1e-3,weight_decay=0.01\
         |group:params=vectors,weight_decay=0|lookahead|ema:decay=0.9|cosine:warmup=5,steps=50",
        "l2:lambda=1e-4|adam@keras:beta1=0.9|decay:lambda=0.1|one_cycle",
        "clip_value:max=1|clip_norm:max=2|sgd|milestones:at=10-20",
        "rmsprop:mu=0.9|plateau:patience=2",
        "milestones:at=10-20,gamma=0.1",
    ];
    fuzz_text(&examples[..4], |text| {
        let config = PipelineConfig::read(&text.parse::<SpecLine>()?, &optimizers)?;
        let again = PipelineConfig::read(&config.spec, &optimizers)?;
        assert_eq!(config.spec, again.spec, "the full spec reads as itself");
        Ok(())
    });
    fuzz_text(&["cosine:warmup=5,steps=50", examples[4], "step:every=3,gamma=0.5"], |text| {
        Schedule::read(&text.parse::<Spec>()?).map(drop)
    });
}

#[test]
fn specs_of_models_penalties_augmentations_and_preparations() {
    let shapes = Shapes { input: vec![3, 32, 32], classes: 10 };
    let models = ["mlp:hidden=500-300,dropout=0.5", "cnn:channels=4-8,kernel=3", "lenet", "3c3d"];
    fuzz_text(&models, |text| {
        let spec = model::canonical(&text.parse()?)?;
        model::parameters(&spec, &shapes)?;
        model::units(&spec, &shapes).map(drop)
    });
    fuzz_text(&["l1:lambda=1e-4,by=prox|max_norm:max=3", "elastic|l2_ball:radius=2"], |text| {
        Penalty::read(&text.parse::<SpecLine>()?).map(drop)
    });
    fuzz_text(&["hflip|crop:pad=4|color:brightness=0.2", "rotate:degrees=10|cutout"], |text| {
        Augment::read(&text.parse::<SpecLine>()?)?.fits(&[3, 32, 32]).map(drop)
    });
    fuzz_text(&["gcn|zca:eps=0.1", "standardise", "binary"], |text| Prepare::read(text).map(drop));
}

#[test]
fn expressions() {
    let examples = [
        "x^2+10*y^2",
        "20+x^2-10*cos(2*pi*x)+y^2-10*cos(2*pi*y)",
        "1-exp((0-x^2-y^2)/2)",
        "rosenbrock",
    ];
    fuzz_text(&examples, |text| {
        let surface = Surface::read(text, None, None)?;
        surface.at(0.5, -1.5);
        Ok(())
    });
}

#[test]
fn experiments() {
    let optimizers = Optimizers::default();
    let examples: Vec<&str> = BUILT_IN.iter().map(|(_, text)| *text).collect();
    fuzz_text(&examples, |text| {
        experiment::parse(Path::new("a.toml"), text, &optimizers).map(drop)
    });
}

#[test]
fn records() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let mut examples = Vec::new();
    for folder in fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path()) {
        let runs = fs::read_dir(folder.join("runs")).into_iter().flatten();
        examples
            .extend(runs.map(|run| fs::read(run.unwrap().path()).unwrap()).min_by_key(Vec::len));
    }
    let optimizers = Optimizers::default();
    fuzz_file("a.jsonl", &examples, |path| {
        let run = record::read(path)?;
        Report::new(None, vec![run], &optimizers).map(drop)
    });
}

#[test]
fn trajectories() {
    let mut file: serde_json::Value =
        serde_json::from_str(include_str!("../golden/trajectories.json")).unwrap();
    // a small file, whose replay is quick
    file["cases"] = file["cases"].as_array().unwrap()[..3].to_vec().into();
    let examples = [serde_json::to_vec(&file).unwrap()];
    let tolerance = Tolerance { double: 1e-10, single: 1e-5 };
    let optimizers = Optimizers::default();
    fuzz_file("a.json", &examples, |path| {
        verify::read(path)?.replay(path, &optimizers, tolerance).map(drop)
    });
}

const MODEL: &str = "mlp:hidden=3";

fn shapes() -> Shapes {
    Shapes { input: vec![2], classes: 2 }
}

fn net() -> Net {
    model::build(&MODEL.parse().unwrap(), &shapes(), Seed(1), &Device::flex().autodiff()).unwrap()
}

#[test]
fn saved_models() {
    let device = Device::flex();
    let spec = model::canonical(&MODEL.parse().unwrap()).unwrap();
    let (data, sha256) = ("two".into(), String::new());
    let card = ModelCard { spec, shapes: shapes(), data, sha256 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    saved::save(&net().valid(), &card, &path).unwrap();
    fuzz_file("a.safetensors", &[fs::read(path).unwrap()], |path| {
        let (net, card) = saved::load(path, &device)?;
        let features = card.shapes.input.iter().product();
        net.forward(Tensor::zeros([1, features], &device), &mut Mode::Evaluate);
        Ok(())
    });
}

/// One step of training.
fn step(pipeline: &mut Pipeline, net: Net) -> downhill::Result<Net> {
    let device = Device::flex().autodiff();
    let loss = net.forward(Tensor::ones([1, 2], &device), &mut Mode::Evaluate).square().sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &net);
    pipeline.step(net, gradients)
}

const HASHED_FROM: usize = b"downhill optimizer state 1\n".len() + 32;

/// With the checksum of the changed content, as someone with intent would write it.
fn sealed(mut state: Vec<u8>) -> Vec<u8> {
    if let Some((head, content)) = state.split_at_mut_checked(HASHED_FROM) {
        head[HASHED_FROM - 32..].copy_from_slice(&Sha256::digest(content));
    }
    state
}

#[test]
fn states_of_pipelines() {
    // whether the content is fuzzed under a valid checksum: burn reads its own states, and panics
    for (spec, is_ours) in [
        ("adam|ema:decay=0.9|cosine:steps=50", true),
        ("accumulate:steps=3|momentum|lookahead|step:per=step,every=2", true),
        ("burn:sgd:momentum=0.9", false),
    ] {
        let (mut net, mut pipeline) = (net(), spec.parse::<Pipeline>().unwrap());
        for _ in 0..4 {
            net = step(&mut pipeline, net).unwrap();
        }
        let read = |input: &[u8]| {
            let mut resumed: Pipeline = spec.parse().unwrap();
            resumed.load(input, &net).map_err(|error| error.to_string())
        };
        let example = [pipeline.save(&net).unwrap()];
        fuzz(&example, |input| {
            read(input)?;
            assert_eq!(input, example[0], "a changed state is accepted");
            Ok(())
        });
        if is_ours {
            fuzz(&example, |input| read(&sealed(input.to_vec())));
        }
    }
}
