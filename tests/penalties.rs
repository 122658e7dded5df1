//! Penalties and constraints: values, gradients, proximal steps against a grid search, and their
//! behavior in training runs.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;

use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::model::{Net, Shapes, build};
use downhill::lab::record::{CurvePoint, Outcome};
use downhill::lab::regularizer::{PENALTIES, Penalty};
use downhill::lab::seed::Seed;
use downhill::lab::task::ClassifyProblem;
use downhill::lab::train::{Plan, Problem, TrainObserver, train};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::schedule::{Progress, Schedule};

/// A linear layer with its bias, and a convolution of two filters.
#[derive(Module, Debug)]
struct Small {
    linear: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    conv: Param<Tensor<4>>,
}

const LINEAR: usize = 6;
const CONV: usize = 8;

fn tensor<const D: usize>(numbers: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (device, DType::F64))
}

/// A model with the given weights: six of the linear layer, `[3, 2]`, then eight of the
/// convolution, `[2, 2, 1, 2]`. The biases are 100 and -100.
fn small(weights: &[f64]) -> Small {
    let device = Device::flex().autodiff();
    Small {
        linear: Param::from_tensor(tensor(&weights[..LINEAR], [3, 2], &device)),
        bias: Param::from_tensor(tensor(&[100.0, -100.0], [2], &device)),
        conv: Param::from_tensor(tensor(&weights[LINEAR..LINEAR + CONV], [2, 2, 1, 2], &device)),
    }
}

/// The weights, linear layer first. Also checks that the biases are unchanged.
fn weights(model: &Small) -> Vec<f64> {
    let read = |data: TensorData| data.iter::<f64>().collect::<Vec<_>>();
    assert_eq!(read(model.bias.val().into_data()), [100.0, -100.0], "biases are unchanged");
    [read(model.linear.val().into_data()), read(model.conv.val().into_data())].concat()
}

const WEIGHTS: [f64; LINEAR + CONV] =
    [0.3, -1.2, 2.5, 0.04, -0.7, 0.0, 1.5, -0.002, 0.9, -2.2, 0.1, 3.1, -0.05, 0.6];

fn penalty(line: &str) -> Penalty {
    Penalty::read(&line.parse().unwrap()).unwrap()
}

fn value(penalty: &Penalty, model: &Small) -> f64 {
    penalty.value(model).map_or(0.0, |value| value.into_scalar::<f64>())
}

/// The model's weights after a step with this learning rate.
fn moved(line: &str, from: &[f64], lr: f64) -> Vec<f64> {
    weights(&penalty(line).after_step(small(from), lr))
}

fn norm(w: &[f64]) -> f64 {
    w.iter().map(|w| w * w).sum::<f64>().sqrt()
}

#[test]
fn every_penalty_gradient_equals_the_finite_difference() {
    let lines = [
        "l1:lambda=0.3",
        "l2:lambda=0.3",
        "elastic:lambda=0.3,ratio=0.2",
        "smooth_l1:lambda=0.3,kind=sqrt,width=0.1",
        "smooth_l1:lambda=0.3,kind=softplus,width=0.1",
        "smooth_l1:lambda=0.3,kind=huber,width=0.12",
        "l1:lambda=0.3|l2:lambda=0.2|max_norm:max=1",
    ];
    for line in lines {
        let (penalty, model) = (penalty(line), small(&WEIGHTS));
        let gradients = GradientsParams::from_grads(penalty.of(&model).unwrap().backward(), &model);
        let gradient: Vec<f64> = [
            gradients
                .get::<2>(model.linear.id)
                .unwrap()
                .into_data()
                .iter::<f64>()
                .collect::<Vec<_>>(),
            gradients.get::<4>(model.conv.id).unwrap().into_data().iter::<f64>().collect(),
        ]
        .concat();
        assert!(
            gradients.get::<1>(model.bias.id).is_none(),
            "{line}: the penalty has no bias gradient"
        );
        for (i, gradient) in gradient.into_iter().enumerate() {
            let at = |by: f64| {
                let mut moved = WEIGHTS;
                moved[i] += by;
                value(&penalty, &small(&moved))
            };
            // at w = 0 the central difference of |w| is 0, which is also the subgradient
            let difference = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!(
                (gradient - difference).abs() < 1e-7,
                "{line}, weight {i}: {gradient} and {difference}"
            );
        }
    }
}

#[test]
fn penalty_values_equal_closed_forms_and_constraints_have_no_value() {
    let model = small(&WEIGHTS);
    let absolute: f64 = WEIGHTS.iter().map(|w| w.abs()).sum();
    let squares: f64 = WEIGHTS.iter().map(|w| w * w).sum();
    for (line, expected) in [
        ("l1:lambda=0.5", 0.5 * absolute),
        ("l2:lambda=0.5", 0.25 * squares),
        ("elastic:lambda=0.5,ratio=0.25", 0.5 * (0.25 * absolute + 0.375 * squares)),
        ("l1:lambda=0.5|l2:lambda=0.5", 0.5 * absolute + 0.25 * squares),
    ] {
        assert!((value(&penalty(line), &model) - expected).abs() < 1e-12, "{line}");
    }
    for line in ["none", "max_norm", "l2_ball", "l1_ball"] {
        assert!(
            penalty(line).of(&model).is_none() && penalty(line).value(&model).is_none(),
            "{line}"
        );
    }
    // a proximal step replaces the gradient; the training loss + penalty still includes the penalty
    for line in ["l1:by=prox", "elastic:by=prox"] {
        let by_loss = line.replace("prox", "loss");
        assert!(penalty(line).of(&model).is_none(), "{line}");
        assert_eq!(value(&penalty(line), &model), value(&penalty(&by_loss), &model), "{line}");
    }
}

#[test]
fn the_elastic_net_equals_l1_at_ratio_1_and_l2_at_ratio_0() {
    let model = small(&WEIGHTS);
    for (elastic, end) in [
        ("elastic:lambda=0.3,ratio=1", "l1:lambda=0.3"),
        ("elastic:lambda=0.3,ratio=0", "l2:lambda=0.3"),
    ] {
        assert_eq!(value(&penalty(elastic), &model), value(&penalty(end), &model));
    }
    assert_eq!(
        moved("elastic:lambda=2,ratio=1,by=prox", &WEIGHTS, 0.1),
        moved("l1:lambda=2,by=prox", &WEIGHTS, 0.1)
    );
    let shrunk = moved("elastic:lambda=2,ratio=0,by=prox", &WEIGHTS, 0.1);
    for (w, shrunk) in WEIGHTS.iter().zip(shrunk) {
        assert!(
            (shrunk - w / 1.2).abs() < 1e-15,
            "the proximal step of L2 divides by 1 + lr lambda"
        );
    }
}

#[test]
fn a_proximal_step_minimizes_penalty_plus_squared_distance() {
    let lr = 0.25;
    for (line, l1, l2) in [
        ("l1:lambda=2,by=prox", 2.0, 0.0),
        ("elastic:lambda=2,ratio=0.5,by=prox", 1.0, 1.0),
        ("elastic:lambda=2,ratio=0,by=prox", 0.0, 2.0),
        ("elastic:lambda=2,ratio=1,by=prox", 2.0, 0.0),
        ("l1:lambda=1,by=prox|elastic:lambda=1,ratio=0,by=prox", 1.0, 1.0),
    ] {
        for (w, x) in WEIGHTS.iter().zip(moved(line, &WEIGHTS, lr)) {
            let cost = |x: f64| lr * (l1 * x.abs() + l2 / 2.0 * x * x) + (x - w) * (x - w) / 2.0;
            let best = (-40_000..=40_000)
                .map(|i| f64::from(i) * 1e-4)
                .min_by(|a, b| cost(*a).total_cmp(&cost(*b)))
                .unwrap();
            assert!(
                (x - best).abs() < 1e-4 && cost(x) <= cost(best) + 1e-12,
                "{line}: {w} moved to {x}, expected {best}"
            );
        }
    }
}

#[test]
fn a_step_with_learning_rate_zero_applies_only_constraints() {
    for line in ["l1:lambda=2,by=prox", "elastic:lambda=2,by=prox", "l1:lambda=2", "none"] {
        assert_eq!(moved(line, &WEIGHTS, 0.0), WEIGHTS, "{line}");
    }
    assert!(norm(&moved("l2_ball:radius=1", &WEIGHTS, 0.0)) <= 1.0);
}

/// The weight groups that `max_norm` bounds: columns of the linear layer, filters of the
/// convolution.
fn columns_and_filters(w: &[f64]) -> [Vec<f64>; 4] {
    let column = |unit: usize| vec![w[unit], w[2 + unit], w[4 + unit]];
    [column(0), column(1), w[6..10].to_vec(), w[10..14].to_vec()]
}

#[test]
fn max_norm_bounds_each_column_and_filter_and_keeps_shorter_ones() {
    let after = columns_and_filters(&moved("max_norm:max=2", &WEIGHTS, 0.1));
    for (before, after) in columns_and_filters(&WEIGHTS).iter().zip(&after) {
        let factor = (2.0 / norm(before)).min(1.0);
        for (before, after) in before.iter().zip(after) {
            assert!((after - before * factor).abs() < 1e-5, "{after} and {}", before * factor);
            assert!(factor < 1.0 || after == before, "vectors within the bound are unchanged");
        }
        assert!(norm(after) <= 2.0);
    }
    assert!(
        columns_and_filters(&WEIGHTS).iter().any(|w| norm(w) > 2.0)
            && columns_and_filters(&WEIGHTS).iter().any(|w| norm(w) < 2.0)
    );
}

/// Checks that p is the projection of w onto a convex set: no point y of the set has a positive
/// inner product of w - p and y - p.
fn is_nearest(w: &[f64], p: &[f64], inside: impl Fn(&[f64]) -> f64, radius: f64) {
    assert!(inside(p) <= radius, "{} is outside {radius}", inside(p));
    let mut state = 1u64;
    for _ in 0..2000 {
        let mut y: Vec<f64> = (0..w.len())
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
            })
            .collect();
        let out = inside(&y) / radius;
        y.iter_mut().for_each(|y| *y /= out);
        let beyond: f64 = w.iter().zip(p).zip(&y).map(|((w, p), y)| (w - p) * (y - p)).sum();
        assert!(beyond < 1e-4, "{p:?} is not the projection of {w:?}: see {y:?}");
    }
}

#[test]
fn a_ball_constraint_projects_to_the_nearest_point() {
    let sum = |w: &[f64]| w.iter().map(|w| w.abs()).sum::<f64>();
    for radius in [0.5, 3.0] {
        let p = moved(&format!("l2_ball:radius={radius}"), &WEIGHTS, 0.1);
        is_nearest(&WEIGHTS, &p, norm, radius);
        let p = moved(&format!("l1_ball:radius={radius}"), &WEIGHTS, 0.1);
        is_nearest(&WEIGHTS, &p, sum, radius);
        assert!(p.contains(&0.0) && (sum(&p) - radius).abs() < 1e-5 * radius);
        let p = moved(&format!("l2_ball:radius={radius},over=tensor"), &WEIGHTS, 0.1);
        is_nearest(&WEIGHTS[..LINEAR], &p[..LINEAR], norm, radius);
        is_nearest(&WEIGHTS[LINEAR..], &p[LINEAR..], norm, radius);
        let p = moved(&format!("l1_ball:radius={radius},over=tensor"), &WEIGHTS, 0.1);
        is_nearest(&WEIGHTS[..LINEAR], &p[..LINEAR], sum, radius);
        is_nearest(&WEIGHTS[LINEAR..], &p[LINEAR..], sum, radius);
    }
    // the projection is idempotent, and points inside are unchanged
    for line in [
        "max_norm:max=1",
        "l2_ball:radius=1",
        "l1_ball:radius=1",
        "l2_ball:radius=1,over=tensor",
        "l1_ball:radius=1,over=tensor",
    ] {
        let once = moved(line, &WEIGHTS, 0.1);
        assert_eq!(moved(line, &once, 0.1), once, "{line}");
        assert_eq!(moved(&line.replace("=1", "=100"), &WEIGHTS, 0.1), WEIGHTS, "{line}");
    }
}

#[test]
fn smooth_l1_converges_to_the_absolute_value_as_width_shrinks() {
    let absolute: f64 = WEIGHTS.iter().map(|w| w.abs()).sum();
    for (kind, at_zero) in [("sqrt", 1.0), ("softplus", 2.0 * 2f64.ln()), ("huber", -0.5)] {
        let apart = |width: f64| {
            value(
                &penalty(&format!("smooth_l1:lambda=1,kind={kind},width={width}")),
                &small(&WEIGHTS),
            ) - absolute
        };
        let errors = [1e-1, 1e-2, 1e-3, 1e-4].map(apart);
        for (error, width) in errors.iter().zip([1e-1, 1e-2, 1e-3, 1e-4]) {
            assert!(
                error.signum() == f64::signum(at_zero)
                    && error.abs() <= 14.0 * width * f64::abs(at_zero) + 1e-12,
                "{kind}: {errors:?}"
            );
        }
        assert!(errors.windows(2).all(|pair| pair[1].abs() < pair[0].abs()), "{kind}: {errors:?}");
        // at zero the value is the documented one, and it increases away from zero
        let of = |w: f64| {
            value(&penalty(&format!("smooth_l1:lambda=1,kind={kind},width=0.1")), &small(&[w; 14]))
                / 14.0
        };
        assert!((of(0.0) - (0.1 * at_zero).max(0.0)).abs() < 1e-12, "{kind}: {}", of(0.0));
        assert!(of(0.05) > of(0.0) && of(-0.05) == of(0.05));
    }
}

#[test]
fn huge_weights_stay_finite_and_non_finite_weights_stay_non_finite() {
    let lines = [
        "l1:by=prox",
        "elastic:by=prox",
        "max_norm",
        "l2_ball",
        "l1_ball",
        "l2_ball:over=tensor",
        "l1_ball:over=tensor",
        "l2",
        "smooth_l1",
    ];
    for line in lines {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut from = WEIGHTS;
            from[0] = bad;
            let after = moved(line, &from, 0.1);
            assert!(after[0].is_nan() || after[0] == bad, "{line}: {bad} became {}", after[0]);
            assert!(
                !value(&penalty(line), &small(&from)).is_finite()
                    || value(&penalty(line), &small(&from)) == 0.0,
                "{line}"
            );
        }
        for lr in [1e300, f64::MAX] {
            assert_eq!(moved(line, &WEIGHTS, lr).len(), 14, "{line}");
        }
    }
    // the weights are finite, but their squares overflow
    let huge = WEIGHTS.map(|w| w * 1e200);
    assert!(
        columns_and_filters(&moved("max_norm:max=3", &huge, 0.1))
            .iter()
            .all(|w| norm(w) <= 3.0 && norm(w) > 2.99)
    );
    let inside = moved("l2_ball:radius=3", &huge, 0.1);
    assert!(norm(&inside) <= 3.0 && norm(&inside) > 2.99);
}

#[test]
fn a_step_keeps_parameter_ids_and_gradient_tracking_and_shares_no_buffer() {
    for line in [
        "l1:by=prox",
        "elastic:by=prox",
        "max_norm:max=1",
        "max_norm:max=100",
        "l2_ball:radius=1",
        "l1_ball:radius=1",
        "l1_ball:radius=100",
    ] {
        let model = small(&WEIGHTS);
        let ids: Vec<ParamId> = vec![model.linear.id, model.bias.id, model.conv.id];
        let model = penalty(line).after_step(model, 0.1);
        assert_eq!(ids, [model.linear.id, model.bias.id, model.conv.id], "{line}");
        assert!(
            model.linear.val().is_require_grad() && model.conv.val().is_require_grad(),
            "{line}"
        );
        assert!(model.linear.val().is_autodiff(), "{line}");
        // an in-place update needs a buffer that is not shared
        struct Alone(bool);
        impl ModuleMapper for Alone {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                let (id, tensor, mapper) = param.consume();
                let mut dispatch = tensor.inner().into_dispatch();
                if let DispatchTensorKind::Flex(BackendTensor::Float(flex)) = &mut dispatch.kind {
                    self.0 &= flex.try_storage_mut::<f64>().is_some();
                } else {
                    panic!("this is not flex");
                }
                Param::from_mapped_value(id, Tensor::from_dispatch(dispatch), mapper)
            }
        }
        let mut alone = Alone(true);
        let _ = model.map(&mut alone);
        assert!(alone.0, "{line}");
    }
}

#[test]
fn a_frozen_parameter_is_unchanged() {
    for line in [
        "l1:by=prox,lambda=1",
        "elastic:by=prox,lambda=1",
        "max_norm:max=1",
        "l2_ball:radius=1",
        "l1_ball:radius=1",
    ] {
        let mut model = small(&WEIGHTS);
        model.linear = model.linear.no_grad();
        let after = weights(&penalty(line).after_step(model, 0.1));
        assert_eq!(after[..LINEAR], WEIGHTS[..LINEAR], "{line}");
        assert_ne!(after[LINEAR..], WEIGHTS[LINEAR..], "{line}");
    }
}

#[test]
fn every_penalty_spec_round_trips() {
    assert_eq!(penalty("l2:lambda=1e-4").spec(), "l2:lambda=0.0001");
    assert_eq!(penalty("none").spec(), "none");
    for entry in PENALTIES {
        let spec = penalty(entry.name).spec();
        assert_eq!(penalty(&spec), penalty(entry.name));
        assert_eq!(penalty(&spec).spec(), spec);
        for (part, text) in [
            ("title", entry.docs.title()),
            ("formula", entry.docs.formula()),
            ("Source", entry.docs.section("Source")),
        ] {
            assert!(!text.is_empty(), "{} has no {part}", entry.name);
        }
    }
    let several = penalty("l1:lambda=1e-4,by=prox|max_norm:max=3");
    assert_eq!(several.spec(), "l1:lambda=0.0001,by=prox|max_norm:max=3");
    assert_eq!(penalty(&several.spec()), several);
}

#[test]
fn invalid_penalty_specs_give_one_sentence() {
    for (line, says) in [
        ("l3", "unknown penalty `l3`; did you mean"),
        ("l1:lambda=-1", "l1: lambda is `-1`, expected a finite number of at least 0"),
        ("l1:by=force", "l1: by is `force`, expected one of loss, prox"),
        ("elastic:ratio=1.5", "elastic: ratio is `1.5`, expected a number from 0 to 1"),
        ("smooth_l1:width=0", "smooth_l1: width is `0`, expected"),
        ("max_norm:max=0", "max_norm: max is `0`, expected a finite number above 0"),
        ("max_norm:max=inf", "max_norm: max is `inf`"),
        ("l2_ball:over=me", "l2_ball: over is `me`, expected one of all, tensor"),
        ("l2|l2:lambda=1", "l2 is given twice"),
        ("l2|none", "found `none` together with a penalty"),
        ("none:x=1", "`none:x=1`: found `none` with settings, expected `none` alone"),
        ("none@torch", "found `none` with settings, expected `none` alone"),
        ("l2|", "a spec on both sides of each `|`"),
        ("l2:lambda=[1,2]", "lambda has 2 values"),
    ] {
        let read =
            line.parse().map_err(downhill::Error::from).and_then(|line| Penalty::read(&line));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains('\n'), "{line}: {error}");
    }
}

// ---- training runs

/// Three classes of points. Three features carry the signal, all features carry noise.
fn data() -> Dataset {
    let examples = |n: usize, offset: usize| {
        let inputs = (0..n).flat_map(|i| {
            let class = i % 3;
            (0..8).map(move |k| {
                let chatter = ((i + offset) * 31 + k * 17 + i * k * 7) % 101;
                let signal = if k == class { 0.6 } else { 0.0 };
                (signal + chatter as f32 / 250.0).min(1.0)
            })
        });
        Examples {
            shape: vec![2, 4],
            inputs: inputs.collect::<Vec<f32>>().into(),
            labels: (0..n).map(|i| (i % 3) as u32).collect(),
        }
    };
    Dataset {
        name: "synthetic".into(),
        classes: 3,
        names: Vec::new(),
        train: examples(60, 0),
        test: examples(30, 1000),
        fingerprint: None,
    }
}

/// A classification problem that checks its model at the start of each step and at each
/// measurement. It records the learning rate of each `after_step` call.
struct Watched<F> {
    inner: ClassifyProblem,
    holds: F,
    /// number of steps so far
    seen: usize,
    rates: std::cell::RefCell<Vec<f64>>,
}

impl<F: Fn(&Net)> Problem for Watched<F> {
    type Model = Net;

    fn steps(&self) -> usize {
        self.inner.steps()
    }
    fn loss(&mut self, model: &Net, now: Progress) -> Tensor<1> {
        // within a step, L-BFGS also evaluates points outside the constraint
        if now.step > self.seen {
            (self.holds)(model);
            self.seen = now.step;
        }
        self.inner.loss(model, now)
    }
    fn after_step(&self, model: Net, lr: f64) -> Net {
        self.rates.borrow_mut().push(lr);
        self.inner.after_step(model, lr)
    }
    fn measure(&self, model: &Net, now: Progress) -> BTreeMap<String, f64> {
        (self.holds)(model);
        self.inner.measure(model, now)
    }
}

#[derive(Default)]
struct Points(Vec<CurvePoint>);

impl TrainObserver for Points {
    fn point(&mut self, point: &CurvePoint) -> downhill::Result<()> {
        self.0.push(point.clone());
        Ok(())
    }
    fn step(&mut self) -> bool {
        true
    }
}

struct Trained {
    net: Net,
    outcome: Outcome,
    points: Vec<CurvePoint>,
    seen: usize,
    /// the nonzero learning rates of all `after_step` calls
    rates: Vec<f64>,
}

fn trained(line: &str, optimizer: &str, epochs: usize, holds: impl Fn(&Net)) -> Trained {
    let device = Device::flex().autodiff();
    let inner = ClassifyProblem::new(&data(), 10, penalty(line), &device).seeded(Seed(1));
    let mut problem = Watched { inner, holds, seen: 0, rates: Vec::new().into() };
    let net = build(
        &"mlp:hidden=16".parse().unwrap(),
        &Shapes { input: vec![2, 4], classes: 3 },
        Seed(1),
        &device,
    )
    .unwrap();
    let config = PipelineConfig::read(&optimizer.parse().unwrap(), &Optimizers::default()).unwrap();
    let schedule =
        config.schedule.clone().unwrap_or(Schedule::read(&"constant".parse().unwrap()).unwrap());
    let mut points = Points::default();
    let plan = Plan { pipeline: config, schedule, epochs, diagnose: false, early_stopping: None };
    let (net, end) = train(&mut problem, net, &plan, &mut points).unwrap();
    let rates = problem.rates.into_inner().into_iter().filter(|lr| *lr > 0.0).collect();
    Trained { net, outcome: end.outcome, points: points.0, seen: problem.seen, rates }
}

/// The weights of each layer, `[in, out]`, in row-major order, with the number of units.
fn layers(net: &Net) -> Vec<(Vec<f64>, usize)> {
    struct Layers(Vec<(Vec<f64>, usize)>);
    impl ModuleVisitor for Layers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if D == 2 {
                self.0.push((param.val().into_data().iter::<f64>().collect(), param.shape()[1]));
            }
        }
    }
    let mut layers = Layers(Vec::new());
    net.visit(&mut layers);
    layers.0
}

fn zeros(net: &Net) -> usize {
    layers(net).iter().flat_map(|(w, _)| w).filter(|w| **w == 0.0).count()
}

#[test]
fn l1_gives_exact_zeros_with_proximal_steps_and_none_as_a_loss_term() {
    // an adaptive optimizer scales up the gradient but not the proximal step, so it gives fewer
    // zeros
    for (optimizer, least) in [
        ("sgd:lr=0.1", 30),
        ("momentum:lr=0.03", 30),
        ("adam:lr=0.01", 3),
        ("adam:lr=0.02|cosine", 3),
    ] {
        let [by_loss, by_prox] = ["loss", "prox"]
            .map(|by| trained(&format!("l1:lambda=0.01,by={by}"), optimizer, 60, |_| ()));
        assert_eq!(zeros(&by_loss.net), 0, "{optimizer}");
        assert!(zeros(&by_prox.net) >= least, "{optimizer}: {} of 176", zeros(&by_prox.net));
        // the proximal run reduces the training loss + penalty, and both runs start at the same
        // value
        let penalized =
            |trained: &Trained| trained.points.last().unwrap().measures["train_loss_plus_penalty"];
        assert!(
            penalized(&by_prox) < 0.9 * by_prox.points[0].measures["train_loss_plus_penalty"],
            "{optimizer}"
        );
        assert_eq!(
            by_prox.points[0].measures["train_loss_plus_penalty"],
            by_loss.points[0].measures["train_loss_plus_penalty"]
        );
        assert!(
            penalized(&by_prox) > by_prox.points.last().unwrap().measures["train_loss"],
            "the training loss + penalty includes the penalty"
        );
    }
}

#[test]
fn the_l2_proximal_step_and_the_l2_gradient_reach_the_same_loss_plus_penalty() {
    let [by_loss, by_prox] = ["loss", "prox"].map(|by| {
        trained(&format!("elastic:lambda=0.05,ratio=0,by={by}"), "sgd:lr=0.05", 400, |_| ())
    });
    let penalized =
        |trained: &Trained| trained.points.last().unwrap().measures["train_loss_plus_penalty"];
    assert!(
        (penalized(&by_loss) / penalized(&by_prox) - 1.0).abs() < 0.01,
        "{} and {}",
        penalized(&by_loss),
        penalized(&by_prox)
    );
}

#[test]
fn constraints_hold_at_every_training_step() {
    let columns = |net: &Net| {
        let column = |(w, units): &(Vec<f64>, usize)| {
            (0..*units)
                .map(|unit| norm(&w.iter().skip(unit).step_by(*units).copied().collect::<Vec<_>>()))
                .fold(0.0, f64::max)
        };
        layers(net).iter().map(column).fold(0.0, f64::max)
    };
    let all = |net: &Net| norm(&layers(net).into_iter().flat_map(|(w, _)| w).collect::<Vec<_>>());
    let absolute =
        |net: &Net| layers(net).iter().flat_map(|(w, _)| w).map(|w| w.abs()).sum::<f64>();
    let each = |net: &Net| layers(net).iter().map(|(w, _)| norm(w)).fold(0.0, f64::max);
    for optimizer in
        ["sgd:lr=0.5", "nag:lr=0.1", "adam:lr=0.05|ema:decay=0.9", "momentum:lr=0.1|lookahead:k=3"]
    {
        let epochs = 15;
        let free = trained("none", optimizer, epochs, |_| ());
        for (line, measure) in [
            ("max_norm:max=0.5", &columns as &dyn Fn(&Net) -> f64),
            ("l2_ball:radius=1.5", &all),
            ("l1_ball:radius=12", &absolute),
            ("l2_ball:radius=1,over=tensor", &each),
            ("l2:lambda=1e-3|max_norm:max=0.5", &columns),
            ("l1:lambda=1e-3,by=prox|max_norm:max=0.5", &columns),
        ] {
            let most: f64 = line
                .rsplit_once("max=")
                .or(line.rsplit_once("radius="))
                .unwrap()
                .1
                .split(',')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let holds = |net: &Net| {
                assert!(measure(net) <= most, "{line}, {optimizer}: {} > {most}", measure(net))
            };
            let bound = trained(line, optimizer, epochs, holds);
            holds(&bound.net);
            assert_eq!(bound.outcome, Outcome::Finished, "{line}, {optimizer}");
            assert_eq!(bound.seen, epochs * 6);
            assert!(
                measure(&free.net) > most,
                "{line}, {optimizer}: the unconstrained run reaches only {}",
                measure(&free.net)
            );
            assert!(
                measure(&bound.net) > 0.7 * most,
                "{line}, {optimizer}: the constrained run ends below the bound, at {}",
                measure(&bound.net)
            );
        }
    }
}

#[test]
fn an_inactive_penalty_gives_bit_identical_training() {
    for optimizer in
        ["adam:lr=0.01", "momentum:lr=0.1", "accumulate:steps=2|adam:lr=0.01|lookahead|ema"]
    {
        let free = trained("none", optimizer, 5, |_| ());
        for line in [
            "l1:lambda=0,by=prox",
            "max_norm:max=1000",
            "l2_ball:radius=1000",
            "l1_ball:radius=1e6,over=tensor|max_norm:max=1e6",
        ] {
            let same = trained(line, optimizer, 5, |_| ());
            assert_eq!(layers(&free.net), layers(&same.net), "{line}, {optimizer}");
        }
    }
}

#[test]
fn proximal_steps_use_the_optimizer_steps_and_learning_rate() {
    let rates = |optimizer: &str| trained("l1:by=prox", optimizer, 2, |_| ()).rates;
    assert_eq!(rates("sgd:lr=0.1"), [0.1; 12]);
    assert_eq!(
        rates("accumulate:steps=3|sgd:lr=0.1"),
        [0.1; 4],
        "accumulated batches apply no proximal step"
    );
    let falling = rates("sgd:lr=0.1|linear");
    assert!(falling.len() >= 11 && falling.windows(2).all(|pair| pair[1] < pair[0]), "{falling:?}");
    assert_eq!(
        rates("lbfgs:lr=0.5"),
        [0.5; 12],
        "also when the optimizer evaluates the loss itself"
    );
}

#[test]
fn an_exploding_training_run_returns_an_outcome_with_any_penalty() {
    for line in [
        "l1:by=prox",
        "elastic:by=prox",
        "l1_ball",
        "l2_ball:over=tensor",
        "smooth_l1",
        "l2:lambda=1",
    ] {
        let run = trained(line, "sgd:lr=1e30", 3, |_| ());
        assert!(
            matches!(run.outcome, Outcome::Diverged | Outcome::Finished),
            "{line}: {:?}",
            run.outcome
        );
    }
    assert_eq!(trained("l2:lambda=1", "sgd:lr=1e30", 3, |_| ()).outcome, Outcome::Diverged);
}
