//! Mutants of the update rules: do the tests notice a wrong formula?
//!
//! ```text
//! cargo run --release --example mutants
//! ```
//!
//! `list.rs` lists small mutations of the rules in src/optim: a wrong sign, a wrong beta, t off by
//! one, a misplaced eps. Each is applied to a copy of the source text, and all copies are compiled
//! into one program. For each mutant, the program replays the recorded cases of tests/golden and
//! compares the steps with a transcription of the formula (`formulas.rs`). A mutant that stays
//! within 1e-10 of all of them survives, which is a gap in the tests. The unchanged rules run first
//! and must agree with everything.
//!
//! The copies are in target/mutants/optim, all in one folder: the unchanged rules, and a module for
//! each mutant with the changed file. The module takes everything else from its parent. In the
//! copies, `crate::optim` is therefore `super`. rustc is called directly, with the library that
//! this example was linked with, so no dependency is compiled again.
//!
//! `switch.rs` does the same for gradient transformations and for optimizers that are no rules for
//! single elements: there the tests themselves run with each mutant.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, fs};

mod list;
mod switch;
mod switched;

use list::{MUTATIONS, Mutation, SHARED_FILES};

type Result<T> = std::result::Result<T, String>;

/// A file to be copied, and the type of its rule if it has one.
struct Source {
    name: String,
    text: String,
    rule: Option<String>,
}

/// The files that are compiled again with a mutant of a shared file. Together they execute all of
/// the shared file.
const COMPILED_WITH: &[(&str, &[&str])] = &[
    ("rule", &["frame", "sgd", "momentum", "nag", "adagrad", "rmsprop", "adam", "nadam", "rprop"]),
    ("decay", &["adamw", "decayed_nag"]),
];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all mutants die. The argument `rules` or `switched` runs one part only.
fn run() -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/mutants");
    // remove the files of an earlier list
    match fs::remove_dir_all(&target) {
        Err(error) if target.exists() => {
            return Err(format!("cannot remove {}: {error}", target.display()));
        }
        _ => {}
    }
    match env::args().nth(1).as_deref() {
        None => Ok(run_rules(root, &target)? & switch::run(root, &target)?),
        Some("rules") => run_rules(root, &target),
        Some("switched") => switch::run(root, &target),
        Some(other) => Err(format!("found `{other}`, expected rules, switched, or nothing")),
    }
}

/// The mutants of the rules.
fn run_rules(root: &Path, target: &Path) -> Result<bool> {
    let sources = sources(root)?;
    let began = Instant::now();
    let optim = write_originals(target, &sources)?;
    write_mutants(target, &sources, optim)?;
    let program = compile(root, target)?;
    println!("{} mutants compiled in {:.0} s", MUTATIONS.len(), began.elapsed().as_secs_f64());
    let golden =
        ["trajectories.json", "modern.json"].map(|file| root.join("tests/golden").join(file));
    let status = Command::new(&program)
        .args(golden)
        .status()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    Ok(status.success())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let wrong = |error| format!("cannot write {}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(wrong)?;
    fs::write(path, text).map_err(wrong)
}

/// The text between two markers. `from` occurs once.
fn between<'a>(text: &'a str, from: &str, to: &str, place: &Path) -> Result<&'a str> {
    let wrong = || {
        let place = place.display();
        format!("{place} has no `{from}` with a `{to}` after it; has the table changed?")
    };
    let (_, rest) = text.split_once(from).ok_or_else(wrong)?;
    rest.split_once(to).map(|(between, _)| between).ok_or_else(wrong)
}

/// The source of a file of `list.rs`. In the copies, all files are in one folder.
fn copied(root: &Path, name: &str, rule: Option<String>) -> Result<Source> {
    let text = read(&root.join(list::path(name)))?.replace("crate::optim::", "super::");
    Ok(Source { name: name.into(), text, rule })
}

/// All files of the program in target/mutants/optim: the rules of the table, the files that they
/// share, and the files of this example.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let table = root.join("src/optim/rules/mod.rs");
    let text = read(&table)?;
    let mut sources = Vec::new();
    for line in between(&text, "\nrules! {", "}", &table)?.split(',').map(str::trim) {
        if line.is_empty() {
            continue;
        }
        let (name, rule) = line
            .split_once("::")
            .ok_or_else(|| format!("{}: `{line}` is not a rule", table.display()))?;
        sources.push(copied(root, name, Some(rule.into()))?);
    }
    for name in SHARED_FILES {
        sources.push(copied(root, name, None)?);
    }
    let entry = root.join("src/optim/entry.rs");
    let (head, tail) = ("macro_rules! dialects {", "pub(crate) use dialects;");
    let text = format!("{head}{}{tail}", between(&read(&entry)?, head, tail, &entry)?)
        .replace("crate::optim::", "super::");
    sources.push(Source { name: "entry".into(), text, rule: None });
    sources.push(Source {
        name: "frame".into(),
        text: include_str!("frame.rs").into(),
        rule: None,
    });
    sources.push(Source {
        name: "decayed_nag".into(),
        text: include_str!("decayed.rs").into(),
        rule: Some("DecayedNag".into()),
    });
    Ok(sources)
}

/// Declares the files as modules, re-exports their items as src/optim/mod.rs does, and lists their
/// rules as probes.
fn declare<'a>(sources: impl Iterator<Item = &'a Source>) -> String {
    let (mut text, mut probes) = (String::new(), String::new());
    for Source { name, rule, .. } in sources {
        let _ = writeln!(text, "pub mod {name};");
        if let Some(rule) = rule {
            let _ = writeln!(text, "pub use {name}::{rule};");
            let probe = format!("frame::probe::<{rule}, {{ crate::length({rule}::STATE) }}>");
            let _ = writeln!(probes, "{probe}({name:?}),");
        }
        text += match name.as_str() {
            "rule" => "pub use rule::{BurnRecord, StepContext, EpsPlace, LrPlace, Rule, Signal};\n",
            "entry" => "use entry::dialects;\n",
            _ => "",
        };
    }
    let _ = write!(text, "pub fn probes() -> Vec<crate::Probe> {{ vec![\n{probes}] }}\n");
    text
}

/// Writes the unchanged sources and the program around them. Returns the beginning of optim/mod.rs.
fn write_originals(target: &Path, sources: &[Source]) -> Result<String> {
    write(&target.join("main.rs"), include_str!("check.rs"))?;
    write(&target.join("formulas.rs"), include_str!("formulas.rs"))?;
    for Source { name, text, .. } in sources {
        write(&target.join(format!("optim/{name}.rs")), text)?;
    }
    let head = "use downhill::optim::{Dialect, NamedRule, Value};\n\
                mod value { pub use downhill::optim::Value; }\n";
    Ok(format!("{head}{}", declare(sources.iter())))
}

/// Writes the mutants, a module of `optim` each, and the list of all.
fn write_mutants(target: &Path, sources: &[Source], mut optim: String) -> Result<()> {
    let mut counts: BTreeMap<&str, usize> =
        sources.iter().map(|source| (source.name.as_str(), 0)).collect();
    let mut subjects = String::new();
    for mutation in MUTATIONS {
        let (file, what) = (mutation.file, mutation.what);
        let count = counts.entry(file).or_default();
        *count += 1;
        let module = format!("{file}_{count}");
        write_mutant(target, sources, mutation, &module)?;
        let _ = writeln!(optim, "pub mod {module};");
        let file = format!("{file}.rs");
        let _ = writeln!(
            subjects,
            "Subject {{ file: {file:?}, what: {what:?}, probes: optim::{module}::probes() }},",
        );
    }
    let without_mutant = |source: &&Source| {
        source.rule.is_some() && source.name != "decayed_nag" && counts[source.name.as_str()] == 0
    };
    if let Some(Source { name, .. }) = sources.iter().find(without_mutant) {
        return Err(format!("the list of mutants has none of {}", list::path(name)));
    }
    write(&target.join("optim/mod.rs"), &optim)?;
    let head = "use crate::{Subject, optim};\npub fn mutants() -> Vec<Subject> { vec![\n";
    write(&target.join("subjects.rs"), &format!("{head}{subjects}] }}\n"))
}

/// Writes the module of a mutant: the changed file, and the files that are compiled again with it.
fn write_mutant(
    target: &Path,
    sources: &[Source],
    mutation: &Mutation,
    module: &str,
) -> Result<()> {
    let Mutation { file, text, replacement, what } = mutation;
    let source = sources.iter().find(|source| source.name == *file);
    let source = source.ok_or_else(|| {
        format!("the list of mutants names {}, which is not a rule of the table", mutation.path())
    })?;
    let mutated = match source.text.matches(text).count() {
        1 => source.text.replacen(text, replacement, 1),
        n => {
            return Err(format!(
                "{} has the text `{text}` {n} times, expected once (mutant: {what})",
                mutation.path()
            ));
        }
    };
    let with = COMPILED_WITH.iter().find(|(shared, _)| shared == file);
    let with = with.map_or(&[][..], |(_, with)| with);
    let compiled = || {
        let again = |other: &&Source| other.name == *file || with.contains(&other.name.as_str());
        sources.iter().filter(again)
    };
    for other in compiled() {
        let text = if other.name == *file { &mutated } else { &other.text };
        write(&target.join(format!("optim/{module}/{}.rs", other.name)), text)?;
    }
    let text = format!("use super::*;\n{}", declare(compiled()));
    write(&target.join(format!("optim/{module}/mod.rs")), &text)
}

/// The paths of this library and burn. Both were compiled for this example, so cargo only prints
/// the paths.
fn libraries(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args([
        "build",
        "--release",
        "--lib",
        "--offline",
        "--message-format=json",
    ]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let mut libraries = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("cargo says `{line}`: {error}"))?;
        let files =
            message["filenames"].as_array().into_iter().flatten().filter_map(|file| file.as_str());
        if let (Some(name), Some(file)) = (
            message["target"]["name"].as_str(),
            files.into_iter().find(|file| file.ends_with(".rlib")),
        ) {
            libraries.insert(name.to_string(), PathBuf::from(file));
        }
    }
    Ok(libraries)
}

fn compile(root: &Path, target: &Path) -> Result<PathBuf> {
    let libraries = libraries(root)?;
    let library = |name: &str| {
        let unknown = || format!("cargo does not print the path of the library {name}");
        libraries.get(name).ok_or_else(unknown)
    };
    let program = target.join("program");
    // to optimize would take longer than the program runs; without debug assertions a t below 0
    // does not panic but moves the parameter
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args([
        "--edition=2024",
        "--crate-name=mutants",
        "-Copt-level=0",
        "-Cdebug-assertions=off",
        "-Ccodegen-units=16",
    ]);
    for name in ["downhill", "burn", "serde_json"] {
        rustc.arg("--extern").arg(format!("{name}={}", library(name)?.display()));
    }
    let dependencies = library("burn")?.parent().unwrap_or(root);
    rustc.arg("-L").arg(format!("dependency={}", dependencies.display()));
    let status = rustc.arg("-o").arg(&program).arg(target.join("main.rs")).status();
    match status {
        Ok(status) if status.success() => Ok(program),
        Ok(_) => {
            Err("the mutants do not compile; the path in rustc's message names the mutant".into())
        }
        Err(error) => Err(format!("cannot run rustc: {error}")),
    }
}
