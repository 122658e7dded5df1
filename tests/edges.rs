//! Edge cases: zeros, infinities, NaN, tiny and huge numbers, empty tensors, large step counters.
#![cfg(feature = "lab")]

mod places;

use std::collections::HashMap;

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::burn_pack::{Reader, Scalar, Tensor as Packed, Writer};
use burn::tensor::{Bytes, DType, Device, Tensor};
use downhill::optim::{DynRule, Method, Optimizers, ParamState, optimizer_state};
use downhill::pipeline::Stepper;
use places::{Four, Places, Shapes, begin, config, dialects, lengths, rules, tensor};

const SHAPES: Shapes = ([5], [2, 3], [2, 1, 2], [1, 2, 1, 2]);

/// The same number in all elements.
fn all(x: f64) -> Four {
    lengths(&SHAPES).map(|n| vec![x; n])
}

/// The optimizer of a spec, and the rule that reads its state.
fn made(spec: &str) -> (ModuleOptimizer, std::sync::Arc<dyn DynRule>) {
    match Optimizers::default().make(&spec.parse().unwrap()).unwrap().method {
        Method::PerTensor { optimizer, rule: Some(rule) } => (optimizer, rule),
        _ => panic!("{spec} has no rule"),
    }
}

/// Every dialect, and every dialect that has an eps with eps = 0.
fn with_and_without_eps() -> Vec<String> {
    let optimizers = Optimizers::default();
    let both = |spec: String| {
        let name = spec.split('@').next().unwrap();
        let has_eps =
            (optimizers.find(name).unwrap().defaults)().iter().any(|(key, _)| *key == "eps");
        let places: &[&str] = if (optimizers.find(name).unwrap().defaults)()
            .iter()
            .any(|(key, _)| *key == "eps_place")
        {
            &[",eps_place=inside", ",eps_place=outside", ",eps_place=hat"]
        } else {
            &[""]
        };
        let without: Vec<String> =
            places.iter().filter(|_| has_eps).map(|place| format!("{spec}:eps=0{place}")).collect();
        [vec![spec], without].concat()
    };
    let more = [
        "rmsprop:centered=yes,eps=0",
        "rmsprop:centered=yes,bias_correction=yes,eps=0,mu=0.9",
        "amsgrad:max_of=corrected,bias_correction=yes,eps=0",
    ];
    let lazy = ["lazy_adam:eps=0", "lazy_adam:eps=0,clock=row", "lazy_adam@tfa"];
    dialects()
        .into_iter()
        .flat_map(both)
        .chain(more.into_iter().chain(lazy).map(String::from))
        .collect()
}

#[test]
fn zero_gradients_give_no_nan_without_eps_and_do_not_move_a_parameter_before_its_first_gradient() {
    for line in with_and_without_eps() {
        for dtype in [DType::F32, DType::F64] {
            let (mut pipeline, mut places) = (begin(&line), Places::at(&all(0.5), &SHAPES, dtype));
            for t in 1..=5 {
                let gradients = places.all_gradients(&all(0.0));
                places = pipeline.step(0.1, places, gradients).unwrap();
                let x = places.numbers();
                // weight decay moves every element
                let decays = ["adamw", "lion@optax", "nadamw"];
                let still = !decays.iter().any(|name| line.starts_with(name));
                let fine = |x: &f64| {
                    if still { *x == 0.5 } else { x.is_finite() && (0.4..=0.5).contains(x) }
                };
                assert!(x.iter().flatten().all(fine), "{line} {dtype:?}, step {t}: {x:?}");
            }
            // then a first gradient, and zeros again
            for g in [1.0, 0.0, 0.0, -1.0, 0.0] {
                let gradients = places.all_gradients(&all(g));
                places = pipeline.step(0.1, places, gradients).unwrap();
                assert!(
                    places.numbers().iter().flatten().all(|x| x.is_finite()),
                    "{line} {dtype:?}, gradient {g}: {:?}",
                    places.numbers()
                );
            }
        }
    }
}

/// The squares of some of these are zero in f32, and the smallest are subnormal. 6e-8 is the
/// smallest number of f16.
#[test]
fn gradients_whose_squares_underflow_give_finite_steps_without_eps() {
    for line in with_and_without_eps() {
        for size in [1e-4, 6e-8, 1e-19, 1e-23, 1e-30, 1e-38, 1e-42, 1e-45] {
            let (mut pipeline, mut places) =
                (begin(&line), Places::at(&all(0.5), &SHAPES, DType::F32));
            let random = [1.0, -0.5, 0.0, 3.0, 0.25, -2.0];
            for t in 0..30 {
                let g = all(size).map(|g| {
                    g.into_iter().enumerate().map(|(i, g)| g * random[(t + i) % 6]).collect()
                });
                let gradients = places.all_gradients(&g);
                places = pipeline.step(1e-3, places, gradients).unwrap();
                let x = places.numbers();
                assert!(
                    x.iter().flatten().all(|x| x.is_finite()),
                    "{line}, gradients of {size:e}, step {}: {x:?}",
                    t + 1
                );
            }
        }
    }
}

/// Half precision has no fused pass. It uses tensor operations, like every device but a CPU.
#[test]
fn half_precision_gives_finite_steps_without_eps() {
    for line in with_and_without_eps().iter().filter(|line| !line.starts_with("lazy_adam")) {
        for (dtype, sizes) in
            [(DType::F16, [200.0, 1.0, 1e-4, 6e-8]), (DType::BF16, [200.0, 1.0, 1e-19, 1e-38])]
        {
            for size in sizes {
                let (mut pipeline, mut places) =
                    (begin(line), Places::at(&all(0.5), &SHAPES, dtype));
                let random = [1.0, -0.5, 0.0, 1.0, 0.25, -1.0];
                for t in 0..10 {
                    let g = all(size).map(|g| {
                        g.into_iter().enumerate().map(|(i, g)| g * random[(t + i) % 6]).collect()
                    });
                    let gradients = places.all_gradients(&g);
                    places = pipeline.step(1e-3, places, gradients).unwrap();
                    let x = places.numbers();
                    assert!(
                        x.iter().flatten().all(|x| x.is_finite()),
                        "{line} {dtype:?}, gradients of {size:e}, step {}: {x:?}",
                        t + 1
                    );
                }
            }
        }
    }
}

#[test]
fn a_learning_rate_of_zero_moves_nothing_but_counts_the_step() {
    for line in dialects() {
        let ((mut optimizer, rule), mut places) =
            (made(&line), Places::at(&all(0.5), &SHAPES, DType::F64));
        let before = places.numbers();
        for (t, g) in [0.3, 0.3, -0.2, 1e-8, 0.3].into_iter().enumerate() {
            let gradients = places.all_gradients(&all(g));
            places = optimizer.step(0.0, places, gradients);
            // the state of sgd contains only the step counter
            let of_all = optimizer_state(&optimizer, rule.as_ref()).unwrap();
            assert_eq!(of_all.len(), 4, "{line}: a state for each parameter");
            assert!(
                of_all.values().all(|one| one.t == t as u64 + 1),
                "{line}: counts {:?}",
                of_all.values().map(|one| one.t).collect::<Vec<_>>()
            );
        }
        if line.starts_with("rprop") {
            continue; // a separate test covers it
        }
        // the paper's AdamW multiplies the decay by the schedule, which is also 0
        assert_eq!(places.numbers(), before, "{line} moved at learning rate 0");
    }
}

/// rprop is the exception, as its documentation says: lr is the first step size, and is not used
/// later.
#[test]
fn rprop_at_learning_rate_zero_starts_at_its_smallest_step_and_ignores_the_schedule() {
    let about = Optimizers::default().find("rprop").unwrap().docs;
    let text = about.0.replace("\n//! ", " ");
    assert!(
        text.contains("The initial d is lr, and lr has no further effect: a schedule changes nothing, and lr = 0 starts at `min`"),
        "{text}"
    );

    let walk = |lr: [f64; 3]| -> Vec<f64> {
        let (mut pipeline, mut places) =
            (begin("rprop:min=1e-3"), Places::at(&all(0.0), &SHAPES, DType::F64));
        let step = |lr: f64| {
            let gradients = places.all_gradients(&all(-1.0));
            places = pipeline.step(lr, places.clone(), gradients).unwrap();
            places.numbers()[1][0]
        };
        lr.into_iter().map(step).collect()
    };
    let near = |found: Vec<f64>, expected: [f64; 3]| {
        assert!(
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15),
            "{found:?}, expected {expected:?}"
        );
    };
    near(walk([0.0, 0.0, 0.0]), [1e-3, 2.2e-3, 3.64e-3]);
    near(walk([0.5, 0.5, 0.5]), [0.5, 1.1, 1.82]);
    near(walk([0.5, 0.0, 100.0]), [0.5, 1.1, 1.82]);
}

/// burn has no tensors of rank 0: `Tensor::<0>::from_data` and all other constructors panic with
/// "Tried to create a 0-dim tensor, which is invalid". A scalar is a tensor of shape [1], so that
/// no optimizer has to step a tensor of rank 0.
#[test]
fn burn_has_no_tensors_of_rank_0() {
    let made = std::panic::catch_unwind(|| tensor::<0>(&[1.0], [], DType::F64, &Device::flex()));
    assert!(made.is_err(), "burn has tensors of rank 0 now: test the optimizers with one");
}

/// burn's `reshape` reads a size of 0 as "unchanged". Empty tensors of rank 2 and more failed for
/// that reason.
#[test]
fn empty_tensors_are_stepped_evaluated_and_saved() {
    let shapes: Shapes = ([0], [0, 3], [2, 0, 2], [1, 2, 1, 2]);
    let numbers = |x: f64| lengths(&shapes).map(|n| vec![x; n]);
    let around = [
        "nonfinite|clip_norm|clip_global|NAME",
        "accumulate:steps=2|NAME",
        "clip_value|NAME|lookahead:k=2|ema",
    ];
    let names = rules().into_iter().chain(["lazy_adam", "lazy_adam:clock=row"]);
    for line in names.flat_map(|name| around.map(|line| line.replace("NAME", name))) {
        let (mut pipeline, mut places) =
            (begin(&line), Places::at(&numbers(0.5), &shapes, DType::F32));
        for _ in 0..4 {
            let gradients = places.all_gradients(&numbers(1.0));
            places = pipeline.step(0.1, places, gradients).unwrap();
        }
        let out = pipeline.evaluation_model(&places).unwrap();
        assert_eq!(out.one.dims(), [0], "{line}");
        assert_eq!(out.two.dims(), [0, 3], "{line}");
        assert_eq!(out.three.dims(), [2, 0, 2], "{line}");
        assert!(
            out.numbers()[3].iter().all(|x| x.is_finite() && *x != 0.5),
            "{line}: {:?}",
            out.numbers()
        );
        let saved = pipeline.save(&places).unwrap();
        let resumed =
            config(&line).resume(&saved, &places).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(resumed.save(&places).unwrap(), saved, "{line}: saved, resumed and saved again");
    }
}

#[derive(Module, Debug)]
struct Net {
    inner: Inner,
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Inner {
    weight: Param<Tensor<2>>,
}

fn net() -> Net {
    let device = Device::flex().autodiff();
    let weight = Param::from_tensor(tensor(&[1.0, 2.0, 3.0, 4.0], [2, 2], DType::F32, &device));
    Net {
        inner: Inner { weight },
        bias: Param::from_tensor(tensor(&[5.0, 6.0], [2], DType::F32, &device)),
    }
}

fn gradients(net: &Net, weight: [f64; 4], bias: [f64; 2]) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    gradients.register(net.inner.weight.id, tensor(&weight, [2, 2], DType::F32, &Device::flex()));
    gradients.register(net.bias.id, tensor(&bias, [2], DType::F32, &Device::flex()));
    gradients
}

fn weights(net: &Net) -> Vec<u8> {
    [net.inner.weight.val().to_data().as_bytes(), net.bias.val().to_data().as_bytes()].concat()
}

const NOT_FINITE: [f64; 3] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

#[test]
fn the_error_of_a_gradient_that_is_not_finite_names_parameter_and_value() {
    for bad in NOT_FINITE {
        for around in ["nonfinite|NAME", "nonfinite:policy=error|clip_global|l2|NAME|ema"] {
            for name in rules() {
                let mut pipeline = begin(&around.replace("NAME", name));
                let net = net();
                let good = gradients(&net, [1.0, 0.0, -1.0, 0.5], [0.1, 0.2]);
                let net = pipeline.step(0.1, net, good).unwrap();
                let (before, saved) = (weights(&net), pipeline.save(&net).unwrap());
                let in_weight = gradients(&net, [1.0, 0.0, bad, 1.0], [1.0, 1.0]);
                let error = pipeline.step(0.1, net.clone(), in_weight).unwrap_err().to_string();
                assert_eq!(
                    error,
                    format!("the gradient of inner.weight contains {bad}, expected finite numbers"),
                    "{name}"
                );
                let in_bias = gradients(&net, [1.0; 4], [bad, 1.0]);
                let error = pipeline.step(0.1, net.clone(), in_bias).unwrap_err().to_string();
                assert_eq!(
                    error,
                    format!("the gradient of bias contains {bad}, expected finite numbers"),
                    "{name}"
                );
                assert_eq!(
                    (weights(&net), pipeline.save(&net).unwrap()),
                    (before, saved),
                    "{name}: weights or state changed in spite of the error"
                );
            }
        }
    }
}

#[test]
fn a_skipped_step_changes_only_the_count_of_skipped_steps() {
    for bad in NOT_FINITE {
        for around in [
            "nonfinite:policy=skip|NAME",
            "nonfinite:policy=skip|clip_norm|l2|NAME|decay|lookahead:k=2|ema",
        ] {
            for name in rules() {
                let line = around.replace("NAME", name);
                let (mut pipeline, mut undisturbed) = (begin(&line), begin(&line));
                let mut net = net();
                let mut twin = net.clone();
                for t in 0..4 {
                    let good =
                        |net: &Net| gradients(net, [1.0, 0.0, -1.0, 0.5 * t as f64], [0.1, 0.2]);
                    net = pipeline.step(0.1, net.clone(), good(&net)).unwrap();
                    twin = undisturbed.step(0.1, twin.clone(), good(&twin)).unwrap();
                    let (before, saved) = (weights(&net), without_skips(&pipeline, &net));
                    net = pipeline
                        .step(0.1, net.clone(), gradients(&net, [1.0; 4], [0.0, bad]))
                        .unwrap();
                    assert_eq!(weights(&net), before, "{line}: weights after a skipped step");
                    assert!(
                        without_skips(&pipeline, &net) == saved,
                        "{line}: saved state after a skipped step"
                    );
                    assert_eq!(pipeline.skipped(), t + 1, "{line}");
                }
                assert_eq!(
                    weights(&net),
                    weights(&twin),
                    "{line}: skipped steps changed the later steps"
                );
                let resumed = config(&line).resume(&pipeline.save(&net).unwrap(), &net).unwrap();
                assert_eq!(resumed.skipped(), 4, "{line}: the count is saved");
            }
        }
    }
}

/// The bytes of a saved state without the count of skipped steps.
fn without_skips(pipeline: &Stepper, net: &Net) -> Vec<u8> {
    let saved = pipeline.save(net).unwrap();
    let pack = saved.iter().position(|byte| *byte == b'\n').unwrap() + 1 + 32;
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(saved[pack..].to_vec())).unwrap();
    let mut scalars = reader.scalars().clone();
    assert!(scalars.remove("skipped").is_some());
    let mut rest = format!("{scalars:?} {:?}", reader.metadata()).into_bytes();
    for tensor in reader.into_tensors().unwrap() {
        let (name, _, _, _, bytes) = tensor.into_parts().unwrap();
        rest.extend(name.as_bytes());
        rest.extend(&bytes[..]);
    }
    rest
}

#[test]
fn a_gradient_that_is_not_finite_reaches_the_optimizer_if_it_should_propagate() {
    for around in ["NAME", "nonfinite:policy=propagate|NAME"] {
        for name in rules() {
            let line = around.replace("NAME", name);
            let mut pipeline = begin(&line);
            let mut net = net();
            if name == "adopt" {
                // its first step only fills v
                let good = gradients(&net, [1.0; 4], [1.0, 1.0]);
                net = pipeline.step(0.1, net, good).unwrap();
            }
            let bad = gradients(&net, [1.0, f64::NAN, 1.0, 1.0], [1.0, 1.0]);
            let net = pipeline.step(0.1, net, bad).unwrap();
            let x: Vec<f32> = net.inner.weight.val().to_data().iter::<f32>().collect();
            assert!(x[1].is_nan(), "{line}: {} after a NaN", x[1]);
            assert!(
                x[0].is_finite() && x[2].is_finite() && x[3].is_finite(),
                "{line}: the NaN of one element reached other elements: {x:?}"
            );
            assert_eq!(pipeline.skipped(), 0);

            // lion, signum and rprop use only the sign of the gradient, and an infinite gradient has one
            let infinite = self::net();
            let bad = gradients(&infinite, [1.0, f64::INFINITY, 1.0, 1.0], [1.0, 1.0]);
            let infinite = begin(&line).step(0.1, infinite, bad).unwrap();
            let x: Vec<f32> = infinite.inner.weight.val().to_data().iter::<f32>().collect();
            assert_eq!(
                x[1].is_finite(),
                ["lion", "rprop", "adopt", "signum"].contains(&name),
                "{line}: {} after an infinite gradient",
                x[1]
            );
        }
    }
}

/// The optimizer with every step counter set to `t`, by burn's record.
fn at_step(optimizer: &ModuleOptimizer, t: u64) -> ModuleOptimizer {
    let reader = Reader::from_bytes(optimizer.into_bytes().unwrap()).unwrap();
    let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
    let parts = |tensor: Packed| {
        let (name, dtype, shape, id, bytes) = tensor.into_parts().unwrap();
        Packed::new(name, dtype, shape, id, bytes)
    };
    let mut writer = Writer::new(reader.into_tensors().unwrap().into_iter().map(parts).collect());
    for (key, value) in scalars {
        writer =
            writer.with_scalar(&key, if key.ends_with(".t") { Scalar::UInt(t) } else { value });
    }
    let writer =
        metadata.iter().fold(writer, |writer, (key, value)| writer.with_metadata(key, value));
    optimizer.clone().from_bytes(writer.into_bytes().unwrap()).unwrap()
}

#[test]
fn step_counters_beyond_the_range_of_i32_and_f32_are_exact() {
    for line in dialects() {
        for t in [(1u64 << 24) + 1, (1 << 31) + 5, (1 << 32) + 5, 1 << 53] {
            let ((mut optimizer, rule), mut places) =
                (made(&line), Places::at(&all(0.5), &SHAPES, DType::F64));
            for g in [0.3, -0.2, 0.4] {
                let gradients = places.all_gradients(&all(g));
                places = optimizer.step(0.01, places, gradients);
            }
            let before = places.numbers();
            let mut optimizer = at_step(&optimizer, t);
            let gradients = places.all_gradients(&all(0.3));
            places = optimizer.step(0.01, places, gradients);
            let now = optimizer_state(&optimizer, rule.as_ref()).unwrap();
            assert!(
                now.len() == 4 && now.values().all(|one| one.t == t + 1),
                "{line}: the step counter after {t} did not increase"
            );
            let moved = before
                .iter()
                .flatten()
                .zip(places.numbers().iter().flatten())
                .map(|(a, b)| a - b)
                .collect::<Vec<f64>>();
            // every rule moves, since the sign of the last two gradients is the same
            assert!(
                moved.iter().all(|down| down.is_finite() && down.abs() < 1.0),
                "{line} after {t} steps: {moved:?}"
            );
            assert!(moved.iter().all(|down| *down != 0.0), "{line} after {t} steps does not move");
        }
    }
}

/// After many steps 1 - betaᵗ is 1, so that Adam is its formula without corrections.
#[test]
fn after_many_steps_the_bias_correction_has_no_effect() {
    let last = |spec: &str| {
        let ((mut optimizer, _), mut places) =
            (made(spec), Places::at(&all(0.5), &SHAPES, DType::F64));
        let step = |optimizer: &mut ModuleOptimizer, places: Places, g: f64| {
            let gradients = places.all_gradients(&all(g));
            optimizer.step(0.01, places, gradients)
        };
        places = step(&mut optimizer, places, 0.3);
        let before = places.numbers()[0][0];
        before - step(&mut at_step(&optimizer, (1 << 31) + 5), places, -0.1).numbers()[0][0]
    };
    let (m, v) = (0.9 * 0.03 - 0.01, 0.999 * 0.00009 + 0.00001);
    let expected = 0.01 * m / (f64::sqrt(v) + 1e-8);
    for spec in [
        "adam",
        "adam:bias_correction=no",
        "adam:eps_place=hat",
        "amsgrad:bias_correction=yes",
        "radam",
    ] {
        let found = last(spec);
        assert!((found - expected).abs() < 1e-12, "{spec}: {found}, expected {expected}");
    }
}

fn memory(
    optimizer: &ModuleOptimizer,
    rule: &dyn DynRule,
    id: ParamId,
) -> (u64, [f64; 2], Vec<Vec<u8>>) {
    let mut of_all: HashMap<ParamId, ParamState> = optimizer_state(optimizer, rule).unwrap();
    let one = of_all.remove(&id).unwrap();
    (one.t, one.tensor_scalars, one.tensors.iter().map(|data| data.as_bytes().to_vec()).collect())
}

#[test]
fn a_parameter_without_gradient_keeps_its_bytes_state_and_step_counter() {
    for line in dialects() {
        let ((mut optimizer, rule), mut places) =
            (made(&line), Places::at(&all(0.5), &SHAPES, DType::F32));
        let step =
            |optimizer: &mut ModuleOptimizer, places: Places, present: [bool; 4], t: usize| {
                let g = all(0.3 + 0.1 * t as f64);
                let g: [Option<&[f64]>; 4] =
                    std::array::from_fn(|i| present[i].then_some(&g[i][..]));
                let gradients = places.gradients(g);
                optimizer.step(0.01, places, gradients)
            };
        places = step(&mut optimizer, places, [true, true, true, false], 0);
        let (absent, before) = (places.two.id, places.two.val().to_data());
        let kept = memory(&optimizer, rule.as_ref(), absent);
        for t in 1..4 {
            places = step(&mut optimizer, places, [true, false, true, false], t);
        }
        assert_eq!(
            places.two.val().to_data().as_bytes(),
            before.as_bytes(),
            "{line}: a parameter without gradient moved"
        );
        assert_eq!(
            memory(&optimizer, rule.as_ref(), absent),
            kept,
            "{line}: the state of a parameter without gradient changed"
        );
        assert_eq!(kept.0, 1);
        assert_eq!(
            memory(&optimizer, rule.as_ref(), places.one.id).0,
            4,
            "{line}: the step counter of a parameter with gradients"
        );
        let of_all = optimizer_state(&optimizer, rule.as_ref()).unwrap();
        assert!(
            !of_all.contains_key(&places.four.id),
            "{line} has a state for a parameter that never had a gradient"
        );
        assert_eq!(places.numbers()[3], all(0.5)[3]);
        // its next gradient is its second step
        places = step(&mut optimizer, places, [true; 4], 4);
        assert_eq!(memory(&optimizer, rule.as_ref(), absent).0, 2, "{line}");
        assert_ne!(places.numbers()[1], before.iter::<f64>().collect::<Vec<_>>(), "{line}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    // two and four chunks; none is a multiple of the block size of the pass
    let shapes: Shapes = ([300_007], [1, 1], [3, 209, 211], [1; 4]);
    let g: Vec<Four> = (0..3u32)
        .map(|t| {
            lengths(&shapes).map(|n| {
                (0..n as u32)
                    .map(|i| {
                        f64::from((i ^ t).wrapping_mul(2_654_435_761)) / f64::from(u32::MAX) - 0.5
                    })
                    .collect()
            })
        })
        .collect();
    for line in rules().into_iter().chain(["lazy_adam", "lazy_adam:clock=row", "l2|adam|decay"]) {
        for dtype in [DType::F32, DType::F64] {
            let walk = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let (mut pipeline, mut places) =
                        (begin(line), Places::at(&g[0], &shapes, dtype));
                    for g in &g {
                        let gradients = places.all_gradients(g);
                        places = pipeline.step(0.01, places, gradients).unwrap();
                    }
                    [places.one.val().to_data().as_bytes(), places.three.val().to_data().as_bytes()]
                        .concat()
                })
            };
            let one = walk(1);
            assert!(
                one == walk(2) && one == walk(5),
                "{line} {dtype:?}: other bytes on more threads"
            );
        }
    }
}
