//! The record format.
#![cfg(feature = "lab")]

use downhill::lab::experiment::{load, parse};
use downhill::lab::record::{self, RecordedTask};
use downhill::optim::Optimizers;

#[path = "../examples/convert_records/convert.rs"]
mod convert;

const FORMAT_1: &str = concat!(
    r#"{"record":"header","format":1,"downhill":"0.1.0","burn":"0.22.1","experiment":"train","scale":"","series":"adam","#,
    r#""optimizer":"adam:lr=0.001,beta1=0.9,beta2=0.999,eps=1e-8,eps_place=outside,bias_correction=yes","formula":"5879bce2","#,
    r#""schedule":"constant","epochs":1,"seed":0,"device":"flex","processor":"x86_64","task":{"kind":"surface","surface":"x^2","#,
    r#""formula":"x^2","window":[-1.0,1.0,-1.0,1.0],"start":[0.5,0.5],"noise":0.0}}"#,
    "\n",
    r#"{"record":"point","step":0,"epoch":0,"batch_loss":null,"grad_norm":null,"value":0.1,"seconds":0.25}"#,
    "\n",
);

#[test]
fn a_record_of_format_1_is_converted_and_its_points_stay_byte_by_byte() {
    let converted = convert::convert(FORMAT_1, &Optimizers::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(&converted.file_name);
    std::fs::write(&path, &converted.text).unwrap();
    let run = record::read(&path).unwrap();
    assert_eq!(run.header.file_name(), converted.file_name);
    assert_eq!(run.header.format, record::FORMAT);
    assert_eq!(run.header.task.title(), "Paths on x^2");
    assert_eq!(run.points.len(), 1);
    assert_eq!(FORMAT_1.split_once('\n').unwrap().1, converted.text.split_once('\n').unwrap().1);
    // the same fingerprint as in a new run
    let config = downhill::pipeline::PipelineConfig::read(
        &"adam:lr=1e-3".parse().unwrap(),
        &Optimizers::default(),
    );
    assert_eq!(run.header.fingerprint, config.unwrap().fingerprint());
}

#[test]
fn a_record_with_the_old_name_of_a_measurement_is_read() {
    let runs = std::fs::read_dir("results/fmnist-2c2d/runs").unwrap();
    let mut records = runs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let path = records.next().unwrap();
    let first = std::fs::read_to_string(&path).unwrap().lines().nth(1).unwrap().to_string();
    let written: serde_json::Value = serde_json::from_str(&first).unwrap();
    let point = &record::read(&path).unwrap().points[0];
    assert_eq!(point.value(record::PENALIZED_LOSS), written["objective"].as_f64());
    assert!(point.value("train_loss_plus_penalty").is_some());
    assert_eq!(point.value("objective"), None);
}

#[test]
fn a_toml_file_with_the_old_name_of_a_measurement_is_read() {
    let (_, text) = load("adam-fig1-mnist", &Optimizers::default()).unwrap();
    let old = text
        .replace("train_loss_plus_penalty", "objective")
        .replace("b = \"AdaGrad\" }", "b = \"AdaGrad\", measure = \"objective\" }");
    assert!(old.contains("name = \"objective\""));
    let experiment = parse("old.toml".as_ref(), &old, &Optimizers::default()).unwrap();
    assert_eq!(experiment.metric.name, record::PENALIZED_LOSS);
    let measures = experiment.claim.iter().filter_map(|claim| claim.expect.measure());
    assert_eq!(measures.collect::<Vec<_>>(), [record::PENALIZED_LOSS; 2]);
}

#[test]
fn records_of_another_formula_or_format_are_not_converted() {
    for (from, to, error) in [
        (
            "5879bce2",
            "00000000",
            "formula 00000000 is not the last one of adam, so the run has to be repeated",
        ),
        (r#""format":1"#, r#""format":2"#, "found format 2, expected 1"),
        ("adam:lr", "adan:lr", "unknown"),
    ] {
        let text = FORMAT_1.replace(from, to);
        let found = convert::convert(&text, &Optimizers::default()).err().unwrap();
        assert!(found.contains(error), "{found}");
    }
}

#[test]
fn reading_a_record_of_format_1_names_the_conversion() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), FORMAT_1).unwrap();
    let error = record::read(file.path()).unwrap_err().to_string();
    assert!(error.contains("record format 1 (convert it: cargo run"), "{error}");
}

#[test]
fn a_task_of_an_unknown_kind_or_with_an_unknown_field_is_an_error() {
    let read = |json: &str| serde_json::from_str::<RecordedTask>(json).err().unwrap().to_string();
    let error = read(r#"{"kind":"quadratc","batch":1,"order":"repeated"}"#);
    assert!(error.contains("quadratc") && error.contains("quadratic"), "{error}");
    let error = read(r#"{"kind":"quadratic","batch":1,"order":"repeated","bach":2}"#);
    assert!(error.contains("unknown field `bach`"), "{error}");
}
