//! The GPT: comparison with PyTorch, causality, dropout, saving, and the measurements of a text.
#![cfg(feature = "lab")]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use downhill::lab::data::corpus::Corpus;
use downhill::lab::data::tokens::{Tokenize, Tokenizer};
use downhill::lab::model::Mode;
use downhill::lab::model::gpt::{self, Gpt, Sampling};
use downhill::lab::model::saved::language::{LanguageCard, load, save};
use downhill::lab::seed::{Purpose, Seed};
use downhill::lab::task::language::{LanguageProblem, Part, score};
use downhill::lab::train::Problem;
use downhill::schedule::Progress;
use serde_json::Value;

fn model(spec: &str, vocabulary: usize, device: &Device) -> Gpt {
    gpt::read(&spec.parse().unwrap()).unwrap().made(vocabulary, Seed(3), device).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Recorded numbers of a parameter in burn's layout: the weights of linear layers are transposed.
fn in_burns_layout(parameter: &Value, value: &Value) -> Vec<f64> {
    let value = list(value);
    let name = parameter["name"].as_str().unwrap();
    let shape: Vec<usize> = list(&parameter["shape"]).into_iter().map(|n| n as usize).collect();
    match shape[..] {
        [out, into] if !["tokens.weight", "positions.weight"].contains(&name) => (0..into)
            .flat_map(|i| (0..out).map(move |o| o * into + i))
            .map(|at| value[at])
            .collect(),
        _ => value,
    }
}

struct Replace(std::vec::IntoIter<Vec<f64>>);

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let new = self.0.next().unwrap();
        param.map(|old| {
            let (device, shape) = (old.device(), old.dims());
            Tensor::from_data(TensorData::new(new, shape), (&device, DType::F64)).require_grad()
        })
    }
}

struct Gradients<'a>(&'a GradientsParams, Vec<Vec<f64>>);

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.1.push(numbers(self.0.get::<D>(param.id).expect("every parameter has a gradient")));
    }
}

fn same(what: &str, ours: &[f64], torch: &[f64]) {
    assert_eq!(ours.len(), torch.len(), "{what}");
    for (a, b) in ours.iter().zip(torch) {
        assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "{what}: {a} and {b}");
    }
}

fn windows(rows: &[Vec<i32>], skipped: usize, device: &Device) -> Tensor<2, Int> {
    let length = rows[0].len() - 1;
    let tokens = rows.iter().flat_map(|row| row[skipped..skipped + length].to_vec());
    let data = TensorData::new(tokens.collect::<Vec<i32>>(), [rows.len(), length]);
    Tensor::from_data(data, device)
}

#[test]
fn scores_loss_and_gradients_equal_those_of_pytorch() {
    let text = std::fs::read_to_string("tests/golden/gpt.json").unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let device = Device::flex().autodiff();
    let parameters = recorded["parameters"].as_array().unwrap();
    let vocabulary = recorded["vocabulary"].as_u64().unwrap() as usize;
    let values: Vec<Vec<f64>> =
        parameters.iter().map(|own| in_burns_layout(own, &own["value"])).collect();
    let model = model(recorded["spec"].as_str().unwrap(), vocabulary, &device);
    assert_eq!(model.num_params(), values.iter().map(Vec::len).sum::<usize>());
    let model = model.map(&mut Replace(values.into_iter()));
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let rows: Vec<Vec<i32>> = serde_json::from_value(case["windows"].clone()).unwrap();
        let scores = model.forward(windows(&rows, 0, &device), &mut Mode::Evaluate);
        same("scores", &numbers(scores.clone()), &list(&case["scores"]));
        let next = windows(&rows, 1, &device);
        let n = next.shape().num_elements();
        let scores = log_softmax(scores.reshape([n, vocabulary]), 1);
        let loss = -scores.gather(1, next.reshape([n, 1])).mean();
        same("loss", &[loss.clone().into_scalar::<f64>()], &[case["loss"].as_f64().unwrap()]);
        let of = GradientsParams::from_grads(loss.backward(), &model);
        let mut gradients = Gradients(&of, Vec::new());
        model.visit(&mut gradients);
        let torch = case["gradients"].as_array().unwrap();
        assert_eq!(torch.len(), gradients.1.len());
        for ((own, torch), parameter) in gradients.1.iter().zip(torch).zip(parameters) {
            let name = format!("gradient of {}", parameter["name"]);
            same(&name, own, &in_burns_layout(parameter, torch));
        }
    }
}

#[test]
fn a_position_does_not_see_those_after_it_and_sees_those_before_it() {
    let device = Device::flex();
    let model = model("gpt:width=16,context=8", 10, &device);
    let scores = |tokens: [i32; 8]| {
        let rows = vec![[&tokens[..], &[0]].concat()];
        numbers(model.forward(windows(&rows, 0, &device), &mut Mode::Evaluate))
    };
    let (one, other) = (scores([1, 2, 3, 4, 5, 6, 7, 8]), scores([1, 2, 3, 9, 5, 6, 7, 8]));
    assert_eq!(one[..30], other[..30]);
    assert!((3..8).all(|at| one[at * 10..at * 10 + 10] != other[at * 10..at * 10 + 10]));
    // a shorter window is the beginning of a longer one
    let short = vec![vec![1, 2, 3, 0]];
    let short = numbers(model.forward(windows(&short, 0, &device), &mut Mode::Evaluate));
    assert!(short.iter().zip(&one).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn the_initial_loss_is_that_of_a_uniform_guess_and_depends_on_the_seed_only() {
    let device = Device::flex();
    let corpus = Corpus::new("t", "the quick brown fox jumps over the lazy dog. ".repeat(60));
    let tokenizer = Tokenize::default().fit(&corpus).unwrap();
    let test = Part::new(tokenizer.encode("t", corpus.test()).unwrap(), &tokenizer);
    let vocabulary = tokenizer.vocabulary();
    let model = model("gpt:context=16", vocabulary, &device);
    let first = score(&model, &test, 4, &device);
    assert!((first.loss() - (vocabulary as f64).ln()).abs() < 0.1, "{first:?}");
    assert_eq!(first.characters(), corpus.test().chars().count() - 1);
    // nats of a token are bits of a character if each character is a token
    assert!((first.bits() - first.loss() / std::f64::consts::LN_2).abs() < 1e-12);
    let again = score(&self::model("gpt:context=16", vocabulary, &device), &test, 4, &device);
    assert_eq!(first, again);
}

fn byte_pairs(corpus: &Corpus) -> Tokenizer {
    Tokenize::read("bpe:vocabulary=262").unwrap().fit(corpus).unwrap()
}

#[test]
fn bits_per_character_count_characters_and_not_tokens_or_bytes() {
    let device = Device::flex();
    let corpus = Corpus::new("t", "déjà vu, déjà là; ".repeat(100));
    let tokenizer = byte_pairs(&corpus);
    let tokens = tokenizer.encode("t", corpus.test()).unwrap();
    let part = Part::new(tokens.clone(), &tokenizer);
    assert_eq!(part.characters(), corpus.test().chars().count());
    assert!(part.tokens() < part.characters() && part.characters() < corpus.test().len());
    let model = model("gpt:context=8", tokenizer.vocabulary(), &device);
    let score = score(&model, &part, 4, &device);
    let characters = tokenizer.characters(&tokens[1..]);
    let nats = score.loss() * (tokens.len() - 1) as f64;
    let expected = nats / std::f64::consts::LN_2 / characters as f64;
    assert!((score.bits() - expected).abs() < 1e-12);
}

fn problem(windows: Option<usize>, device: &Device) -> (LanguageProblem, usize) {
    let corpus = Corpus::new("t", ('a'..='z').collect::<String>().repeat(40));
    let tokenizer = Tokenize::default().fit(&corpus).unwrap();
    let part = |text: &str| Part::new(tokenizer.encode("t", text).unwrap(), &tokenizer);
    let parts = [part(corpus.train()), part(corpus.validation()), part(corpus.test())];
    (LanguageProblem::new(parts, 8, 5, windows, None, device), tokenizer.vocabulary())
}

#[test]
fn masks_and_windows_depend_on_seed_epoch_and_step_only() {
    let device = Device::flex().autodiff();
    let (problem, vocabulary) = problem(None, &device);
    assert_eq!(problem.windows(), (936 - 8) / 8);
    assert_eq!(problem.steps(), 24);
    let plain = model("gpt:context=8", vocabulary, &device);
    let masked = model("gpt:context=8,dropout=0.5", vocabulary, &device);
    let loss = |model: &Gpt, seed, step, epoch, batch| {
        let mut problem = problem.clone().seeded(Seed(seed));
        let now = Progress { step, epoch, batch, steps: 48 };
        problem.loss(model, now).into_scalar::<f64>()
    };
    assert_eq!(loss(&plain, 0, 1, 1, 1), loss(&plain, 0, 9, 1, 1));
    assert_ne!(loss(&masked, 0, 1, 1, 1), loss(&masked, 0, 9, 1, 1));
    for other in [loss(&plain, 1, 1, 1, 1), loss(&plain, 0, 1, 2, 1), loss(&plain, 0, 1, 1, 2)] {
        assert_ne!(loss(&plain, 0, 1, 1, 1), other);
    }
    let (short, _) = self::problem(Some(7), &device);
    assert_eq!((short.windows(), short.steps()), (7, 2));
}

#[test]
fn a_model_is_saved_with_its_tokens_and_makes_the_same_sample() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gpt.safetensors");
    let device = Device::flex();
    let corpus = Corpus::new("t", "déjà vu, déjà là; ".repeat(100));
    for tokenizer in [Tokenize::default().fit(&corpus).unwrap(), byte_pairs(&corpus)] {
        let spec = "gpt:layers=2,width=64,heads=4,context=16,dropout=0";
        let model = model(spec, tokenizer.vocabulary(), &device);
        let card = LanguageCard {
            spec: spec.parse().unwrap(),
            tokenizer: tokenizer.clone(),
            data: "text:t|chars".into(),
            sha256: corpus.sha256(),
        };
        save(&model, &card, &path).unwrap();
        let (back, read) = load(&path, &device).unwrap();
        assert_eq!(read, card);
        let sampling = Sampling { length: 40, temperature: 1.0 };
        let sample = |model: &Gpt, seed| {
            let mut generator = Seed(seed).generator(Purpose::Sample, 0);
            model.sample(&[1, 2], sampling, &mut generator, &device)
        };
        assert_eq!(sample(&model, 0), sample(&back, 0));
        assert_ne!(sample(&model, 0), sample(&model, 1));
        assert_eq!(sample(&model, 0).len(), 40);
    }
}
