//! Gradient transformations: order, clipping, accumulation, averages, diagnostics.
#![cfg(feature = "lab")]

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use downhill::optim::{Adam, Optimizers};
use downhill::pipeline::{LayerDiagnostics, PipelineConfig, Stepper};
use downhill::spec::SpecLine;

/// Two parameters, so that the norm of all gradients differs from the norm of each.
#[derive(Module, Debug)]
struct Pair {
    a: Param<Tensor<1>>,
    b: Param<Tensor<2>>,
}

fn tensor<const D: usize>(numbers: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (device, DType::F64))
}

fn pair() -> Pair {
    let device = Device::flex().autodiff();
    Pair {
        a: Param::from_tensor(tensor(&[1.0, -2.0], [2], &device)),
        b: Param::from_tensor(tensor(&[0.5, 3.0], [1, 2], &device)),
    }
}

fn gradients(pair: &Pair, a: [f64; 2], b: [f64; 2]) -> GradientsParams {
    let device = Device::flex();
    let mut gradients = GradientsParams::new();
    gradients.register(pair.a.id, tensor(&a, [2], &device));
    gradients.register(pair.b.id, tensor(&b, [1, 2], &device));
    gradients
}

fn config(line: &str) -> downhill::Result<PipelineConfig> {
    PipelineConfig::read(&line.parse::<SpecLine>()?, &Optimizers::default())
}

fn begin(line: &str) -> Stepper {
    config(line).unwrap().begin()
}

fn numbers(pair: &Pair) -> [f64; 4] {
    let all = downhill::optim::newton::flatten(pair);
    [all[0], all[1], all[2], all[3]]
}

/// What one step subtracts.
fn moved(line: &str, lr: f64, a: [f64; 2], b: [f64; 2]) -> [f64; 4] {
    let before = pair();
    let after = begin(line).step(lr, before.clone(), gradients(&before, a, b)).unwrap();
    let (before, after) = (numbers(&before), numbers(&after));
    std::array::from_fn(|i| before[i] - after[i])
}

fn near(found: [f64; 4], expected: [f64; 4]) {
    for (found_one, expected_one) in found.iter().zip(expected) {
        assert!((found_one - expected_one).abs() < 1e-12, "{found:?}, expected {expected:?}");
    }
}

#[test]
fn clips_are_by_element_by_parameter_and_by_all_together() {
    let (a, b) = ([3.0, 4.0], [0.0, 12.0]); // norms 5, 12 and 13
    near(moved("clip_value:max=3.5|sgd", 1.0, a, b), [3.0, 3.5, 0.0, 3.5]);
    near(moved("clip_norm:max=6|sgd", 1.0, a, b), [3.0, 4.0, 0.0, 6.0]);
    near(moved("clip_global:max=6.5|sgd", 1.0, a, b), [1.5, 2.0, 0.0, 6.0]);
    near(moved("clip_global:max=14|sgd", 1.0, a, b), [3.0, 4.0, 0.0, 12.0]);
    near(moved("clip_norm:max=1|sgd", 1.0, [0.0; 2], [0.0; 2]), [0.0; 4]); // no gradient, no direction
    // from left to right: first the elements, then the norm of the result
    near(moved("clip_value:max=4|clip_norm:max=2.5|sgd", 1.0, a, b), [1.5, 2.0, 0.0, 2.5]);
    near(moved("clip_norm:max=2.5|clip_value:max=1.9|sgd", 1.0, a, b), [1.5, 1.9, 0.0, 1.9]);
}

#[test]
fn the_raw_gradient_is_clipped_before_l2_is_added_and_decay_is_independent_of_the_step() {
    let (a, b) = ([3.0, 4.0], [0.0, 12.0]);
    // x is 1, -2, 0.5, 3
    near(
        moved("clip_norm:max=1|l2:lambda=0.5|sgd", 1.0, a, b),
        [0.6 + 0.5, 0.8 - 1.0, 0.25, 1.0 + 1.5],
    );
    near(moved("sgd|decay:lambda=0.5", 0.1, a, b), [0.3 + 0.05, 0.4 - 0.1, 0.025, 1.2 + 0.15]);
    // Adam's first step is lr for a gradient of any size: l2 has no effect on it, decay has
    near(moved("l2:lambda=0.001|adam:eps=0", 0.1, a, [1.0, 12.0]), [0.1; 4]);
    near(moved("adam:eps=0|decay:lambda=0.5", 0.1, a, [1.0, 12.0]), [0.15, 0.0, 0.125, 0.25]);
    // by the schedule: the learning rate of the step is half the one of the spec
    near(
        moved("sgd:lr=0.2|decay:lambda=0.01,by=schedule", 0.1, [0.0; 2], [0.0; 2]),
        [0.005, -0.01, 0.0025, 0.015],
    );
}

#[test]
fn parts_in_another_order_than_they_act_in_are_refused_with_the_order() {
    for (line, words) in [
        (
            "l2|clip_norm|adam",
            "found clip_norm after l2, expected `clip_norm|l2|adam`; the order is",
        ),
        (
            "adam|clip_global",
            "found clip_global after adam, expected `clip_global|adam`; the order is",
        ),
        ("decay|adam", "found adam after decay, expected `adam|decay`"),
        ("adam|ema|lookahead", "found lookahead after ema, expected `adam|lookahead|ema`"),
        ("cosine|adam", "found adam after cosine, expected `adam|cosine`"),
        ("adam|ema|ema", "ema is given twice"),
        ("accumulate|accumulate|adam", "accumulate is given twice"),
        ("adam|cosine|step", "found cosine and step, expected only one of them"),
        ("ema", "no optimizer, expected one, such as adam"),
        ("l2|l2|adam", "l2 is given twice"),
        ("adam|sgd", "found the optimizers adam and sgd, expected only one"),
        ("adam|emma", "did you mean `ema`?"),
        ("clip_global:max=0|adam", "max is `0`, expected a finite number above 0"),
        ("clip_global:norm=1|adam", "unknown setting of clip_global `norm`"),
        (
            "clip_global|lbfgs",
            "lbfgs evaluates the loss itself, and clip_global cannot come before it",
        ),
        (
            "l2|burn:adam",
            "l2, cautious, decay or group around it, which go with rules only; its own settings: beta_1",
        ),
        ("adam|", "`adam|` is not a spec: expected a spec on both sides of each `|`"),
    ] {
        let error = config(line).err().unwrap_or_else(|| panic!("{line} was accepted")).to_string();
        assert!(error.contains(words), "{line}: {error}");
    }
    let line = "accumulate:steps=2|nonfinite|clip_norm|clip_value|clip_global|l2|adam@keras|decay|lookahead|ema|cosine:warmup=5";
    let config = config(line).unwrap();
    assert!(config.schedule.is_some());
    let again = PipelineConfig::read(&config.spec, &Optimizers::default()).unwrap();
    assert_eq!(again.spec, config.spec, "the canonical spec reads as itself");
}

#[test]
fn a_spec_expands_into_every_combination_of_its_sweeps() {
    let line: SpecLine = "clip_global:max=[1,2]|adam:lr=[1e-3,1e-2],beta1=0.8|ema".parse().unwrap();
    let all: Vec<String> = line.expand().iter().map(SpecLine::to_string).collect();
    assert_eq!(line.size(), Some(4));
    assert_eq!(all[0], "clip_global:max=1|adam:lr=1e-3,beta1=0.8|ema");
    assert_eq!(all[3], "clip_global:max=2|adam:lr=1e-2,beta1=0.8|ema");
    assert_eq!(all.len(), 4);
}

#[test]
fn accumulation_steps_with_the_mean_and_keeps_the_weights_in_between() {
    let mut pipeline = begin("accumulate:steps=3|momentum");
    let start = pair();
    let mut model = start.clone();
    for (a, b) in [([1.0, 2.0], [3.0, 0.0]), ([4.0, 2.0], [0.0, 0.0])] {
        let g = gradients(&model, a, b);
        model = pipeline.step(0.1, model, g).unwrap();
        assert_eq!(numbers(&model), numbers(&start));
    }
    // a parameter without gradient in one of the batches counts as zero there
    let mut g = GradientsParams::new();
    g.register(model.a.id, tensor(&[1.0, 2.0], [2], &Device::flex()));
    model = pipeline.step(0.1, model, g).unwrap();
    let once = begin("momentum")
        .step(0.1, start.clone(), gradients(&start, [2.0, 2.0], [1.0, 0.0]))
        .unwrap();
    near(numbers(&model), numbers(&once));
}

#[test]
fn lookahead_and_ema_follow_the_weights_and_are_evaluated() {
    // sgd with lr 1 and gradient (1, 1): the fast weights fall by 1 a step
    let mut pipeline = begin("sgd|lookahead:k=2,alpha=0.5");
    let mut model = pair();
    let mut firsts = Vec::new();
    for _ in 0..4 {
        let g = gradients(&model, [1.0; 2], [1.0; 2]);
        model = pipeline.step(1.0, model, g).unwrap();
        firsts.push((numbers(&model)[0], numbers(&pipeline.evaluation_model(&model).unwrap())[0]));
    }
    assert_eq!(firsts, [(0.0, 1.0), (0.0, 0.0), (-1.0, 0.0), (-1.0, -1.0)]);

    let mut pipeline = begin("sgd|ema:decay=0.75");
    let mut model = pair();
    let mut averages = Vec::new();
    for _ in 0..3 {
        let g = gradients(&model, [1.0; 2], [1.0; 2]);
        model = pipeline.step(1.0, model, g).unwrap();
        averages.push(numbers(&pipeline.evaluation_model(&model).unwrap())[0]);
    }
    // weights 0, -1, -2; the average starts at the first
    assert_eq!(averages, [0.0, -0.25, -0.6875]);
}

#[test]
fn burns_parameter_groups_take_our_rules() {
    use burn::module::ParamGroup;
    use downhill::optim::{IntoOptimizer, Sgd};
    let model = pair();
    let mut optimizer = Sgd::new().init().with_group(
        ParamGroup::from_ids(vec![model.b.id]),
        Adam::new().with_eps(0.0).build(),
        None,
    );
    let before = numbers(&model);
    let g = gradients(&model, [3.0, 4.0], [5.0, 6.0]);
    let after = numbers(&optimizer.step(0.1, model, g));
    near(std::array::from_fn(|i| before[i] - after[i]), [0.3, 0.4, 0.1, 0.1]);
    let _ = IntoOptimizer::init(Adam::new());
}

#[test]
fn diagnostics_are_what_the_formulas_say() {
    let (before, mut pipeline) = (pair(), begin("adam:lr=0.1,eps=0.5"));
    let after =
        pipeline.step(0.1, before.clone(), gradients(&before, [3.0, 0.1], [0.0, 12.0])).unwrap();
    let layers = pipeline.diagnose(0.1, &before, &after).unwrap();
    let [a, b]: [LayerDiagnostics; 2] = layers.try_into().unwrap();
    assert_eq!((a.name.as_str(), a.elements, b.name.as_str(), b.elements), ("a", 2, "b", 2));
    // the first step of Adam: lr g / (|g| + eps)
    let (first, second) = (0.1 * 3.0 / 3.5, 0.1 * 0.1 / 0.6);
    assert!((a.largest_step - first).abs() < 1e-12);
    assert!((a.step - ((first * first + second * second) / 2.0).sqrt()).abs() < 1e-12);
    assert!(
        (a.update_to_weight.unwrap() - ((first * first + second * second) / 5.0).sqrt()).abs()
            < 1e-12
    );
    // m_hat = g and v_hat = g², so the ratio is 1 where the gradient is not 0
    assert!(
        (a.signal_to_noise.unwrap() - 1.0).abs() < 1e-12
            && (b.signal_to_noise.unwrap() - 1.0).abs() < 1e-12
    );
    assert_eq!(
        (a.eps_share, b.eps_share),
        (Some(0.5), Some(0.5)),
        "|g| is 3 and 0.1, 0 and 12; eps is 0.5"
    );
    assert!((a.bound.unwrap() - 0.1).abs() < 1e-12, "the first step is at most lr");
    // a rule without moments has only the step and its ratio to the weights
    let mut sgd = begin("sgd");
    let after = sgd.step(0.1, before.clone(), gradients(&before, [1.0; 2], [1.0; 2])).unwrap();
    let layer = sgd.diagnose(0.1, &before, &after).unwrap().remove(0);
    assert_eq!((layer.signal_to_noise, layer.eps_share, layer.bound), (None, None, None));
    assert!((layer.step - 0.1).abs() < 1e-12);
}
