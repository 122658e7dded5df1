//! Checkpoints: what a changed file or a changed state of a training gives.

use std::path::Path;

use burn::tensor::Device;
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::model::{Net, Shapes, build};
use downhill::lab::record::{self, Checkpoint, CurvePoint, RunIdentity};
use downhill::lab::regularizer::{EarlyStopping, Penalty};
use downhill::lab::seed::Seed;
use downhill::lab::task::{ClassifyProblem, Splits, Subset};
use downhill::lab::train::{Plan, Problem, TrainObserver, train_from};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::schedule::Schedule;
use sha2::{Digest, Sha256};

use super::inputs::{fuzz, fuzz_file};

/// Ends a training after some steps, and keeps its state.
struct Cut {
    steps_left: usize,
    state: Vec<u8>,
}

impl TrainObserver for Cut {
    fn point(&mut self, _point: &CurvePoint) -> downhill::Result<()> {
        Ok(())
    }
    fn step(&mut self) -> bool {
        self.steps_left -= 1;
        self.steps_left > 0
    }
    fn save(&mut self, state: &[u8]) -> downhill::Result<()> {
        self.state = state.to_vec();
        Ok(())
    }
}

fn problem_and_model() -> (ClassifyProblem, Net) {
    let device = Device::flex().autodiff();
    let examples = |n: usize| Examples {
        shape: vec![2],
        inputs: (0..2 * n).map(|i| i as f32).collect::<Vec<_>>().into(),
        labels: (0..n).map(|i| i as u32 % 2).collect(),
    };
    let data = Dataset {
        name: "small".into(),
        classes: 2,
        names: Vec::new(),
        train: examples(12),
        test: examples(4),
        fingerprint: None,
    };
    let subset = Subset { validation: 0.25, ..Subset::default() };
    let splits = Splits::of(&data, subset, &device);
    let penalty = Penalty::read(&"none".parse().unwrap()).unwrap();
    let problem = ClassifyProblem::on(splits, None, 3, penalty, &device).seeded(Seed(1));
    let shapes = Shapes { input: vec![2], classes: 2 };
    (problem, build(&"logistic".parse().unwrap(), &shapes, Seed(1), &device).unwrap())
}

/// Trains for some steps, and returns the state at the end of them.
fn state_after(steps: usize, state: Option<&[u8]>) -> downhill::Result<Vec<u8>> {
    let spec = "adam|lookahead|ema:decay=0.9".parse().unwrap();
    let plan = Plan {
        pipeline: PipelineConfig::read(&spec, &Optimizers::default()).unwrap(),
        schedule: Schedule::read(&"cosine:warmup=2".parse().unwrap()).unwrap(),
        epochs: 3,
        diagnose: false,
        early_stopping: Some(EarlyStopping::default()),
    };
    let mut observer = Cut { steps_left: steps, state: Vec::new() };
    let (mut problem, model) = problem_and_model();
    train_from(state, &mut problem, model, &plan, &mut observer)?;
    Ok(observer.state)
}

#[test]
fn states_of_trainings() {
    let state = state_after(5, None).unwrap();
    fuzz(&[state], |input| {
        state_after(2, Some(input)).map(drop).map_err(|error| error.to_string())
    });
}

/// Where the hashed content starts.
const CONTENT: usize = b"downhill checkpoint 1\n".len() + 32;

/// Every change is found by the checksum. What is behind the checksum is fuzzed, too.
#[test]
fn checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let header =
        record::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(a_record())).unwrap().header;
    let run = RunIdentity { header, diagnose: false };
    Checkpoint::write(&path, &run, 100, b"state").unwrap();
    let whole = std::fs::read(record::checkpoint_of(&path)).unwrap();
    let read = |file: &Path| Checkpoint::read(file, &run);
    fuzz_file("a.checkpoint", std::slice::from_ref(&whole), |file| {
        let found = read(file)?.unwrap();
        assert_eq!((found.length, &found.state[..]), (100, &b"state"[..]));
        Ok(())
    });
    fuzz_file("a.checkpoint", &[whole], |file| {
        let mut bytes = std::fs::read(file).unwrap();
        if let Some((head, content)) = bytes.split_at_mut_checked(CONTENT) {
            head[CONTENT - 32..].copy_from_slice(&Sha256::digest(content));
        }
        std::fs::write(file, bytes).unwrap();
        read(file).map(drop)
    });
}

/// The path of a committed record.
fn a_record() -> std::path::PathBuf {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/fmnist-2c2d/runs");
    std::fs::read_dir(results).unwrap().next().unwrap().unwrap().path()
}
