//! A training that is cut at a random step and continues from its saved state, with new objects, as
//! in a new process: the same points and the same model, bit for bit. For every optimizer, every
//! gradient transformation and every schedule.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::model::{Net, Shapes, build};
use downhill::lab::record::{CurvePoint, Outcome, RunEnd};
use downhill::lab::regularizer::{EarlyStopping, Penalty};
use downhill::lab::seed::Seed;
use downhill::lab::task::{ClassifyProblem, Splits, Subset};
use downhill::lab::train::{Plan, Problem, TrainObserver, train_from};
use downhill::optim::Optimizers;
use downhill::pipeline::{PipelineConfig, Stage, TRANSFORMS};
use downhill::schedule::Schedule;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const EPOCHS: usize = 3;
const STEPS: usize = EPOCHS * 4;

/// 50 examples of 6 numbers in 3 classes; 10 of them for validation.
fn data() -> Dataset {
    let examples = |n: usize| {
        let x = (0..n * 6).map(|i| ((i * 7 + 3) % 11) as f32 / 11.0).collect::<Vec<_>>();
        let classes = (0..n).map(|i| (i % 3) as u32).collect();
        Examples { shape: vec![6], inputs: x.into(), labels: classes }
    };
    Dataset {
        name: "small".into(),
        classes: 3,
        names: Vec::new(),
        train: examples(50),
        test: examples(10),
        fingerprint: None,
    }
}

fn problem_and_model(model: &str, penalty: &str) -> (ClassifyProblem, Net) {
    let device = Device::flex().autodiff();
    let data = data();
    let penalty = Penalty::read(&penalty.parse().unwrap()).unwrap();
    let subset = Subset { validation: 0.2, ..Subset::default() };
    let splits = Splits::of(&data, subset, &device);
    let problem = ClassifyProblem::on(splits, None, 10, penalty, &device).seeded(Seed(1));
    let shapes = Shapes { input: vec![6], classes: 3 };
    (problem, build(&model.parse().unwrap(), &shapes, Seed(1), &device).unwrap())
}

fn plan(line: &str, early_stopping: Option<EarlyStopping>) -> Plan {
    let pipeline = PipelineConfig::read(&line.parse().unwrap(), &Optimizers::default())
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let schedule = match &pipeline.schedule {
        Some(schedule) => schedule.clone(),
        None => Schedule::read(&"constant".parse().unwrap()).unwrap(),
    };
    Plan { pipeline, schedule, epochs: EPOCHS, diagnose: true, early_stopping }
}

/// Keeps the points; ends the training after some steps, and keeps its state.
#[derive(Default)]
struct Cut {
    after: Option<usize>,
    steps: usize,
    points: Vec<String>,
    state: Option<Vec<u8>>,
}

impl TrainObserver for Cut {
    fn point(&mut self, point: &CurvePoint) -> downhill::Result<()> {
        let point = CurvePoint { seconds: 0.0, ..point.clone() };
        self.points.push(serde_json::to_string(&point).unwrap());
        Ok(())
    }
    fn step(&mut self) -> bool {
        self.steps += 1;
        self.after != Some(self.steps)
    }
    fn save(&mut self, state: &[u8]) -> downhill::Result<()> {
        self.state = Some(state.to_vec());
        Ok(())
    }
}

/// What a training is compared by: its points, the bits of its model, and how it ended.
type Outcomes = (Vec<String>, Vec<u32>, RunEnd);

fn bits(model: &Net) -> Vec<u32> {
    use burn::module::{ModuleVisitor, Param};
    use burn::tensor::Tensor;
    struct Bits(Vec<u32>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f32>().map(f32::to_bits));
        }
    }
    let mut bits = Bits(Vec::new());
    model.visit(&mut bits);
    bits.0
}

/// Trains with new objects, from a state if there is one.
fn trained(setup: &Setup, observer: &mut Cut) -> (Vec<u32>, RunEnd) {
    let (mut problem, model) = problem_and_model(setup.model, setup.penalty);
    let plan = plan(&setup.line, setup.early_stopping.clone());
    let state = observer.state.take();
    let (model, end) = train_from(state.as_deref(), &mut problem, model, &plan, observer).unwrap();
    (bits(&model), RunEnd { seconds: 0.0, ..end })
}

struct Setup {
    line: String,
    model: &'static str,
    penalty: &'static str,
    early_stopping: Option<EarlyStopping>,
}

impl Setup {
    fn of(line: impl Into<String>) -> Setup {
        Setup { line: line.into(), model: "mlp:hidden=5", penalty: "none", early_stopping: None }
    }

    fn whole(&self) -> Outcomes {
        let mut whole = Cut::default();
        let (model, end) = trained(self, &mut whole);
        (whole.points, model, end)
    }

    /// Cut after these steps of the whole training, each time with new objects.
    fn cut(&self, cuts: &[usize]) -> Outcomes {
        let (mut state, mut points) = (None, Vec::new());
        let mut before = 0;
        for &cut in cuts {
            let after = Some(cut - before);
            let mut part = Cut { after, state, ..Cut::default() };
            let (_, end) = trained(self, &mut part);
            points.append(&mut part.points);
            assert_eq!(end.outcome, Outcome::Interrupted, "{}: cut at {cut}", self.line);
            (state, before) = (part.state, cut);
        }
        let mut last = Cut { state, ..Cut::default() };
        let (model, end) = trained(self, &mut last);
        points.append(&mut last.points);
        (points, model, end)
    }

    /// Two random cuts give what no cut gives.
    fn check(&self, draws: &mut ChaCha8Rng) {
        let whole = self.whole();
        let steps = whole.2.step;
        assert!(steps == STEPS || self.early_stopping.is_some(), "{}: {:?}", self.line, whole.2);
        let first = 1 + draws.next_u32() as usize % (steps - 2);
        let second = first + 1 + draws.next_u32() as usize % (steps - 1 - first);
        assert_eq!(self.cut(&[first, second]), whole, "{}: {first}, {second}", self.line);
    }
}

fn draws() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(16)
}

#[test]
fn every_optimizer_continues_bit_for_bit() {
    let mut draws = draws();
    for entry in Optimizers::default().entries() {
        let setup = Setup::of(format!("{}:lr=0.01", entry.name));
        match entry.name {
            // the Hessian of an mlp need not be positive definite
            "newton" => Setup { model: "logistic", penalty: "l2:lambda=0.1", ..setup },
            _ => setup,
        }
        .check(&mut draws);
    }
}

#[test]
fn every_gradient_transformation_and_average_continues_bit_for_bit() {
    let examples: BTreeMap<&str, &str> = BTreeMap::from([
        ("accumulate", "accumulate:steps=3"),
        ("grokfast_ma", "grokfast_ma:window=3"),
        ("group", "group:params=vectors,lr_scale=0.5"),
        ("lookahead", "lookahead:k=3"),
    ]);
    let mut draws = draws();
    for entry in TRANSFORMS {
        let part = examples.get(entry.name).copied().unwrap_or(entry.name);
        let line = match entry.stage {
            stage if stage < Stage::Optimizer => format!("{part}|adam:lr=0.01"),
            _ => format!("adam:lr=0.01|{part}"),
        };
        Setup::of(line).check(&mut draws);
    }
    Setup::of("sam|grokfast_ma:window=3|mars|sgd:lr=0.01|cautious|decay").check(&mut draws);
    Setup::of("accumulate:steps=3|clip_global:max=0.1|adamw:lr=0.01|lookahead:k=2|ema:decay=0.9|cosine:warmup=3")
        .check(&mut draws);
}

#[test]
fn every_schedule_continues_bit_for_bit() {
    let mut draws = draws();
    for schedule in downhill::schedule::SCHEDULES {
        let name = schedule.name;
        Setup::of(format!("sgd:lr=0.1|{name}")).check(&mut draws);
    }
}

#[test]
fn masks_constraints_and_early_stopping_continue_bit_for_bit() {
    let mut draws = draws();
    let model = "mlp:hidden=5,dropout=0.5";
    let early_stopping = EarlyStopping::default().with_patience(1);
    for penalty in ["l1:lambda=1e-2,by=prox", "max_norm:max=0.5", "l2:lambda=1e-3"] {
        let setup = Setup {
            model,
            penalty,
            early_stopping: Some(early_stopping.clone()),
            ..Setup::of("adam:lr=0.05|ema:decay=0.5")
        };
        setup.check(&mut draws);
    }
}

#[test]
fn a_cut_at_every_step_changes_nothing() {
    let setup = Setup::of("adam:lr=0.01|ema:decay=0.9|plateau:patience=1");
    let every: Vec<usize> = (1..STEPS).collect();
    assert_eq!(setup.cut(&every), setup.whole());
}

#[test]
fn a_state_of_another_optimizer_or_model_is_refused() {
    let state = || {
        let mut part = Cut { after: Some(3), ..Cut::default() };
        trained(&Setup::of("adam:lr=0.01"), &mut part);
        part.state.unwrap()
    };
    let refused = |state: &[u8], line: &str, model: &str| {
        let (mut problem, model) = problem_and_model(model, "none");
        let observer = &mut Cut::default();
        let trained = train_from(Some(state), &mut problem, model, &plan(line, None), observer);
        trained.unwrap_err().to_string()
    };
    let error = refused(&state(), "adam:lr=0.02", "mlp:hidden=5");
    assert!(error.contains("lr=0.01") && error.contains("lr=0.02"), "{error}");
    let error = refused(&state(), "adam:lr=0.01", "mlp:hidden=6");
    assert!(error.contains("truncated or changed"), "{error}");
    let state = state();
    let error = refused(&state[..state.len() - 9], "adam:lr=0.01", "mlp:hidden=5");
    assert!(error.contains("truncated or changed"), "{error}");
}
