//! A kind of task that a user's program defines: it runs as an experiment, with grids, verdicts and
//! a page.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use burn::tensor::{DType, Tensor};
use downhill::experiment::{Scale, parse};
use downhill::grade::Verdict;
use downhill::optim::Optimizers;
use downhill::pipeline::ParamVector;
use downhill::record::{Measure, RecordedTask, RunEnd, TaskRecord};
use downhill::report::Report;
use downhill::runner::{RunObserver, RunOptions, run};
use downhill::schedule::Progress;
use downhill::task::{DynTask, PreparedTask, Task, TaskContext};
use downhill::train::Problem;
use downhill::{Error, Result, typetag};
use serde::{Deserialize, Serialize};

/// A bowl of curvature `curvature`, as in the TOML and in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bowl {
    curvature: f64,
}

#[typetag::serde(name = "bowl")]
impl Task for Bowl {
    fn check(&self) -> Result<()> {
        match self.curvature > 0.0 {
            true => Ok(()),
            false => Err(Error::Invalid(format!(
                "task.curvature: found {}, expected a number above 0",
                self.curvature
            ))),
        }
    }

    fn measures(&self) -> Vec<&'static str> {
        vec!["height"]
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        run.as_kind::<Bowl>() == Some(self)
    }

    fn prepare(&self, _context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        Ok(Box::new(PreparedTask {
            record: RecordedTask::new(self.clone()),
            problem: self.clone(),
            initial: Box::new(|_| Ok(ParamVector::at(&[1.0, -2.0], DType::F64))),
        }))
    }
}

#[typetag::serde(name = "bowl")]
impl TaskRecord for Bowl {
    fn title(&self) -> String {
        "A bowl".into()
    }

    fn size(&self) -> String {
        "two numbers".into()
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![("curvature", self.curvature.to_string())]
    }

    fn columns(&self) -> Vec<Measure> {
        vec![Measure::new("height", "height")]
    }

    fn is_deterministic(&self) -> bool {
        true
    }
}

impl Problem for Bowl {
    type Model = ParamVector;

    fn steps(&self) -> usize {
        1
    }

    fn loss(&mut self, point: &ParamVector, _now: Progress) -> Tensor<1> {
        let x = point.x.val();
        (x.clone() * x).sum() * (self.curvature / 2.0)
    }

    fn measure(&self, point: &ParamVector, _now: Progress) -> BTreeMap<String, f64> {
        let squares: f64 = point.numbers().iter().map(|x| x * x).sum();
        BTreeMap::from([("height".into(), self.curvature / 2.0 * squares)])
    }
}

const TOML: &str = r#"
name = "bowl"
title = "A bowl"
paper = ""
url = ""
about = ""
metric = { name = "height", label = "height" }
task = { kind = "bowl", curvature = 2.0 }
scale.quick = { epochs = 20, seeds = 1, about = "20 steps" }

[[series]]
label = "SGD"
optimizer = "sgd:lr=[0.1,0.3]"

[[series]]
label = "slow SGD"
optimizer = "sgd:lr=0.01"

[[claim]]
quote = "a larger step is faster"
source = ""
expect = { kind = "ahead", a = "SGD", b = "slow SGD" }
"#;

struct Quiet;

impl RunObserver for Quiet {
    fn start(&self, _runs: usize, _steps: usize, _done_before: usize) {}
    fn step(&self) {}
    fn run_ended(&self, _run: &str, _end: &RunEnd, _steps_left: usize) {}
}

#[test]
fn a_kind_of_task_from_a_users_program_runs_is_graded_and_reported() {
    let optimizers = Optimizers::default();
    let experiment = parse("bowl.toml".as_ref(), TOML, &optimizers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions {
        scale: Scale::Quick,
        data: None,
        device: "flex".into(),
        seeds: None,
        out: Some(folder.path().into()),
        jobs: 2,
        fresh: false,
    };
    let stop = AtomicBool::new(false);
    let results = run(&experiment, TOML, &optimizers, &options, &Quiet, &stop).unwrap();
    assert_eq!(results.runs.len(), 3);
    let report = Report::new(Some(experiment), results.runs, &optimizers).unwrap();
    assert_eq!(report.verdicts[0].verdict, Verdict::Held);
    assert_eq!(report.table[0].chosen, "sgd lr=0.3");
    let page = std::fs::read_to_string(report.write(folder.path()).unwrap()).unwrap();
    assert!(page.contains("two numbers"), "the page describes the task");
}

#[test]
fn the_settings_of_a_users_task_are_checked() {
    let check = |task: &str| {
        let toml = TOML.replace("{ kind = \"bowl\", curvature = 2.0 }", task);
        parse("bowl.toml".as_ref(), &toml, &Optimizers::default()).unwrap_err().to_string()
    };
    let error = check("{ kind = \"bowl\", curvature = -1.0 }");
    assert_eq!(error, "bowl.toml, task.curvature: found -1, expected a number above 0");
    let error = check("{ kind = \"bowl\", curvatur = 2.0 }");
    assert!(error.contains("unknown field `curvatur`, expected `curvature`"), "{error}");
    let error = check("{ kind = \"bowels\", curvature = 2.0 }");
    assert!(error.contains("bowels") && error.contains("classify"), "{error}");
}
