//! Learning-rate schedules, compared with recorded learning rates of PyTorch and with numbers
//! computed by hand.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use downhill::Result;
use downhill::lab::record::CurvePoint;
use downhill::lab::train::{Plan, Problem, TrainObserver, train};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::schedule::{Cosine, Progress, SCHEDULES, Schedule, Scheduler};
use serde_json::Value;

fn read(spec: &str) -> Schedule {
    Schedule::read(&spec.parse().unwrap()).unwrap()
}

fn scheduler(spec: &str) -> Scheduler {
    Scheduler::new(read(spec))
}

fn error(spec: &str) -> String {
    Schedule::read(&spec.parse().unwrap()).unwrap_err().to_string()
}

/// The progress at a step of a run with `per_epoch` steps per epoch.
fn progress(step: usize, per_epoch: usize, steps: usize) -> Progress {
    Progress { step, epoch: step.div_ceil(per_epoch), batch: (step - 1) % per_epoch + 1, steps }
}

/// The learning rates of a whole run, where the optimizer's is 1.
fn shares(spec: &str, per_epoch: usize, steps: usize) -> Vec<f64> {
    let scheduler = scheduler(spec);
    (1..=steps).map(|step| scheduler.lr(1.0, progress(step, per_epoch, steps))).collect()
}

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-12, "number {i} is {found}, expected {expected}");
    }
}

#[test]
fn schedules_of_torch_have_its_learning_rates() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/schedules.json")).unwrap();
    for case in &cases {
        let numbers = |key: &str| {
            case[key]
                .as_array()
                .map(|list| list.iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>())
        };
        let (lrs, losses, lr) =
            (numbers("lrs").unwrap(), numbers("losses"), case["lr"].as_f64().unwrap());
        let (spec, steps) =
            (case["spec"].as_str().unwrap(), case["steps"].as_u64().unwrap() as usize);
        let mut scheduler = scheduler(spec);
        for (k, expected) in lrs.iter().enumerate() {
            // in epochs of one step it does not matter which of the two torch counts
            let found = scheduler.lr(lr, progress(k + 1, 1, steps));
            assert!(
                (found - expected).abs() <= 1e-12 * lr,
                "{spec}, step {}: {found}, torch {expected}",
                k + 1
            );
            if let Some(losses) = &losses {
                scheduler.observe(losses[k]);
            }
        }
    }
    let covered = |entry: &str| {
        cases.iter().any(|case| case["spec"].as_str().unwrap().split(':').next() == Some(entry))
    };
    let alone: Vec<&str> =
        SCHEDULES.iter().map(|entry| entry.name).filter(|name| !covered(name)).collect();
    assert_eq!(alone, ["inverse_sqrt"], "all others are compared with torch");
}

#[test]
fn schedules_are_their_formulas() {
    let root = 0.5f64.sqrt();
    assert_eq!(shares("constant", 3, 5), [1.0; 5]);
    assert_eq!(shares("inverse_sqrt", 3, 4), [1.0, 1.0 / 2f64.sqrt(), 1.0 / 3f64.sqrt(), 0.5]);
    assert_eq!(
        shares("inverse_sqrt:per=epoch", 2, 4),
        [1.0, 1.0, 1.0 / 2f64.sqrt(), 1.0 / 2f64.sqrt()]
    );
    assert_eq!(shares("step:every=2,gamma=0.5", 2, 6), [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]);
    assert_eq!(shares("step:every=2,gamma=0.5,per=step", 2, 6), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    assert_eq!(shares("milestones:at=1-2,gamma=0.5", 2, 6), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    assert_eq!(shares("exponential:gamma=0.5", 2, 6), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    assert_eq!(shares("linear:floor=0.5", 9, 4), [1.0, 0.875, 0.75, 0.625]);
    assert_eq!(shares("polynomial:power=2", 9, 4), [1.0, 0.5625, 0.25, 0.0625]);
    near(&shares("cosine", 9, 4), &[1.0, (1.0 + root) / 2.0, 0.5, (1.0 - root) / 2.0]);
    near(
        &shares("cosine_restarts:first=2,floor=0.5", 9, 7),
        &[1.0, 0.75, 1.0, (3.0 + root) / 4.0, 0.75, (3.0 - root) / 4.0, 1.0],
    );
    near(
        &shares("one_cycle:pct_start=0.5,div_factor=4,final_div_factor=5,anneal=linear", 9, 6),
        &[0.25, 0.625, 1.0, 0.05 + 0.95 * 2.0 / 3.0, 0.05 + 0.95 / 3.0, 0.05],
    );
    assert_eq!(
        scheduler("inverse_sqrt").lr(0.6, progress(100, 1, 100)),
        0.06,
        "the same bits as in old records"
    );
}

#[test]
fn after_its_end_a_schedule_keeps_its_last_value() {
    for (spec, end) in [
        ("linear:floor=0.25", 0.25),
        ("polynomial:power=3,floor=0.25", 0.25),
        ("cosine:floor=0.25", 0.25),
        ("linear", 0.0),
        ("cosine", 0.0),
        ("one_cycle:div_factor=2,final_div_factor=4", 0.125),
        ("one_cycle:div_factor=2,final_div_factor=4,anneal=linear,pct_start=1", 0.125),
        ("cosine:steps=3,floor=0.25", 0.25),
        ("cosine:steps=3,floor=0.25,warmup=7", 0.25),
    ] {
        for step in [11, 12, 1000, usize::MAX] {
            assert_eq!(
                scheduler(spec).lr(1.0, Progress { step, epoch: 1, batch: 1, steps: 10 }),
                end,
                "{spec} at {step}"
            );
        }
    }
    assert_eq!(
        shares("one_cycle", 9, 10)[9],
        1.0 / 25.0 / 1e4,
        "one_cycle reaches its end with the last step"
    );
}

#[test]
fn a_warm_up_rises_linearly_and_the_schedule_starts_after_it() {
    for entry in SCHEDULES {
        let warm = shares(&format!("{}:warmup=5", entry.name), 3, 23);
        let plain = shares(entry.name, 3, 18);
        for (i, share) in warm[..5].iter().enumerate() {
            assert!(
                (share - plain[0] * (i + 1) as f64 / 5.0).abs() < 1e-15,
                "{}: {share} at step {}",
                entry.name,
                i + 1
            );
        }
        if entry.name != "exponential" {
            // exponential counts epochs (see the next test); the other defaults are longer than
            // this run
            assert_eq!(warm[5..], plain, "{}", entry.name);
        }
    }
    assert_eq!(shares("constant:warmup=4", 9, 6), [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
    assert_eq!(shares("constant:warmup=1", 9, 2), [1.0, 1.0]);
    assert_eq!(
        shares("cosine:warmup=4", 9, 4),
        [0.25, 0.5, 0.75, 1.0],
        "a run that is all warm-up"
    );
}

#[test]
fn epochs_are_counted_after_the_warm_up_and_change_at_the_start_of_an_epoch() {
    let whole = shares("exponential:gamma=0.5,warmup=4", 2, 10);
    assert_eq!(
        whole,
        [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25],
        "two epochs of warm-up"
    );
    let broken = shares("exponential:gamma=0.5,warmup=2", 4, 12);
    assert_eq!(
        broken,
        [0.5, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25],
        "half an epoch of warm-up"
    );
}

#[test]
fn every_schedule_spells_out_its_settings_and_reads_its_own_spec() {
    for (spec, canonical) in [
        ("constant", "constant"),
        ("constant:warmup=0", "constant"),
        ("constant:warmup=500", "constant:warmup=500"),
        ("inverse_sqrt", "inverse_sqrt:per=step"),
        ("inverse_sqrt:warmup=10,per=epoch", "inverse_sqrt:per=epoch,warmup=10"),
        ("step", "step:every=30,gamma=0.1,per=epoch"),
        ("milestones", "milestones:at=30-60-80,gamma=0.1,per=epoch"),
        ("exponential", "exponential:gamma=0.95,per=epoch"),
        ("linear:steps=100", "linear:floor=0,steps=100"),
        ("polynomial", "polynomial:power=1,floor=0,steps=none"),
        ("cosine:floor=1e-2", "cosine:floor=0.01,steps=none"),
        ("cosine_restarts", "cosine_restarts:first=1000,factor=2,floor=0"),
        (
            "one_cycle",
            "one_cycle:pct_start=0.3,div_factor=25,final_div_factor=10000,anneal=cosine,steps=none",
        ),
        (
            "plateau:warmup=3",
            "plateau:factor=0.1,patience=10,threshold=0.0001,cooldown=0,min_lr=0,warmup=3",
        ),
    ] {
        assert_eq!(read(spec).spec(), canonical);
        assert_eq!(read(canonical), read(spec));
    }
    for entry in SCHEDULES {
        let schedule = read(entry.name);
        assert_eq!(read(&schedule.spec()), schedule);
        let defaults: Vec<String> =
            (entry.defaults)().iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            read(&format!("{}:{}", entry.name, defaults.join(","))),
            schedule,
            "the defaults that `show` prints are read as the defaults"
        );
        let keys: Vec<&str> = (entry.settings)().iter().map(|setting| setting.name).collect();
        assert_eq!(keys, (entry.defaults)().iter().map(|(key, _)| *key).collect::<Vec<_>>());
    }
    assert_eq!(
        Schedule::try_from(Cosine::new().with_floor(0.1)).unwrap().with_warmup(5),
        read("cosine:floor=0.1,warmup=5")
    );
}

#[test]
fn every_schedule_has_a_title_a_formula_differences_and_a_source() {
    for entry in SCHEDULES {
        let docs = entry.docs;
        assert!(docs.title().starts_with(&format!("{}: ", entry.name)), "{}", docs.title());
        for text in [docs.formula(), docs.section("Differences"), docs.section("Source")] {
            assert!(!text.is_empty(), "{}", entry.name);
        }
    }
}

#[test]
fn a_setting_that_is_not_allowed_is_named_with_its_value() {
    for (spec, sentence) in [
        ("cosine:floor=1.5", "cosine: floor is `1.5`, expected a number from 0 to 1"),
        ("cosine:floor=nan", "cosine: floor is `nan`, expected a number from 0 to 1"),
        ("cosine:steps=0", "cosine: steps is `0`, expected a whole number from 1"),
        ("linear:steps=-3", "linear: steps is `-3`, expected a whole number from 1"),
        ("polynomial:power=0", "polynomial: power is `0`, expected a finite number above 0"),
        ("step:every=0", "step: every is `0`, expected a whole number from 1"),
        ("step:gamma=-0.1", "step: gamma is `-0.1`, expected a number from 0 to 1"),
        ("exponential:gamma=1.1", "exponential: gamma is `1.1`, expected a number from 0 to 1"),
        ("exponential:per=day", "exponential: per is `day`, expected one of step, epoch"),
        (
            "milestones:at=30-60-60",
            "milestones: at is `30-60-60`, expected whole numbers from 1, each above the one before, such as 30-60-90",
        ),
        (
            "milestones:at=0-5",
            "milestones: at is `0-5`, expected whole numbers from 1, each above the one before, such as 30-60-90",
        ),
        (
            "cosine_restarts:factor=0",
            "cosine_restarts: factor is `0`, expected a whole number from 1",
        ),
        (
            "one_cycle:div_factor=0.5",
            "one_cycle: div_factor is `0.5`, expected a finite number of at least 1",
        ),
        ("one_cycle:anneal=cos", "one_cycle: anneal is `cos`, expected one of cosine, linear"),
        (
            "plateau:factor=1",
            "plateau: factor is `1`, expected a number from 0 up to, but not including, 1",
        ),
        ("plateau:patience=1.5", "plateau: patience is `1.5`, expected a whole number from 0"),
        ("plateau:min_lr=-1", "plateau: min_lr is `-1`, expected a finite number of at least 0"),
        ("constant:warmup=-1", "constant: warmup is `-1`, expected a whole number from 0"),
        ("cosine:warmup=2.5", "cosine: warmup is `2.5`, expected a whole number from 0"),
        (
            "cosine:warmpu=5",
            "unknown setting of cosine `warmpu`; did you mean `warmup`? Known: floor, steps, warmup",
        ),
        ("constant:lr=5", "unknown setting of constant `lr`; known: warmup"),
        ("cosin:warmup=x", "unknown schedule `cosin`; did you mean `cosine`? Known: "),
        ("cosine@torch", "unknown dialect of cosine `torch`; there are none"),
    ] {
        assert!(error(spec).starts_with(sentence), "{spec}: {}", error(spec));
    }
    assert!(error("cosine:warmup=[1,2]").contains("warmup has 2 values"));
    let floor = Schedule::try_from(Cosine::new().with_floor(-1.0)).unwrap_err().to_string();
    assert_eq!(floor, "cosine: floor is `-1`, expected a number from 0 to 1");
}

#[test]
fn every_learning_rate_is_between_zero_and_that_of_the_optimizer() {
    let specs = [
        "constant",
        "step:every=1,gamma=0",
        "step:every=18446744073709551615,gamma=1,per=step",
        "milestones:at=1,gamma=0",
        "milestones:at=1-2-18446744073709551615,per=step",
        "exponential:gamma=0,per=step",
        "exponential:gamma=1",
        "inverse_sqrt",
        "linear:steps=1",
        "linear:floor=1,steps=18446744073709551615",
        "polynomial:power=1e-300",
        "polynomial:power=1e300,floor=0.3",
        "cosine:steps=1",
        "cosine:floor=0.1",
        "cosine:floor=0.7,steps=7",
        "cosine_restarts:first=1,factor=1",
        "cosine_restarts:first=1,factor=18446744073709551615",
        "cosine_restarts:first=18446744073709551615,factor=2",
        "one_cycle:pct_start=0",
        "one_cycle:pct_start=1,anneal=linear",
        "one_cycle:steps=1",
        "one_cycle:steps=2,pct_start=0.5",
        "one_cycle:div_factor=1,final_div_factor=1",
        "one_cycle:div_factor=1e308,final_div_factor=1e308",
        "plateau:factor=0,patience=0",
        "plateau:factor=0.5,patience=0,min_lr=1e308",
    ];
    let counts = [0, 1, 2, 3, 7, 1000, usize::MAX];
    for (spec, warmup) in
        specs.iter().flat_map(|spec| [0, 1, 3, usize::MAX].map(|warmup| (spec, warmup)))
    {
        let mut scheduler = Scheduler::new(read(spec).with_warmup(warmup));
        for loss in [1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0] {
            for (step, epoch) in counts.iter().flat_map(|step| counts.map(|epoch| (*step, epoch))) {
                for (batch, steps) in
                    counts.iter().flat_map(|batch| counts.map(|steps| (*batch, steps)))
                {
                    for lr in [0.0, 1e-300, 0.3, 1e300] {
                        let now = Progress { step, epoch, batch, steps };
                        let found = scheduler.lr(lr, now);
                        assert!(
                            (0.0..=lr).contains(&found),
                            "{spec} with warmup={warmup} gives {found} of {lr} at {now:?}"
                        );
                    }
                }
            }
            scheduler.observe(loss);
        }
    }
}

#[test]
fn no_restart_is_missed_even_after_many_steps() {
    // the periods have 3, 9, ..., 3^k steps
    let (mut done, mut period) = (0usize, 3usize);
    while period < 1 << 50 {
        done += period;
        period *= 3;
        let at = |step| {
            scheduler("cosine_restarts:first=3,factor=3")
                .lr(1.0, Progress { step, epoch: 1, batch: 1, steps: 1 })
        };
        assert_eq!(at(done + 1), 1.0);
        assert!(at(done) < 0.3);
    }
}

#[test]
fn a_loss_that_does_not_fall_is_a_plateau_also_below_zero() {
    let cuts_after = |losses: &[f64]| {
        let mut scheduler = scheduler("plateau:factor=0.5,patience=1");
        losses.iter().for_each(|loss| scheduler.observe(*loss));
        scheduler.lr(1.0, progress(1, 1, 1))
    };
    assert_eq!(cuts_after(&[-1.0, -1.0, -1.0]), 0.5);
    assert_eq!(cuts_after(&[-1.0, -2.0, -3.0]), 1.0);
    assert_eq!(cuts_after(&[f64::NAN, f64::NAN]), 0.5);
    assert_eq!(cuts_after(&[1.0, f64::NEG_INFINITY, 0.5]), 1.0);
}

#[test]
fn a_scheduler_that_is_saved_and_loaded_continues_bit_for_bit() {
    let losses: Vec<f64> =
        (0..60).map(|i| 1.0 / (1.0 + i as f64).ln_1p() + 0.1 * (i as f64 * 1.7).sin()).collect();
    let specs = [
        "plateau:factor=0.3,patience=2,cooldown=2,warmup=4",
        "plateau:patience=0,min_lr=0.01",
        "cosine:warmup=3",
        "inverse_sqrt",
    ];
    for spec in specs {
        for cut in 0..losses.len() {
            let mut one = scheduler(spec);
            losses[..cut].iter().for_each(|loss| one.observe(*loss));
            let saved = serde_json::to_string(&one).unwrap();
            let mut other: Scheduler = serde_json::from_str(&saved).unwrap();
            assert_eq!(one, other);
            for (i, loss) in losses.iter().enumerate().skip(cut) {
                let lr = |scheduler: &Scheduler| {
                    scheduler.lr(0.1, progress(i + 1, 1, losses.len())).to_bits()
                };
                assert_eq!(lr(&one), lr(&other));
                one.observe(*loss);
                other.observe(*loss);
            }
            assert_eq!(one, other);
        }
    }
    let mut seen = scheduler("plateau:patience=0");
    [1.0, 1.0].iter().for_each(|loss| seen.observe(*loss));
    assert_ne!(seen, scheduler("plateau:patience=0"), "its state changes");
    assert!(
        serde_json::from_str::<Scheduler>(
            &serde_json::to_string(&seen).unwrap().replace("patience=0", "patience=x")
        )
        .is_err()
    );
}

/// A loss with gradient 1 everywhere and value 1 everywhere, so that the schedule sees a plateau.
struct LineProblem {
    per_epoch: usize,
}

impl Problem for LineProblem {
    type Model = Linear;

    fn steps(&self) -> usize {
        self.per_epoch
    }

    fn loss(&mut self, model: &Linear, now: Progress) -> Tensor<1> {
        assert_eq!(now, progress(now.step, self.per_epoch, now.steps));
        let w = model.weight.val();
        (w.clone() - w.detach()).sum() + 1.0
    }

    fn measure(&self, model: &Linear, _now: Progress) -> BTreeMap<String, f64> {
        BTreeMap::from([("w".into(), model.weight.val().sum().into_scalar::<f64>())])
    }
}

/// Keeps the weight at each point.
#[derive(Default)]
struct Kept(Vec<f64>);

impl TrainObserver for Kept {
    fn point(&mut self, point: &CurvePoint) -> Result<()> {
        self.0.push(point.measures["w"]);
        Ok(())
    }
    fn step(&mut self) -> bool {
        true
    }
}

/// The distance that the weight moves in each epoch.
fn distances(schedule: &str, per_epoch: usize, epochs: usize) -> Result<Vec<f64>> {
    let config =
        PipelineConfig::read(&"sgd:lr=0.5".parse().unwrap(), &Optimizers::default()).unwrap();
    let plan = Plan {
        pipeline: config,
        schedule: read(schedule),
        epochs,
        diagnose: false,
        early_stopping: None,
    };
    let model = LinearConfig::new(1, 1).with_bias(false).init(&Device::flex().autodiff());
    let mut kept = Kept::default();
    train(&mut LineProblem { per_epoch }, model, &plan, &mut kept)?;
    Ok(kept.0.windows(2).map(|w| w[0] - w[1]).collect())
}

#[test]
fn training_follows_the_schedule_over_the_whole_run() {
    let sums = |spec, per_epoch, epochs| -> Vec<f64> {
        shares(spec, per_epoch, per_epoch * epochs)
            .chunks(per_epoch)
            .map(|epoch| 0.5 * epoch.iter().sum::<f64>())
            .collect()
    };
    for spec in [
        "cosine:warmup=3",
        "linear:floor=0.1",
        "one_cycle",
        "step:every=1,gamma=0.5",
        "inverse_sqrt",
    ] {
        for (found, expected) in distances(spec, 4, 3).unwrap().into_iter().zip(sums(spec, 4, 3)) {
            assert!((found - expected).abs() < 1e-5, "{spec}: {found}, expected {expected}");
        }
    }
}

#[test]
fn training_gives_the_plateau_the_loss_of_each_epoch() {
    let moved = distances("plateau:factor=0.5,patience=1", 2, 6).unwrap();
    for (found, expected) in moved.into_iter().zip([1.0, 1.0, 1.0, 0.5, 0.5, 0.25]) {
        assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
    }
}

#[test]
fn a_warm_up_longer_than_the_run_is_refused_before_the_first_step() {
    let refused = distances("cosine:warmup=9", 4, 2).unwrap_err().to_string();
    assert_eq!(refused, "cosine: warmup is `9`, expected at most 8, the steps of the whole run");
    assert!(read("cosine:warmup=8").fits(8).is_ok());
}
