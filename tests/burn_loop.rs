//! What a user of burn's own training loop gets: pipelines, parameter groups, schedules, averages,
//! and records of burn's optimizers. It needs no feature but `flex`.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, GradientsParams, LionConfig, ModuleOptimizer,
    SgdConfig, momentum::MomentumConfig,
};
use burn::tensor::{Device, Tensor};
use downhill::error::StateError;
use downhill::optim::{AdaGrad, Adam, AdamW, AmsGrad, Lion, Momentum, Sgd, load_record};
use downhill::pipeline::{EmaWeights, LookaheadWeights, clip_by_global_norm, vectors};
use downhill::schedule::LrSchedule;
use downhill::{Error, Pipeline};

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    norm: LayerNorm,
    output: Linear,
}

impl Net {
    fn new() -> Net {
        let device = Device::flex().autodiff();
        let fixed = |linear: Linear| Linear {
            weight: linear.weight.map(|w| {
                let n = w.shape().num_elements() as i64;
                let numbers = Tensor::<1, burn::tensor::Int>::arange(0..n, &w.device()).float();
                ((numbers * 0.7).sin() * 0.5).reshape(w.shape()).require_grad()
            }),
            bias: linear.bias.map(|bias| bias.map(|b| (b * 0.0).detach().require_grad())),
        };
        Net {
            hidden: fixed(LinearConfig::new(3, 4).init(&device)),
            norm: LayerNormConfig::new(4).init(&device),
            output: fixed(LinearConfig::new(4, 2).init(&device)),
        }
    }

    /// The gradients of a loss that is another in each step.
    fn gradients(&self, t: usize) -> GradientsParams {
        let device = self.output.weight.device();
        let numbers: Vec<f32> = (0..15).map(|i| ((i * i + t * 7) as f32 * 0.37).sin()).collect();
        let x = Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([5, 3]);
        let out = self.output.forward(self.norm.forward(self.hidden.forward(x)).tanh());
        GradientsParams::from_grads((out - 0.3).square().sum().backward(), self)
    }

    /// Gradients of zero, so that only weight decay moves the weights.
    fn zero_gradients(&self) -> GradientsParams {
        let device = self.output.weight.device();
        let x = Tensor::<2>::zeros([1, 3], &device);
        let out = self.output.forward(self.norm.forward(self.hidden.forward(x))) * 0.0;
        GradientsParams::from_grads(out.sum().backward(), self)
    }

    fn weights(&self) -> Vec<f32> {
        let mut all: Vec<f32> = Vec::new();
        let vector = |x: Tensor<1>| x.into_data().iter::<f32>().collect::<Vec<_>>();
        for linear in [&self.hidden, &self.output] {
            all.extend(linear.weight.val().into_data().iter::<f32>());
            all.extend(linear.bias.iter().flat_map(|bias| vector(bias.val())));
        }
        all.extend(vector(self.norm.gamma.val()));
        all
    }
}

fn pipeline(spec: &str) -> Pipeline {
    spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}"))
}

fn train(net: Net, optimizer: &mut Pipeline, steps: std::ops::Range<usize>) -> Net {
    steps.fold(net, |net, t| {
        let gradients = net.gradients(t);
        optimizer.step(net, gradients).unwrap()
    })
}

#[test]
fn a_pipeline_that_is_saved_and_loaded_continues_bit_for_bit() {
    for spec in [
        "adam",
        "nag:lr=0.01|step:every=3",
        "clip_global:max=1|adamw:lr=1e-2,weight_decay=0.1|group:params=vectors,weight_decay=0|ema:decay=0.9|cosine:warmup=4,steps=20",
        "accumulate:steps=3|momentum|lookahead:k=2|ema|linear",
        "adamw@paper:lr=0.01,lambda=0.1|group:params=output,lr_scale=10,weight_decay=0.5",
        "adam|group:params=hidden,lr_scale=0.1|plateau:patience=0,threshold=0.5",
    ] {
        for cut in [0, 1, 7, 12] {
            let begin = || pipeline(spec).with_run(5, 4).unwrap();
            let run = |optimizer: &mut Pipeline, net: Net, from: usize, to: usize| {
                (from..to).fold(net, |net, t| {
                    let net = train(net, optimizer, t..t + 1);
                    if (t + 1) % 4 == 0 {
                        optimizer.end_epoch(1.0);
                    }
                    net
                })
            };
            let (mut whole, mut first) = (begin(), begin());
            let expected = run(&mut whole, Net::new(), 0, 20);
            let net = run(&mut first, Net::new(), 0, cut);
            let bytes = first.save(&net).unwrap();
            let mut second = begin();
            second.load(&bytes, &net).unwrap();
            assert_eq!(second.batches(), cut);
            let net = run(&mut second, net, cut, 20);
            assert_eq!(net.weights(), expected.weights(), "{spec}, cut at {cut}");
            let evaluated = |optimizer: &Pipeline, net: &Net| {
                optimizer.evaluation_model(net).unwrap().weights()
            };
            assert_eq!(evaluated(&second, &net), evaluated(&whole, &expected), "{spec}");
            assert_eq!(second.save(&net).unwrap(), whole.save(&expected).unwrap(), "{spec}");
        }
    }
}

#[test]
fn a_state_of_another_schedule_is_refused_and_changes_nothing() {
    let mut optimizer = pipeline("adam|cosine:steps=9");
    let net = train(Net::new(), &mut optimizer, 0..3);
    let bytes = optimizer.save(&net).unwrap();
    let mut other = pipeline("adam|cosine:steps=8");
    let error = other.load(&bytes, &net).unwrap_err();
    assert!(matches!(error, Error::State(StateError::OtherSchedule { .. })), "{error}");
    let text = error.to_string();
    assert!(text.contains("schedule `cosine:floor=0,steps=9`"), "{text}");
    assert!(text.contains("schedule `cosine:floor=0,steps=8`") && !text.contains("adam"), "{text}");
    assert_eq!(other.batches(), 0);
}

#[test]
fn a_schedule_that_needs_the_length_of_the_run_says_so() {
    for (spec, text) in [
        ("adam|cosine:warmup=2", "expected the setting steps=N, or `with_run"),
        ("adam|plateau", "because it counts epochs"),
        ("adam|step:per=epoch", "because it counts epochs"),
    ] {
        let mut optimizer = pipeline(spec);
        let net = Net::new();
        let gradients = net.gradients(0);
        let error = optimizer.step(net, gradients).unwrap_err().to_string();
        assert!(error.contains(text), "{spec}: {error}");
        assert!(pipeline(spec).with_run(3, 4).unwrap().lr().is_ok());
    }
    assert!(LrSchedule::read("cosine", 0.1).is_err());
    assert!(pipeline("adam|cosine:warmup=13").with_run(3, 4).is_err());
}

#[test]
fn a_group_has_its_own_decay_and_learning_rate() {
    for spec in [
        "adamw:lr=0.1,weight_decay=0.5|group:weight_decay=0",
        "sgd:lr=0.1|decay:lambda=0.5|group:params=vectors,weight_decay=0",
        "l2:lambda=0.5|sgd:lr=0.1|group:weight_decay=0",
    ] {
        let net = Net::new();
        let before = net.weights();
        let gradients = net.zero_gradients();
        let after = pipeline(spec).step(net, gradients).unwrap().weights();
        let decayed = |range: std::ops::Range<usize>| {
            range.into_iter().filter(|i| after[*i] != before[*i]).count()
        };
        // 12 weights, 4 biases, 8 weights, 2 biases, 4 of the norm; the first sine is 0
        assert!(decayed(0..12) >= 11 && decayed(16..24) >= 7, "{spec}: matrices do not decay");
        assert_eq!(decayed(12..16) + decayed(24..30), 0, "{spec}: vectors decay");
    }
    // a group with a tenth of the learning rate takes the steps of that learning rate
    for rule in ["adam:lr=", "momentum@keras:lr=", "rmsprop:mu=0.9,lr="] {
        let mut grouped = pipeline(&format!("{rule}0.1|group:params=output,lr_scale=0.1"));
        let (mut large, mut small) =
            (pipeline(&format!("{rule}0.1")), pipeline(&format!("{rule}0.01")));
        let step = |optimizer: &mut Pipeline| {
            let net = Net::new();
            let gradients = net.gradients(0);
            optimizer.step(net, gradients).unwrap().weights()
        };
        let (grouped, large, small) = (step(&mut grouped), step(&mut large), step(&mut small));
        assert_eq!(grouped[..16], large[..16], "{rule}");
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-7);
        assert!(close(&grouped[16..26], &small[16..26]), "{rule}");
        assert!(!close(&grouped[16..26], &large[16..26]), "{rule}");
        assert_eq!(grouped[26..], large[26..], "{rule}");
    }
}

#[test]
fn a_group_that_makes_no_sense_is_an_error() {
    for (spec, text) in [
        ("adam|group:weight_decay=0.1", "the pipeline has no weight decay"),
        ("l2|adamw|group:weight_decay=0.1", "more than one weight decay"),
        ("burn:adam|group:lr_scale=2", "l2, cautious, decay or group"),
        ("newton_cg|group:lr_scale=2", "l2, cautious, decay or group"),
        ("adam|ema|group", "the order is"),
        ("adam|group:params=", "settings of the form"),
        ("adam|group:params=a+", "parts of parameter paths"),
    ] {
        let error = spec.parse::<Pipeline>().err().map_or(String::new(), |error| error.to_string());
        assert!(error.contains(text), "{spec}: {error:?}");
    }
    let net = Net::new();
    let gradients = net.gradients(0);
    let error = pipeline("adam|group:params=head,lr_scale=2").step(net, gradients).unwrap_err();
    let known = "hidden.bias, hidden.weight, norm.beta, norm.gamma, output.bias, output.weight";
    assert!(error.to_string().contains(known), "{error}");
}

#[test]
fn our_schedule_is_an_lr_scheduler_of_burn() {
    for spec in ["constant", "cosine:warmup=3", "step:every=2,per=epoch", "inverse_sqrt", "linear"]
    {
        let mut schedule = LrSchedule::for_run(spec, 0.2, 3, 4).unwrap();
        let mut pipeline = pipeline(&format!("sgd:lr=0.2|{spec}")).with_run(3, 4).unwrap();
        let mut net = Net::new();
        for t in 0..14 {
            assert_eq!(schedule.clone().step(), pipeline.lr().unwrap(), "{spec}, batch {t}");
            // through burn's record, as burn's checkpoints do
            let bytes = schedule.to_record().into_bytes().unwrap();
            schedule = LrSchedule::for_run(spec, 0.2, 3, 4).unwrap();
            schedule.load_record(LrSchedulerRecord::from_bytes(bytes).unwrap());
            schedule.step();
            let gradients = net.gradients(t);
            net = pipeline.step(net, gradients).unwrap();
        }
    }
}

#[test]
fn the_parts_with_burns_optimizer_take_the_steps_of_the_pipeline() {
    let spec = "clip_global:max=0.5|adamw:lr=0.05,weight_decay=0.1|group:weight_decay=0\
                |lookahead:k=3,alpha=0.4|ema:decay=0.8";
    let mut whole = pipeline(spec);
    let expected = train(Net::new(), &mut whole, 0..10);

    let mut net = Net::new();
    let rule = AdamW::new().with_weight_decay(0.1);
    let mut optimizer = rule.clone().init();
    optimizer = optimizer.with_group(vectors(&net), rule.with_weight_decay(0.0).build(), None);
    let mut ema = EmaWeights::new(0.8);
    let mut lookahead = LookaheadWeights::new(3, 0.4, &net);
    for t in 0..10 {
        let gradients = clip_by_global_norm(net.gradients(t), &net, 0.5);
        net = optimizer.step(0.05, net, gradients);
        net = lookahead.update(net);
        ema.update(&net);
        if t == 4 {
            // saved and loaded as models
            ema = EmaWeights::resume(0.8, &ema.model(&net));
            let steps = lookahead.steps();
            lookahead = LookaheadWeights::resume(3, 0.4, &lookahead.model(&net), steps);
        }
    }
    assert_eq!(net.weights(), expected.weights());
    let averaged = whole.evaluation_model(&expected).unwrap();
    assert_eq!(ema.model(&net).weights(), averaged.weights());
}

/// Trains with burn's optimizer, and from step 5 with ours.
fn change_optimizer(burn: ModuleOptimizer, ours: ModuleOptimizer, lr: f64) -> f32 {
    let steps = |optimizer: &mut ModuleOptimizer, net: Net, range: std::ops::Range<usize>| {
        range.fold(net, |net, t| {
            let gradients = net.gradients(t);
            optimizer.step(lr, net, gradients)
        })
    };
    let mut burn = burn;
    let net = steps(&mut burn, Net::new(), 0..5);
    let mut ours = load_record(ours, burn.to_record()).unwrap();
    let expected = steps(&mut burn, net.clone(), 5..10).weights();
    let found = steps(&mut ours, net, 5..10).weights();
    let differences = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

#[test]
fn ours_continue_from_records_of_burns() {
    for (burn, ours, lr) in [
        (AdamConfig::new().init(), Adam::burn().init(), 0.01),
        (AdamConfig::new().with_amsgrad(true).init(), AmsGrad::burn().init(), 0.01),
        (
            AdamWConfig::new().with_weight_decay(0.1).init(),
            AdamW::burn().with_weight_decay(0.1).init(),
            0.01,
        ),
        (AdaGradConfig::new().init(), AdaGrad::burn().init(), 0.1),
        (LionConfig::new().init(), Lion::burn().init(), 0.01),
    ] {
        let difference = change_optimizer(burn, ours, lr);
        // burn's settings are rounded to f32
        assert!(difference < 2e-6, "{difference}");
    }
    let fresh =
        change_optimizer(AdamConfig::new().init(), Adam::keras().with_beta1(0.0).init(), 0.01);
    assert!(fresh > 1e-4, "the comparison cannot fail");
}

#[test]
fn a_record_that_cannot_be_converted_is_an_error() {
    let momentum = SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
    let net = Net::new();
    let mut burn = momentum.init();
    let gradients = net.gradients(0);
    burn.step(0.1, net, gradients);
    for ours in [Momentum::burn().init(), Sgd::new().init(), Adam::new().init()] {
        let error = load_record(ours, burn.to_record()).err().unwrap();
        let expected = StateError::Unreadable { found: 6, read: 0 };
        assert!(matches!(&error, Error::State(state) if *state == expected), "{error}");
    }
}

#[test]
fn a_group_of_vectors_fits_a_model_that_is_loaded() {
    let rule = AdamW::new().with_weight_decay(0.5);
    let no_decay = rule.clone().with_weight_decay(0.0).build();
    let begin = |net: &Net| rule.clone().init().with_group(vectors(net), no_decay.clone(), None);
    let step = |optimizer: &mut ModuleOptimizer, net: Net, t: usize| {
        let gradients = net.gradients(t);
        optimizer.step(0.1, net, gradients)
    };
    let net = Net::new();
    let mut optimizer = begin(&net);
    let net = step(&mut optimizer, net, 0);
    // as burn's checkpoints do: a new model and its optimizer first, then both are loaded
    let fresh = Net::new();
    let mut resumed = begin(&fresh).load_record(optimizer.to_record());
    let loaded = fresh.load_record(net.clone().into_record());
    let (expected, found) = (step(&mut optimizer, net, 1), step(&mut resumed, loaded, 1));
    assert_eq!(expected.weights(), found.weights());
}

/// A model with more than ten parameters, whose names in a file are not in their order.
#[derive(Module, Debug)]
struct Deep {
    layers: Vec<Linear>,
}

#[test]
fn gradients_that_are_accumulated_are_loaded_in_order() {
    let device = Device::flex().autodiff();
    let deep = Deep { layers: (0..7).map(|_| LinearConfig::new(3, 3).init(&device)).collect() };
    let gradients = |deep: &Deep, t: usize| {
        let x = Tensor::<2>::from_floats([[0.3, -0.2, 0.1 * t as f32]], &device);
        let out = deep.layers.iter().fold(x, |x, layer| layer.forward(x).tanh());
        GradientsParams::from_grads((out * 7.0).square().sum().backward(), deep)
    };
    let spec = "accumulate:steps=3|clip_global:max=0.1|adam";
    let (mut whole, mut expected) = (pipeline(spec), deep.clone());
    let (mut part, mut found) = (pipeline(spec), deep);
    for t in 0..9 {
        let g = gradients(&expected, t);
        expected = whole.step(expected, g).unwrap();
        let g = gradients(&found, t);
        found = part.step(found, g).unwrap();
        let bytes = part.save(&found).unwrap();
        part = pipeline(spec);
        part.load(&bytes, &found).unwrap();
    }
    let weights = |deep: &Deep| -> Vec<f32> {
        let all = deep.layers.iter().map(|layer| layer.weight.val().into_data());
        all.flat_map(|data| data.iter::<f32>().collect::<Vec<_>>()).collect()
    };
    assert_eq!(weights(&expected), weights(&found));
}

#[test]
fn a_spec_that_is_written_out_takes_the_same_steps() {
    for spec in [
        "adamw@paper:lr=0.01,lambda=0.1|group:params=output,lr_scale=10",
        "adamw@paper:lr=0.01,lambda=0.1,alpha=0.1|group:params=output,lr_scale=10",
        "lion@burn:lr=0.01|decay:lambda=0.1|group:params=output,weight_decay=0.5",
        "adamw:weight_decay=0.1|group:weight_decay=0|cosine:steps=20",
    ] {
        let mut first = pipeline(spec);
        let mut second = pipeline(&first.spec());
        let net = train(Net::new(), &mut first, 0..3);
        assert_eq!(net.weights(), train(Net::new(), &mut second, 0..3).weights(), "{spec}");
        let error = first.with_group(downhill::pipeline::Group::new()).err().unwrap();
        assert!(matches!(error, Error::GroupAfterStart { batches: 3 }), "{error}");
    }
}
