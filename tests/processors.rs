//! Runs of different kinds of processors in one report.
#![cfg(all(feature = "lab", feature = "flex"))]

use downhill::lab::experiment::{self, Experiment};
use downhill::lab::record::Run;
use downhill::lab::report::Report;
use downhill::lab::runner::{self, Quiet, RunOptions};
use downhill::optim::Optimizers;

/// The runs of a short experiment.
fn runs() -> (Experiment, Vec<Run>) {
    let optimizers = Optimizers::default();
    let (experiment, _) = experiment::load("s3-contour", &optimizers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { out: Some(folder.path().into()), ..RunOptions::default() };
    let results = runner::run(experiment, &optimizers, &options, &Quiet).unwrap();
    (results.experiment, results.runs)
}

#[test]
fn runs_of_different_processors_are_mixed_only_on_request() {
    let optimizers = Optimizers::default();
    let (experiment, mut runs) = runs();
    let experiment = || Some(experiment.clone());
    let all = runs.len();
    let says_so = |report: &Report| {
        let remark = report.remarks.iter().find(|remark| remark.contains("kinds of processors"));
        remark.cloned()
    };
    let same = Report::mixing_processors(experiment(), runs.clone(), &optimizers).unwrap();
    assert_eq!(says_so(&same), None, "one kind of processor");

    runs[1].header.processor = "aarch64".into();
    let error = Report::new(experiment(), runs.clone(), &optimizers).err().unwrap().to_string();
    assert!(error.contains(" and \"aarch64\", expected"), "{error}");
    assert!(
        error.ends_with("or give --mix-processors, since only last digits can differ"),
        "{error}"
    );
    let report = Report::mixing_processors(experiment(), runs.clone(), &optimizers).unwrap();
    let remark = says_so(&report).unwrap();
    assert!(remark.contains("aarch64 (1 run), "), "{remark}");
    assert!(remark.contains(&format!("({} runs)", all - 1)), "{remark}");

    // a difference besides the processor is still refused, without that advice
    runs[1].header.downhill = "0.0.1".into();
    let error = Report::mixing_processors(experiment(), runs, &optimizers).err().unwrap();
    assert!(error.to_string().ends_with("move the others away"), "{error}");
}

#[test]
fn a_run_that_two_processors_made_counts_once() {
    let optimizers = Optimizers::default();
    let (experiment, runs) = runs();
    let plain = Report::new(Some(experiment.clone()), runs.clone(), &optimizers).unwrap();
    let mut twice = runs.clone();
    for run in &runs {
        let mut again = run.clone();
        again.header.processor = "zzz".into();
        twice.push(again);
    }
    // one that is complete only there
    twice[0].end = None;
    let report = Report::mixing_processors(Some(experiment), twice, &optimizers).unwrap();
    let counts =
        |report: &Report| report.table.iter().map(|row| row.runs.clone()).collect::<Vec<_>>();
    assert_eq!(counts(&report), counts(&plain));
    let remark = report.remarks.iter().find(|remark| remark.contains("zzz (1 run)"));
    assert!(remark.is_some(), "{:?}", report.remarks);
}
