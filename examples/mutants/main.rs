//! Mutants of the update rules: does the suite notice when a formula is wrong?
//!
//! ```text
//! cargo run --release --example mutants
//! ```
//!
//! `list.rs` names small mutations of src/optim: a sign, an index of beta, t off by one, a displaced eps. Each is made in a copy of the
//! source text, all copies are compiled into one program, and that program replays tests/golden/trajectories.json with each of them, and
//! steps it beside a transcription of its formula (`formulas.rs`). A mutant that stays within 1e-10 of all of it survives, which is a hole in
//! the suite. The rules as they are go first and must agree with everything.
//!
//! The copies stand in folders of target/mutants that mirror src/optim, `super::` and all: `optim` has all rules as they are, and each
//! mutant is a module inside it that takes everything from there but the file that it changes. rustc is called directly on the
//! library that this example was linked with, so no dependency is compiled again.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{env, fs};

mod list;

use list::{MUTATIONS, Mutation};

type Result<T> = std::result::Result<T, String>;

/// A file of src/optim with its name, and the type of its rule where it is a rule.
struct Source {
    name: String,
    text: String,
    rule: Option<String>,
}

/// Files that rules share, and who is compiled again with a mutant of them: enough that every path through them is taken.
const SHARED: &[(&str, &[&str])] =
    &[("rule", &["fused", "sgd", "momentum", "nag", "adagrad", "rmsprop", "adam", "nadam", "rprop"]), ("decay", &["adamw", "decayed_nag"])];

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

fn run() -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&root.join("src/optim"))?;
    let began = Instant::now();
    let target = root.join("target/mutants");
    // nothing of an earlier list may stay
    match fs::remove_dir_all(&target) {
        Err(error) if target.exists() => return Err(format!("cannot remove {}: {error}", target.display())),
        _ => {}
    }
    let optim = write_originals(&target, &sources)?;
    write_mutants(&target, &sources, optim)?;
    let program = compile(root, &target)?;
    println!("{} mutants compiled in {:.0} s", MUTATIONS.len(), began.elapsed().as_secs_f64());
    let golden = root.join("tests/golden/trajectories.json");
    let status = Command::new(&program).arg(golden).status().map_err(|error| format!("cannot run {}: {error}", program.display()))?;
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

/// What lies between two texts that occur once each.
fn between<'a>(text: &'a str, from: &str, to: &str, place: &Path) -> Result<&'a str> {
    let wrong = || format!("{} has no `{from}` with a `{to}` behind it; has the table changed?", place.display());
    let (_, rest) = text.split_once(from).ok_or_else(wrong)?;
    rest.split_once(to).map(|(between, _)| between).ok_or_else(wrong)
}

/// The rules in the table of optimizers, the files they share, and what stands around them here.
fn sources(optim: &Path) -> Result<Vec<Source>> {
    let table = optim.join("mod.rs");
    let text = read(&table)?;
    let mut sources = Vec::new();
    for line in between(&text, "table::optimizers! {", ";", &table)?.split(',') {
        let (name, rule) = line.trim().split_once("::").ok_or_else(|| format!("{}: `{}` is no rule", table.display(), line.trim()))?;
        sources.push(Source { name: name.into(), text: read(&optim.join(name).with_extension("rs"))?, rule: Some(rule.into()) });
    }
    for name in ["rule", "decay"] {
        sources.push(Source { name: name.into(), text: read(&optim.join(name).with_extension("rs"))?, rule: None });
    }
    let table = optim.join("table.rs");
    let (head, tail) = ("macro_rules! dialects {", "pub(super) use dialects;");
    let text = format!("{head}{}{tail}", between(&read(&table)?, head, tail, &table)?);
    sources.push(Source { name: "table".into(), text, rule: None });
    sources.push(Source { name: "fused".into(), text: include_str!("frame.rs").into(), rule: None });
    sources.push(Source { name: "decayed_nag".into(), text: include_str!("decayed.rs").into(), rule: Some("DecayedNag".into()) });
    Ok(sources)
}

/// Declares files as modules, their rules re-exported as in src/optim/mod.rs and to be checked.
fn declare<'a>(sources: impl Iterator<Item = &'a Source>) -> String {
    let (mut text, mut probes) = (String::new(), String::new());
    for Source { name, rule, .. } in sources {
        if let Some(rule) = rule {
            let _ = writeln!(probes, "fused::probe::<{rule}, {{ crate::memory({rule}::MEMORY) }}>({name:?}),");
        }
        let _ = writeln!(text, "pub mod {name};");
        let _ = match (rule, name.as_str()) {
            (Some(rule), _) => writeln!(text, "pub use {name}::{rule};"),
            (None, "rule") => writeln!(text, "pub use rule::{{At, EpsPlace, LrPlace, Rule, Signal}};"),
            (None, "table") => writeln!(text, "use table::dialects;"),
            (None, _) => Ok(()),
        };
    }
    let _ = write!(text, "pub fn probes() -> Vec<crate::Probe> {{ vec![\n{probes}] }}\n");
    text
}

/// Writes the sources as they are and the program around them; returns what is to become optim/mod.rs.
fn write_originals(target: &Path, sources: &[Source]) -> Result<String> {
    write(&target.join("main.rs"), include_str!("check.rs"))?;
    write(&target.join("formulas.rs"), include_str!("formulas.rs"))?;
    for Source { name, text, .. } in sources {
        write(&target.join(format!("optim/{name}.rs")), text)?;
    }
    Ok(format!(
        "use downhill::optim::{{Dialect, Named, Value}};\nmod value {{ pub use downhill::optim::Value; }}\n{}",
        declare(sources.iter())
    ))
}

/// Writes each mutant, a module inside `optim` of the file it changes and of those that are compiled with it, and the list of all.
fn write_mutants(target: &Path, sources: &[Source], mut optim: String) -> Result<()> {
    let mut counts: BTreeMap<&str, usize> = sources.iter().map(|source| (source.name.as_str(), 0)).collect();
    let mut subjects = String::new();
    for Mutation { file, text, replaced, what } in MUTATIONS {
        let source = sources.iter().find(|source| source.name == *file);
        let source = source.ok_or_else(|| format!("the list of mutants names src/optim/{file}.rs, which is no rule of the table"))?;
        let mutated = match source.text.matches(text).count() {
            1 => source.text.replacen(text, replaced, 1),
            n => return Err(format!("src/optim/{file}.rs has the text `{text}` {n} times, and the mutant ({what}) needs it once")),
        };
        let count = counts.entry(file).or_default();
        *count += 1;
        let module = format!("{file}_{count}");
        let with = SHARED.iter().find(|(shared, _)| shared == file).map_or(&[][..], |(_, with)| with);
        let compiled = || sources.iter().filter(|other| other.name == *file || with.contains(&other.name.as_str()));
        for other in compiled() {
            let text = if other.name == *file { &mutated } else { &other.text };
            write(&target.join(format!("optim/{module}/{}.rs", other.name)), text)?;
        }
        write(&target.join(format!("optim/{module}/mod.rs")), &format!("use super::*;\n{}", declare(compiled())))?;
        let _ = writeln!(optim, "pub mod {module};");
        let _ = writeln!(subjects, "Subject {{ file: {:?}, what: {what:?}, probes: optim::{module}::probes() }},", format!("{file}.rs"));
    }
    let without = |source: &&Source| source.rule.is_some() && source.name != "decayed_nag" && counts[source.name.as_str()] == 0;
    if let Some(Source { name, .. }) = sources.iter().find(without) {
        return Err(format!("the list of mutants has none of src/optim/{name}.rs"));
    }
    write(&target.join("optim/mod.rs"), &optim)?;
    let subjects = format!("use crate::{{Subject, optim}};\npub fn mutants() -> Vec<Subject> {{ vec![\n{subjects}] }}\n");
    write(&target.join("subjects.rs"), &subjects)
}

/// Where cargo has this library and burn; both were compiled for this example, so that cargo only tells.
fn libraries(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["build", "--release", "--lib", "--offline", "--message-format=json"]);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let mut libraries = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("cargo says `{line}`: {error}"))?;
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(|file| file.as_str());
        if let (Some(name), Some(file)) = (message["target"]["name"].as_str(), files.into_iter().find(|file| file.ends_with(".rlib"))) {
            libraries.insert(name.to_string(), PathBuf::from(file));
        }
    }
    Ok(libraries)
}

fn compile(root: &Path, target: &Path) -> Result<PathBuf> {
    let libraries = libraries(root)?;
    let library = |name: &str| libraries.get(name).ok_or_else(|| format!("cargo does not say where the library {name} is"));
    let program = target.join("program");
    // to optimize would take longer than the program runs; without debug assertions a t below 0 does not panic but moves the parameter
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition=2024", "--crate-name=mutants", "-Copt-level=0", "-Cdebug-assertions=off", "-Ccodegen-units=16"]);
    for name in ["downhill", "burn", "serde_json"] {
        rustc.arg("--extern").arg(format!("{name}={}", library(name)?.display()));
    }
    let dependencies = library("burn")?.parent().unwrap_or(root);
    rustc.arg("-L").arg(format!("dependency={}", dependencies.display()));
    let status = rustc.arg("-o").arg(&program).arg(target.join("main.rs")).status();
    match status {
        Ok(status) if status.success() => Ok(program),
        Ok(_) => Err("the mutants do not compile; the path in rustc's message names the one it is about".into()),
        Err(error) => Err(format!("cannot run rustc: {error}")),
    }
}
