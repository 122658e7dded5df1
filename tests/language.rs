//! Language models on the command line: train, eval, experiments, and bad input.
#![cfg(feature = "lab")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn downhill(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).current_dir(folder).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// 200 lines, all of them different.
fn book() -> String {
    (0..200).map(|n| format!("line {n}: {} sheep sleep, déjà vu.\n", n * n)).collect()
}

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("book.txt"), book()).unwrap();
    folder
}

const MODEL: &str = "gpt:layers=1,width=16,heads=2,context=16,dropout=0.1";

fn train(folder: &Path, data: &str, epochs: &str, out: &str) -> Output {
    let args = ["train", "--model", MODEL, "--data", data, "--optimizer", "adamw:lr=1e-2"];
    downhill(folder, &[&args[..], &["--epochs", epochs, "--out", out]].concat())
}

/// The files of a folder with this extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    found.sort();
    found
}

/// The lines of a record without times.
fn timeless(path: &Path) -> Vec<Value> {
    let record = fs::read_to_string(path).unwrap();
    let lines = record.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("seconds");
        line
    });
    lines.collect()
}

#[test]
fn a_text_is_trained_on_and_evaluated_with_a_sample() {
    let folder = place();
    let folder = folder.path();
    for (data, tokens) in [("text:book.txt", "chars"), ("text:book.txt|bpe:vocabulary=300", "bpe")]
    {
        let trained = train(folder, data, "3", tokens);
        assert!(trained.status.success(), "{}", err(&trained));
        let record = timeless(&files(&folder.join(tokens), "jsonl")[0]);
        let bits: Vec<f64> = record.iter().filter_map(|line| line["test_bits"].as_f64()).collect();
        assert_eq!(bits.len(), 4, "{record:?}");
        assert!(bits[3] < bits[0] - 0.5, "{bits:?}");
        let model = files(&folder.join(tokens), "safetensors")[0].clone();
        let eval = |more: &[&str]| {
            out(&downhill(folder, &[&["eval", model.to_str().unwrap()], more].concat()))
        };
        let text = eval(&["--length", "40"]);
        assert!(text.contains(&format!("bits per character {:.4}", bits[3])), "{text}\n{bits:?}");
        assert!(text.contains("sample of 40 tokens, temperature 0.8, seed 0"), "{text}");
        assert_eq!(text, eval(&["--length", "40"]));
        assert_ne!(text, eval(&["--length", "40", "--seed", "1"]));
        assert!(eval(&["--prompt", "line 7", "--temperature", "0"]).contains("\n\nline 7"));
        assert!(!eval(&["--length", "0"]).contains("sample"));
        // the same text from another place
        fs::write(folder.join("copy.txt"), book()).unwrap();
        let copy = eval(&["--length", "0", "--data", "text:copy.txt"]);
        assert!(copy.contains(&format!("bits per character {:.4}", bits[3])), "{copy}");
    }
}

#[test]
fn an_interrupted_training_is_the_same_as_one_in_a_piece() {
    let folder = place();
    let folder = folder.path();
    assert!(train(folder, "text:book.txt", "3", "whole").status.success());
    let whole = timeless(&files(&folder.join("whole"), "jsonl")[0]);
    let weights = fs::read(&files(&folder.join("whole"), "safetensors")[0]).unwrap();
    // killed after a checkpoint, as often as it takes
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
        command.args(["train", "--model", MODEL, "--data", "text:book.txt"]);
        command.args(["--optimizer", "adamw:lr=1e-2", "--epochs", "3", "--out", "cut"]);
        command
            .args(["--checkpoint-every", "0.001"])
            .current_dir(folder)
            .stderr(std::process::Stdio::null());
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let cut = folder.join("cut");
    let mut child = start();
    for _ in 0..1000 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        if cut.is_dir() && !files(&cut, "checkpoint").is_empty() {
            break;
        }
    }
    let _ = child.kill();
    child.wait().unwrap();
    assert!(start().wait().unwrap().success());
    assert_eq!(timeless(&files(&cut, "jsonl")[0]), whole);
    assert_eq!(fs::read(&files(&cut, "safetensors")[0]).unwrap(), weights);
}

const EXPERIMENT: &str = r#"
name = "tokens"
title = "Characters and byte pairs"
paper = "none"
url = ""
about = "For the tests."
metric = { name = "validation_bits", label = "validation bits per character" }
task = { kind = "language", model = "gpt:layers=1,width=16,heads=2,context=16,dropout=0.1", data = "text:book.txt", batch = 8, windows = 60 }
scale.quick = { epochs = 2, seeds = 2, train = 40, test = 20, about = "" }
series = [
  { label = "characters", optimizer = "adamw:lr=1e-2" },
  { label = "byte pairs", optimizer = "adamw:lr=1e-2", task = { kind = "language", model = "gpt:layers=1,width=16,heads=2,context=16", data = "text:book.txt|bpe:vocabulary=300", batch = 8 } },
]
claim = [{ quote = "c", source = "us", expect = { kind = "ahead", a = "byte pairs", b = "characters" } }]
"#;

#[test]
fn an_experiment_compares_tokens_whatever_the_number_of_workers() {
    let folder = place();
    let folder = folder.path();
    fs::write(folder.join("tokens.toml"), EXPERIMENT).unwrap();
    let run = |out: &str, jobs: &str| {
        let ran = downhill(folder, &["run", "tokens.toml", "--jobs", jobs, "--out", out]);
        assert!(ran.status.success(), "{}", err(&ran));
        let records = files(&folder.join(out).join("runs"), "jsonl");
        assert_eq!(records.len(), 4);
        records.iter().map(|path| timeless(path)).collect::<Vec<_>>()
    };
    let one = run("one", "1");
    assert_eq!(one, run("two", "2"));
    let windows: Vec<u64> =
        one.iter().map(|record| record[0]["task"]["windows"].as_u64().unwrap()).collect();
    assert_eq!(windows, [40; 4], "{one:?}");
    let page = fs::read_to_string(folder.join("one/index.html")).unwrap();
    assert!(page.contains("validation bits per character") && page.contains("text:book.txt"));
}

#[test]
fn bad_input_gives_one_sentence_and_exit_code_2_and_writes_nothing() {
    let folder = place();
    let folder = folder.path();
    fs::write(folder.join("short.txt"), "too short").unwrap();
    fs::write(folder.join("latin.txt"), [book().as_bytes(), b"caf\xe9"].concat()).unwrap();
    let at = book().len() + 3;
    let rows: &[(&[&str], String)] = &[
        (&["--data", "text:short.txt"], "data text:short.txt: found a training part of ".into()),
        (
            &["--data", "text:latin.txt"],
            format!("latin.txt: found a byte at {at} that is not UTF-8"),
        ),
        (&["--data", "text:none.txt"], "none.txt".into()),
        (&["--data", "book.txt"], "expected text:book.txt".into()),
        (&["--data", "mnist-10k"], "found labelled examples".into()),
        (&["--data", "text:book.txt|words"], "tokenization of a text `words`".into()),
        (
            &["--data", "text:book.txt|bpe:vocabulary=256"],
            "found 256, expected 257 to 16384".into(),
        ),
        (&["--data", "text:book.txt|bpe:vocabulary=16385"], "found 16385".into()),
        (&["--data", "text:book.txt|bpe:vocabulary=16000"], "expected enough for bpe".into()),
        (
            &["--model", "gpt:heads=3"],
            "found 3 heads, expected a number of heads that divides".into(),
        ),
        (&["--model", "gpt:context=1"], "found a context of 1, expected 2 to 8192".into()),
        (&["--model", "gpt:context=9000"], "found a context of 9000".into()),
        (&["--model", "gpt:context=4000"], "twice the context of 4000".into()),
        (&["--model", "gpt:width=100000"], "parameters".into()),
        (&["--penalty", "l2"], "--penalty: found l2, expected none for gpt".into()),
        (&["--augment", "hflip"], "--augment: found hflip".into()),
        (&["--validation", "0.1"], "--validation: found 0.1".into()),
    ];
    for (more, expected) in rows {
        let mut args: Vec<&str> = vec!["train", "--optimizer", "adamw", "--out", "bad"];
        for (option, default) in [("--model", "gpt"), ("--data", "text:book.txt")] {
            if !more.contains(&option) {
                args.extend([option, default]);
            }
        }
        args.extend(*more);
        let refused = downhill(folder, &args);
        let text = err(&refused);
        assert_eq!(refused.status.code(), Some(2), "{more:?}: {text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(expected.as_str()), "{more:?}: {text}");
        assert!(!folder.join("bad").exists(), "{more:?} wrote something");
    }
    let refused = |args: &[&str], expected: &str| {
        let refused = downhill(folder, args);
        assert_eq!(refused.status.code(), Some(2));
        assert!(err(&refused).contains(expected), "{}", err(&refused));
    };
    let classifier = ["train", "--model", "logistic", "--optimizer", "sgd", "--out", "bad"];
    refused(
        &[&classifier[..], &["--data", "shakespeare"]].concat(),
        "found a text, expected labelled",
    );
    refused(&[&classifier[..], &["--windows", "9"]].concat(), "--windows: found 9");
}

#[test]
fn a_prompt_with_an_unknown_character_and_other_tokens_are_refused() {
    let folder = place();
    let folder = folder.path();
    assert!(train(folder, "text:book.txt", "1", "out").status.success());
    let model = files(&folder.join("out"), "safetensors")[0].clone();
    let model = model.to_str().unwrap();
    for (more, expected) in [
        (["--prompt", "line Q"], "the character 'Q' at byte 5"),
        (["--prompt", ""], "at least one character"),
        (["--data", "text:book.txt|bpe"], "expected chars, as in training"),
        (["--data", "shakespeare"], "the character"),
        (["--temperature", "-1"], "--temperature"),
    ] {
        let refused = downhill(folder, &[&["eval", model], &more[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{more:?}");
        assert!(err(&refused).contains(expected), "{more:?}: {}", err(&refused));
    }
}
