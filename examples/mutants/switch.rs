//! The second part: mutants of what is not a rule for single elements. They need burn's tensors and
//! the pipeline, so the tests themselves have to notice them.
//!
//! The project is copied to target/mutants/switched, where each marked expression of `switched.rs`
//! becomes a `match` on the number of the mutant, which the environment gives. So one compilation
//! contains all mutants. Without a mutant every test has to pass, and with one a test has to fail.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::switched::{SWITCHED, Switched};
use super::{Result, read, write};

/// The tests that have to notice the mutants.
const TESTS: [&str; 3] = ["transformations", "adafactor", "learning_rate_free"];

/// The variable that has the number of the mutant, from 1.
const VARIABLE: &str = "DOWNHILL_MUTANT";

/// Returns whether all mutants die.
pub fn run(root: &Path, target: &Path) -> Result<bool> {
    let copy = target.join("switched");
    copy_project(root, &copy)?;
    for (file, text) in switched_sources(root)? {
        write(&copy.join(file), &text)?;
    }
    let tests = compile(root, &copy)?;
    if let Some(failed) = first_failure(&tests, &copy, 0)? {
        return Err(format!("the unchanged project fails in {failed}"));
    }
    let mut dead = 0;
    for (number, Switched { file, what, .. }) in (1..).zip(SWITCHED) {
        let failed = first_failure(&tests, &copy, number)?;
        dead += usize::from(failed.is_some());
        let found = failed.as_deref().unwrap_or("SURVIVES");
        let file = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
        println!("{number:3}  {file:18} {what:46} {found}");
    }
    println!("{dead} of {} mutants of tensors and sums die", SWITCHED.len());
    Ok(dead == SWITCHED.len())
}

/// The library, and links to everything else.
fn copy_project(root: &Path, copy: &Path) -> Result<()> {
    copy_folder(&root.join("src"), &copy.join("src"))?;
    let failed = |error| format!("cannot link to the files of {}: {error}", root.display());
    for entry in fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let own = ["src", "target", "Cargo.toml", "Cargo.lock", ".git", ".cargo"];
        if !own.iter().any(|own| *own == name) {
            symlink(entry.path(), copy.join(&name)).map_err(failed)?;
        }
    }
    // without the command: the tests do not need it
    let manifest = read(&root.join("Cargo.toml"))?.replace("default-run = \"downhill\"\n", "");
    let (before, command) = ("[[bin]]\nname = \"downhill\"\nrequired-features = [\"cli\"]\n", "");
    write(
        &copy.join("Cargo.toml"),
        &format!("{}\n[workspace]\n", manifest.replace(before, command)),
    )?;
    write(&copy.join("Cargo.lock"), &read(&root.join("Cargo.lock"))?)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let failed = |error| format!("cannot copy {}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).map_err(failed)?;
        if name == "main.rs" || name == "cli" {
            continue;
        }
        match path.is_dir() {
            true => copy_folder(&path, &to.join(name))?,
            false => fs::copy(&path, to.join(name)).map(drop).map_err(failed)?,
        }
    }
    Ok(())
}

/// The files with mutants, and the root of the library with the number of the mutant.
fn switched_sources(root: &Path) -> Result<BTreeMap<&'static str, String>> {
    let mut texts = BTreeMap::new();
    // the mutants of one expression share a `match`
    let mut arms: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (number, one) in (1..).zip(SWITCHED) {
        let arm = format!("{number} => {{ {} }}, ", one.replacement);
        *arms.entry((one.file, one.text)).or_default() += &arm;
    }
    for one in SWITCHED {
        let Some(arms) = arms.remove(&(one.file, one.text)) else { continue };
        let original = read(&root.join(one.file))?;
        let text = texts.entry(one.file).or_insert(original);
        let (place, [before, marked, after]) = (one.place(), one.parts());
        if text.matches(&place).count() != 1 {
            return Err(format!("{}: `{place}` does not occur once", one.file));
        }
        let switch = format!("match crate::mutant() {{ {arms}_ => {{ {marked} }} }}");
        // in parentheses, because a match at the beginning of a statement would end it
        *text = text.replacen(&place, &format!("{before}({switch}){after}"), 1);
    }
    let library = read(&root.join("src/lib.rs"))?;
    let number = format!(
        "#[doc(hidden)]\npub fn mutant() -> usize {{\n\
         static NUMBER: std::sync::OnceLock<usize> = std::sync::OnceLock::new();\n\
         *NUMBER.get_or_init(|| std::env::var({VARIABLE:?}).map_or(0, |text| text.parse().unwrap()))\n}}\n"
    );
    texts.insert("src/lib.rs", format!("{library}\n{number}"));
    Ok(texts)
}

/// Compiles the tests, with the dependencies of the project. Returns their programs.
fn compile(root: &Path, copy: &Path) -> Result<Vec<PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| root.join("target").into());
    let mut command = Command::new(cargo);
    command.current_dir(copy).env("CARGO_TARGET_DIR", target);
    command.args(["test", "--release", "--no-run", "--offline", "--message-format=json"]);
    // to optimize would take longer than the tests run
    command.args(["--config", "profile.release.package.downhill.opt-level=0"]);
    command.args(["--config", "profile.release.package.downhill.codegen-units=64"]);
    for test in TESTS {
        command.args(["--test", test]);
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err("the mutants do not compile; rustc's message names the file".into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    let program = |message: serde_json::Value| message["executable"].as_str().map(PathBuf::from);
    let programs: Vec<PathBuf> = messages.filter_map(program).collect();
    match programs.len() == TESTS.len() {
        true => Ok(programs),
        false => Err(format!("cargo made {} tests, expected {}", programs.len(), TESTS.len())),
    }
}

/// The first test that fails with this mutant; 0: without.
fn first_failure(tests: &[PathBuf], copy: &Path, mutant: usize) -> Result<Option<String>> {
    for test in tests {
        let output = Command::new(test)
            .current_dir(copy)
            .env(VARIABLE, mutant.to_string())
            .output()
            .map_err(|error| format!("cannot run {}: {error}", test.display()))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            let failed = text.lines().find_map(|line| {
                line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(String::from)
            });
            return Ok(Some(failed.unwrap_or_else(|| "a crash".into())));
        }
    }
    Ok(None)
}
