//! Tells the lab from which commit it is built: records and pages state it.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// What the library is made of. After a change there, this program runs again. A commit alone is no
/// change, since it would compile everything again: until then the build counts as `-dirty`.
const SOURCES: [&str; 6] =
    ["src", "experiments", "datasets", "build.rs", "Cargo.toml", "Cargo.lock"];

fn main() {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    if env::var_os("CARGO_FEATURE_LAB").is_none() {
        return;
    }
    if let Some(commit) = of_package().or_else(of_repository) {
        println!("cargo:rustc-env=DOWNHILL_COMMIT={commit}");
    }
}

/// The commit of a package from a registry, which cargo has written beside the sources.
fn of_package() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let commit = text.split('"').skip_while(|word| *word != "sha1").nth(2)?;
    let dirty = if text.contains("\"dirty\": true") { "-dirty" } else { "" };
    Some(format!("{}{dirty}", commit.get(..12)?))
}

/// The commit of this repository. The repository of a program that contains these sources says
/// nothing about them.
fn of_repository() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let describe = ["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"];
    let described = Command::new("git").args(describe).output().ok()?;
    let commit = String::from_utf8(described.stdout).ok()?;
    described.status.success().then(|| commit.trim().to_string())
}
