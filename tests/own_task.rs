//! A kind of task that a user's program defines: it runs as an experiment, with grids, verdicts and
//! a page.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;

use burn::tensor::{DType, Tensor};
use downhill::lab::experiment::parse;
use downhill::lab::grade::Verdict;
use downhill::lab::record::{Measure, RecordedTask, TaskRecord};
use downhill::lab::report::{self, Report};
use downhill::lab::runner::{Quiet, RunOptions, run};
use downhill::lab::task::memory::RunSize;
use downhill::lab::task::{DynTask, PreparedTask, Task, TaskContext};
use downhill::lab::train::Problem;
use downhill::lab::typetag;
use downhill::optim::Optimizers;
use downhill::pipeline::ParamVector;
use downhill::schedule::Progress;
use downhill::{Error, Result};
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
            false => Err(Error::value("task.curvature", self.curvature, "a number above 0")),
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
            size: RunSize::default(),
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

#[test]
fn a_kind_of_task_from_a_users_program_runs_is_graded_and_reported() {
    let optimizers = Optimizers::default();
    let experiment = parse("bowl.toml".as_ref(), TOML, &optimizers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().into()), ..RunOptions::default() };
    let done = report::run(experiment, &optimizers, &options, &Quiet).unwrap();
    assert_eq!(done.report.verdicts[0].verdict, Verdict::Held);
    assert_eq!(done.report.table[0].chosen, "sgd lr=0.3");
    assert_eq!(
        done.report.table.iter().map(|row| row.runs.as_str()).collect::<Vec<_>>(),
        ["3", "1"],
        "two that select and a graded one; a graded one"
    );
    let page = std::fs::read_to_string(done.page.as_ref().unwrap()).unwrap();
    assert!(page.contains("two numbers"), "the page describes the task");
    let text = done.to_string();
    assert!(text.contains("HELD: a larger step is faster; margin"), "{text}");
}

#[test]
fn a_page_of_a_users_program_names_the_program() {
    let optimizers = Optimizers::default();
    let experiment = parse("bowl.toml".as_ref(), TOML, &optimizers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let page = |options: &RunOptions| {
        let done = report::run(experiment.clone(), &optimizers, options, &Quiet).unwrap();
        std::fs::read_to_string(done.page.unwrap().with_file_name("report.md")).unwrap()
    };
    let options = RunOptions { out: Some(folder.path().into()), ..RunOptions::default() };
    let program = std::env::args().next().unwrap();
    let markdown = page(&options);
    assert!(markdown.contains(&format!("    {program}")), "{markdown}");
    assert!(!markdown.contains("downhill run"), "{markdown}");
    // a command that the program gives is printed as it is, also when the page is made again
    let command = "python3 study.py --data \"my data\"".to_string();
    let options = RunOptions { command: Some(command.clone()), ..options };
    assert!(page(&options).contains(&format!("    {command}\n")));
    let (read, runs) = report::read(&[folder.path().into()], &optimizers).unwrap();
    assert_eq!(read.as_ref().unwrap().command, Some(command.clone()));
    let again = Report::new(read, runs, &optimizers).unwrap().write(folder.path()).unwrap();
    let markdown = std::fs::read_to_string(again.with_file_name("report.md")).unwrap();
    assert!(markdown.contains(&format!("    {command}\n")), "{markdown}");
}

#[test]
fn a_program_that_is_stopped_makes_no_more_runs() {
    let optimizers = Optimizers::default();
    let experiment = parse("bowl.toml".as_ref(), TOML, &optimizers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().into()), ..RunOptions::default() };
    options.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let results = run(experiment, &optimizers, &options, &Quiet).unwrap();
    assert!(results.interrupted && results.runs.is_empty());
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
    assert!(
        error.contains("unknown key `curvatur`; did you mean `curvature`? Known: curvature"),
        "{error}"
    );
    let error = check("{ kind = \"bowels\", curvature = 2.0 }");
    assert!(error.contains("bowels") && error.contains("classify"), "{error}");
}
